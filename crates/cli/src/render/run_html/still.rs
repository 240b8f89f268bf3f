//! Small stills of covers. They are kept in the run's own folder, so that the next report has them at once.

use std::collections::HashSet;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{ImageReader, Limits};

/// The longest side in pixels: some twice the size at which the report shows it, for screens of double density.
const SIDE: u32 = 256;

/// The largest that one may be; ten thousand of them are 60 MB.
const BYTES: usize = 6_000;

/// JPEG qualities that are tried until one is small enough; of noise the last may still be larger.
const QUALITIES: [u8; 4] = [72, 55, 35, 15];

/// Memory that decoding a cover may take. One of 8K takes 100 MB.
const DECODE_BYTES: u64 = 256 << 20;

/// The stills of one run.
pub(super) struct Stills {
    folder: PathBuf,
    used: Mutex<HashSet<PathBuf>>,
}

/// A still and where it is kept.
pub(super) struct Still {
    pub(super) jpeg: Vec<u8>,
    pub(super) file: PathBuf,
}

impl Stills {
    /// In the run's own folder `own`, where nothing is made yet.
    pub(super) fn new(own: &Path) -> Self {
        Self { folder: own.join("stills"), used: Mutex::default() }
    }

    /// Of the picture at `cover`; `None` when there is none, or it cannot be read.
    pub(super) fn of(&self, cover: &Path) -> Option<Still> {
        let file = self.folder.join(key(cover)?);
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(file.clone());
        // One that a crash cut short lacks its end (ITU-T T.81, EOI).
        if let Some(jpeg) = fs::read(&file).ok().filter(|jpeg| jpeg.ends_with(&[0xFF, 0xD9])) {
            return Some(Still { jpeg, file });
        }
        let jpeg = match made(cover) {
            Ok(jpeg) => jpeg,
            Err(error) => {
                tracing::debug!(%error, path = %cover.display(), "no still");
                return None;
            }
        };
        // Without a place to keep it, it is made again the next time.
        if let Err(error) = self.keep(&file, &jpeg) {
            tracing::debug!(%error, "a still was not kept");
        }
        Some(Still { jpeg, file })
    }

    /// Not synced, as it can be made again.
    fn keep(&self, file: &Path, jpeg: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        // Its ending has what is left of it swept.
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let temp = self.folder.join(format!(".{}.{name}", std::process::id()));
        fs::write(&temp, jpeg)?;
        fs::rename(temp, file)
    }

    /// Removes those that were not asked for.
    pub(super) fn sweep(&self) {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == "jpg") && !used.contains(&path) {
                drop(fs::remove_file(path));
            }
        }
    }
}

/// A name that changes with the picture: by place, length and time of change, so that it need not be read.
fn key(cover: &Path) -> Option<String> {
    let metadata = fs::metadata(cover).ok().filter(fs::Metadata::is_file)?;
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let place = std::path::absolute(cover).ok()?;
    let mut hash = blake3::Hasher::new();
    hash.update(place.as_os_str().as_encoded_bytes());
    hash.update(&metadata.len().to_le_bytes());
    hash.update(&changed.as_nanos().to_le_bytes());
    Some(format!("{}.jpg", &hash.finalize().to_hex()[..32]))
}

fn made(cover: &Path) -> image::ImageResult<Vec<u8>> {
    let mut reader = ImageReader::open(cover)?.with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_BYTES);
    reader.limits(limits);
    // Triangle: a third of the time of Lanczos, and nobody sees a difference at this size.
    let small = reader.decode()?.resize(SIDE, SIDE, FilterType::Triangle).into_rgb8();
    let mut jpeg = Vec::new();
    for quality in QUALITIES {
        jpeg.clear();
        small.write_with_encoder(JpegEncoder::new_with_quality(Cursor::new(&mut jpeg), quality))?;
        if jpeg.len() <= BYTES {
            break;
        }
    }
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(path: &Path, noise: bool) {
        let mut state = 1_u32;
        let picture = image::RgbImage::from_fn(540, 960, |x, y| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [a, b, c, _] = state.to_be_bytes();
            let [_, _, high, low] = (x * 3 + y).to_be_bytes();
            image::Rgb(if noise { [a, b, c] } else { [high, low, 40] })
        });
        picture.save(path).unwrap();
    }

    #[test]
    fn a_still_is_small_made_once_and_swept_when_its_cover_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (calm, wild) = (dir.path().join("calm.cover.jpg"), dir.path().join("wild.cover.jpg"));
        picture(&calm, false);
        picture(&wild, true);
        let stills = Stills::new(dir.path());
        for cover in [&calm, &wild] {
            let still = stills.of(cover).unwrap();
            assert!(still.jpeg.len() <= BYTES + BYTES / 2, "{}: {}", cover.display(), still.jpeg.len());
            let size = image::load_from_memory(&still.jpeg).unwrap();
            assert_eq!((size.width(), size.height()), (144, 256));
            assert_eq!(fs::read(&still.file).unwrap(), still.jpeg);
            // What is kept is taken as it is.
            fs::write(&still.file, b"kept\xff\xd9").unwrap();
            assert_eq!(stills.of(cover).unwrap().jpeg, b"kept\xff\xd9");
            fs::write(&still.file, b"cut sh").unwrap();
            assert_eq!(stills.of(cover).unwrap().jpeg, still.jpeg, "made again");
        }
        let (later, before) = (Stills::new(dir.path()), stills.of(&calm).unwrap().file);
        picture(&calm, true);
        assert_ne!(later.of(&calm).unwrap().file, before, "another picture has another still");
        later.sweep();
        assert_eq!(fs::read_dir(dir.path().join("stills")).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_picture_has_no_still() {
        let dir = tempfile::tempdir().unwrap();
        let stills = Stills::new(dir.path());
        let text = dir.path().join("text.cover.jpg");
        fs::write(&text, "no picture").unwrap();
        assert!(stills.of(&text).is_none() && stills.of(&dir.path().join("gone.jpg")).is_none());
        assert!(!dir.path().join("stills").exists());
    }
}
