//! The same encode by the ffmpeg command line: the same filters, x264 preset, CRF, profile and distance of sync
//! samples, the same rate of AAC.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::{Bench, commands, ffmpeg, likeness, source};
use crate::bench::measure::{Measured, Run, in_turn};
use crate::bench::text::{ratio, tenths, words};

/// What the fix does to 1080p in BT.709.
fn scaled(size: &str) -> String {
    format!(
        "scale={size}:in_color_matrix=bt709:in_range=tv:out_color_matrix=bt709:out_range=tv:\
         flags=bicubic+accurate_rnd+full_chroma_int,format=yuv420p"
    )
}

/// The backdrop of `--aspect blur` on a square of 1080.
const BLUR: &str = "split[front][behind];\
                    [behind]scale=134:134:force_original_aspect_ratio=increase:flags=area,crop=134:134,\
                    gblur=sigma=4,scale=1080:1080:flags=bilinear,setsar=1[backdrop];\
                    [backdrop][front]overlay=trunc((W-w)/4)*2:trunc((H-h)/4)*2:format=yuv420";

struct Case {
    what: &'static str,
    source: PathBuf,
    aspect: &'static str,
    filter: String,
    preset: &'static str,
}

/// Measures and prints.
pub(super) fn table(bench: &Bench) -> Result<()> {
    println!(
        "| encode | preset | `pinpress fix`, result decoded | ffmpeg | and its result decoded | time is | \
         of cores | size | SSIM of both |\n|---|---|---|---|---|---|---|---|---|"
    );
    let mut typed = Vec::new();
    for case in cases()? {
        typed.extend(row(bench, &case)?);
    }
    commands(&typed);
    Ok(())
}

fn cases() -> Result<Vec<Case>> {
    let (landscape, portrait) = (source::landscape()?, source::portrait()?);
    let (wide, tall) = (source::with_mp3(&landscape)?, source::hevc(&portrait)?);
    let wide_hevc = source::hevc(&landscape)?;
    let mut cases = Vec::new();
    for preset in ["veryfast", "medium"] {
        cases.push(Case {
            what: "H.264 1920×1080 on a blurred square",
            source: wide.clone(),
            aspect: "blur",
            filter: format!("{},{BLUR},setsar=1", scaled("1080:608")),
            preset,
        });
        cases.push(Case {
            what: "the same, black bars",
            source: wide.clone(),
            aspect: "pad",
            filter: format!(
                "{},pad=1080:1080:trunc((ow-iw)/4)*2:trunc((oh-ih)/4)*2:color=0x000000,setsar=1",
                scaled("1080:608")
            ),
            preset,
        });
        cases.push(Case {
            what: "H.265 1920×1080 cropped to a square",
            source: wide_hevc.clone(),
            aspect: "crop",
            filter: format!("{},crop=1080:1080:420:0,setsar=1", scaled("1920:1080")),
            preset,
        });
        cases.push(Case {
            what: "H.265 1080×1920",
            source: tall.clone(),
            aspect: "blur",
            filter: format!("{},setsar=1", scaled("1080:1920")),
            preset,
        });
    }
    Ok(cases)
}

fn row(bench: &Bench, case: &Case) -> Result<[Run; 3]> {
    let options = ["--aspect", case.aspect, "--preset", case.preset];
    let action = bench.action(&case.source, &options)?;
    ensure!(action == "encode", "{}: {action}, not an encode", case.what);
    let ours = bench.fix(&case.source, &options);
    let folder = source::scratch("ffmpeg");
    let result = folder.join("out.mp4");
    let after = [
        &["-vf", &case.filter, "-c:v", "libx264", "-preset", case.preset, "-crf", "20", "-profile:v", "high"][..],
        &["-g", "60", "-flags", "+cgop", "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"],
    ]
    .concat();
    let theirs = Run::into(ffmpeg(&[], &case.source, &after, &result), folder);
    let decoded = Run::of(
        [
            words(&["ffmpeg", "-v", "error", "-nostdin", "-i"]),
            vec![result.display().to_string()],
            words(&["-f", "null", "-"]),
        ]
        .concat(),
    );
    let runs = [ours, theirs, decoded];
    let medians = in_turn(bench.rounds, &runs)?;
    let [fix, encode, decode] = medians[..] else { unreachable!("a median for each run") };
    let own = only_file(&source::scratch("pinpress"))?;
    let size = |path: &Path| path.metadata().map(|file| i128::from(file.len()));
    let (size, reference) = (size(&own)?, size(&result)?);
    // Hundredths of a per cent, so that no float is needed for what is a ratio of whole numbers.
    let off = (size - reference) * 10_000 / reference.max(1);
    let sign = if off < 0 { '−' } else { '+' };
    let ssim = |path: &Path| likeness::ssim(path, &case.source, &case.filter);
    println!(
        "| {} | {} | {} | {} | {} | {:.2}× of ffmpeg, {:.2}× with its result decoded | {:.2}×, {:.2}× | \
         {sign}{}.{:02} % | {}, {} |",
        case.what,
        case.preset,
        tenths(fix.wall),
        tenths(encode.wall),
        tenths(encode.wall + decode.wall),
        ratio(fix.wall, encode.wall),
        ratio(fix.wall, encode.wall + decode.wall),
        ratio(fix.cpu, encode.cpu),
        cpu_with_decode(fix, encode, decode),
        off.abs() / 100,
        off.abs() % 100,
        ssim(&own)?,
        ssim(&result)?,
    );
    Ok(runs)
}

fn cpu_with_decode(fix: Measured, encode: Measured, decode: Measured) -> f64 {
    ratio(fix.cpu, encode.cpu + decode.cpu)
}

/// The one video of a folder.
fn only_file(folder: &Path) -> Result<PathBuf> {
    let entry = folder.read_dir()?.next().context("nothing was written")?;
    Ok(entry?.path())
}
