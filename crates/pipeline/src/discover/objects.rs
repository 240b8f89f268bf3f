//! The walk through a folder of objects, as storage lists them.

use std::iter::Peekable;
use std::path::{Path, PathBuf};

use ignore::overrides::Override;
use pinpress_media::TEMP_SUFFIX;
use pinpress_store::{Listing, Object, ObjectAddress, Reason, StoreError, Stores};

use super::ignore_file::IgnoreMistake;
use super::walk::Seen;
use super::{DiscoverError, Filters, Found, IGNORE_FILE, Unreadable, has_video_extension};
use crate::manifest::SIDECAR_SUFFIX;

/// What lies at or below an address.
pub(super) struct ObjectWalk {
    /// As the user would name it.
    path: PathBuf,
    rest: Rest,
}

enum Rest {
    /// An object that was given itself.
    One(Option<Object>),
    /// Those below a folder.
    Below(Box<Below>),
}

struct Below {
    folder: ObjectAddress,
    objects: Peekable<Listing>,
    meant: Override,
    /// Where the results go: what lies there is none to work on.
    output: Option<ObjectAddress>,
}

/// Whether both are the same folder.
pub(super) fn are_one(one: &ObjectAddress, other: &ObjectAddress) -> bool {
    (one.scheme(), one.bucket(), one.key()) == (other.scheme(), other.bucket(), other.key())
}

impl ObjectWalk {
    /// What has the key is an object, whatever lies below it; what ends with `/` is a folder.
    pub(super) fn begin(
        address: ObjectAddress,
        output: Option<ObjectAddress>,
        filters: &Filters,
        stores: &Stores,
    ) -> Result<Self, DiscoverError> {
        let bucket = stores.bucket(&address)?;
        let path = address.to_path();
        if !address.is_folder() {
            match bucket.look(&address) {
                Ok(object) => return Ok(Self { path, rest: Rest::One(Some(object)) }),
                Err(StoreError { reason: Reason::NotFound | Reason::NoSuchBucket, .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let meant = filters.below(Path::new("/"))?;
        let mut objects = bucket.list(&address).peekable();
        match objects.peek() {
            Some(Ok(_)) => {
                let output = output.filter(|output| lies_below(&address, output));
                Ok(Self { path, rest: Rest::Below(Box::new(Below { folder: address, objects, meant, output })) })
            }
            Some(Err(_)) => match objects.next() {
                Some(Err(error)) => Err(error.into()),
                // It was an error a moment ago.
                _ => Err(StoreError { address, reason: Reason::NotFound }.into()),
            },
            None => Err(StoreError { address, reason: Reason::NotFound }.into()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Iterator for ObjectWalk {
    type Item = Seen;

    fn next(&mut self) -> Option<Seen> {
        let Below { folder, objects, meant, output } = match &mut self.rest {
            Rest::One(object) => {
                let object = object.take()?;
                let relative = object.address.name().into();
                return Some(video(object, relative));
            }
            Rest::Below(below) => &mut **below,
        };
        loop {
            let object = match objects.next()? {
                Ok(object) => object,
                Err(error) => {
                    let reason = error.reason.to_string();
                    return Some(Seen::Unreadable(Unreadable { path: self.path.clone(), reason }));
                }
            };
            let Some(relative) = below(folder, &object.address).map(PathBuf::from) else { continue };
            if relative.file_name().is_some_and(|name| name == IGNORE_FILE) {
                let reason =
                    "files of patterns are not read in object storage: give its lines as --exclude, and remove it";
                let mistake = IgnoreMistake { path: object.address.to_path(), line: None, reason: reason.to_owned() };
                return Some(Seen::Mistakes(vec![mistake]));
            }
            if output.as_ref().is_some_and(|output| below(output, &object.address).is_some()) {
                continue;
            }
            if is_hidden(&relative) || !is_meant(meant, &relative) {
                continue;
            }
            if relative.as_os_str().as_encoded_bytes().ends_with(SIDECAR_SUFFIX.as_bytes()) {
                return Some(Seen::Sidecar(object.address));
            }
            return Some(if has_video_extension(&relative) { video(object, relative) } else { Seen::Skipped });
        }
    }
}

fn video(object: Object, relative: PathBuf) -> Seen {
    Seen::Video(Found { path: object.address.to_path(), relative, object: Some(object) })
}

/// Whether `other` is a folder below `folder`, and not the same.
fn lies_below(folder: &ObjectAddress, other: &ObjectAddress) -> bool {
    let bucket = |address: &ObjectAddress| (address.scheme(), address.bucket().to_owned());
    bucket(folder) == bucket(other) && below(folder, other).is_some_and(|rest| !rest.is_empty())
}

/// The key below that of `folder`, in the same bucket.
fn below<'a>(folder: &ObjectAddress, address: &'a ObjectAddress) -> Option<&'a str> {
    let key = address.key();
    if folder.key().is_empty() { Some(key) } else { key.strip_prefix(folder.key())?.strip_prefix('/') }
}

/// As in a folder here: what begins with a dot at any depth, and what is still being written.
fn is_hidden(relative: &Path) -> bool {
    let hidden = |name: &[u8]| name.starts_with(b".") || name.ends_with(TEMP_SUFFIX.as_bytes());
    relative.iter().any(|part| hidden(part.as_encoded_bytes()))
}

/// Whether the patterns let it through. A folder that is left out is left out with all that is in it.
fn is_meant(meant: &Override, relative: &Path) -> bool {
    let mut folders = relative.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    !meant.matched(relative, false).is_ignore() && !folders.any(|folder| meant.matched(folder, true).is_ignore())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(include: &[&str], exclude: &[&str]) -> Vec<&'static str> {
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        let meant = Filters { include: owned(include), exclude: owned(exclude) }.below(Path::new("/")).unwrap();
        let keys = ["a.mov", "a.mp4", "2024/b.mov", "2024/raw/c.mov", "drafts/2024/d.mov"];
        keys.into_iter().filter(|key| is_meant(&meant, Path::new(key))).collect()
    }

    #[test]
    fn patterns_mean_what_they_mean_in_a_folder() {
        // The same by the walk through a folder of these files.
        let walked = |include: &[&str], exclude: &[&str]| {
            let dir = tempfile::tempdir().unwrap();
            for key in ["a.mov", "a.mp4", "2024/b.mov", "2024/raw/c.mov", "drafts/2024/d.mov"] {
                let path = dir.path().join(key);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "x").unwrap();
            }
            let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
            let filters = Filters { include: owned(include), exclude: owned(exclude) };
            let found = super::super::discover(&[dir.path().to_owned()], None, &filters).unwrap();
            let mut found: Vec<_> = found.videos.iter().map(|found| found.relative.display().to_string()).collect();
            found.sort();
            found
        };
        for (include, exclude) in [
            (&[][..], &[][..]),
            (&["*.mov"], &[]),
            (&["2024/**"], &[]),
            (&[], &["drafts"]),
            (&[], &["drafts/"]),
            (&["*.mov"], &["raw"]),
            (&["/a.*"], &["*.mp4"]),
            (&[], &["2024/*"]),
        ] {
            let mut here = meant(include, exclude);
            here.sort_unstable();
            assert_eq!(here, walked(include, exclude), "{include:?} {exclude:?}");
        }
    }

    #[test]
    fn only_an_output_below_the_input_is_left_out() {
        let lies = |folder: &str, other: &str| lies_below(&folder.parse().unwrap(), &other.parse().unwrap());
        assert!(lies("s3://media", "s3://media/out/") && lies("s3://media/raw/", "s3://media/raw/out"));
        assert!(!lies("s3://media/raw/", "s3://media") && !lies("s3://media/raw/", "s3://media/raw"));
        assert!(!lies("s3://media/raw/", "s3://media/rawer/") && !lies("s3://media", "gs://media/out/"));
    }

    #[test]
    fn hidden_parts_hide_all_below_them() {
        for hidden in [".a.mp4", "a/.b/c.mp4", "a/.c.mp4.0123.pinpress-tmp", "c.mp4.pinpress-tmp"] {
            assert!(is_hidden(Path::new(hidden)), "{hidden}");
        }
        assert!(!is_hidden(Path::new("a/b.c/d.mp4")));
    }

    #[test]
    fn what_is_still_being_written_has_one_name() {
        assert_eq!(TEMP_SUFFIX, pinpress_store::TEMP_SUFFIX);
    }
}
