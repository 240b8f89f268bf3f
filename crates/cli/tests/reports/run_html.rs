//! The report of a run, looked at in headless Chromium.

use std::path::Path;

use crate::browser::{DESKTOP, PHONE, TELLS_ITS_WIDTH, dom, pixels, screenshot, scripted, widths, with_script};
use crate::ground::{folder, ran};

/// The colours of the badges, light scheme.
const FAIL: [u8; 3] = [0xfb, 0xe3, 0xe1];
const PASS: [u8; 3] = [0xdf, 0xf3, 0xe6];
const WAIT: [u8; 3] = [0xfc, 0xea, 0xd2];

/// A name that is markup.
const HOSTILE: &str = "<i>'a'&%41.mp4";

const REHEARSE: [&str; 8] = ["rehearse", "raw", "-o", "out", "--preset", "ultrafast", "--manifest", "pins.csv"];

/// A rehearsal with videos that are published, wait and fail: its folder, and the text of its report.
fn rehearsed() -> Option<(tempfile::TempDir, String)> {
    let dir = folder(&[
        ("conforming-9x16.mp4", "raw/deep/ready.mp4"),
        ("matroska-fit.mkv", "raw/camera.mkv"),
        ("film-24fps.mp4", "raw/film.mp4"),
        ("not-a-video.mp4", "raw/notes.mp4"),
        ("not-a-video.mp4", &format!("raw/{HOSTILE}")),
    ])?;
    // Another content: what is the same as another video has its card too, but no Pin.
    std::fs::write(dir.path().join("raw").join(HOSTILE), "no video either").unwrap();
    std::fs::write(dir.path().join("pins.csv"), "file,publish_at\nfilm.mp4,2126-01-01T00:00:00Z\n").unwrap();
    let told = ran(dir.path(), &REHEARSE);
    assert_eq!(told.code, 1, "two are no videos\n{}{}", told.stdout, told.stderr);
    assert!(told.stdout.contains("report: file://[DIR]/out/.pinpress/report.html"), "{}", told.stdout);
    let page = std::fs::read_to_string(dir.path().join("out/.pinpress/report.html")).unwrap();
    Some((dir, page))
}

#[test]
fn the_report_of_a_run_tells_each_video_to_everybody() {
    let Some((dir, page)) = rehearsed() else { return };
    let report = dir.path().join("out/.pinpress/report.html");
    cards(dir.path(), &page, &report);
    seen(dir.path(), &report);
    chosen(dir.path(), &page);
    found(dir.path(), &page);
    accessible(dir.path(), &page);
    std::fs::write(dir.path().join("wide.html"), with_script(&page, TELLS_ITS_WIDTH)).unwrap();
    widths(dir.path(), "wide.html");
    again(dir.path());
}

/// What stands on the cards, as the browser reads them, under the page's own policy.
fn cards(dir: &Path, page: &str, report: &Path) {
    let dom = dom(dir, PHONE, report);
    let of = |class: &str| dom.matches(&format!("<article class=\"{class}\"")).count();
    assert_eq!((of("attention"), of("published"), of("waiting"), of("other")), (2, 2, 1, 0));
    assert_eq!(dom.matches("src=\"data:image/jpeg;base64,").count(), 3, "a still of all that have a cover");
    assert!(dom.contains("2 of 5 videos need attention"));
    assert!(dom.contains("remux (container)") && dom.contains("<td>matroska</td><td><b>mp4</b></td>"));
    assert!(dom.contains("Waits until 2126-01-01 00:00 UTC"));
    assert!(dom.contains("<code>pinpress retry</code>") && dom.contains("not a video"));
    assert_eq!(dom.matches("rel=\"noreferrer\">Pin ").count(), 2, "links to what is published");
    assert!(dom.contains("&lt;i&gt;'a'&amp;%41.mp4") && !dom.contains("<i>"));
    // The script ran: its hash is the one that the policy names.
    assert!(page.contains("<search hidden>") && dom.contains("<search>"));
}

fn seen(dir: &Path, report: &Path) {
    for window in [PHONE, (1280, 1600)] {
        let picture = screenshot(dir, window, &[], report);
        assert_eq!(picture.get_pixel(2, 2).0, [0xf5, 0xf4, 0xf1]);
        assert!(pixels(&picture, FAIL, 0) > 500, "{window:?}: what needs attention comes first");
        let rest = pixels(&picture, PASS, 0).min(pixels(&picture, WAIT, 0));
        assert!(rest > 500 || window == PHONE, "{rest}: all have a badge");
    }
    let dark = screenshot(dir, PHONE, &["--blink-settings=preferredColorScheme=0"], report);
    assert_eq!(dark.get_pixel(2, 2).0, [0x16, 0x16, 0x15]);
    assert!(pixels(&dark, [255, 255, 255], 0) < 3_000, "no white card is left");
}

/// The choice needs no script.
fn chosen(dir: &Path, page: &str) {
    let chosen = page
        .replace("id=\"show-all\" checked", "id=\"show-all\"")
        .replace("id=\"show-attention\"", "id=\"show-attention\" checked");
    assert_ne!(chosen, page);
    let script = page.find("<script>").unwrap();
    let path = dir.join("chosen.html");
    std::fs::write(&path, chosen.replace(&page[script..], "")).unwrap();
    let picture = screenshot(dir, DESKTOP, &[], &path);
    assert!(pixels(&picture, FAIL, 0) > 500);
    assert_eq!((pixels(&picture, PASS, 0), pixels(&picture, WAIT, 0)), (0, 0));
}

/// Words find cards, together with the choice.
fn found(dir: &Path, page: &str) {
    // In a block: the page's own script has these names too.
    let script = "{
        const said = document.createElement('pre'), field = document.querySelector('#find');
        const shown = (words, choice) => {
            document.querySelector('#show-' + choice).click();
            field.value = words;
            field.dispatchEvent(new Event('input'));
            const cards = [...document.querySelectorAll('article')].filter(card => card.checkVisibility());
            said.append(`${words}, ${choice}: ${cards.length} ${document.querySelector('#found').textContent};`);
        };
        shown('', 'all'); shown('CAMERA', 'all'); shown('mp4 not a video', 'all'); shown('mp4', 'published');
        shown('nothing like it', 'all');
        document.body.append(said);
    }";
    let dom = scripted(dir, page, script);
    for told in [
        ", all: 5 ;",
        "CAMERA, all: 1 1 shown;",
        "mp4 not a video, all: 2 2 shown;",
        "mp4, published: 2 2 shown;",
        "nothing like it, all: 0 0 shown;",
    ] {
        assert!(dom.contains(told), "{told} is not in {}", &dom[dom.len().saturating_sub(300)..]);
    }
}

/// axe-core has some hundred rules of WCAG; it finds what no reader of the markup thinks of.
fn accessible(dir: &Path, page: &str) {
    let axe = pinpress_fixtures::tools_folder().join("axe/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(axe).expect("axe-core is missing: `cargo xtask setup --tests` installs it");
    let judged = |page: &str, damage: &str| {
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
        let dom = scripted(dir, page, &script);
        let said = dom.rfind("AXE passes").unwrap_or_else(|| panic!("axe says nothing"));
        dom[said..].split("</pre>").next().unwrap().to_owned()
    };
    let clean = judged(page, "");
    assert!(clean.contains("violations 0:"), "{clean}");
    let damaged = judged(page, "document.querySelector('article a').textContent = '';");
    assert!(damaged.contains("violations 1: link-name"), "{damaged}");
}

/// A second run has nothing to do, and tells the same; `--report` says where.
fn again(dir: &Path) {
    let told = ran(dir, &[&REHEARSE[..], &["--report", "kept/run.html"]].concat());
    assert!(told.stdout.contains("report: file://[DIR]/kept/run.html"), "{}", told.stdout);
    let page = std::fs::read_to_string(dir.join("kept/run.html")).unwrap();
    assert_eq!(page.matches("Published before").count(), 2);
    assert_eq!(page.matches("src=\"data:image/jpeg;base64,").count(), 3);
    let status = ran(dir, &["status", "out", "--format", "html", "-o", "status.html"]);
    assert_eq!((status.code, status.stdout.as_str()), (1, ""), "{}", status.stderr);
    let page = std::fs::read_to_string(dir.join("status.html")).unwrap();
    for (class, cards) in [("attention", 2), ("published", 2), ("waiting", 1), ("other", 0)] {
        assert_eq!(page.matches(&format!("<article class=\"{class}\"")).count(), cards, "{class}");
    }
    let denied = ran(dir, &[&REHEARSE[..], &["--report", "raw/notes.mp4/r.html"]].concat());
    assert_eq!(denied.code, 2, "{}", denied.stdout);
    assert!(denied.stderr.contains("cannot write the report of the run") && denied.stdout.contains("5 videos"));
}
