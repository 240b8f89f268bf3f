//! The intake of sources that are objects in storage.

use std::time::SystemTime;

use pinpress_media::Observer;
use pinpress_probe::{Fingerprint, ProbeError, Source, Spec};
use pinpress_store::Object;

use super::Run;
use super::intake::Examined;
use crate::check::check_source;
use crate::discover::Found;
use crate::ledger::{FileStamp, JobKey};
use crate::naming::absolute;

/// The stamp of what was found, without reading it.
pub(crate) fn stamp_of(found: &Found) -> Option<FileStamp> {
    match &found.object {
        Some(object) => object_stamp(object),
        None => FileStamp::of(&found.path).ok(),
    }
}

/// What stands for an object in the ledger as a file's stamp does for a file; `None` where storage does not tell when it
/// becomes another.
pub(super) fn object_stamp(object: &Object) -> Option<FileStamp> {
    let identity = blake3::hash(object.identity()?.to_string().as_bytes());
    let inode = u64::from_le_bytes(identity.as_bytes().first_chunk().copied().unwrap_or_default());
    let since = object.modified.duration_since(SystemTime::UNIX_EPOCH).ok();
    let mtime_ns = since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
    Some(FileStamp { len: object.size, mtime_ns, inode })
}

/// As for a file, on a copy; where the content is known already, by its index alone.
pub(super) fn examine_object(
    run: &Run<'_>,
    found: &Found,
    object: &Object,
    spec: &Spec,
    (cached, key_of): (Option<JobKey>, &dyn Fn(Fingerprint) -> JobKey),
) -> Examined {
    if let Some(key) = cached {
        let whole = |object: &Object| {
            let copy = run.objects.fetch_object(object, None, &Unheard)?;
            let info = run.media.read(copy.path()).map_err(|error| error.of(&found.path));
            run.objects.leave(object, copy);
            info
        };
        return match run.objects.check_by(found, spec, run.media, whole) {
            Ok(checked) => Examined::Read(key, Box::new(checked)),
            Err(error) => Examined::Unreadable { key: Some(key), error },
        };
    }
    let reserved = run.room.wait_for(&run.options.output, object.size, || run.stopping(), |_| {});
    let _room = match reserved {
        Ok(Some(room)) => room,
        Ok(None) => return Examined::Stopped,
        Err(shortage) => return Examined::Later { reason: shortage.to_string() },
    };
    let fetched = match run.objects.fetch_object(object, None, &Unheard) {
        Ok(fetched) => fetched,
        Err(_) if run.stopping() => return Examined::Stopped,
        Err(error) => return Examined::Unreadable { key: None, error },
    };
    let failed = |key, error: ProbeError| Examined::Unreadable { key, error: error.of(&found.path) };
    let source = match Source::open(fetched.path()) {
        Ok(source) => source,
        Err(error) => return failed(None, error),
    };
    let fingerprint = match source.fingerprint() {
        Ok(fingerprint) => fingerprint,
        Err(source) => return failed(None, ProbeError::Io { path: found.path.clone(), source }),
    };
    if let Some(stamp) = object_stamp(object) {
        run.recorded(run.ledger.remember(&absolute(&found.path), stamp, &fingerprint));
    }
    let key = key_of(fingerprint);
    match check_source(&source, spec, run.media) {
        Ok(checked) => {
            run.objects.leave(object, fetched);
            Examined::Read(key, Box::new(checked))
        }
        Err(error) => failed(Some(key), error),
    }
}

/// Nobody waits for it.
struct Unheard;

impl Observer for Unheard {}
