//! The page, looked at in headless Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use image::RgbImage;
use pinpress_fixtures::Recipe;

use crate::ground::{output_of, pinpress, ran};
use crate::raw::raw;

/// Width and height of a window.
type Window = (u32, u32);

const PHONE: Window = (390, 844);
const DESKTOP: Window = (1280, 900);

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

fn chromium(dir: &Path, (width, height): Window, arguments: &[&str], page: &Path) -> Vec<u8> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    let program = found.expect("chromium is missing: `cargo xtask setup --tests` installs it");
    let profile = tempfile::tempdir_in(dir).unwrap();
    let mut command = Command::new(program);
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
    ]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("--window-size={width},{height}")).args(arguments);
    let output = command.arg(format!("file://{}", page.display())).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn screenshot(dir: &Path, window: Window, arguments: &[&str], page: &Path) -> RgbImage {
    let picture: PathBuf = dir.join("screenshot.png");
    let shot = format!("--screenshot={}", picture.display());
    chromium(dir, window, &[&[shot.as_str()], arguments].concat(), page);
    let picture = image::open(picture).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), window);
    picture
}

fn dom(dir: &Path, window: Window, page: &Path) -> String {
    String::from_utf8(chromium(dir, window, &["--dump-dom"], page)).unwrap()
}

/// Pixels of a colour, each channel within `off`.
fn pixels(picture: &RgbImage, colour: [u8; 3], off: u8) -> usize {
    picture.pixels().filter(|pixel| pixel.0.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= off)).count()
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
    // The page forbids scripts: to be measured, it is opened without that line.
    let policy = page.find("<meta http-equiv").unwrap();
    let (before, rest) = page.split_at(policy);
    let (_, after) = rest.split_once('>').unwrap();
    let script =
        "<script>parent.postMessage(`${document.documentElement.scrollWidth} of ${innerWidth};`, '*')</script>";
    let open = format!("{before}{after}{script}").replace("<details>", "<details open>");
    std::fs::write(dir.path().join("measured.html"), open).unwrap();
    // A window is never narrower than 500 pixels; a frame is.
    let widths = [320, 390, 640, 641, 832, 833, 1280];
    let frames: String = widths
        .iter()
        .map(|width| format!("<iframe src=\"measured.html\" width=\"{width}\" height=\"900\"></iframe>"))
        .collect();
    let listen = "<style>iframe { border: 0 }</style><p></p>\
                  <script>onmessage = m => { document.querySelector('p').append(m.data) }</script>";
    let frame = dir.path().join("frame.html");
    std::fs::write(&frame, format!("<!doctype html>{listen}{frames}")).unwrap();
    let dom = String::from_utf8(chromium(dir.path(), DESKTOP, &["--dump-dom", "--virtual-time-budget=5000"], &frame))
        .unwrap();
    for width in widths {
        assert!(dom.contains(&format!("{width} of {width};")), "{width}: {}", &dom[..600.min(dom.len())]);
    }
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
