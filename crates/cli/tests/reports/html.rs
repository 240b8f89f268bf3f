//! The page, looked at in headless Chromium.

use std::path::Path;

use pinpress_fixtures::Recipe;

use crate::browser::{DESKTOP, PHONE, TELLS_ITS_WIDTH, dom, pixels, screenshot, widths, with_script};
use crate::ground::{output_of, pinpress, ran};
use crate::raw::raw;

/// The colours of the style sheet, light scheme.
const PAGE: [u8; 3] = [0xf5, 0xf4, 0xf1];
const CARD: [u8; 3] = [0xff, 0xff, 0xff];
const PASS: [u8; 3] = [0xdf, 0xf3, 0xe6];
const FAIL: [u8; 3] = [0xfb, 0xe3, 0xe1];
const ERROR: [u8; 3] = [0xfc, 0xea, 0xd2];

/// Videos of one colour that nothing else on the page has, which fit, before all others.
fn magenta(folder: &Path) {
    let arguments = "-f lavfi -i color=0xFF00FF:size=540x960:rate=30:duration=4 -vf scale=out_color_matrix=bt709 \
                     -colorspace bt709 -color_primaries bt709 -color_trc bt709 -c:v libx264 -preset ultrafast \
                     -pix_fmt yuv420p -movflags +faststart";
    let recipe = Recipe {
        name: "magenta.mp4".into(),
        about: "one strong colour".into(),
        args: arguments.split_whitespace().map(Into::into).collect(),
        ..Recipe::default()
    };
    std::fs::copy(pinpress_fixtures::make_recipe(&recipe).unwrap(), folder.join("a-magenta.mp4")).unwrap();
}

/// A folder with `report.html` over videos of every verdict and name, the magenta one first.
fn reported() -> Option<(tempfile::TempDir, String)> {
    let dir = raw()?;
    magenta(&dir.path().join("raw"));
    let ran = ran(dir.path(), &["check", "--format", "html", "-o", "report.html", "raw"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (1, "", ""));
    let page = std::fs::read_to_string(dir.path().join("report.html")).unwrap();
    Some((dir, page))
}

#[test]
fn the_table_and_the_stills_are_seen_on_a_phone_and_on_a_desk() {
    let Some((dir, _)) = reported() else { return };
    let report = dir.path().join("report.html");
    for window in [PHONE, DESKTOP] {
        let picture = screenshot(dir.path(), window, &[], &report);
        assert_eq!(picture.get_pixel(2, 2).0, PAGE);
        // The still is 72 by 128 pixels on both, its corners are round.
        let still = pixels(&picture, [255, 0, 255], 24);
        assert!((8_000..=9_300).contains(&still), "{window:?}: {still} magenta pixels");
        assert!(pixels(&picture, CARD, 0) > 60_000, "{window:?}: cards or the table");
        assert!(pixels(&picture, PASS, 0) > 500 && pixels(&picture, FAIL, 0) > 500, "{window:?}: badges");
    }
    // All rows in one tall window.
    let all = screenshot(dir.path(), (1280, 2600), &[], &report);
    let badges = [PASS, FAIL, ERROR].map(|colour| pixels(&all, colour, 0));
    assert!(badges[0] > 2 * 500 && badges[1] > 5 * 500 && badges[2] > 3 * 1_000, "{badges:?}");
}

#[test]
fn it_is_dark_where_that_is_preferred() {
    let Some((dir, _)) = reported() else { return };
    let dark = ["--blink-settings=preferredColorScheme=0"];
    let picture = screenshot(dir.path(), PHONE, &dark, &dir.path().join("report.html"));
    assert_eq!(picture.get_pixel(2, 2).0, [0x16, 0x16, 0x15]);
    assert!(pixels(&picture, CARD, 0) < 3_000, "no white card is left");
    assert!(pixels(&picture, [255, 0, 255], 24) > 8_000);
}

#[test]
fn rows_are_told_apart_and_no_name_is_markup() {
    let Some((dir, page)) = reported() else { return };
    let dom = dom(dir.path(), PHONE, &dir.path().join("report.html"));
    for (class, rows) in [("pass", 2), ("fail", 5), ("error", 3)] {
        assert_eq!(dom.matches(&format!("<tr class=\"{class}\"")).count(), rows, "{class}");
    }
    assert_eq!(dom.matches("<img ").count(), 7, "a still of all that can be read");
    assert_eq!(dom.matches("no still").count(), 3);
    #[cfg(unix)]
    {
        assert!(dom.contains("&lt;b&gt;\"a'&amp;%41,:\\u{1b}[31m\\n::error::]]&gt;.mp4"));
        assert!(dom.contains("empty &lt;i&gt;.mov") && !dom.contains("<i>"));
    }
    assert!(!dom.contains("<script") && !page.contains("http:") && !page.contains("https:"));
    let sources: Vec<_> = page.match_indices("src=").map(|(place, _)| &page[place..place + 28]).collect();
    assert!(sources.iter().all(|source| *source == "src=\"data:image/jpeg;base64,"), "{sources:?}");
}

#[test]
fn nothing_is_wider_than_the_window() {
    let Some((dir, page)) = reported() else { return };
    let measured = with_script(&page, TELLS_ITS_WIDTH).replace("<details>", "<details open>");
    std::fs::write(dir.path().join("measured.html"), measured).unwrap();
    widths(dir.path(), "measured.html");
}

#[test]
fn a_choice_hides_the_others() {
    let Some((dir, page)) = reported() else { return };
    let chosen = page
        .replace("id=\"show-all\" checked", "id=\"show-all\"")
        .replace("id=\"show-error\"", "id=\"show-error\" checked");
    assert_ne!(chosen, page);
    let path = dir.path().join("chosen.html");
    std::fs::write(&path, chosen).unwrap();
    let picture = screenshot(dir.path(), DESKTOP, &[], &path);
    assert!(pixels(&picture, ERROR, 0) > 3 * 1_000);
    assert_eq!((pixels(&picture, PASS, 0), pixels(&picture, FAIL, 0), pixels(&picture, [255, 0, 255], 24)), (0, 0, 0));
}

#[test]
fn without_a_worker_there_is_a_report_without_stills() {
    let Some(dir) = crate::ground::folder(&[("conforming-9x16.mp4", "fits.mp4")]) else { return };
    let mut command = pinpress();
    command.env("PINPRESS_MEDIA", "/nowhere/pinpress-media");
    command.args(["check", "--format", "html", "-o", "report.html", "fits.mp4"]).current_dir(dir.path());
    let ran = output_of(&mut command, dir.path());
    assert_eq!(ran.code, 0, "the verdict needs no worker: {}", ran.stderr);
    assert!(ran.stderr.starts_with("note: ") && ran.stderr.contains("/nowhere/pinpress-media"), "{}", ran.stderr);
    let page = std::fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(page.contains("no still") && page.contains("The video passes"));
}
