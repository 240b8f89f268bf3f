//! The walk through a folder of objects, as storage lists them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use pinpress_media::TEMP_SUFFIX;
use pinpress_store::{Object, ObjectAddress, Reason, StoreError, Stores};

use super::ahead::Ahead;
use super::beside::{Beside, Listed, is_sidecar};
use super::patterns::Patterns;
use super::walk::Seen;
use super::{DiscoverError, Filters, Found, IGNORE_FILE, Unreadable, has_video_extension};

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
    objects: Ahead,
    patterns: Patterns,
    sidecars: Listed,
    /// Where the results go: what lies there is none to work on.
    output: Option<ObjectAddress>,
    /// To be told before the next object is taken.
    to_tell: VecDeque<Seen>,
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
        let patterns = Patterns::new(bucket.clone(), filters.below(Path::new("/"))?);
        let mut objects = bucket.list(&address).peekable();
        match objects.peek() {
            Some(Ok(_)) => {
                let output = output.filter(|output| lies_below(&address, output));
                let objects = Ahead::of(&address, objects);
                let (sidecars, to_tell) = (Listed::default(), VecDeque::new());
                let below = Below { folder: address, objects, patterns, sidecars, output, to_tell };
                Ok(Self { path, rest: Rest::Below(Box::new(below)) })
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
        match &mut self.rest {
            Rest::One(object) => {
                let object = object.take()?;
                let relative = object.address.name().into();
                Some(video(object, relative, Beside::Unknown))
            }
            Rest::Below(below) => below.next(&self.path),
        }
    }
}

impl Below {
    fn next(&mut self, path: &Path) -> Option<Seen> {
        loop {
            if let Some(seen) = self.to_tell.pop_front() {
                return Some(seen);
            }
            let Self { folder, objects, patterns, sidecars, output, .. } = self;
            let mut met = |object: &Object| {
                let Some(relative) = relative(folder, output.as_ref(), object) else { return };
                if relative.file_name().is_some_and(|name| name == IGNORE_FILE) {
                    patterns.meet(relative.parent().unwrap_or(relative).to_owned(), object.clone());
                } else if is_sidecar(relative) && !is_hidden(relative) {
                    sidecars.meet(object);
                }
            };
            match objects.take(&mut met) {
                Some(Ok(object)) => self.judge(object),
                Some(Err(error)) => {
                    // Whether more lies beside what was listed last is not known: nothing is said of it.
                    self.sidecars = Listed::default();
                    let reason = error.reason.to_string();
                    return Some(Seen::Unreadable(Unreadable { path: path.to_owned(), reason }));
                }
                None => {
                    self.stray(None);
                    return self.to_tell.pop_front();
                }
            }
        }
    }

    /// What an object is.
    fn judge(&mut self, object: Object) {
        self.stray(Some(object.address.key()));
        let beside = self.sidecars.of(object.address.key());
        let Some(relative) = relative(&self.folder, self.output.as_ref(), &object).map(Path::to_owned) else { return };
        // Its name is hidden, its mistakes are not.
        let is_patterns = relative.file_name().is_some_and(|name| name == IGNORE_FILE);
        if is_hidden(relative.parent().filter(|_| is_patterns).unwrap_or(&relative)) {
            return;
        }
        let through = self.patterns.let_through(&relative);
        let mistakes = self.patterns.mistakes();
        if !mistakes.is_empty() {
            self.to_tell.push_back(Seen::Mistakes(mistakes));
        }
        if through && !is_patterns {
            // To look at the bytes of each object would be a request each: what has no ending is taken where it is named.
            let is_named = relative.extension().is_none() && self.patterns.names(&relative);
            let is_video = is_named || has_video_extension(&relative);
            self.to_tell.push_back(if is_video { video(object, relative, beside) } else { Seen::Skipped });
        }
    }

    fn stray(&mut self, key: Option<&str>) {
        self.to_tell.extend(self.sidecars.strays(key).into_iter().map(Seen::Sidecar));
    }
}

fn video(object: Object, relative: PathBuf, beside: Beside) -> Seen {
    Seen::Video(Found { path: object.address.to_path(), relative, object: Some(object), beside })
}

/// Where an object lies below `folder`; `None` for the folder itself, and for what lies in the output.
fn relative<'a>(folder: &ObjectAddress, output: Option<&ObjectAddress>, object: &'a Object) -> Option<&'a Path> {
    let relative = below(folder, &object.address)?;
    let in_output = output.is_some_and(|output| below(output, &object.address).is_some());
    (!in_output).then(|| Path::new(relative))
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

#[cfg(test)]
mod tests {
    use super::super::IgnoreMistake;
    use super::*;

    /// What both walks find in a folder of these files: as files, and as objects.
    fn found(files: &[(&str, &str)], filters: &Filters) -> [Vec<String>; 2] {
        let dir = tempfile::tempdir().unwrap();
        for (key, text) in files {
            let path = dir.path().join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let folder: ObjectAddress = format!("file://{}/", dir.path().display()).parse().unwrap();
        let objects = ObjectWalk::begin(folder, None, filters, &Stores::new()).unwrap();
        let files = super::super::Walk::begin(&[dir.path().to_owned()], None, filters).unwrap();
        let told = |seen: Seen| match seen {
            Seen::Video(found) => Some(found.relative.display().to_string()),
            Seen::Skipped => Some("skipped".to_owned()),
            Seen::Mistakes(mistakes) => {
                let place = |mistake: IgnoreMistake| (mistake.line, mistake.path.file_name().unwrap().to_owned());
                Some(format!("{:?}", mistakes.into_iter().map(place).collect::<Vec<_>>()))
            }
            _ => None,
        };
        let mut both = [objects.filter_map(told).collect::<Vec<_>>(), files.filter_map(told).collect()];
        // A folder's files come before its folders in the one order, and among them in the other.
        both.iter_mut().for_each(|told| told.sort());
        both
    }

    const KEYS: [&str; 5] = ["a.mov", "a.mp4", "2024/b.mov", "2024/raw/c.mov", "drafts/2024/d.mov"];

    #[test]
    fn options_mean_what_they_mean_in_a_folder() {
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        for (include, exclude, count) in [
            (&[][..], &[][..], 5),
            (&["*.mov"], &[], 4),
            (&["2024/**"], &[], 2),
            (&[], &["drafts"], 4),
            (&[], &["drafts/"], 4),
            (&["*.mov"], &["raw"], 3),
            (&["/a.*"], &["*.mp4"], 1),
            (&[], &["2024/*"], 3),
        ] {
            let filters = Filters { include: owned(include), exclude: owned(exclude) };
            let [objects, files] = found(&KEYS.map(|key| (key, "x")), &filters);
            assert_eq!(objects, files, "{include:?} {exclude:?}");
            assert_eq!(objects.len(), count, "{include:?} {exclude:?}");
        }
    }

    #[test]
    fn files_of_patterns_mean_what_they_mean_in_a_folder() {
        let all: &[(&str, &str)] = &[
            ("-first.mp4", "x"),
            ("-drafts/a.mp4", "x"),
            ("-drafts/.pinpressignore", "!*.mp4\n"),
            ("keep/a.mp4", "x"),
            ("keep/.pinpressignore", "!a.mp4\nb*\n/c.mp4\n"),
            ("keep/b.mov", "x"),
            ("keep/c.mp4", "x"),
            ("keep/deep/c.mp4", "x"),
            ("left-out/a.mov", "x"),
            ("left-out/.pinpressignore", "{a\n"),
            (".hidden/.pinpressignore", "{a\n"),
            ("note.txt", "x"),
            ("z.mov", "x"),
        ];
        for (patterns, expected) in [
            ("", 8),
            ("left-out\n", 6),
            ("left-out/\n-*\n*.mp4\n", 3),
            ("\u{feff}left-out/\r\n# c\r\n*.mov\r\n", 5),
            ("/*\n!/keep/\n", 2),
            ("left-out\n[draft\n{x\n", 7),
        ] {
            let files: Vec<_> = all.iter().copied().chain([(".pinpressignore", patterns)]).collect();
            let [objects, files] = found(&files, &Filters::default());
            assert_eq!(objects, files, "{patterns:?}");
            assert_eq!(objects.len(), expected, "{patterns:?}: {objects:?}");
            let filters = Filters { include: vec!["*.mp4".to_owned()], exclude: vec!["deep".to_owned()] };
            let again: Vec<_> = all.iter().copied().chain([(".pinpressignore", patterns)]).collect();
            let [objects, files] = found(&again, &filters);
            assert_eq!(objects, files, "{patterns:?} with options");
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
