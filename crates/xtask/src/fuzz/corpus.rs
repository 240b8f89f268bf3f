//! Where fuzzing starts: the headers of made videos, of real clips where there are some, and what was found before.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use pinpress_fixtures::{make_recipe, real_clips, recipes, workspace_root};

/// Longer indexes make a target slow and hold nothing that a short one has not.
const MAX_SEED: usize = 32 << 10;
/// Longer files are those at the limit of the file size; their headers are those of others.
const MAX_FILE: u64 = 64 << 20;
/// So much of `mdat` stands for all of it.
const MDAT_BYTES: usize = 16;

/// The working corpus of `target`: libFuzzer adds to it.
pub(super) fn folder(target: &str) -> PathBuf {
    workspace_root().join("target/fuzz-corpus").join(target)
}

/// Writes the seeds of every target. What is there already stays: a long run goes on where the last one stopped.
pub(super) fn make() -> Result<()> {
    let mut files: Vec<PathBuf> = recipes()?.iter().map(make_recipe).collect::<Result<_, _>>()?;
    files.extend(pinpress_fixtures::boundaries()?.iter().map(make_recipe).collect::<Result<Vec<_>, _>>()?);
    files.extend(real_clips().into_iter().flatten().map(|clip| clip.path));
    for path in &files {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if std::fs::metadata(path).is_ok_and(|file| file.len() > MAX_FILE) {
            continue;
        }
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let boxes = boxes(&bytes);
        let Some(moov) = boxes.iter().find(|(kind, _)| kind == b"moov").and_then(|(_, whole)| whole.get(8..)) else {
            continue;
        };
        seed("moov", &name, moov)?;
        seed("box_walk", &name, &without_samples(&boxes))?;
        for (place, nal) in parameter_sets(moov).enumerate() {
            seed("sps", &format!("{name}-{place}"), nal)?;
        }
        for (place, entry) in sample_entries(moov).enumerate() {
            seed("sample_entry", &format!("{name}-{place}"), entry)?;
        }
    }
    let root = workspace_root();
    copy(&root.join("crates/probe/specs"), "rule_set")?;
    for target in super::TARGETS.map(|(name, _)| name) {
        copy(&root.join("crates/probe/fuzz/seeds").join(target), target)?;
    }
    Ok(())
}

fn seed(target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    if bytes.len() > MAX_SEED {
        return Ok(());
    }
    let folder = folder(target);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(name);
    std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn copy(from: &Path, target: &str) -> Result<()> {
    // A target that has found nothing has no folder.
    let Ok(entries) = std::fs::read_dir(from) else { return Ok(()) };
    for entry in entries {
        let path = entry.context("cannot read the seeds")?.path();
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        seed(target, &path.file_name().unwrap_or_default().to_string_lossy(), &bytes)?;
    }
    Ok(())
}

/// The top-level boxes of a sound file, headers included; those with 64-bit sizes end the walk.
fn boxes(file: &[u8]) -> Vec<([u8; 4], &[u8])> {
    let mut boxes = Vec::new();
    let mut rest = file;
    while let Some(([s0, s1, s2, s3, kind @ ..], _)) = rest.split_first_chunk::<8>() {
        let size = u32::from_be_bytes([*s0, *s1, *s2, *s3]) as usize;
        let Some((whole, after)) = rest.split_at_checked(size).filter(|_| size >= 8) else { break };
        boxes.push((*kind, whole));
        rest = after;
    }
    boxes
}

/// The same file with next to nothing in `mdat`.
fn without_samples(boxes: &[([u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = Vec::new();
    for (kind, whole) in boxes {
        if kind == b"mdat" && whole.len() > 8 + MDAT_BYTES {
            let size = u32::try_from(8 + MDAT_BYTES).unwrap_or(0);
            file.extend_from_slice(&size.to_be_bytes());
            file.extend_from_slice(&whole[4..8 + MDAT_BYTES]);
        } else {
            file.extend_from_slice(whole);
        }
    }
    file
}

/// The first entry of each `stsd` (ISO/IEC 14496-12 §8.5.2), from its four-character code on.
fn sample_entries(moov: &[u8]) -> impl Iterator<Item = &[u8]> {
    moov.windows(4).enumerate().filter(|(_, kind)| kind == b"stsd").filter_map(|(at, _)| {
        let entry = moov.get(at + 12..)?;
        let (size, _) = entry.split_first_chunk::<4>()?;
        entry.get(4..usize::try_from(u32::from_be_bytes(*size)).ok()?)
    })
}

/// The first sequence parameter set of each `avcC` (ISO/IEC 14496-15 §5.3.3.1).
fn parameter_sets(moov: &[u8]) -> impl Iterator<Item = &[u8]> {
    moov.windows(4).enumerate().filter(|(_, kind)| kind == b"avcC").filter_map(|(at, _)| {
        let record = moov.get(at + 4..)?;
        let length = usize::from(u16::from_be_bytes([*record.get(6)?, *record.get(7)?]));
        record.get(8..8 + length)
    })
}
