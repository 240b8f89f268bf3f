//! A change of container: nothing is computed, so it should cost what a copy costs.

use anyhow::{Result, ensure};

use super::{Bench, commands, ffmpeg, source};
use crate::bench::measure::{Run, in_turn};
use crate::bench::text::{mebibytes, ratio, seconds, shell};

/// Measures and prints.
pub(super) fn table(bench: &Bench) -> Result<()> {
    println!("| Matroska → MP4 | wall | pinpress takes | on a core | peak memory |\n|---|---|---|---|---|");
    let mut all = Vec::new();
    // At 24 Mb/s: 500 MB, and just under the 2 GB that are allowed.
    for seconds_of_video in [166, 630] {
        let video = source::matroska(seconds_of_video)?;
        let action = bench.action(&video, &[])?;
        ensure!(action == "remux", "{action}, not a remux");
        let megabytes = video.metadata()?.len() / 1_000_000;
        let folder = source::scratch("copy");
        let copy = folder.join("copy.mkv").display().to_string();
        let cp = format!("cp {} {copy} && sync {copy}", video.display());
        let remuxed = folder.join("out.mp4");
        let runs = [
            ("`pinpress fix`", bench.fix(&video, &[])),
            ("`cp`, synced", Run::into(shell(&cp), folder.clone())),
            (
                "`ffmpeg -c copy -movflags +faststart`",
                Run::into(ffmpeg(&[], &video, &["-c", "copy", "-movflags", "+faststart"], &remuxed), folder.clone()),
            ),
            (
                "the same, synced",
                Run::into(
                    shell(&format!(
                        "{} && sync {}",
                        typed_whole(&ffmpeg(&[], &video, &["-c", "copy", "-movflags", "+faststart"], &remuxed)),
                        remuxed.display()
                    )),
                    folder,
                ),
            ),
        ];
        let (names, runs): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
        let medians = in_turn(bench.rounds, &runs)?;
        for (name, taken) in names.iter().zip(&medians) {
            let times = ratio(medians[0].wall, taken.wall);
            println!(
                "| {megabytes} MB, {name} | {} | {times:.2}× | {} | {} |",
                seconds(taken.wall),
                seconds(taken.cpu),
                mebibytes(taken.peak_kib)
            );
        }
        all.extend(runs);
    }
    commands(&all);
    Ok(())
}

/// For a shell, from any folder.
fn typed_whole(command: &[String]) -> String {
    command.join(" ")
}
