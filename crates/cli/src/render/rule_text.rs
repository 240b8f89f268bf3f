//! What each rule is about, for formats that explain their rules, and for `pinpress help rules`.

use pinpress_probe::RuleId;

/// A rule in words; no limit stands here, those are in the rule set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleText {
    /// One line without a full stop.
    pub(crate) short: &'static str,
    /// How it is judged.
    pub(crate) full: &'static str,
    /// What to do about it.
    pub(crate) help: &'static str,
    /// Whether it can only advise.
    pub(crate) advice: bool,
}

/// The text of a rule.
pub(crate) const fn text(rule: RuleId) -> RuleText {
    let (short, full, help) = match rule {
        RuleId::Container => (
            "The file format is one that is accepted",
            "Judged by content, not by name: a Matroska file that is called .mp4 is Matroska.",
            "`pinpress fix` writes the same streams into an MP4 (remux); nothing is encoded for this.",
        ),
        RuleId::FileSize => (
            "The file is not too large",
            "The length of the file in bytes; a gigabyte is 1,000,000,000 bytes.",
            "`pinpress fix` encodes the picture at a lower bit rate.",
        ),
        RuleId::Duration => (
            "It plays neither too short nor too long",
            "By the timestamps of its pictures and sound, edit lists applied.",
            "`pinpress fix` repeats a clip that is too short (--short) and ends one that is too long (--long).",
        ),
        RuleId::AspectRatio => (
            "The displayed picture has a shape that is accepted",
            "Judged on what a viewer sees: display matrix, sample aspect ratio and clean aperture applied.",
            "`pinpress fix` brings the picture onto an allowed canvas (--aspect blur, pad or crop).",
        ),
        RuleId::Resolution => (
            "The displayed picture is large enough",
            "The shorter displayed side, in pixels.",
            "Export it larger; `pinpress fix` enlarges the picture.",
        ),
        RuleId::FrameRate => (
            "It shows enough frames a second",
            "The average over the timestamps, as an exact fraction.",
            "`pinpress fix` shows frames several times (--fps multiply) or plays them faster (--fps retime).",
        ),
        RuleId::VideoCodec => (
            "The picture's codec and profile are accepted",
            "By the stream's own headers; a profile that could not be told fails.",
            "`pinpress fix` encodes the picture as H.264.",
        ),
        RuleId::PixelFormat => (
            "The picture's samples are of an accepted kind",
            "Chroma sampling and bit depth; advice about full range and HDR, which are converted when encoded.",
            "`pinpress fix` encodes the picture as 8-bit 4:2:0; HDR is tone-mapped.",
        ),
        RuleId::ScanType => (
            "The picture is progressive",
            "Fields instead of frames show combs on every screen of today.",
            "`pinpress fix` makes frames of the fields (deinterlace).",
        ),
        RuleId::AudioCodec => (
            "The sound's codec is accepted",
            "A video without sound passes.",
            "`pinpress fix` encodes the sound as AAC and copies the picture.",
        ),
        RuleId::Streams => (
            "There is one picture and at most one sound",
            "Counted by stream; advice about streams that are neither.",
            "`pinpress fix` keeps the first of each and leaves the others out.",
        ),
        RuleId::Integrity => (
            "The file is whole",
            "Whether the index points past the end of the file, whether packets are damaged, and whether readers agree.",
            "Export it again, or copy it again from its source: what is missing cannot be made.",
        ),
        RuleId::FeedAspect => (
            "Advice: the shape that does best in the feed",
            "Shapes that take more of the screen are seen by more people.",
            "`pinpress fix --prefer 9:16` or `--prefer 2:3`, or export it so.",
        ),
        RuleId::Faststart => (
            "Advice: the index stands before the media",
            "A player can begin before all of it has come: `moov` before `mdat`.",
            "`pinpress fix` writes it so whenever it writes anyway.",
        ),
        RuleId::Privacy => (
            "Advice: no metadata that one would not publish",
            "Location and device tags of phones and cameras.",
            "`pinpress fix` leaves them out, unless --keep-metadata is given.",
        ),
        RuleId::TextLimits => (
            "Advice: title and description are not too long",
            "Pinterest cuts longer ones off.",
            "Shorten them in the manifest.",
        ),
    };
    let advice = matches!(rule, RuleId::FeedAspect | RuleId::Faststart | RuleId::Privacy | RuleId::TextLimits);
    RuleText { short, full, help, advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_text_and_its_place_in_the_help() {
        let schema = schemars::schema_for!(RuleId).to_value();
        let names: Vec<&str> =
            schema["oneOf"].as_array().unwrap().iter().map(|rule| rule["const"].as_str().unwrap()).collect();
        assert_eq!(RuleId::ALL.map(RuleId::name).as_slice(), names);
        let help = include_str!("../help/rules.md");
        for rule in RuleId::ALL {
            assert!(help.contains(&format!("\n{}\n", rule.name())), "{rule}");
            assert_eq!(text(rule).short.starts_with("Advice"), text(rule).advice);
        }
    }
}
