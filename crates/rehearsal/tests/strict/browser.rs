//! Pages in headless Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use image::RgbImage;

/// Width and height of a window.
pub(crate) type Window = (u32, u32);

pub(crate) const PHONE: Window = (500, 1000);
pub(crate) const DESKTOP: Window = (1280, 1000);

/// The name of the browser.
pub(crate) fn program() -> &'static str {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    found.expect("chromium is missing: `cargo xtask setup --tests` installs it")
}

fn chromium(folder: &Path, (width, height): Window, arguments: &[&str], address: &str) -> Vec<u8> {
    let profile = tempfile::tempdir_in(folder).unwrap();
    let output = Command::new(program())
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--mute-audio"])
        .args(["--force-color-profile=srgb", "--autoplay-policy=no-user-gesture-required"])
        .args(["--disable-background-networking", "--disable-component-update", "--no-first-run"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={width},{height}"))
        .args(arguments)
        .arg(address)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What is seen.
pub(crate) fn screenshot(folder: &Path, window: Window, arguments: &[&str], address: &str) -> RgbImage {
    let picture: PathBuf = folder.join("screenshot.png");
    let shot = format!("--screenshot={}", picture.display());
    chromium(folder, window, &[&[shot.as_str()], arguments].concat(), address);
    let picture = image::open(picture).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), window);
    picture
}

/// The page after its scripts have run for so many milliseconds of its own time.
pub(crate) fn dom(folder: &Path, window: Window, millis: u32, address: &str) -> String {
    let budget = format!("--virtual-time-budget={millis}");
    String::from_utf8(chromium(folder, window, &["--dump-dom", &budget], address)).unwrap()
}

/// Pixels of a colour, each channel within `off`.
pub(crate) fn pixels(picture: &RgbImage, colour: [u8; 3], off: u8) -> usize {
    picture.pixels().filter(|pixel| pixel.0.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= off)).count()
}
