//! The command lines that are beside each other.

use std::path::Path;

use super::{Bench, source};
use crate::bench::measure::Run;
use crate::bench::text::words;

impl Bench {
    /// `pinpress cover` with these options, pictures at full size, into an empty folder.
    pub(super) fn cover(&self, videos: &[&Path], options: &[&str]) -> Run {
        let output = source::scratch("pinpress");
        let mut command = words(&[&source::text(&self.pinpress), "cover", "-q"]);
        command.extend(videos.iter().map(|video| source::text(video)));
        command.extend(words(options));
        command.extend(["-o".to_owned(), source::text(&output)]);
        Run::into(command, output)
    }
}

/// ffmpeg's `thumbnail` over the whole video, with `before` the input: of each batch of 100 frames, which is the
/// default, the one nearest to the batch's mean histogram. One batch of a long video would not fit in memory. Nothing
/// is written.
pub(super) fn thumbnail(before: &[&str], video: &Path) -> Run {
    let mut command = words(&["ffmpeg", "-v", "error", "-nostdin"]);
    command.extend(words(before));
    command.extend(words(&["-i", &source::text(video), "-an", "-vf", "thumbnail", "-vsync", "passthrough"]));
    command.extend(words(&["-f", "null", "-"]));
    Run::of(command)
}

/// ffmpegthumbnailer with a picture as large as the video: it looks at one place, a tenth into the video.
pub(super) fn ffmpegthumbnailer(video: &Path) -> Run {
    let output = source::scratch("ffmpegthumbnailer");
    let picture = source::text(&output.join("cover.jpg"));
    Run::into(words(&["ffmpegthumbnailer", "-i", &source::text(video), "-o", &picture, "-s", "0"]), output)
}
