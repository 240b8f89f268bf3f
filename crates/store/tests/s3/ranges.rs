//! What is asked for, and how much of it.

use std::io::{Read as _, Seek as _, SeekFrom};

use pinpress_store::Reason;

use crate::proxy::Proxy;
use crate::servers::{Server, address, noise, put, stores};

#[test]
fn bytes_here_and_there_are_the_objects_own() {
    let server = Server::moto();
    let bytes = noise(3_000_000);
    put(&server.bucket(), "raw/clip.mp4", &bytes);
    let bucket = server.bucket();
    let object = bucket.look(&address("raw/clip.mp4")).unwrap();
    assert_eq!(object.size, 3_000_000);
    let mut reader = bucket.reader(&object);
    for at in [0_usize, 2_999_990, 70_000, 65_530, 1_500_000] {
        let mut some = [0; 10];
        reader.seek(SeekFrom::Start(at as u64)).unwrap();
        reader.read_exact(&mut some).unwrap();
        assert_eq!(some, bytes[at..at + 10], "at {at}");
    }
    reader.seek(SeekFrom::Start(10)).unwrap();
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert!(rest == bytes[10..], "the rest differs");
    assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0);
}

#[test]
fn of_two_gigabytes_some_kilobytes_travel() {
    let server = Server::of_files();
    server.plant("large.bin", |file| file.set_len(2_000_000_000).unwrap());
    let proxy = Proxy::before(server.address);
    let bucket = stores(proxy.address, &[]).bucket(&address("")).unwrap();
    let object = bucket.look(&address("large.bin")).unwrap();
    let mut reader = bucket.reader(&object);
    let mut some = [0; 16];
    for at in [0, 16, 40_000, 1_999_000_000, 1_999_000_100] {
        reader.seek(SeekFrom::Start(at)).unwrap();
        reader.read_exact(&mut some).unwrap();
    }
    assert_eq!((reader.requests(), reader.travelled()), (2, 2 * 65_536));
    assert_eq!(proxy.requests(), 3, "a look and two ranges");
    assert!(proxy.down() < 140_000, "{} bytes travelled", proxy.down());
}

#[test]
fn reading_on_takes_more_with_each_request() {
    let server = Server::of_files();
    std::fs::write(server.file("large.bin"), noise(32 << 20)).unwrap();
    let bucket = server.bucket();
    let object = bucket.look(&address("large.bin")).unwrap();
    let mut reader = bucket.reader(&object);
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    // 64 KiB to 2 MiB are 4 MiB less 64 KiB in six requests; then 4 MiB at a time.
    assert_eq!((reader.requests(), reader.travelled()), (6 + 8, 32 << 20));
}

#[test]
fn an_object_that_becomes_another_is_told() {
    let server = Server::moto();
    put(&server.bucket(), "clip.mp4", &noise(200_000));
    let bucket = server.bucket();
    let object = bucket.look(&address("clip.mp4")).unwrap();
    let mut reader = bucket.reader(&object);
    reader.read_exact(&mut [0; 16]).unwrap();
    put(&bucket, "clip.mp4", &noise(200_001)[1..]);
    reader.seek(SeekFrom::Start(150_000)).unwrap();
    assert!(reader.read(&mut [0; 16]).is_err());
    let failure = reader.take_failure().unwrap();
    assert!(matches!(failure.reason, Reason::Changed), "{failure}");
    bucket.remove(&address("clip.mp4")).unwrap();
    let gone = bucket.read(&object, 0..10).unwrap_err();
    assert!(matches!(gone.reason, Reason::Changed), "{gone}");
}
