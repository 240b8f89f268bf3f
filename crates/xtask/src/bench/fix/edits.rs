//! What is done without decoding a picture, beside the encode that it replaces.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Bench, commands, ffmpeg, source};
use crate::bench::measure::{Run, in_turn};
use crate::bench::text::{ratio, seconds};

struct Case {
    what: &'static str,
    source: PathBuf,
    options: &'static [&'static str],
    /// The encode: options before and behind its input.
    before: &'static [&'static str],
    after: &'static [&'static str],
}

/// Measures and prints. The encode is at `veryfast`, the preset that favours it.
pub(super) fn table(bench: &Bench) -> Result<()> {
    println!("| | plan | `pinpress fix` | ffmpeg, encoding at veryfast | faster |\n|---|---|---|---|---|");
    let mut all = Vec::new();
    for case in cases()? {
        let action = match bench.action(&case.source, case.options) {
            Ok(action) if action != "unfixable" => action,
            _ => {
                println!("| {} | not offered by this build | | | |", case.what);
                continue;
            }
        };
        let folder = source::scratch("ffmpeg");
        let runs =
            [bench.fix(&case.source, case.options), Run::into(encode(&case, &folder.join("out.mp4")), folder.clone())];
        let medians = in_turn(bench.rounds, &runs)?;
        let (ours, theirs) = (medians[0].wall, medians[1].wall);
        let times = ratio(theirs, ours);
        println!("| {} | {action} | {} | {} | {times:.1}× |", case.what, seconds(ours), seconds(theirs));
        all.extend(runs);
    }
    commands(&all);
    Ok(())
}

fn encode(case: &Case, output: &Path) -> Vec<String> {
    let settings = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"];
    let rest = ["-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"];
    ffmpeg(case.before, &case.source, &[case.after, &settings, &rest].concat(), output)
}

fn cases() -> Result<Vec<Case>> {
    let (landscape, portrait) = (source::landscape()?, source::portrait()?);
    let text = |path: &Path| path.display().to_string();
    let film = source::made(
        "film.mp4",
        &[
            &["-i", &text(&portrait), "-r", "24", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20"][..],
            &["-g", "48", "-c:a", "copy", "-movflags", "+faststart"],
        ]
        .concat(),
    )?;
    let short = source::made("short.mp4", &["-i", &text(&portrait), "-t", "2", "-c", "copy"])?;
    Ok(vec![
        Case {
            what: "1920×1080 cropped to a square",
            source: landscape,
            options: &["--aspect", "crop"],
            before: &[],
            after: &["-vf", "crop=1080:1080"],
        },
        Case {
            what: "24 fps retimed to 25",
            source: film,
            options: &["--fps", "retime"],
            before: &[],
            after: &["-vf", "setpts=PTS*24/25", "-af", "atempo=25/24", "-r", "25"],
        },
        Case {
            what: "2 s repeated to 4 s",
            source: short,
            options: &["--short", "loop"],
            before: &["-stream_loop", "1"],
            after: &[],
        },
        Case {
            what: "15:30 cut to 15:00 (270×480)",
            source: source::too_long()?,
            options: &["--long", "trim"],
            before: &[],
            after: &["-t", "900"],
        },
    ])
}
