//! A file to an object.

use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use object_store::path::Path as Key;
use object_store::{
    Attribute, Attributes, Error, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode,
    PutMultipartOptions, PutOptions, PutPayload,
};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use crate::TEMP_SUFFIX;
use crate::address::Scheme;
use crate::bucket::Fault;
use crate::download::short;
use crate::error::Reason;
use crate::transfer::Transfer;

/// Files up to this size go in one request; larger ones in parts of it. S3 takes 10,000 parts: 80 GB.
const PART: u64 = 8 * 1024 * 1024;

/// Parts at once. As many are in memory.
const AT_ONCE: usize = 4;

/// What happens to an object that has the key already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the upload fails.
    Refused,
    /// The new one takes its place.
    Replaced,
}

pub(crate) async fn upload(
    store: &Arc<dyn ObjectStore>,
    scheme: Scheme,
    file: &Path,
    to: &Key,
    existing: Existing,
    watch: &dyn Transfer,
) -> Result<ObjectMeta, Fault> {
    if existing == Existing::Refused {
        refuse_existing(&**store, to).await?;
    }
    let fault = Fault::local(file);
    let mut open = File::open(file).await.map_err(&fault)?;
    let len = open.metadata().await.map_err(&fault)?.len();
    // The store on this machine takes none.
    let attributes = if scheme == Scheme::File { Attributes::new() } else { attributes(to) };
    if len <= PART {
        let bytes = next_part(&mut open, len).await.map_err(&fault)?;
        whole(&**store, to, bytes, existing, attributes).await?;
        watch.moved(len);
    } else {
        let temporary = temporary(to);
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let mut parts = store.put_multipart_opts(&temporary, options).await.map_err(Fault::writing)?;
        if let Err(fault) = in_parts(&mut *parts, &mut open, file, len, watch).await {
            // What fails here is what failed before; the storage's own rules clear it up.
            drop(parts.abort().await);
            return Err(fault);
        }
        let placed = place(&**store, &temporary, to, len, existing).await;
        if let Err(error) = store.delete(&temporary).await {
            tracing::warn!("left behind, remove it by hand: {temporary}: {error}");
        }
        placed?;
    }
    let there = store.head(to).await.map_err(Fault::writing)?;
    if there.size == len { Ok(there) } else { Err(Fault::Known(Reason::Changed)) }
}

async fn refuse_existing(store: &dyn ObjectStore, to: &Key) -> Result<(), Fault> {
    match store.head(to).await {
        Ok(_) => Err(Fault::Known(Reason::Exists)),
        Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(Fault::writing(error)),
    }
}

/// In one request, which a storage does wholly or not at all.
async fn whole(
    store: &dyn ObjectStore,
    to: &Key,
    bytes: PutPayload,
    existing: Existing,
    attributes: Attributes,
) -> Result<(), Fault> {
    let mode = match existing {
        Existing::Refused => PutMode::Create,
        Existing::Replaced => PutMode::Overwrite,
    };
    let options = PutOptions { mode, attributes, ..PutOptions::default() };
    match store.put_opts(to, bytes.clone(), options).await {
        Ok(_) => Ok(()),
        // It was not there a moment ago: somebody else's, or ours whose answer was lost and that was sent again.
        Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) if is_there(store, to, &bytes).await => Ok(()),
        Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Err(Fault::Known(Reason::Exists)),
        Err(error) => Err(Fault::writing(error)),
    }
}

async fn is_there(store: &dyn ObjectStore, at: &Key, bytes: &PutPayload) -> bool {
    let Ok(there) = store.get(at).await else { return false };
    if there.meta.size != bytes.content_length() as u64 {
        return false;
    }
    let there = there.bytes().await;
    there.is_ok_and(|there| bytes.iter().flatten().eq(there.iter()))
}

async fn in_parts(
    parts: &mut dyn MultipartUpload,
    open: &mut File,
    file: &Path,
    len: u64,
    watch: &dyn Transfer,
) -> Result<(), Fault> {
    let mut under_way = FuturesUnordered::new();
    let mut left = len;
    while left > 0 || !under_way.is_empty() {
        if watch.cancelled() {
            return Err(Fault::Known(Reason::Interrupted));
        }
        if left > 0 && under_way.len() < AT_ONCE {
            let size = left.min(PART);
            let bytes = next_part(open, size).await.map_err(Fault::local(file))?;
            left -= size;
            let part = parts.put_part(bytes);
            under_way.push(async move { part.await.map(|()| size) });
            continue;
        }
        if let Some(sent) = under_way.next().await {
            watch.moved(sent.map_err(Fault::writing)?);
        }
    }
    parts.complete().await.map_err(Fault::writing)?;
    Ok(())
}

/// The next `size` bytes. A file that has become shorter is an error.
async fn next_part(open: &mut File, size: u64) -> std::io::Result<PutPayload> {
    let mut bytes = vec![0; usize::try_from(size).map_err(std::io::Error::other)?];
    open.read_exact(&mut bytes).await?;
    Ok(bytes.into())
}

/// From one key to the final one, once all of it is there.
async fn place(store: &dyn ObjectStore, from: &Key, to: &Key, len: u64, existing: Existing) -> Result<(), Fault> {
    let there = store.head(from).await.map_err(Fault::writing)?;
    if there.size != len {
        let said = format!("{len} bytes were meant and {} are there", there.size);
        return Err(Fault::Known(Reason::Other { said }));
    }
    if existing == Existing::Refused {
        // Some servers pass over the condition of the copy.
        refuse_existing(store, to).await?;
        match store.copy_if_not_exists(from, to).await {
            Ok(()) => return Ok(()),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                return if came_there(store, &there, to).await { Ok(()) } else { Err(Fault::Known(Reason::Exists)) };
            }
            // A look and a copy, between which somebody else may come.
            Err(Error::NotSupported { .. } | Error::NotImplemented { .. }) => {}
            Err(error) => return Err(Fault::writing(error)),
        }
    }
    store.copy(from, to).await.map_err(Fault::writing)
}

/// Whether what is at `to` is the copy of `from` whose answer was lost, so that it was asked for again. The copy of what
/// came in parts has an etag of its own.
async fn came_there(store: &dyn ObjectStore, from: &ObjectMeta, to: &Key) -> bool {
    store.head(to).await.is_ok_and(|there| there.size == from.size && there.last_modified >= from.last_modified)
}

/// From one key to another, and a look at what is there then.
pub(crate) async fn copy(
    store: &dyn ObjectStore,
    from: &Key,
    to: &Key,
    len: u64,
    existing: Existing,
) -> Result<ObjectMeta, Fault> {
    place(store, from, to, len, existing).await?;
    let there = store.head(to).await.map_err(Fault::writing)?;
    if there.size == len { Ok(there) } else { Err(Fault::Known(Reason::Changed)) }
}

/// Beside `to`: hidden, and marked as what is still being written.
fn temporary(to: &Key) -> Key {
    let name = to.filename().unwrap_or_default();
    let mark: u64 = rand::random();
    let name = format!(".{}.{mark:016x}{TEMP_SUFFIX}", short(name));
    let folder = to.as_ref().rsplit_once('/').map_or("", |(folder, _)| folder);
    let key = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
    Key::parse(key).unwrap_or_else(|_| Key::from(name))
}

/// What browsers need to play and show it.
fn attributes(to: &Key) -> Attributes {
    let extension = to.extension().unwrap_or_default().to_ascii_lowercase();
    let kind = match extension.as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "json" => "application/json",
        "html" => "text/html; charset=utf-8",
        _ => return Attributes::new(),
    };
    Attributes::from_iter([(Attribute::ContentType, kind)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_keys_lie_beside_the_final_one() {
        let key = temporary(&Key::from("out/a/clip.mp4"));
        assert!(key.as_ref().starts_with("out/a/.clip.mp4."), "{key}");
        assert!(key.as_ref().ends_with(TEMP_SUFFIX), "{key}");
        assert!(!temporary(&Key::from("clip.mp4")).as_ref().contains('/'));
    }
}
