//! Pages in headless Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use image::RgbImage;

/// Width and height of a window.
pub(crate) type Window = (u32, u32);

pub(crate) const PHONE: Window = (390, 844);
pub(crate) const DESKTOP: Window = (1280, 900);

pub(crate) fn chromium(dir: &Path, (width, height): Window, arguments: &[&str], page: &Path) -> Vec<u8> {
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

pub(crate) fn screenshot(dir: &Path, window: Window, arguments: &[&str], page: &Path) -> RgbImage {
    let picture: PathBuf = dir.join("screenshot.png");
    let shot = format!("--screenshot={}", picture.display());
    chromium(dir, window, &[&[shot.as_str()], arguments].concat(), page);
    let picture = image::open(picture).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), window);
    picture
}

pub(crate) fn dom(dir: &Path, window: Window, page: &Path) -> String {
    String::from_utf8(chromium(dir, window, &["--dump-dom"], page)).unwrap()
}

/// Pixels of a colour, each channel within `off`.
pub(crate) fn pixels(picture: &RgbImage, colour: [u8; 3], off: u8) -> usize {
    picture.pixels().filter(|pixel| pixel.0.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= off)).count()
}

/// Tells [`widths`] how wide the page is, and how wide its window.
pub(crate) const TELLS_ITS_WIDTH: &str =
    "parent.postMessage(`${document.documentElement.scrollWidth} of ${innerWidth};`, '*')";

/// The page with a script at its end that its own policy would not let run, and so without the policy.
pub(crate) fn with_script(page: &str, script: &str) -> String {
    let policy = page.find("<meta http-equiv").unwrap();
    let (before, rest) = page.split_at(policy);
    let (_, after) = rest.split_once('>').unwrap();
    format!("{before}{after}<script>{script}</script>")
}

/// What `script`, which appends to the page, leaves in it. The page is in `dir`, where the script's own page is made.
pub(crate) fn scripted(dir: &Path, page: &str, script: &str) -> String {
    let path = dir.join("scripted.html");
    std::fs::write(&path, with_script(page, script)).unwrap();
    let wait = ["--dump-dom", "--virtual-time-budget=20000"];
    String::from_utf8(chromium(dir, DESKTOP, &wait, &path)).unwrap()
}

/// Opens `page` of `dir` in frames of many widths, and fails when it is wider than one. It tells its width by
/// [`TELLS_ITS_WIDTH`].
pub(crate) fn widths(dir: &Path, page: &str) {
    // A window is never narrower than 500 pixels; a frame is.
    let widths = [320, 390, 640, 641, 832, 833, 1280];
    let frames: String = widths
        .iter()
        .map(|width| format!("<iframe src=\"{page}\" width=\"{width}\" height=\"900\"></iframe>"))
        .collect();
    let listen = "<style>iframe { border: 0 }</style><p></p>\
                  <script>onmessage = m => { document.querySelector('p').append(m.data) }</script>";
    let frame = dir.join("frame.html");
    std::fs::write(&frame, format!("<!doctype html>{listen}{frames}")).unwrap();
    let dom = String::from_utf8(chromium(dir, DESKTOP, &["--dump-dom", "--virtual-time-budget=5000"], &frame)).unwrap();
    for width in widths {
        assert!(dom.contains(&format!("{width} of {width};")), "{width}: {}", &dom[..600.min(dom.len())]);
    }
}
