//! What makes a rule set useless: limits that nothing can meet, sections that ask nothing, names that never match.

use std::fmt::Display;

use super::{AspectRule, DurationRule, Spec};
use crate::geometry::{AspectRatio, DisplaySize};
use crate::units::{Rational, Seconds};

/// The names that `[container]` takes: those of [`crate::Container`] but for libav's own.
pub(super) const CONTAINERS: [&str; 11] =
    ["mp4", "mov", "m4v", "3gp", "f4v", "matroska", "webm", "mpegts", "avi", "flv", "ogg"];

/// libav's names of H.264's profiles (`ff_h264_profiles`).
pub(super) const PROFILES: [&str; 15] = [
    "Constrained Baseline",
    "Baseline",
    "Main",
    "Extended",
    "High",
    "High 10",
    "High 10 Intra",
    "High 4:2:2",
    "High 4:2:2 Intra",
    "High 4:4:4",
    "High 4:4:4 Predictive",
    "High 4:4:4 Intra",
    "CAVLC 4:4:4",
    "Multiview High",
    "Stereo High",
];

/// Something to mend in a rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Its section; empty for what stands above all sections.
    pub(super) section: &'static str,
    /// Its key; empty for the section as a whole.
    pub(super) key: &'static str,
    /// What is wrong with it.
    pub(super) reason: String,
}

/// All faults, in the order of the sections.
pub(super) fn of(spec: &Spec) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    if spec.format == 0 {
        faults.add("", "format", "formats are counted from 1");
    }
    for (key, text) in [("name", &spec.name), ("version", &spec.version), ("source", &spec.source)] {
        if text.trim().is_empty() {
            faults.add("", key, "is empty: reports name the rule set by it");
        }
    }
    if let Some(rule) = &spec.container {
        faults.list("container", "allowed", &rule.allowed);
        for name in rule.allowed.iter().filter(|name| !CONTAINERS.contains(&name.as_str())) {
            let known = CONTAINERS.join(", ");
            faults.add("container", "allowed", format!("{name:?} is no name of a container: the names are {known}"));
        }
    }
    if spec.file_size.is_some_and(|rule| rule.max_bytes == 0) {
        faults.add("file-size", "max_bytes", "0 allows no file");
    }
    if let Some(rule) = spec.duration {
        faults.duration(rule);
    }
    if let Some(rule) = &spec.aspect_ratio {
        faults.aspect(rule);
    }
    if spec.resolution.is_some_and(|rule| rule.min_short_side == 0) {
        faults.add("resolution", "min_short_side", "0 asks nothing: leave the section out");
    }
    if let Some(rule) = &spec.video_codec {
        faults.codecs("video-codec", &rule.allowed);
        faults.twice("video-codec", "profiles", &rule.profiles);
        for name in rule.profiles.iter().filter(|name| !PROFILES.contains(&name.as_str())) {
            let known = PROFILES.join(", ");
            faults.add("video-codec", "profiles", format!("{name:?} is no profile of H.264: they are {known}"));
        }
        if !rule.profiles.is_empty() && !rule.allowed.iter().any(|codec| codec == "h264") {
            faults.add("video-codec", "profiles", "they are asked of h264 alone, which is not allowed");
        }
    }
    if let Some(rule) = &spec.pixel_format {
        if !(8..=16).contains(&rule.max_bit_depth) {
            let depth = rule.max_bit_depth;
            faults.add("pixel-format", "max_bit_depth", format!("{depth}: videos have 8 to 16 bits a sample"));
        }
        if rule.chroma.is_empty() {
            faults.add("pixel-format", "chroma", NOTHING);
        }
        let doubled = rule.chroma.iter().enumerate().any(|(place, chroma)| rule.chroma[..place].contains(chroma));
        if doubled {
            faults.add("pixel-format", "chroma", "one is there twice");
        }
    }
    if let Some(rule) = &spec.audio_codec {
        faults.codecs("audio-codec", &rule.allowed);
    }
    if spec.streams.is_some_and(|rule| rule.max_video == 0) {
        faults.add("streams", "max_video", "0 allows no picture, so that nothing passes");
    }
    if let Some(rule) = &spec.feed_aspect {
        faults.list("feed-aspect", "best", &rule.best);
        for ratio in
            rule.best.iter().filter(|ratio| !spec.aspect_ratio.as_ref().is_none_or(|rule| admits(rule, **ratio)))
        {
            faults.add("feed-aspect", "best", format!("{ratio} does not pass [aspect-ratio]"));
        }
    }
    faults.0
}

const NOTHING: &str = "an empty list allows nothing: leave the section out to allow all";

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, section: &'static str, key: &'static str, reason: impl Into<String>) {
        self.0.push(Fault { section, key, reason: reason.into() });
    }

    fn list<T: Display + PartialEq>(&mut self, section: &'static str, key: &'static str, values: &[T]) {
        if values.is_empty() {
            self.add(section, key, NOTHING);
        }
        self.twice(section, key, values);
    }

    fn twice<T: Display + PartialEq>(&mut self, section: &'static str, key: &'static str, values: &[T]) {
        for (place, value) in values.iter().enumerate() {
            if values[..place].contains(value) {
                self.add(section, key, format!("\"{value}\" is there twice"));
            }
        }
    }

    /// Names of codecs are open, as libav knows hundreds; but all of them are written the same way.
    fn codecs(&mut self, section: &'static str, names: &[String]) {
        if names.is_empty() && section == "audio-codec" {
            self.add(section, "allowed", format!("{NOTHING}; max_audio = 0 in [streams] allows no sound"));
        } else if names.is_empty() {
            self.add(section, "allowed", NOTHING);
        }
        self.twice(section, "allowed", names);
        let of_libav = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        for name in names.iter().filter(|name| name.is_empty() || !name.chars().all(of_libav)) {
            self.add(
                section,
                "allowed",
                format!("{name:?} can be no codec: write libav's name in lower case, as h264"),
            );
        }
    }

    fn duration(&mut self, rule: DurationRule) {
        const SECTION: &str = "duration";
        let zero = Rational::whole(0);
        for (key, limit) in [("min", rule.min), ("max", rule.max)] {
            if limit.is_some_and(|limit| limit <= zero) {
                self.add(SECTION, key, "has to be more than 0 seconds");
            }
        }
        match (rule.min, rule.max) {
            (None, None) => self.add(SECTION, "", "asks nothing: give it min or max, or leave it out"),
            (Some(min), Some(max)) if min > max => {
                self.add(SECTION, "min", format!("{} is over max, {}", Seconds(min), Seconds(max)));
            }
            _ => {}
        }
    }

    fn aspect(&mut self, rule: &AspectRule) {
        const SECTION: &str = "aspect-ratio";
        self.twice(SECTION, "allowed", &rule.allowed);
        if rule.tolerance_percent >= 100 {
            self.add(SECTION, "tolerance_percent", "100 and more lets every shape pass");
        }
        match (rule.allowed.as_slice(), rule.min, rule.max) {
            ([], None, None) => self.add(SECTION, "", "asks nothing: give it allowed, or min or max, or leave it out"),
            ([_, ..], None, None) => {}
            ([_, ..], ..) => self.add(SECTION, "allowed", "is either a list, or a range by min and max, not both"),
            ([], Some(min), Some(max)) if min > max => {
                self.add(SECTION, "min", format!("{min} is wider than max, {max}"));
            }
            ([], ..) => {}
        }
    }
}

/// Whether a picture of exactly this shape passes.
fn admits(rule: &AspectRule, ratio: AspectRatio) -> bool {
    let side = |length: u64| u32::try_from(length).ok();
    let size = side(ratio.width()).zip(side(ratio.height()));
    // The pixels of the tolerance must not count, so the picture is taken without one.
    let exact = AspectRule { tolerance_pixels: 0, ..rule.clone() };
    size.is_none_or(|(width, height)| exact.admits(DisplaySize { width, height }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::info::{Chroma, Container};
    use crate::spec::*;

    /// The faults of the `pinterest` set after a change, as `[section] key: reason`.
    fn faults(change: impl FnOnce(&mut Spec)) -> Vec<String> {
        let mut spec = Spec::load("pinterest").unwrap();
        change(&mut spec);
        of(&spec).into_iter().map(|fault| format!("[{}] {}: {}", fault.section, fault.key, fault.reason)).collect()
    }

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn nothing_is_wrong_with_the_built_in_sets() {
        for (name, _) in BUILT_IN {
            assert_eq!(of(&Spec::load(name).unwrap()), []);
        }
    }

    #[test]
    fn every_section_is_looked_at() {
        let seconds =
            |min, max| Some(DurationRule { min: Some(Rational::whole(min)), max: Some(Rational::whole(max)) });
        let one = |change: fn(&mut Spec)| faults(change).join("; ");
        assert_eq!(one(|spec| spec.name = " ".to_owned()), "[] name: is empty: reports name the rule set by it");
        assert!(
            one(|spec| spec.container = Some(ContainerRule { allowed: vec![] }))
                .starts_with("[container] allowed: an empty list")
        );
        assert!(
            one(|spec| spec.file_size = Some(FileSizeRule { max_bytes: 0 })).starts_with("[file-size] max_bytes: 0")
        );
        assert_eq!(faults(|spec| spec.duration = seconds(4, 4)), Vec::<String>::new(), "one length is a range");
        assert_eq!(faults(|spec| spec.duration = seconds(5, 4)), ["[duration] min: 5 s is over max, 4 s"]);
        assert_eq!(faults(|spec| spec.duration = seconds(0, 4)), ["[duration] min: has to be more than 0 seconds"]);
        assert!(one(|spec| spec.duration = Some(DurationRule { min: None, max: None })).contains("asks nothing"));
        assert!(one(|spec| spec.resolution = Some(ResolutionRule { min_short_side: 0 })).contains("min_short_side"));
        assert!(one(|spec| spec.audio_codec = Some(AudioCodecRule { allowed: vec![] })).contains("max_audio = 0"));
        assert!(
            one(|spec| spec.feed_aspect = Some(FeedAspectRule { best: vec![] }))
                .starts_with("[feed-aspect] best: an empty")
        );
        let best = |width, height| FeedAspectRule { best: vec![AspectRatio::new(width, height).unwrap()] };
        assert_eq!(
            faults(|spec| spec.feed_aspect = Some(best(16, 9))),
            ["[feed-aspect] best: 16:9 does not pass [aspect-ratio]"]
        );
        let depth = |max_bit_depth| Some(PixelFormatRule { max_bit_depth, chroma: vec![Chroma::Yuv420] });
        assert!(
            faults(|spec| spec.pixel_format = depth(8)).is_empty()
                && faults(|spec| spec.pixel_format = depth(16)).is_empty()
        );
        assert_eq!(
            faults(|spec| spec.pixel_format = depth(7)).len() + faults(|spec| spec.pixel_format = depth(17)).len(),
            2
        );
    }

    #[test]
    fn names_that_can_never_match_are_refused() {
        let codecs = |allowed: &[&str], profiles: &[&str]| {
            faults(|spec| {
                spec.video_codec = Some(VideoCodecRule { allowed: strings(allowed), profiles: strings(profiles) });
            })
        };
        assert_eq!(codecs(&["h264", "some_codec_of_2031"], &["High"]), Vec::<String>::new(), "codecs are open");
        assert!(codecs(&["H264"], &[])[0].contains("lower case"));
        assert!(codecs(&["h264", "h264"], &[])[0].contains("twice"));
        assert!(codecs(&["h264"], &["high"])[0].contains("no profile of H.264"));
        assert!(codecs(&["hevc"], &["High"])[0].contains("h264 alone"));
        assert!(codecs(&[], &[])[0].contains("empty list"));
    }

    #[test]
    fn a_shape_is_a_list_or_a_range() {
        let ratio = |width, height| AspectRatio::new(width, height).unwrap();
        let rule = |allowed, min, max, tolerance_percent| {
            faults(|spec| {
                spec.feed_aspect = None;
                spec.aspect_ratio = Some(AspectRule { allowed, min, max, tolerance_percent, tolerance_pixels: 0 });
            })
        };
        assert!(rule(vec![], None, None, 0)[0].contains("asks nothing"));
        assert!(rule(vec![ratio(1, 1)], Some(ratio(1, 2)), None, 0)[0].contains("not both"));
        assert!(rule(vec![], Some(ratio(2, 1)), Some(ratio(1, 1)), 0)[0].contains("2:1 is wider than max, 1:1"));
        assert!(rule(vec![ratio(9, 16), ratio(18, 32)], None, None, 0)[0].contains("twice"));
        assert!(
            rule(vec![ratio(1, 1)], None, None, 99).is_empty() && rule(vec![ratio(1, 1)], None, None, 100).len() == 1
        );
    }

    #[test]
    fn the_list_of_containers_is_whole() {
        use Container::{Avi, F4v, Flv, M4v, Matroska, Mov, Mp4, MpegTs, Ogg, ThreeGp, Webm};
        let known = [Mp4, Mov, M4v, ThreeGp, F4v, Matroska, Webm, MpegTs, Avi, Flv, Ogg];
        assert_eq!(known.each_ref().map(Container::name), CONTAINERS);
    }
}
