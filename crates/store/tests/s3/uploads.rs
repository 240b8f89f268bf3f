//! Files to objects.

use std::path::PathBuf;

use pinpress_store::{Bucket, Existing, Reason, StoreError, TEMP_SUFFIX, Unwatched};
use tempfile::TempDir;

use crate::proxy::Proxy;
use crate::servers::{Server, address, keys, noise, put, stores};

fn file_of(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clip.mp4");
    std::fs::write(&file, bytes).unwrap();
    (folder, file)
}

fn read(bucket: &Bucket, key: &str) -> Result<Vec<u8>, StoreError> {
    let object = bucket.look(&address(key))?;
    Ok(bucket.read(&object, 0..object.size)?.to_vec())
}

#[test]
fn small_and_large_arrive_whole_and_alone() {
    let server = Server::moto();
    let bucket = server.bucket();
    for len in [0, 1, 8 << 20, (8 << 20) + 1, 30_000_000] {
        let bytes = noise(len);
        let (_folder, file) = file_of(&bytes);
        let key = format!("out/{len}.mp4");
        let object = bucket.upload(&file, &address(&key), Existing::Refused, &Unwatched).unwrap();
        assert_eq!((object.size, object.address), (len as u64, address(&key)));
        if len > 0 {
            assert!(read(&bucket, &key).unwrap() == bytes, "{len} bytes differ");
        }
    }
    assert_eq!(server.boto3("s3.list_multipart_uploads(Bucket='media').get('Uploads')"), "None");
    assert!(keys(&bucket).iter().all(|key| !key.ends_with(TEMP_SUFFIX)));
    assert_eq!(keys(&bucket).len(), 5);
}

#[test]
fn what_is_there_stays_unless_it_is_to_be_replaced() {
    let server = Server::moto();
    let bucket = server.bucket();
    for len in [1_000, 9_000_000] {
        put(&bucket, "out/clip.mp4", b"the first");
        let (_folder, file) = file_of(&noise(len));
        let error = bucket.upload(&file, &address("out/clip.mp4"), Existing::Refused, &Unwatched).unwrap_err();
        assert!(matches!(error.reason, Reason::Exists), "{error}");
        assert_eq!(read(&bucket, "out/clip.mp4").unwrap(), b"the first");
        bucket.upload(&file, &address("out/clip.mp4"), Existing::Replaced, &Unwatched).unwrap();
        assert_eq!(read(&bucket, "out/clip.mp4").unwrap().len(), len);
        assert_eq!(keys(&bucket), ["out/clip.mp4"]);
    }
}

#[test]
fn the_server_is_asked_to_copy_where_nothing_is() {
    let server = Server::moto();
    for (variables, asked) in [(&[][..], 1), (&[("AWS_COPY_IF_NOT_EXISTS", "multipart")], 0)] {
        let proxy = Proxy::before(server.address);
        let bucket = stores(proxy.address, variables).bucket(&address("")).unwrap();
        let bytes = noise(9_000_000);
        let (_folder, file) = file_of(&bytes);
        bucket.upload(&file, &address("clip.mp4"), Existing::Refused, &Unwatched).unwrap();
        assert!(read(&bucket, "clip.mp4").unwrap() == bytes, "other bytes");
        assert_eq!(keys(&bucket), ["clip.mp4"]);
        // As the S3 API reference has it for CopyObject; moto passes over it.
        let copies = proxy.headers().into_iter().filter(|headers| headers.contains("x-amz-copy-source"));
        let conditional = copies.filter(|headers| headers.contains("if-none-match: *"));
        assert_eq!(conditional.count(), asked, "{variables:?}");
        bucket.remove(&address("clip.mp4")).unwrap();
    }
}

#[test]
fn a_line_that_is_cut_leaves_no_object_under_the_final_key() {
    let server = Server::moto();
    let proxy = Proxy::before(server.address);
    let bucket = stores(proxy.address, &[]).bucket(&address("")).unwrap();
    let (_folder, file) = file_of(&noise(40_000_000));
    proxy.cut_after(20_000_000);
    let error = bucket.upload(&file, &address("out/clip.mp4"), Existing::Refused, &Unwatched).unwrap_err();
    assert!(proxy.is_cut() && proxy.up() > 20_000_000, "the line was not cut in the upload");
    assert!(matches!(error.reason, Reason::Network { .. }), "{error}");
    let left = keys(&server.bucket());
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_type_of_the_content_is_told() {
    let server = Server::moto();
    let bucket = server.bucket();
    for len in [10, 9_000_000] {
        let (_folder, file) = file_of(&noise(len));
        bucket.upload(&file, &address("clip.mp4"), Existing::Replaced, &Unwatched).unwrap();
        let told = server.boto3("s3.head_object(Bucket='media', Key='clip.mp4')['ContentType']");
        assert_eq!(told, "video/mp4");
    }
}
