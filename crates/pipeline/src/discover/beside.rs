//! The sidecars of a folder of objects, and the videos that they are of.

use std::collections::BTreeMap;
use std::path::Path;

use pinpress_store::{Object, ObjectAddress};

use super::ahead::is_past;
use crate::manifest::SIDECAR_SUFFIX;

/// Whether a sidecar lies beside a video.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Beside {
    /// Nobody has looked: it is looked for when somebody wants to read it.
    #[default]
    Unknown,
    /// None.
    Nothing,
    /// This object.
    Sidecar(Box<Object>),
}

/// Those that were listed, until no video can come any more that they could be of.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// By what they are of: the key of a video, or that key without its ending.
    by_subject: BTreeMap<String, Sidecar>,
}

#[derive(Debug)]
struct Sidecar {
    object: Object,
    /// Something has its name, whether or not it is worked on.
    meant: bool,
}

/// Whether an object of this name is a sidecar.
pub(super) fn is_sidecar(relative: &Path) -> bool {
    relative.as_os_str().as_encoded_bytes().ends_with(SIDECAR_SUFFIX.as_bytes())
}

impl Listed {
    /// Remembers a sidecar.
    pub(super) fn meet(&mut self, object: &Object) {
        if let Some(subject) = object.address.key().strip_suffix(SIDECAR_SUFFIX) {
            self.by_subject.insert(subject.to_owned(), Sidecar { object: object.clone(), meant: false });
        }
    }

    /// The one of the object with that key: its whole name is nearer than what it shares with others.
    pub(super) fn of(&mut self, key: &str) -> Beside {
        let mut own = Beside::Nothing;
        for subject in subjects(key).rev() {
            if let Some(sidecar) = self.by_subject.get_mut(subject) {
                sidecar.meant = true;
                own = Beside::Sidecar(Box::new(sidecar.object.clone()));
            }
        }
        own
    }

    /// Those that are of nothing that was listed, now that the listing has come to `key`, or to its end.
    pub(super) fn strays(&mut self, key: Option<&str>) -> Vec<ObjectAddress> {
        let mut strays = Vec::new();
        while let Some(first) = self.by_subject.first_entry() {
            if key.is_some_and(|key| !is_past(key, &format!("{}.", first.key()))) {
                break;
            }
            let sidecar = first.remove();
            if !sidecar.meant {
                strays.push(sidecar.object.address);
            }
        }
        strays
    }
}

/// The key, and the key without its ending.
fn subjects(key: &str) -> impl DoubleEndedIterator<Item = &str> {
    let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
    let ending = Path::new(name).extension().map_or(0, |ending| ending.len() + 1);
    let stem = (ending > 0).then(|| &key[..key.len() - ending]);
    std::iter::once(key).chain(stem)
}

/// The addresses that a sidecar of the object could have, the nearer first.
pub(crate) fn candidates(video: &ObjectAddress) -> impl Iterator<Item = ObjectAddress> {
    let folder = video.parent();
    let name = video.name().to_owned();
    let names: Vec<String> = subjects(&name).map(|subject| format!("{subject}{SIDECAR_SUFFIX}")).collect();
    names.into_iter().filter_map(move |name| folder.join(&name).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str) -> Object {
        let address = format!("s3://media/{key}").parse().unwrap();
        Object { address, size: 1, etag: None, version: None, modified: std::time::SystemTime::UNIX_EPOCH }
    }

    fn sidecar(listed: &mut Listed, key: &str) -> Option<String> {
        match listed.of(key) {
            Beside::Sidecar(object) => Some(object.address.key().to_owned()),
            _ => None,
        }
    }

    #[test]
    fn the_whole_name_is_nearer_than_the_stem() {
        let mut listed = Listed::default();
        for key in ["a.mp4.pin.toml", "a.pin.toml", "b.c.pin.toml", "gone.pin.toml"] {
            listed.meet(&object(key));
        }
        assert_eq!(sidecar(&mut listed, "a.mov").unwrap(), "a.pin.toml");
        assert_eq!(sidecar(&mut listed, "a.mp4").unwrap(), "a.mp4.pin.toml");
        assert_eq!(sidecar(&mut listed, "b.c.mkv").unwrap(), "b.c.pin.toml");
        assert_eq!(sidecar(&mut listed, "b.mkv"), None);
        let strays: Vec<_> = listed.strays(None).iter().map(|stray| stray.key().to_owned()).collect();
        assert_eq!(strays, ["gone.pin.toml"]);
    }

    #[test]
    fn none_is_astray_before_its_family_is_past() {
        let mut listed = Listed::default();
        listed.meet(&object("raw/a.pin.toml"));
        assert_eq!(listed.strays(Some("raw/a.pin.toml")), []);
        assert_eq!(listed.strays(Some("raw/a.webm")), []);
        assert_eq!(listed.strays(Some("raw/b.mp4")).len(), 1);
        assert_eq!(listed.strays(None), []);
    }

    #[test]
    fn candidates_lie_in_the_same_folder() {
        let told = |key: &str| {
            let video = object(key).address;
            candidates(&video).map(|candidate| candidate.key().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(told("raw/a.mp4"), ["raw/a.mp4.pin.toml", "raw/a.pin.toml"]);
        assert_eq!(told("clip"), ["clip.pin.toml"]);
    }
}
