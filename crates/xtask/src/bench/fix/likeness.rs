//! How like its source a result is.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Structural similarity of `result` with the pictures that `filter` makes of `source`, frame by frame, all planes, as
/// ffmpeg's `ssim` prints it.
pub(super) fn ssim(result: &Path, source: &Path, filter: &str) -> Result<String> {
    let graph = format!("[1:v]{filter},setpts=N[meant];[0:v]setpts=N[got];[got][meant]ssim");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-nostdin", "-i"]).arg(result).arg("-i").arg(source);
    let output = ffmpeg.args(["-lavfi", &graph, "-f", "null", "-"]).output().context("cannot start ffmpeg")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ffmpeg cannot compare: {said}");
    let (_, all) = said.rsplit_once("All:").context("ffmpeg's ssim said nothing")?;
    Ok(all.split_whitespace().next().context("ffmpeg's ssim said nothing")?.to_owned())
}
