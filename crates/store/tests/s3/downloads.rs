//! Objects to files.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use pinpress_store::{Reason, Transfer, Unwatched};

use crate::servers::{Server, address, noise, put};

fn names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

struct Each<F>(F, AtomicU64);

impl<F: Fn(u64) + Sync> Transfer for Each<F> {
    fn moved(&self, bytes: u64) {
        self.1.fetch_add(bytes, Ordering::SeqCst);
        (self.0)(bytes);
    }
}

#[test]
fn a_file_appears_whole() {
    let server = Server::of_files();
    let bytes = noise(20_000_001);
    std::fs::write(server.file("clip.mp4"), &bytes).unwrap();
    let bucket = server.bucket();
    let object = bucket.look(&address("clip.mp4")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("clip.mp4");
    let watch = Each(|_| assert!(!to.exists(), "under its name before it is whole"), AtomicU64::new(0));
    assert_eq!(bucket.download(&object, &to, &watch).unwrap(), 20_000_001);
    assert_eq!(watch.1.load(Ordering::SeqCst), 20_000_001);
    assert!(std::fs::read(&to).unwrap() == bytes, "other bytes");
    assert_eq!(names(folder.path()), ["clip.mp4"]);
}

#[test]
fn an_object_that_changes_meanwhile_is_told_and_leaves_nothing() {
    let server = Server::moto();
    let bucket = server.bucket();
    put(&bucket, "clip.mp4", &noise(60_000_000));
    let object = bucket.look(&address("clip.mp4")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // Of the same length, so that nothing but the etag tells.
    let change = || put(&bucket, "clip.mp4", &noise(60_000_001)[1..]);
    let once = std::sync::Once::new();
    let watch = Each(
        |_| {
            once.call_once(|| std::thread::scope(|scope| scope.spawn(change).join().unwrap()));
        },
        AtomicU64::new(0),
    );
    let error = bucket.download(&object, &folder.path().join("clip.mp4"), &watch).unwrap_err();
    assert!(matches!(error.reason, Reason::Changed), "{error}");
    assert_eq!(
        error.to_string(),
        "it changed while it was read: somebody writes it; run again when they are done: s3://media/clip.mp4"
    );
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn who_watches_may_stop_it() {
    struct Stop;
    impl Transfer for Stop {
        fn cancelled(&self) -> bool {
            true
        }
    }
    let server = Server::of_files();
    std::fs::write(server.file("clip.mp4"), noise(1000)).unwrap();
    let bucket = server.bucket();
    let object = bucket.look(&address("clip.mp4")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = bucket.download(&object, &folder.path().join("clip.mp4"), &Stop).unwrap_err();
    assert!(matches!(error.reason, Reason::Interrupted), "{error}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn where_nothing_can_be_written_the_folder_is_named() {
    let server = Server::of_files();
    std::fs::write(server.file("clip.mp4"), b"x").unwrap();
    let bucket = server.bucket();
    let object = bucket.look(&address("clip.mp4")).unwrap();
    let error = bucket.download(&object, Path::new("/nowhere/at/all/clip.mp4"), &Unwatched).unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}
