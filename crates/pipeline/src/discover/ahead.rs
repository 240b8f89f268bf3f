//! A listing that is read ahead so far that what says something of an object is known when the object is taken.
//!
//! Storage lists keys in the order of their bytes (S3 `ListObjectsV2`, Google's and Azure's listings alike). So the
//! patterns of a folder and the sidecar of a video are no requests of their own: once the listing is past the place
//! where either would stand, it is known whether it is there.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::path::Path;

use pinpress_store::{Listing, Object, ObjectAddress, Scheme, StoreError};

use super::IGNORE_FILE;

/// What the name of a bucket of Amazon's ends in that lists its keys in no order (S3 Express One Zone).
const OF_DIRECTORY_BUCKETS: &str = "--x-s3";

/// Objects in the order of their keys.
pub(super) struct Ahead {
    /// The folder's key, with a `/` behind it unless it is empty.
    prefix: String,
    rest: Rest,
    /// Listed, and not taken yet.
    waiting: VecDeque<Object>,
    /// Why the listing broke off.
    failure: Option<StoreError>,
}

enum Rest {
    Listed(Peekable<Listing>),
    Sorted(std::vec::IntoIter<Object>),
    Ended,
}

impl Ahead {
    /// Those below `folder`, as `listing` tells them. One without an order is read to its end first.
    pub(super) fn of(folder: &ObjectAddress, listing: Peekable<Listing>) -> Self {
        let key = folder.key().trim_end_matches('/');
        let prefix = if key.is_empty() { String::new() } else { format!("{key}/") };
        let mut ahead = Self { prefix, rest: Rest::Ended, waiting: VecDeque::new(), failure: None };
        if folder.scheme() == Scheme::File || folder.bucket().ends_with(OF_DIRECTORY_BUCKETS) {
            match listing.collect::<Result<Vec<_>, _>>() {
                Ok(mut all) => {
                    all.sort_by(|one, other| one.address.key().cmp(other.address.key()));
                    ahead.rest = Rest::Sorted(all.into_iter());
                }
                Err(error) => ahead.failure = Some(error),
            }
        } else {
            ahead.rest = Rest::Listed(listing);
        }
        ahead
    }

    /// The next object, and what stands behind it as far as it says something of it.
    ///
    /// # Errors
    /// When the listing breaks off, once. What was listed before, but not far enough to be judged, is dropped.
    pub(super) fn take(&mut self, met: &mut dyn FnMut(&Object)) -> Option<Result<Object, StoreError>> {
        while !self.is_known() {
            let next = match &mut self.rest {
                Rest::Listed(listing) => listing.next(),
                Rest::Sorted(objects) => objects.next().map(Ok),
                Rest::Ended => None,
            };
            match next {
                Some(Ok(object)) => {
                    met(&object);
                    self.waiting.push_back(object);
                }
                Some(Err(error)) => {
                    self.rest = Rest::Ended;
                    self.waiting.clear();
                    self.failure = Some(error);
                }
                None => self.rest = Rest::Ended,
            }
        }
        match self.waiting.pop_front() {
            Some(object) => Some(Ok(object)),
            None => self.failure.take().map(Err),
        }
    }

    /// Whether the listing is past all that says something of the first that waits.
    fn is_known(&self) -> bool {
        if matches!(self.rest, Rest::Ended) {
            return true;
        }
        let (Some(first), Some(last)) = (self.waiting.front(), self.waiting.back()) else { return false };
        let last = last.address.key();
        let key = first.address.key();
        let relative = key.strip_prefix(&self.prefix).unwrap_or(key);
        let folders = relative.match_indices('/').map(|(at, _)| &relative[..=at]);
        let mut patterns = std::iter::once("").chain(folders);
        is_past(last, &family(key))
            && patterns.all(|folder| last > format!("{}{folder}{IGNORE_FILE}", self.prefix).as_str())
    }
}

/// What all names begin with that an object's sidecars could have: `clip.` of `raw/clip.mp4`, with its folder.
fn family(key: &str) -> String {
    let stem = Path::new(key).file_stem().unwrap_or_default().to_string_lossy();
    let folder = key.rsplit_once('/').map_or(0, |(folder, _)| folder.len() + 1);
    format!("{}{stem}.", &key[..folder])
}

/// Whether a listing that has come to `key` has nothing more that begins with `prefix`.
pub(super) fn is_past(key: &str, prefix: &str) -> bool {
    key > prefix && !key.starts_with(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_what_shares_a_stem() {
        assert_eq!(family("raw/clip.mp4"), "raw/clip.");
        assert_eq!(family("clip.one.mp4"), "clip.one.");
        assert_eq!(family("a.b/clip"), "a.b/clip.");
    }

    #[test]
    fn a_listing_is_past_a_family_behind_all_of_it() {
        // In the order of bytes - and space come before the dot.
        for (key, past) in [("clip", false), ("clip-2.mp4", false), ("clip.mp4", false), ("clip.x", false)] {
            assert_eq!(is_past(key, "clip."), past, "{key}");
        }
        assert!(is_past("clip2.mp4", "clip.") && is_past("clip/a.mp4", "clip."));
    }
}
