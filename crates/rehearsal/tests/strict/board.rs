//! The board page as a person meets it.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, RgbImage};
use pinpress_rehearsal::{BoardOptions, Rehearsal, RehearsalOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{DESKTOP, PHONE, dom, pixels, screenshot};
use crate::hands::Hands;
use crate::wire::{call, register, send_video, settled};

/// A colour that the page does not have.
const MAGENTA: [u8; 3] = [255, 0, 255];

fn picture() -> String {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(540, 960, MAGENTA.into()).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    STANDARD.encode(bytes.into_inner())
}

/// A rehearsal with a Pin of each form of cover, a board without one, and an upload that failed.
fn board() -> (TempDir, Rehearsal) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = RehearsalOptions::new(folder.path().join("kept"));
    options.boards = vec![
        BoardOptions { name: "Summer recipes".to_owned(), sections: vec!["Soups".to_owned()] },
        BoardOptions::named("Garden"),
    ];
    let rehearsal = Rehearsal::start(options).unwrap();
    let video = std::fs::read(pinpress_fixtures::make("conforming-9x16.mp4").unwrap()).unwrap();
    let pin = |texts: Value, cover: Value| {
        let registration = register(&rehearsal);
        assert_eq!(send_video(&rehearsal, &registration, &video).status, 204);
        let media_id = registration["media_id"].as_str().unwrap();
        assert_eq!(settled(&rehearsal, media_id).last().unwrap(), "succeeded");
        let mut body = json!({"board_id": rehearsal.board_id("Summer recipes").unwrap()});
        let mut source = json!({"source_type": "video_id", "media_id": media_id});
        source.as_object_mut().unwrap().extend(cover.as_object().unwrap().clone());
        body.as_object_mut().unwrap().extend(texts.as_object().unwrap().clone());
        body["media_source"] = source;
        let answer = call(&rehearsal, "POST", "pins", Some(&body));
        assert_eq!(answer.status, 201, "{}", answer.text());
    };
    pin(json!({}), json!({"cover_image_url": "https://e.example/cover.jpg"}));
    pin(json!({"title": "A frame, by the second"}), json!({"cover_image_key_frame_time": 2}));
    pin(
        json!({"title": "A frame, by the millisecond", "description": "One line\nand another"}),
        json!({"cover_image_timestamp_ms": 1_500}),
    );
    pin(
        json!({
            "title": "Tomato soup in ten minutes", "alt_text": "A bowl of red soup on a table",
            "description": "Ripe tomatoes, a little garlic & basil <3", "link": "https://e.example/soup?from=pin&x=1",
        }),
        json!({"cover_image_content_type": "image/jpeg", "cover_image_data": picture()}),
    );
    let failed = register(&rehearsal);
    send_video(&rehearsal, &failed, b"no video at all");
    assert_eq!(settled(&rehearsal, failed["media_id"].as_str().unwrap()).last().unwrap(), "failed");
    (folder, rehearsal)
}

/// The saved page, opened from disk with a script in it that its own policy would not let run.
fn with_script(folder: &TempDir, rehearsal: &Rehearsal, script: &str) -> String {
    let saved = rehearsal.save_board_page().unwrap();
    let html = std::fs::read_to_string(&saved).unwrap();
    let open = html.replace("</body>", &format!("<script>{script}</script></body>"));
    assert_ne!(open, html);
    let path = folder.path().join("kept/scripted.html");
    std::fs::write(&path, open).unwrap();
    format!("file://{}", path.display())
}

#[test]
fn covers_come_first_on_a_phone_and_on_a_desk() {
    let (folder, rehearsal) = board();
    let wait = "--virtual-time-budget=3000";
    for window in [PHONE, DESKTOP] {
        let picture = screenshot(folder.path(), window, &[wait], &rehearsal.board_page_url());
        // A picture of one colour, nearly as wide as a card; frames of the test pattern have bars of it too.
        let is_cover = |x: u32, y: u32| picture.get_pixel(x, y).0.iter().zip(MAGENTA).all(|(a, b)| a.abs_diff(b) < 4);
        let widest = (0..window.1).map(|y| (0..window.0).filter(|x| is_cover(*x, y)).count()).max().unwrap();
        assert!(widest > 200, "{window:?}: {widest} magenta pixels in a row");
        assert_eq!(picture.get_pixel(2, 2).0, [0xF4, 0xF3, 0xF0], "light");
    }
    let dark = "--blink-settings=preferredColorScheme=0";
    let picture = screenshot(folder.path(), PHONE, &[wait, dark], &rehearsal.board_page_url());
    assert_eq!(picture.get_pixel(2, 2).0, [0x16, 0x16, 0x15], "dark where that is preferred");
    assert!(pixels(&picture, [255, 255, 255], 0) < 3_000, "no white card is left");
}

#[test]
fn the_time_of_a_cover_is_the_frame_that_is_shown_and_videos_play_from_there() {
    let (folder, rehearsal) = board();
    let script = "
        const said = document.createElement('pre');
        document.body.append(said);
        const videos = [...document.querySelectorAll('video')];
        for (const video of videos) {
            const at = videos.indexOf(video);
            const play = () => {
                const begun = video.currentTime;
                video.ontimeupdate = () => {
                    if (video.currentTime <= begun) return;
                    said.append(`played ${at} from ${begun.toFixed(1)} of ${video.duration.toFixed(0)};`);
                    video.ontimeupdate = null;
                    video.pause();
                };
                video.play().catch(error => said.append(`broken ${at} ${error};`));
            };
            if (video.readyState > 1) play(); else video.onloadeddata = play;
        }";
    let dom = dom(folder.path(), DESKTOP, 20_000, &with_script(&folder, &rehearsal, script));
    for (place, begun) in ["0.0", "1.5", "2.0", "0.0"].iter().enumerate() {
        assert!(dom.contains(&format!("played {place} from {begun} of 5;")), "video {place}: {dom}");
    }
}

#[test]
fn a_video_plays_on_click_and_by_key() {
    let (_folder, rehearsal) = board();
    let mut hands = Hands::open(&rehearsal.board_page_url());
    let first = "document.querySelectorAll('video')[0]";
    assert_eq!(hands.value(&format!("[{first}.paused, {first}.currentTime]")), json!([true, 0]), "cover first");
    hands.click("video");
    hands.wait_for(&format!("!{first}.paused && {first}.currentTime > 0.2"));
    hands.click("video");
    hands.wait_for(&format!("{first}.paused"));

    let second = "document.querySelectorAll('video')[1]";
    let place = hands.value(&format!("{second}.currentTime"));
    assert_eq!(place, 1.5, "the frame of its cover");
    for _ in 0..20 {
        if hands.value(&format!("document.activeElement === {second}")) == true {
            break;
        }
        hands.key("Tab", "Tab", 9);
    }
    hands.wait_for(&format!("document.activeElement === {second}"));
    hands.key(" ", "Space", 32);
    hands.wait_for(&format!("!{second}.paused && {second}.currentTime > 1.6"));

    hands.click("summary");
    hands.wait_for("document.querySelector('details').open");
    let told = hands.value("document.querySelector('details').innerText");
    assert!(told.as_str().unwrap().contains("passes the rule set pinterest"), "{told}");
}

#[test]
fn nothing_is_wider_than_the_window_and_everything_is_reached_by_key() {
    let (folder, rehearsal) = board();
    let script = "
        const said = document.createElement('pre');
        const wide = document.documentElement.scrollWidth;
        const keys = [...document.querySelectorAll('a, video, summary')].filter(one => one.tabIndex >= 0).length;
        said.append(`wide ${wide} of ${innerWidth}; keys ${keys};`);
        document.body.append(said);";
    let address = with_script(&folder, &rehearsal, script);
    for window in [PHONE, DESKTOP] {
        let dom = dom(folder.path(), window, 2_000, &address);
        assert!(dom.contains(&format!("wide {0} of {0};", window.0)), "{window:?}: {}", &dom[dom.len() - 300..]);
        assert!(dom.contains("keys 9;"), "four videos, four lists, one link: {}", &dom[dom.len() - 300..]);
    }
}

/// axe-core has some hundred rules of WCAG; it finds what no reader of the markup thinks of.
#[test]
fn axe_finds_no_fault_and_would_find_one() {
    let axe = pinpress_fixtures::tools_folder().join("axe/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(axe).expect("axe-core is missing: `cargo xtask setup --tests` installs it");
    let (folder, rehearsal) = board();
    let judged = |damage: &str| {
        let script = format!(
            "{axe};
            document.querySelectorAll('details').forEach(list => list.open = true);
            {damage}
            axe.run(document, {{preload: false}}).then(report => {{
                const said = document.createElement('pre');
                const found = report.violations.map(one => one.id + ' ' + one.nodes.map(node => node.html).join(' '));
                said.append(`AXE passes ${{report.passes.length}} violations ${{found.length}}: ${{found.join('; ')}}`);
                document.body.append(said);
            }});"
        );
        let dom = dom(folder.path(), DESKTOP, 20_000, &with_script(&folder, &rehearsal, &script));
        let said = dom.rfind("AXE passes").unwrap_or_else(|| panic!("axe says nothing"));
        dom[said..].split("</pre>").next().unwrap().to_owned()
    };
    let clean = judged("");
    assert!(clean.contains("violations 0:"), "{clean}");
    let passes: u32 = clean.split(' ').nth(2).unwrap().parse().unwrap();
    assert!(passes > 15, "{clean}");
    let damaged =
        judged("document.documentElement.removeAttribute('lang'); document.querySelector('a').textContent = '';");
    assert!(damaged.contains("html-has-lang") && damaged.contains("link-name"), "{damaged}");
}
