//! The same on this machine's files: `file://`.

use pinpress_store::{Existing, ObjectAddress, Reason, Stores, Unwatched};

#[test]
fn files_are_objects_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("raw")).unwrap();
    let local = folder.path().join("raw/ä b%20c.mp4");
    std::fs::write(&local, b"some bytes").unwrap();
    let root: ObjectAddress = format!("file://{}/", folder.path().display()).parse().unwrap();
    let bucket = Stores::new().bucket(&root).unwrap();
    let listed: Vec<_> = bucket.list(&root).map(|object| object.unwrap()).collect();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].address.local_path().unwrap(), local);
    assert_eq!(bucket.read(&listed[0], 5..10).unwrap(), b"bytes"[..]);
    let copy = folder.path().join("copy.mp4");
    assert_eq!(bucket.download(&listed[0], &copy, &Unwatched).unwrap(), 10);
    assert_eq!(std::fs::read(&copy).unwrap(), b"some bytes");
}

#[test]
fn uploads_leave_one_file_and_replace_none() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    let out: ObjectAddress = format!("file://{}/out/", folder.path().display()).parse().unwrap();
    let bucket = Stores::new().bucket(&out).unwrap();
    for len in [10, 9_000_000] {
        std::fs::write(&source, vec![7; len]).unwrap();
        let to = out.join(&format!("a/{len}.mp4")).unwrap();
        bucket.upload(&source, &to, Existing::Refused, &Unwatched).unwrap();
        assert_eq!(std::fs::metadata(to.local_path().unwrap()).unwrap().len(), len as u64);
        let error = bucket.upload(&source, &to, Existing::Refused, &Unwatched).unwrap_err();
        assert!(matches!(error.reason, Reason::Exists), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path().join("out/a")).unwrap().count(), 2);
}
