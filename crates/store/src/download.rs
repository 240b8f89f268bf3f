//! An object to a file.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::ObjectStore;

use crate::TEMP_SUFFIX;
use crate::bucket::{Fault, read};
use crate::error::Reason;
use crate::object::Object;
use crate::transfer::Transfer;

/// Each request is short enough to end within a client's time limit on a slow line, and to begin again cheaply.
const PART: u64 = 8 * 1024 * 1024;

/// Requests at once. As many parts are in memory.
const AT_ONCE: usize = 4;

pub(crate) async fn download(
    store: &Arc<dyn ObjectStore>,
    object: &Object,
    to: &Path,
    watch: &dyn Transfer,
) -> Result<u64, Fault> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fault = Fault::local(to);
    let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut file = tempfile::Builder::new()
        .prefix(&format!(".{}.", short(&name)))
        .suffix(TEMP_SUFFIX)
        .tempfile_in(folder)
        .map_err(Fault::local(folder))?;
    let parts = (0..object.size.div_ceil(PART)).map(|part| {
        let begin = part * PART;
        read(&**store, object, begin..(begin + PART).min(object.size))
    });
    let mut parts = stream::iter(parts).buffered(AT_ONCE);
    let mut written = 0;
    while let Some(bytes) = parts.try_next().await? {
        if watch.cancelled() {
            return Err(Fault::Known(Reason::Interrupted));
        }
        file.write_all(&bytes).map_err(&fault)?;
        written += bytes.len() as u64;
        watch.moved(bytes.len() as u64);
    }
    file.as_file().sync_all().map_err(&fault)?;
    file.persist(to).map_err(|error| fault(error.error))?;
    // The name is on the disk when its folder is.
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(Fault::local(folder))?;
    Ok(written)
}

/// As much of a name as leaves room for what stands around it: file systems take 255 bytes.
pub(crate) fn short(name: &str) -> &str {
    let mut end = name.len().min(200);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(short("clip.mp4"), "clip.mp4");
        let long = "ä".repeat(150);
        assert_eq!(short(&long).len(), 200);
        assert_eq!(short(&format!("x{long}")).len(), 199);
    }
}
