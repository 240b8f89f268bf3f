//! Listings of more than a page.

use pinpress_store::Reason;

use crate::proxy::Proxy;
use crate::servers::{Server, address, keys, put, stores};

#[test]
fn more_than_a_page_is_listed_to_its_end() {
    let server = Server::moto();
    for number in 0..1_100 {
        server.ask("PUT", &format!("/media/raw/{number:04}.mp4"), "x");
    }
    server.ask("PUT", "/media/rawer/elsewhere.mp4", "x");
    let proxy = Proxy::before(server.address);
    let bucket = stores(proxy.address, &[]).bucket(&address("")).unwrap();
    let listed: Vec<_> = bucket.list(&address("raw/")).map(|object| object.unwrap()).collect();
    assert_eq!(listed.len(), 1_100);
    assert!(listed.windows(2).all(|pair| pair[0].address < pair[1].address), "in the storage's order, each once");
    assert_eq!(listed[7].address.to_string(), "s3://media/raw/0007.mp4");
    assert!(listed[7].etag.is_some() && listed[7].size == 1);
    assert_eq!(proxy.requests(), 2, "pages of a thousand");
}

#[test]
fn who_reads_no_further_asks_no_further() {
    let server = Server::of_files();
    for number in 0..6_100 {
        std::fs::write(server.file(&format!("{number:04}.mp4")), "").unwrap();
    }
    let proxy = Proxy::before(server.address);
    let bucket = stores(proxy.address, &[]).bucket(&address("")).unwrap();
    let first: Vec<_> = bucket.list(&address("")).take(3).map(|object| object.unwrap()).collect();
    assert_eq!(first.len(), 3);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(proxy.requests() <= 3, "{} pages", proxy.requests());
}

#[test]
fn keys_are_told_as_they_are() {
    let server = Server::moto();
    let bucket = server.bucket();
    let odd = ["a b.mp4", "ä/ö ü.mov", "100%/50%25.mp4", "a+b&c=d.mp4", "q?x#y.mp4", "it's (1) [2].mp4"];
    for key in odd {
        put(&bucket, key, key.as_bytes());
    }
    let mut listed = keys(&bucket);
    listed.sort();
    let mut expected = odd.map(str::to_owned);
    expected.sort();
    assert_eq!(listed, expected);
    for key in odd {
        let object = bucket.look(&address(key)).unwrap();
        assert_eq!(bucket.read(&object, 0..object.size).unwrap(), key.as_bytes(), "{key}");
    }
}

#[test]
fn a_bucket_that_is_not_there_is_told() {
    let server = Server::moto();
    let nowhere = "s3://nowhere/raw/".parse().unwrap();
    let bucket = stores(server.address, &[]).bucket(&nowhere).unwrap();
    let error = bucket.list(&nowhere).next().unwrap().unwrap_err();
    assert!(matches!(error.reason, Reason::NoSuchBucket), "{error}");
    assert!(error.to_string().ends_with(": s3://nowhere/raw/"), "{error}");
    assert_eq!(bucket.list(&address("nothing/")).count(), 1);
}
