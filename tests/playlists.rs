//! Lists that are named like videos and point elsewhere: at another file, at a host. ffprobe follows them; the gate
//! follows none.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// ffprobe, told to allow what a careless program allows: what it makes of the file.
fn followed(path: &Path, demuxer: &str) -> bool {
    let options: &[&str] = match demuxer {
        "hls" => &["-allowed_extensions", "ALL"],
        "concat" => &["-safe", "0"],
        _ => &[],
    };
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-protocol_whitelist", "file,http,tcp,crypto,data", "-f", demuxer])
        .args(options)
        .args(["-show_entries", "stream=codec_type", "-of", "csv=p=0"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .expect("ffprobe starts");
    String::from_utf8_lossy(&output.stdout).contains("video")
}

/// The gate's verdict, and its reason.
fn verdict(path: &Path) -> (String, String) {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_pinpress"))
        .args(["check", "--format", "json"])
        .arg(path)
        .timeout(Duration::from_secs(60))
        .output()
        .expect("pinpress starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
    let text = |key: &str| report["videos"][0][key].as_str().unwrap_or_default().to_owned();
    (text("verdict"), text("error"))
}

fn hls(address: &str) -> String {
    format!("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n")
}

#[test]
fn a_list_of_other_files_is_no_video() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret.mp4");
    std::fs::copy(pinpress_fixtures::make("conforming-9x16.mp4").expect("a recipe that works"), &secret)
        .expect("it is copied");
    let target = secret.display().to_string();
    let lists = [
        ("hls", "hls.mp4", hls(&target)),
        ("concat", "concat.mp4", format!("ffconcat version 1.0\nfile '{target}'\n")),
        ("concat", "concat.mov", "ffconcat version 1.0\nfile secret.mp4\n".to_owned()),
    ];
    for (demuxer, name, text) in lists {
        let list = folder.path().join(name);
        std::fs::write(&list, text).expect("it is written");
        assert!(followed(&list, demuxer), "{name}: not even ffprobe follows it, so it shows nothing");
        let (verdict, reason) = verdict(&list);
        assert_eq!(verdict, "error", "{name}");
        assert!(reason.starts_with("not a video"), "{name}: {reason}");
    }
}

#[test]
fn no_host_is_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it does not wait");
    let address = format!("http://{}/secret.mp4", listener.local_addr().expect("an address"));
    let folder = tempfile::tempdir().expect("a folder");
    let called = || match listener.accept() {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::WouldBlock => false,
        Err(error) => unreachable!("{error}"),
    };
    let lists = [
        ("hls", "hls.mp4", hls(&address)),
        ("concat", "concat.mp4", format!("ffconcat version 1.0\nfile '{address}'\n")),
    ];
    for (demuxer, name, text) in lists {
        let list = folder.path().join(name);
        std::fs::write(&list, text).expect("it is written");
        let (verdict, reason) = verdict(&list);
        assert_eq!(verdict, "error", "{name}: {reason}");
        assert!(!called(), "{name}: the host was asked");
        // The same list makes ffprobe call. Its call is taken and dropped while it waits for an answer.
        let caller = std::thread::scope(|scope| {
            let probing = scope.spawn(|| followed(&list, demuxer));
            let mut seen = false;
            while !probing.is_finished() {
                seen |= called();
                std::thread::sleep(Duration::from_millis(5));
            }
            seen | called()
        });
        assert!(caller, "{name}: not even ffprobe calls, so it shows nothing");
    }
}
