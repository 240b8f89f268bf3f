//! The servers as processes, each with one bucket.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pinpress_store::{Bucket, Existing, ObjectAddress, Stores, Unwatched};
use tempfile::TempDir;

/// Names no account of Amazon's.
pub(crate) const ACCESS_KEY: &str = "ASIAPINPRESSTEST0000";
pub(crate) const SECRET_KEY: &str = "PLANT-storage-secret-key";
pub(crate) const BUCKET: &str = "media";

/// A running server. It ends when this is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
    pub(crate) folder: TempDir,
}

impl Server {
    /// Keeps objects as files; they may be put there by hand.
    pub(crate) fn of_files() -> Self {
        let program = pinpress_fixtures::tools_folder().join("bin/s3s-fs");
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        Self::start(&program, folder, |command, port, folder| {
            command.args([
                "--host",
                "127.0.0.1",
                "--port",
                port,
                "--access-key",
                ACCESS_KEY,
                "--secret-key",
                SECRET_KEY,
            ]);
            command.arg(folder);
        })
    }

    pub(crate) fn moto() -> Self {
        let program = pinpress_fixtures::tools_folder().join("moto/bin/moto_server");
        let server = Self::start(&program, tempfile::tempdir().unwrap(), |command, port, folder| {
            command.args(["--host", "127.0.0.1", "--port", port]).current_dir(folder);
        });
        server.ask("PUT", &format!("/{BUCKET}"), "");
        server
    }

    fn start(program: &Path, folder: TempDir, arguments: impl FnOnce(&mut Command, &str, &Path)) -> Self {
        assert!(program.is_file(), "{} is missing: `cargo xtask setup --tests` installs it", program.display());
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        arguments(&mut command, &port.to_string(), folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self { address: (Ipv4Addr::LOCALHOST, port).into(), child: command.spawn().unwrap(), folder };
        let begun = Instant::now();
        while TcpStream::connect(server.address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// A request without any of our code; answers status and body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> String {
        use std::io::{Read as _, Write as _};
        let mut stream = TcpStream::connect(self.address).unwrap();
        let len = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
        answer
    }

    /// Makes an object of s3s-fs by `write`, which gets the file. The etag stays that of what was there before: nobody
    /// works out one of gigabytes.
    pub(crate) fn plant(&self, key: &str, write: impl FnOnce(&std::fs::File)) {
        put(&self.bucket(), key, b"to be replaced");
        write(&std::fs::File::options().write(true).truncate(true).open(self.file(key)).unwrap());
    }

    /// What boto3, Amazon's own client, says of an object of moto's.
    pub(crate) fn boto3(&self, call: &str) -> String {
        let python = pinpress_fixtures::tools_folder().join("moto/bin/python");
        let program = format!(
            "import boto3; s3 = boto3.client('s3', endpoint_url='http://{}', region_name='us-east-1', \
             aws_access_key_id='{ACCESS_KEY}', aws_secret_access_key='{SECRET_KEY}'); print({call})",
            self.address
        );
        let output = Command::new(python).args(["-c", &program]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Where s3s-fs has the object of that key.
    pub(crate) fn file(&self, key: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(key)
    }

    pub(crate) fn bucket(&self) -> Bucket {
        stores(self.address, &[]).bucket(&address("")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is opened by an environment for the server at `at`, with some variables more.
pub(crate) fn stores(at: SocketAddr, more: &[(&str, &str)]) -> Stores {
    let endpoint = format!("http://{at}");
    let ours = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ];
    let variables = ours.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Stores::with_environment(variables)
}

pub(crate) fn address(key: &str) -> ObjectAddress {
    format!("s3://{BUCKET}/{key}").parse().unwrap()
}

/// Uploads a few bytes.
pub(crate) fn put(bucket: &Bucket, key: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, bytes).unwrap();
    bucket.upload(&file, &address(key), Existing::Replaced, &Unwatched).unwrap();
}

/// All keys, with those that are still being written, in the order of the listing.
pub(crate) fn keys(bucket: &Bucket) -> Vec<String> {
    bucket.list(&address("")).map(|object| object.unwrap().address.key().to_owned()).collect()
}

/// Bytes that no part has in common with another.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(&mut next).take(len.div_ceil(8)).flatten().collect();
    bytes.truncate(len);
    bytes
}
