//! A folder with raw videos, and what the program makes of them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::ground::{Ran, ran};
use crate::support::{ffmpeg, ffmpeg_bytes, ffprobe, text};

/// Coded quickly; what is tested shows all the same.
pub(crate) const H264: [&str; 6] = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

/// `raw` holds the sources, `out` the results.
pub(crate) struct Stage {
    dir: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("raw")).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn raw(&self, name: &str) -> PathBuf {
        self.path().join("raw").join(name)
    }

    /// The result of a source: its name with the ending `.mp4`.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.path().join("out").join(name).with_extension("mp4")
    }

    /// Makes the source `name` with these arguments of ffmpeg.
    pub(crate) fn clip(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.raw(name);
        ffmpeg(&[arguments, &[text(&path)]].concat());
        path
    }

    /// Makes a source of this filter graph.
    pub(crate) fn drawn(&self, name: &str, graph: &str, arguments: &[&str]) -> PathBuf {
        self.clip(name, &[&["-f", "lavfi", "-i", graph], arguments].concat())
    }

    pub(crate) fn ran(&self, arguments: &[&str]) -> Ran {
        ran(self.path(), arguments)
    }

    /// Fixes everything in `raw`; all of it has to succeed, and the gate has to let the results pass.
    pub(crate) fn fixed(&self, options: &[&str]) -> Report {
        let report = self.tried(options);
        assert_eq!(report.code, 0, "{:#}", report.document);
        let check = self.ran(&["check", "-q", "out"]);
        assert_eq!(check.code, 0, "{}{}", check.stdout, check.stderr);
        report
    }

    /// Fixes what can be fixed.
    pub(crate) fn tried(&self, options: &[&str]) -> Report {
        let fix = ["fix", "raw", "-o", "out", "--preset", "ultrafast", "--format", "json"];
        Report::of(&self.ran(&[&fix, options].concat()))
    }

    /// Empties `out`.
    pub(crate) fn again(&self) {
        std::fs::remove_dir_all(self.path().join("out")).unwrap();
    }
}

/// What `pinpress fix --format json` says.
pub(crate) struct Report {
    pub(crate) code: i32,
    pub(crate) document: Value,
}

impl Report {
    pub(crate) fn of(ran: &Ran) -> Self {
        let document = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
        Self { code: ran.code, document }
    }

    pub(crate) fn video(&self, name: &str) -> &Value {
        let videos = self.document["videos"].as_array().unwrap();
        let ends = |video: &&Value| video["path"].as_str().unwrap().ends_with(&format!("/{name}"));
        videos.iter().find(ends).unwrap_or_else(|| panic!("{name} is not reported: {:#}", self.document))
    }

    pub(crate) fn action(&self, name: &str) -> &str {
        self.video(name)["action"].as_str().unwrap_or_else(|| panic!("{:#}", self.video(name)))
    }

    /// What was done with each stream, as `kind done`.
    pub(crate) fn streams(&self, name: &str) -> Vec<String> {
        let streams = self.video(name)["streams"].as_array().unwrap().iter();
        streams
            .map(|stream| format!("{} {}", stream["kind"].as_str().unwrap(), stream["done"].as_str().unwrap()))
            .collect()
    }
}

/// One stream's facts by ffprobe: `v:0` and `a:0` are the first picture and the first sound.
pub(crate) fn stream(path: &Path, which: &str, entries: &str) -> Vec<String> {
    ffprobe(path, &["-select_streams", which, "-show_entries", &format!("stream={entries}")])
}

/// Coded width and height.
pub(crate) fn size(path: &Path) -> (u32, u32) {
    let sides: Vec<u32> = stream(path, "v:0", "width,height").iter().map(|side| side.parse().unwrap()).collect();
    (sides[0], sides[1])
}

/// A picture as RGB, as a player shows it, through these filters.
pub(crate) fn rgb(path: &Path, at: &str, filters: &str) -> Vec<u8> {
    let filters = format!("{filters},format=rgb24");
    ffmpeg_bytes(&["-ss", at, "-i", text(path), "-frames:v", "1", "-vf", &filters, "-f", "rawvideo", "-"])
}

/// Mean red, green and blue of a rectangle `width:height:left:top` of a picture.
pub(crate) fn colour(path: &Path, at: &str, rectangle: &str) -> [u8; 3] {
    rgb(path, at, &format!("crop={rectangle}:exact=1,scale=1:1:flags=area")).try_into().unwrap()
}

/// The payload of a stream's packets, as a hash.
pub(crate) fn payload(path: &Path, which: &str) -> String {
    let hash = ffmpeg_bytes(&["-i", text(path), "-map", &format!("0:{which}"), "-c", "copy", "-f", "hash", "-"]);
    String::from_utf8(hash).unwrap()
}

/// A player that stops at the first mistake plays all of it.
pub(crate) fn plays(path: &Path) {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-xerror", "-i", text(path), "-f", "null", "-"])
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}: {}",
        path.display(),
        String::from_utf8_lossy(&output.stderr)
    );
}
