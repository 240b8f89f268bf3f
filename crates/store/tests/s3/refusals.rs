//! What is told when storage says no. None of it has a secret in it.

use std::net::{Ipv4Addr, TcpListener};

use pinpress_store::{Reason, StoreError, Stores};

use crate::servers::{SECRET_KEY, Server, address, put, stores};

fn refused(stores: &Stores) -> StoreError {
    let bucket = stores.bucket(&address("")).unwrap();
    let error = bucket.list(&address("raw/")).next().unwrap().unwrap_err();
    assert!(!error.to_string().contains("PLANT"), "{error}");
    error
}

#[test]
fn a_wrong_secret_is_not_accepted() {
    let server = Server::of_files();
    let wrong = format!("{SECRET_KEY}-not");
    let error = refused(&stores(server.address, &[("AWS_SECRET_ACCESS_KEY", &wrong)]));
    assert!(matches!(error.reason, Reason::Refused { .. }), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("the credentials are not accepted (SignatureDoesNotMatch"), "{text}");
    assert!(text.ends_with(": s3://media/raw/"), "{text}");
}

#[test]
fn what_nobody_may_read_is_denied_with_the_right_that_is_missing() {
    let server = Server::moto();
    put(&server.bucket(), "raw/clip.mp4", b"private");
    let anybody = stores(server.address, &[("AWS_SKIP_SIGNATURE", "true")]).bucket(&address("")).unwrap();
    let object = server.bucket().look(&address("raw/clip.mp4")).unwrap();
    let error = anybody.read(&object, 0..4).unwrap_err();
    assert!(matches!(error.reason, Reason::AccessDenied { .. }), "{error}");
    assert!(error.to_string().contains("s3:GetObject"), "{error}");
    assert!(error.to_string().ends_with(": s3://media/raw/clip.mp4"), "{error}");
}

#[test]
fn without_credentials_it_is_told_how_to_give_them() {
    // What instances ask is not there.
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let nothing = format!("http://{closed}");
    let variables = [("AWS_REGION", "us-east-1"), ("AWS_METADATA_ENDPOINT", &nothing)];
    let stores = Stores::with_environment(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let error = refused(&stores);
    assert!(matches!(error.reason, Reason::NoCredentials { .. }), "{error}");
    assert!(error.to_string().contains("AWS_ACCESS_KEY_ID"), "{error}");
    let half = Stores::with_environment([("AWS_ACCESS_KEY_ID".to_owned(), "ASIAPINPRESSTEST0000".to_owned())]);
    let error = half.bucket(&address("")).unwrap_err();
    assert!(matches!(error.reason, Reason::NoCredentials { .. }), "{error}");
}

#[test]
fn an_endpoint_without_encryption_must_be_meant() {
    let server = Server::moto();
    let error = refused(&stores(server.address, &[("AWS_ALLOW_HTTP", "false")]));
    assert!(error.to_string().contains("AWS_ALLOW_HTTP=true"), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_a_matter_of_the_network() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let error = refused(&stores(closed, &[]));
    assert!(matches!(error.reason, Reason::Network { .. }), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn nothing_there_is_told() {
    let server = Server::moto();
    let error = server.bucket().look(&address("raw/none.mp4")).unwrap_err();
    assert!(matches!(error.reason, Reason::NotFound), "{error}");
}
