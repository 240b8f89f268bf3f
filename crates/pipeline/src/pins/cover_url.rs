//! Where covers lie that Pinterest fetches itself.

use std::path::Path;

use percent_encoding::utf8_percent_encode;

use crate::manifest::IN_A_SEGMENT;

/// The address of each video's cover: `{stem}` in it stands for the name of the video without its ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverUrl(String);

/// As the user wrote it.
impl std::fmt::Display for CoverUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl CoverUrl {
    /// Takes the address as the user wrote it. Whether Pinterest can fetch it is judged with each draft.
    #[must_use]
    pub fn new(template: impl Into<String>) -> Self {
        Self(template.into())
    }

    /// The address for one video.
    #[must_use]
    pub fn of(&self, video: &Path) -> String {
        let stem = video.file_stem().unwrap_or_default().to_string_lossy();
        self.0.replace("{stem}", &utf8_percent_encode(&stem, IN_A_SEGMENT).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_video_has_its_own() {
        let covers = CoverUrl::new("https://cdn.example/{stem}/cover.jpg?of={stem}");
        let of = |video: &str| covers.of(Path::new(video));
        assert_eq!(of("out/a.part1.mp4"), "https://cdn.example/a.part1/cover.jpg?of=a.part1");
        assert_eq!(of("ein Tag/ä b.mp4"), "https://cdn.example/%C3%A4%20b/cover.jpg?of=%C3%A4%20b");
        assert_eq!(CoverUrl::new("https://cdn.example/all.jpg").of(Path::new("a.mp4")), "https://cdn.example/all.jpg");
    }
}
