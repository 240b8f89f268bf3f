//! The same in Azure's storage: against Azurite, Microsoft's own server for tests, with a container that is made by
//! Microsoft's own client.

#![cfg(test)]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pinpress_store::{Bucket, Existing, ObjectAddress, Reason, Stores, TEMP_SUFFIX, Unwatched};
use tempfile::TempDir;

/// Azurite's account and its key, which are in its manual.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

struct Azurite {
    endpoint: String,
    child: Child,
    _folder: TempDir,
}

impl Azurite {
    fn start() -> Self {
        let tools = pinpress_fixtures::tools_folder().join("azurite");
        let program = tools.join("node_modules/.bin/azurite-blob");
        assert!(program.is_file(), "Azurite is missing: `cargo xtask setup --tests` installs it");
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let child = Command::new(program)
            .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--blobHost", "127.0.0.1"])
            .args(["--blobPort", &port.to_string(), "--location"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { endpoint: format!("http://127.0.0.1:{port}/{ACCOUNT}"), child, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "Azurite does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        let endpoint = &server.endpoint;
        let script = format!(
            "const {{ BlobServiceClient }} = require('@azure/storage-blob');\
             BlobServiceClient.fromConnectionString('DefaultEndpointsProtocol=http;AccountName={ACCOUNT};\
             AccountKey={KEY};BlobEndpoint={endpoint};').getContainerClient('media').create()"
        );
        let made = Command::new("node").args(["-e", &script]).current_dir(tools).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server
    }

    fn stores(&self, key: &str) -> Stores {
        let variables = [
            ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
            ("AZURE_STORAGE_ACCOUNT_KEY", key),
            ("AZURE_STORAGE_ENDPOINT", &self.endpoint),
            ("AZURE_ALLOW_HTTP", "true"),
        ];
        Stores::with_environment(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(key: &str) -> ObjectAddress {
    format!("az://media/{key}").parse().unwrap()
}

fn upload(bucket: &Bucket, key: &str, bytes: &[u8], existing: Existing) -> Result<(), Reason> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, bytes).unwrap();
    bucket.upload(&file, &address(key), existing, &Unwatched).map(drop).map_err(|error| error.reason)
}

#[test]
fn blobs_go_there_and_back() {
    let server = Azurite::start();
    let bucket = server.stores(KEY).bucket(&address("")).unwrap();
    let large: Vec<u8> = (0..20_000_001_u32).map(|at| (at % 251) as u8).collect();
    for (key, bytes) in [("raw/small ä.mp4", &large[..10]), ("raw/large.mp4", &large)] {
        upload(&bucket, key, bytes, Existing::Refused).unwrap();
        let object = bucket.look(&address(key)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy");
        bucket.download(&object, &to, &Unwatched).unwrap();
        assert!(std::fs::read(to).unwrap() == bytes, "{key} differs");
        let refused = upload(&bucket, key, b"another", Existing::Refused).unwrap_err();
        assert!(matches!(refused, Reason::Exists), "{refused}");
    }
    let listed: Vec<_> = bucket.list(&address("raw/")).map(|object| object.unwrap()).collect();
    let keys: Vec<_> = listed.iter().map(|object| object.address.key()).collect();
    assert_eq!(keys, ["raw/large.mp4", "raw/small ä.mp4"]);
    assert!(keys.iter().all(|key| !key.ends_with(TEMP_SUFFIX)));
    // Its etags are listed without quotes, and asked for with them.
    assert_eq!(bucket.read(&listed[0], 5..9).unwrap(), large[5..9]);
    upload(&bucket, "raw/large.mp4", b"another", Existing::Replaced).unwrap();
    let changed = bucket.read(&listed[0], 5..9).unwrap_err();
    assert!(matches!(changed.reason, Reason::Changed), "{changed}");
}

#[test]
fn refusals_say_what_is_wrong() {
    let server = Azurite::start();
    let wrong = server.stores("UExBTlQ=").bucket(&address("")).unwrap();
    let error = wrong.list(&address("")).next().unwrap().unwrap_err();
    assert!(matches!(error.reason, Reason::Refused { .. } | Reason::AccessDenied { .. }), "{error}");
    assert!(!error.to_string().contains("UExBTlQ"), "{error}");
    let nowhere: ObjectAddress = "az://nowhere".parse().unwrap();
    let error = server.stores(KEY).bucket(&nowhere).unwrap().list(&nowhere).next().unwrap().unwrap_err();
    assert!(matches!(error.reason, Reason::NoSuchBucket), "{error}");
}
