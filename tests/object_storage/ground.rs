//! Videos in a bucket, and the program with an environment for it.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use pinpress_store::{Existing, Unwatched};
use serde_json::Value;

use crate::servers::{ACCESS_KEY, SECRET_KEY, Server, address};

/// `pinpress` with credentials for the server at `at`, in a folder of its own for temp files.
pub(crate) fn pinpress(at: SocketAddr, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = text.starts_with("PINPRESS_") && text != "PINPRESS_MEDIA";
        if ours || text.starts_with("AWS_") || text.to_lowercase().ends_with("_proxy") {
            command.env_remove(&name);
        }
    }
    let temp = folder.join("temp");
    std::fs::create_dir_all(&temp).unwrap();
    command.current_dir(folder).env("TMPDIR", temp).env("XDG_CONFIG_HOME", "/nowhere").env("NO_COLOR", "1");
    command.env("AWS_ENDPOINT_URL", format!("http://{at}")).env("AWS_ALLOW_HTTP", "true");
    command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    command
}

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ran =
        Ran { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) };
    assert!(!ran.stdout.contains("PLANT") && !ran.stderr.contains("PLANT"), "a secret: {}{}", ran.stdout, ran.stderr);
    ran
}

/// A fixture; `None` where there is no ffmpeg to make it, which it says.
pub(crate) fn fixture(name: &str) -> Option<PathBuf> {
    match pinpress_fixtures::make(name) {
        Err(error @ pinpress_fixtures::FixtureError::NoFfmpeg(_)) => {
            println!("skipped: {error}");
            None
        }
        made => Some(made.unwrap()),
    }
}

/// Uploads fixtures under keys.
pub(crate) fn upload(server: &Server, videos: &[(&str, &str)]) -> Option<()> {
    for (name, key) in videos {
        server.bucket().upload(&fixture(name)?, &address(key), Existing::Replaced, &Unwatched).unwrap();
    }
    Some(())
}

pub(crate) fn report(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Every file below `folder`, hidden ones too.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// What is in the folder for temp files.
pub(crate) fn left_behind(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder.join("temp")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Writes the video at `from`, whose `moov` comes last, with an `mdat` that reaches to `moov_at`. What is new in it is a
/// hole.
pub(crate) fn enlarge(from: &Path, mut to: &std::fs::File, moov_at: u64) {
    let mut bytes = Vec::new();
    std::fs::File::open(from).unwrap().read_to_end(&mut bytes).unwrap();
    let mut at = 0;
    let mut mdat = None;
    let moov = loop {
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        match &bytes[at + 4..at + 8] {
            b"mdat" => mdat = Some(at),
            b"moov" => break at,
            _ => {}
        }
        at += size as usize;
    };
    let mdat = mdat.expect("moov comes first");
    let size = u32::try_from(moov_at - mdat as u64).unwrap();
    bytes[mdat..mdat + 4].copy_from_slice(&size.to_be_bytes());
    to.write_all(&bytes[..moov]).unwrap();
    to.seek(SeekFrom::Start(moov_at)).unwrap();
    to.write_all(&bytes[moov..]).unwrap();
}
