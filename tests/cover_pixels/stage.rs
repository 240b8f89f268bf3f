//! Videos, their covers, and how like two pictures are.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::ground::ran;
use crate::support::{ffmpeg, text};

/// Structural similarity from which two pictures are one frame. What differs is the JPEG and another scaler's chroma;
/// neighbours of the videos here are nothing alike, which [`is_shown`] sees to.
pub(crate) const SAME: f64 = 0.98;

/// Structural similarity up to which pictures are different ones.
const UNLIKE: f64 = 0.8;

/// Waves that run so fast that each picture is unlike the next, of soft edges and soft colours; nothing in it is
/// symmetrical.
pub(crate) fn waves(size: &str, rate: &str, seconds: &str) -> String {
    format!(
        "nullsrc=s={size}:r={rate}:d={seconds},scale=iw/2:ih/2,format=yuv420p,\
         geq=lum='126+50*sin(X/7+N*1.1)+45*cos(Y/5-N*0.8+X/20)+Y/6':\
         cb='128+35*sin(X/17+N/4)':cr='128+35*cos(Y/15-X/22)',\
         scale={size}:flags=bicubic"
    )
}

/// Coded well and quickly, tagged so that no decoder has to guess.
pub(crate) const CODED: [&str; 16] = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-crf",
    "8",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "20",
    "-bf",
    "2",
    "-colorspace",
    "bt709",
    "-color_range",
    "tv",
];

/// A folder for videos and their covers.
pub(crate) struct Stage {
    dir: TempDir,
}

/// A picture that was written.
pub(crate) struct Cover {
    /// When its frame is shown, in milliseconds from the start.
    pub(crate) time_ms: i64,
    pub(crate) file: PathBuf,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A video of a filter graph; its colours become those of its tags.
    pub(crate) fn drawn(&self, name: &str, graph: &str, arguments: &[&str]) -> PathBuf {
        let path = self.path().join(name);
        let graph = format!("{graph},scale=out_color_matrix=bt709:out_range=tv");
        ffmpeg(&[&["-f", "lavfi", "-i", &graph], &CODED[..], arguments, &[text(&path)]].concat());
        path
    }

    /// `pinpress cover VIDEO` with these options besides.
    pub(crate) fn covers(&self, video: &Path, options: &[&str]) -> Vec<Cover> {
        let out = self.path().join("covers");
        let cover = ["cover", text(video), "-o", text(&out), "--json", "--overwrite"];
        let done = ran(self.path(), &[&cover, options].concat());
        assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
        let document: Value = serde_json::from_str(&done.stdout).unwrap();
        let candidates = document["videos"][0]["candidates"].as_array().unwrap().iter();
        let covers: Vec<Cover> = candidates
            .map(|candidate| Cover {
                time_ms: candidate["time_ms"].as_i64().unwrap(),
                file: candidate["file"].as_str().unwrap().replace("[DIR]", text(self.path())).into(),
            })
            .collect();
        assert!(!covers.is_empty(), "no cover: {}", video.display());
        covers
    }
}

/// The pictures of a video that ffmpeg, decoding from the beginning, has as the last ones up to a time.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) video: &'a Path,
    /// Milliseconds from the first frame.
    pub(crate) time_ms: f64,
    /// Of ffmpeg, before the input.
    pub(crate) reading: &'a [&'a str],
    /// What is done to the frames, before these are taken.
    pub(crate) filters: &'a str,
}

impl<'a> Shown<'a> {
    /// As ffmpeg shows it by itself: turned by the matrix, in coded pixels.
    pub(crate) const fn at(video: &'a Path, time_ms: f64) -> Self {
        Self { video, time_ms, reading: &[], filters: "null" }
    }

    /// How like a picture is the last one, and the one before where there is one: 1 for the same.
    pub(crate) fn likeness(&self, picture: &Path) -> Vec<f64> {
        // Times are told in whole milliseconds. A frame's timestamp alone tells whether it is shown by then.
        let until = (self.time_ms + 0.6) / 1000.0;
        let graph = format!(
            "[1:V:0]{},setpts=PTS-STARTPTS,trim=end={until},reverse,trim=end_frame=2,settb=1/25,setpts=N,\
             scale=in_color_matrix=bt709:in_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,format=gbrp[meant];\
             [0:v]loop=loop=1:size=1,settb=1/25,setpts=N,format=gbrp[got];[got][meant]ssim=stats_file=-:shortest=1",
            self.filters
        );
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-copyts", "-i"])
            .arg(picture)
            .args(self.reading)
            .arg("-i")
            .arg(self.video)
            .args(["-lavfi", &graph, "-f", "null", "-"])
            .output()
            .unwrap();
        let lines = String::from_utf8_lossy(&output.stdout);
        let all = |line: &str| line.split_once("All:")?.1.split_whitespace().next()?.parse().ok();
        let told: Vec<f64> = lines.lines().filter_map(all).collect();
        assert!(!told.is_empty(), "nothing was compared: {}", String::from_utf8_lossy(&output.stderr));
        told
    }
}

/// The cover is the frame of its time, and not the one before.
pub(crate) fn is_shown(cover: &Cover, shown: Shown<'_>) {
    let video = shown.video.display().to_string();
    let likeness = shown.likeness(&cover.file);
    assert!(likeness[0] > SAME, "{likeness:?} at {} ms: {video}", cover.time_ms);
    assert!(likeness.get(1).is_none_or(|before| *before < UNLIKE), "{likeness:?} at {} ms: {video}", cover.time_ms);
    assert!(likeness.len() == 2 || cover.time_ms == 0, "{likeness:?} at {} ms: {video}", cover.time_ms);
}

/// Width and height of a picture.
pub(crate) fn size(picture: &Path) -> (u32, u32) {
    image::image_dimensions(picture).unwrap()
}
