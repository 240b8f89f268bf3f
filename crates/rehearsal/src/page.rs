//! The board page: every Pin as a card, cover first, playing on click. One file without any other, all text escaped,
//! addresses relative, so that the same text serves from here and opens from disk.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::gate::Shared;
use crate::store::{KeptCover, KeptPin, Stage, Store};

/// Nothing from anywhere else, no script at all.
const POLICY: &str = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /`.
pub(crate) async fn show(State(shared): State<Arc<Shared>>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (headers, render(&shared.store())).into_response()
}

/// `GET /pin/{pin_id}/`: where a Pin's address leads.
pub(crate) async fn to_pin(State(shared): State<Arc<Shared>>, Path(pin_id): Path<String>) -> Response {
    if !shared.store().pins.iter().any(|pin| pin.id == pin_id) {
        return StatusCode::NOT_FOUND.into_response();
    }
    (StatusCode::SEE_OTHER, [(LOCATION, format!("/#pin-{pin_id}"))]).into_response()
}

/// The page as it stands.
pub(crate) fn render(store: &Store) -> String {
    let mut html = String::from(HEAD);
    let count = store.pins.len();
    let _ = write!(
        html,
        "<header><h1>Rehearsal board</h1><p>{count} {} on loopback. Nothing here was sent to Pinterest.</p></header>\n<main>\n",
        if count == 1 { "Pin" } else { "Pins" },
    );
    for board in &store.boards {
        let pins: Vec<_> = store.pins.iter().rev().filter(|pin| pin.board_id == board.id).collect();
        let _ = writeln!(
            html,
            "<section aria-labelledby=\"board-{id}\"><h2 id=\"board-{id}\">{name} <small>{count} {word}</small></h2>",
            id = board.id,
            name = escaped(&board.name),
            count = pins.len(),
            word = if pins.len() == 1 { "Pin" } else { "Pins" },
        );
        if pins.is_empty() {
            html.push_str("<p class=\"empty\">No Pin yet.</p>");
        }
        html.push_str("<ul class=\"pins\">\n");
        for pin in pins {
            card(
                &mut html,
                pin,
                board.sections.iter().find(|s| Some(&s.id) == pin.board_section_id.as_ref()).map(|s| s.name.as_str()),
            );
        }
        html.push_str("</ul></section>\n");
    }
    refused(&mut html, store);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

fn card(html: &mut String, pin: &KeptPin, section: Option<&str>) {
    let id = &pin.id;
    let title = pin.title.as_deref().filter(|title| !title.trim().is_empty()).unwrap_or("Untitled Pin");
    let _ = writeln!(html, "<li><article class=\"pin\" id=\"pin-{id}\" aria-labelledby=\"title-{id}\">");
    let (poster, fragment) = match &pin.cover {
        KeptCover::Image { file } => (format!(" poster=\"media/{}\"", escaped(file)), String::new()),
        // Without a picture the browser shows the frame at that time.
        KeptCover::KeyFrame { seconds } => (String::new(), format!("#t={seconds}")),
        KeptCover::TimestampMs { millis } => (String::new(), format!("#t={}.{:03}", millis / 1_000, millis % 1_000)),
        KeptCover::Url { .. } => (String::new(), String::new()),
    };
    let label = pin.alt_text.as_deref().filter(|text| !text.is_empty()).unwrap_or(title);
    let _ = write!(
        html,
        // Chromium plays nothing on a click of which it does not know that it is a video.
        "<video controls playsinline preload=\"metadata\"{poster} src=\"media/{}.mp4{fragment}\" aria-label=\"{}\"></video>\n\
         <div class=\"text\"><h3 id=\"title-{id}\">{}</h3>\n",
        escaped(&pin.media_id),
        escaped(label),
        escaped(title),
    );
    if let Some(description) = pin.description.as_deref().filter(|text| !text.is_empty()) {
        let _ = writeln!(html, "<p class=\"description\">{}</p>", escaped(description));
    }
    if let Some(link) = pin.link.as_deref().filter(|link| link.starts_with("https://") || link.starts_with("http://")) {
        let link = escaped(link);
        let _ =
            writeln!(html, "<p class=\"link\"><a rel=\"noopener noreferrer nofollow\" href=\"{link}\">{link}</a></p>");
    }
    html.push_str("<details><summary>What was checked</summary><ul>");
    for fact in &pin.checked.facts {
        let _ = write!(html, "<li>{}</li>", escaped(fact));
    }
    let cover = match &pin.cover {
        KeptCover::Image { .. } => "cover: a picture".to_owned(),
        KeptCover::KeyFrame { seconds } => format!("cover: the frame at {seconds} s"),
        KeptCover::TimestampMs { millis } => format!("cover: the frame at {millis} ms"),
        KeptCover::Url { url } => format!("cover: {url} (not loaded here)"),
    };
    let _ = write!(html, "<li>{}</li>", escaped(&cover));
    if let Some(section) = section {
        let _ = write!(html, "<li>section: {}</li>", escaped(section));
    }
    let created = pin.created_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let _ = write!(html, "<li>Pin {id}, created <time datetime=\"{}\">{created}</time></li>", pin.created_at);
    html.push_str("</ul></details></div></article></li>\n");
}

fn refused(html: &mut String, store: &Store) {
    let mut failed = store.media.iter().filter_map(|media| match &media.stage {
        Stage::Failed { reason } => Some((media.id.as_str(), reason)),
        _ => None,
    });
    let Some(first) = failed.next() else { return };
    html.push_str(
        "<section aria-labelledby=\"refused\"><h2 id=\"refused\">Uploads that failed</h2><ul class=\"failed\">",
    );
    for (id, reason) in std::iter::once(first).chain(failed) {
        let _ = write!(html, "<li>{}: {}</li>", escaped(id), escaped(reason));
    }
    html.push_str("</ul></section>\n");
}

/// Text that is safe between tags and inside quoted attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// Everything before the content. Colours meet WCAG 2.2 AA (contrast 4.5:1) in both schemes.
const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Rehearsal board</title>
<style>
:root { --back: #f4f3f0; --card: #fff; --text: #1b1b1a; --soft: #5c5a55; --line: #d9d6cf; --link: #8c0d20; }
@media (prefers-color-scheme: dark) {
  :root { --back: #161615; --card: #222220; --text: #f0eee9; --soft: #b0ada5; --line: #3a3935; --link: #ff9aa8; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
body { overflow-wrap: anywhere; }
header, main { max-width: 84rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.5rem; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
header p { margin: .25rem 0 0; color: var(--soft); }
h2 { margin: 2rem 0 .75rem; font-size: 1.25rem; }
h2 small { font-weight: 400; font-size: .9rem; color: var(--soft); margin-left: .5rem; }
.pins { list-style: none; margin: 0; padding: 0; columns: 15rem; column-gap: 1rem; }
.pins > li { break-inside: avoid; padding-bottom: 1rem; }
@media (max-width: 40rem) { .pins { columns: 2 9rem; column-gap: .75rem; } .pins > li { padding-bottom: .75rem; } }
.pin { background: var(--card); border: 1px solid var(--line); border-radius: 1rem; overflow: hidden; }
.pin:target { outline: 3px solid var(--link); }
video { display: block; width: 100%; max-height: 34rem; background: #000; }
.text { padding: .75rem 1rem 1rem; }
h3 { margin: 0; font-size: 1.05rem; line-height: 1.3; }
.text p { margin: .4rem 0 0; }
.description { white-space: pre-line; }
.link { font-size: .9rem; }
a { color: var(--link); }
details { margin-top: .6rem; font-size: .875rem; color: var(--soft); }
summary { cursor: pointer; padding: .25rem 0; }
details ul, .failed { margin: .25rem 0 0; padding-left: 1.1rem; }
.empty { color: var(--soft); }
a:focus-visible, summary:focus-visible, video:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
</style>
</head>
<body>
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::Checked;
    use crate::store::{KeptBoard, KeptMedia};

    const EVIL: &str = "<script>alert('1')</script>\" onload=\"x&y";

    fn store() -> Store {
        let created_at = "2026-11-24T08:00:00Z".parse().unwrap();
        let mut store = Store::default();
        store.boards.push(KeptBoard { id: "7".into(), name: EVIL.into(), created_at, sections: Vec::new() });
        let stage = Stage::Failed { reason: EVIL.into() };
        store.media.push(KeptMedia { id: "9".into(), stage, polls: 0, stuck: false, doomed: false });
        store.pins.push(KeptPin {
            id: "8".into(),
            board_id: "7".into(),
            board_section_id: None,
            title: Some(EVIL.into()),
            description: Some(EVIL.into()),
            link: Some(format!("https://e.example/{EVIL}")),
            alt_text: Some(EVIL.into()),
            created_at,
            media_id: "5".into(),
            cover: KeptCover::Url { url: EVIL.into() },
            checked: Checked { facts: vec![EVIL.into()] },
        });
        store
    }

    #[test]
    fn no_text_of_a_user_becomes_markup() {
        let html = render(&store());
        assert_eq!(html.matches("&lt;script&gt;").count(), 9, "every text is there, link and cover address included");
        assert!(!html.contains("<script") && !html.contains("\" onload"), "{html}");
    }

    #[test]
    fn a_link_that_is_no_web_address_is_not_made_one() {
        let mut store = store();
        store.pins[0].link = Some("javascript:alert(1)".into());
        assert!(!render(&store).contains("javascript:"));
    }

    #[test]
    fn a_cover_that_is_a_time_shows_that_frame() {
        let mut store = store();
        store.pins[0].cover = KeptCover::TimestampMs { millis: 2_050 };
        assert!(render(&store).contains("src=\"media/5.mp4#t=2.050\""));
        store.pins[0].cover = KeptCover::Image { file: "8.jpg".into() };
        assert!(render(&store).contains("preload=\"metadata\" poster=\"media/8.jpg\" src=\"media/5.mp4\""));
    }

    proptest::proptest! {
        #[test]
        fn escaped_text_reads_as_it_was_and_holds_no_markup(text in ".*") {
            let safe = escaped(&text);
            proptest::prop_assert!(!safe.contains(['<', '>', '"', '\'']));
            let back = safe.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
            proptest::prop_assert_eq!(back.replace("&amp;", "&"), text);
        }
    }
}
