//! The videos that are measured, under `target/bench`.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::step;

/// Copies that are files of their own; folders of more are filled with further names of these.
const COPIES: usize = 200;

/// What the folder is made of: `moov` first and last, with sound and without, turned, fit and not.
const MADE_OF: [&str; 8] = [
    "conforming-9x16.mp4",
    "upright-16x9.mp4",
    "rotated-90.mov",
    "film-24fps.mp4",
    "too-short.mp4",
    "two-sounds.mp4",
    "anamorphic.mp4",
    "black-head.mp4",
];

/// A folder of `count` videos.
pub(crate) fn of(count: usize) -> Result<PathBuf> {
    let folder = root().join(format!("videos-{count}"));
    if fs::read_dir(&folder).is_ok_and(|entries| entries.count() == count) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).context("cannot make the folder of videos")?;
    for number in 0..count {
        let recipe = MADE_OF[number % MADE_OF.len()];
        let name = folder.join(format!("{number:05}-{recipe}"));
        if number < COPIES {
            fs::copy(pinpress_fixtures::make(recipe)?, &name)?;
        } else {
            let original = number % COPIES;
            let recipe = MADE_OF[original % MADE_OF.len()];
            fs::hard_link(folder.join(format!("{original:05}-{recipe}")), &name)?;
        }
    }
    Ok(folder)
}

/// One video of each kind whose cost should be that of its `moov`: what it is, and the file.
pub(crate) fn singles() -> Result<Vec<(&'static str, PathBuf)>> {
    let short = pinpress_fixtures::make("conforming-9x16.mp4")?;
    let folder = root().join("singles");
    fs::create_dir_all(&folder).context("cannot make the folder of single videos")?;
    let last = folder.join("moov-last.mp4");
    remuxed(&short, &last, &[], &[])?;
    let long = fifteen_minutes()?;
    let large = folder.join("moov-behind-1.9-gb.mp4");
    if !large.exists() {
        enlarge(&last, &large, 1_900_000_000)?;
    }
    Ok(vec![
        ("moov first", short),
        ("moov last", last),
        ("15 minutes, moov last", long),
        ("1.9 GB, moov behind it", large),
    ])
}

/// A video of 15 minutes: a short one again and again, `moov` last.
pub(crate) fn fifteen_minutes() -> Result<PathBuf> {
    let folder = root().join("singles");
    fs::create_dir_all(&folder).context("cannot make the folder of single videos")?;
    let long = folder.join("fifteen-minutes.mp4");
    let short = pinpress_fixtures::make("conforming-9x16.mp4")?;
    remuxed(&short, &long, &["-stream_loop", "-1"], &["-t", "900"])?;
    Ok(long)
}

pub(crate) fn root() -> PathBuf {
    pinpress_fixtures::workspace_root().join("target/bench")
}

/// Makes the video at `path` by ffmpeg with these arguments, unless it is there.
pub(crate) fn made_at(path: PathBuf, args: &[&str]) -> Result<PathBuf> {
    if path.exists() {
        return Ok(path);
    }
    let parent = path.parent().context("a name without a folder")?;
    fs::create_dir_all(parent).context("cannot make the folder of videos")?;
    let unfinished = parent.join(format!("part.{}", path.file_name().unwrap_or_default().to_string_lossy()));
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-y"]).args(args).arg(&unfinished);
    step::run(&mut ffmpeg)?;
    fs::rename(&unfinished, &path).context("cannot rename the video")?;
    Ok(path)
}

fn remuxed(from: &Path, to: &Path, before: &[&str], after: &[&str]) -> Result<()> {
    if to.exists() {
        return Ok(());
    }
    let unfinished = to.with_extension("part.mp4");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]).args(before).arg("-i").arg(from);
    step::run(ffmpeg.args(["-c", "copy"]).args(after).arg(&unfinished))?;
    fs::rename(&unfinished, to).context("cannot rename the video")
}

/// Writes the video at `from`, whose last two boxes are `mdat` and `moov`, with an `mdat` that reaches to `moov_at`.
/// What is new in it is a hole: it takes no disk, and a reader that goes through it takes the time of 1.9 GB.
fn enlarge(from: &Path, to: &Path, moov_at: u64) -> Result<()> {
    let mut bytes = Vec::new();
    File::open(from)?.read_to_end(&mut bytes)?;
    let (mut at, mut mdat) = (0_usize, None);
    let moov = loop {
        let header = bytes.get(at..at + 8).context("no moov")?;
        match &header[4..] {
            b"mdat" => mdat = Some(at),
            b"moov" => break at,
            _ => {}
        }
        at += u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
    };
    let mdat = mdat.context("moov comes first")?;
    ensure!(moov as u64 <= moov_at, "the video is larger than that");
    let mdat_size = u32::try_from(moov_at - mdat as u64).context("an mdat of more than 4 GiB")?;
    bytes[mdat..mdat + 4].copy_from_slice(&mdat_size.to_be_bytes());
    let mut file = File::create(to)?;
    file.write_all(&bytes[..moov])?;
    file.seek(SeekFrom::Start(moov_at))?;
    file.write_all(&bytes[moov..])?;
    Ok(())
}
