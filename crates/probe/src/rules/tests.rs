//! Every rule of both built-in sets at its limit, on facts made by hand: what no file on the disk can be made to say.

use super::check;
use crate::finding::Severity;
use crate::geometry::{AspectRatio, CodedSize, Orientation, Rotation};
use crate::info::{
    Anomaly, AudioStream, Chroma, Colour, Container, MediaInfo, OtherStream, PixelFormat, PrivateTag, Reader, Scan,
    VideoStream,
};
use crate::spec::Spec;
use crate::units::{FrameRate, Rational, Seconds};

/// A video that both sets take as it is.
fn fit() -> MediaInfo {
    let rate = FrameRate::new(25, 1);
    let duration = Some(Seconds::from_millis(4_000));
    MediaInfo {
        container: Container::Mp4,
        size_bytes: 1_000_000,
        duration,
        video: vec![VideoStream {
            cropping: None,
            clean_start: None,
            index: 0,
            codec: "h264".to_owned(),
            profile: Some("High".to_owned()),
            pixel_format: Some(pixels("yuv420p", 8, Chroma::Yuv420)),
            coded: CodedSize { width: 1080, height: 1920 },
            clean_aperture: None,
            sample_aspect: None,
            orientation: Orientation::UPRIGHT,
            frame_rate: rate,
            min_frame_rate: rate,
            max_frame_rate: rate,
            variable_frame_rate: Some(false),
            scan: Some(Scan::Progressive),
            colour: Colour::default(),
            dolby_vision: false,
            dolby_vision_profile: None,
            duration,
            start: Some(Seconds::ZERO),
            frame_count: Some(100),
            sync_samples: Some(1),
            bit_rate: Some(1_000_000),
        }],
        audio: vec![AudioStream {
            index: 1,
            codec: "aac".to_owned(),
            profile: Some("LC".to_owned()),
            sample_rate: Some(48_000),
            channels: Some(2),
            duration,
            start: Some(Seconds::ZERO),
            bit_rate: Some(128_000),
        }],
        other: Vec::new(),
        faststart: Some(true),
        fragmented: false,
        private: Vec::new(),
        anomalies: Vec::new(),
        reader: Reader::SampleTable,
    }
}

fn pixels(name: &str, bit_depth: u8, chroma: Chroma) -> PixelFormat {
    PixelFormat { name: name.to_owned(), bit_depth, chroma }
}

/// What a set says of the fit video after a change: `rule: measured`, advice with a `~` before it.
fn told(set: &str, change: impl FnOnce(&mut MediaInfo)) -> Vec<String> {
    let mut info = fit();
    change(&mut info);
    let report = check(&info, &Spec::load(set).unwrap());
    let mark = |severity| if severity == Severity::Advice { "~" } else { "" };
    report.findings.iter().map(|f| format!("{}{}: {}", mark(f.severity), f.rule, f.measured)).collect()
}

fn pinterest(change: impl FnOnce(&mut MediaInfo)) -> Vec<String> {
    told("pinterest", change)
}

fn official(change: impl FnOnce(&mut MediaInfo)) -> Vec<String> {
    told("pinterest-official", change)
}

const NOTHING: [&str; 0] = [];

#[test]
fn the_fit_video_is_fit() {
    assert_eq!(pinterest(|_| ()), NOTHING);
    assert_eq!(official(|_| ()), NOTHING);
}

#[test]
fn what_nobody_could_tell_fails_the_rule_that_needs_it() {
    let video = |change: fn(&mut VideoStream)| pinterest(|info| change(&mut info.video[0]));
    assert_eq!(pinterest(|info| info.duration = None), ["duration: unknown"]);
    assert_eq!(official(|info| info.duration = None), ["duration: unknown"]);
    assert_eq!(video(|video| video.frame_rate = None), ["frame-rate: unknown"]);
    assert_eq!(video(|video| video.pixel_format = None), ["pixel-format: unknown"]);
    assert_eq!(video(|video| video.profile = None), ["video-codec: h264 of unknown profile"]);
    assert_eq!(video(|video| video.scan = None), ["scan-type: unknown"]);
    let no_size = |video: &mut VideoStream| video.coded = CodedSize { width: 0, height: 0 };
    assert_eq!(video(no_size), ["aspect-ratio: 0×0", "resolution: 0×0"]);
    assert_eq!(official(|info| no_size(&mut info.video[0])), ["aspect-ratio: 0×0"]);
    assert_eq!(pinterest(|info| info.video.clear()), ["streams: no video stream"]);
    assert_eq!(pinterest(|info| info.faststart = None), NOTHING, "only ISO BMFF has an index to put first");
}

#[test]
fn fields_are_unknown_of_codecs_that_do_not_tell() {
    let scan = |codec: &str| {
        pinterest(|info| {
            codec.clone_into(&mut info.video[0].codec);
            info.video[0].scan = None;
        })
    };
    assert_eq!(scan("vp9"), ["video-codec: vp9"]);
    assert_eq!(scan("mpeg2video"), ["video-codec: mpeg2video", "scan-type: unknown"]);
    assert_eq!(pinterest(|info| info.video[0].scan = Some(Scan::Interlaced)), ["scan-type: interlaced"]);
    assert_eq!(official(|info| info.video[0].scan = Some(Scan::Interlaced)), NOTHING, "it does not ask");
}

#[test]
fn playing_time_ends_at_the_limits_and_not_before() {
    let lasts = |num, den| {
        let duration = Rational::new(num, den).map(Seconds);
        let both = [pinterest(|info| info.duration = duration), official(|info| info.duration = duration)];
        assert_eq!(both[0], both[1], "the sets agree");
        both[0].join("; ")
    };
    assert_eq!(lasts(4, 1), "");
    assert_eq!(lasts(900, 1), "");
    assert_eq!(lasts(359_999, 90_000), "duration: 3.999989 s");
    assert_eq!(lasts(360_001, 90_000), "");
    assert_eq!(lasts(81_000_001, 90_000), "duration: 900.000011 s");
    assert_eq!(lasts(i64::MAX - 1, i64::MAX), "duration: 1 s");
    assert_eq!(
        lasts(4 * (i64::MAX / 4) - 1, i64::MAX / 4),
        format!("duration: {}/{} s", 4 * (i64::MAX / 4) - 1, i64::MAX / 4)
    );
    assert_eq!(lasts(0, 1), "duration: 0 s");
    assert_eq!(lasts(-4, 1), "duration: -4 s");
}

#[test]
fn frame_rates_are_fractions() {
    let rate = |num, den| pinterest(|info| info.video[0].frame_rate = FrameRate::new(num, den)).join("; ");
    assert_eq!(rate(25, 1), "");
    assert_eq!(rate(2_499, 100), "frame-rate: 24.99 fps");
    assert_eq!(rate(24_999_999, 1_000_000), "frame-rate: 24.999999 fps");
    assert_eq!(rate(25_000_001, 1_000_000), "");
    assert_eq!(rate(i64::MAX, i64::MAX / 25 + 1), format!("frame-rate: {}/{} fps", i64::MAX, i64::MAX / 25 + 1));
    let variable = pinterest(|info| {
        let video = &mut info.video[0];
        video.variable_frame_rate = Some(true);
        (video.frame_rate, video.min_frame_rate) = (FrameRate::new(2_499, 100), FrameRate::new(1, 2));
        video.max_frame_rate = FrameRate::new(60, 1);
    });
    assert_eq!(variable, ["frame-rate: 24.99 fps on average (variable, 0.5 to 60)"]);
    let slow_moment = pinterest(|info| {
        info.video[0].variable_frame_rate = Some(true);
        info.video[0].min_frame_rate = FrameRate::new(1, 2);
    });
    assert_eq!(slow_moment, NOTHING, "the average decides");
}

#[test]
fn files_end_at_two_gigabytes() {
    for set in ["pinterest", "pinterest-official"] {
        assert_eq!(told(set, |info| info.size_bytes = 2_000_000_000), NOTHING);
        assert_eq!(told(set, |info| info.size_bytes = 2_000_000_001), ["file-size: 2,000,000,001 bytes"]);
        assert_eq!(told(set, |info| info.size_bytes = u64::MAX), ["file-size: 18,446,744,073,709,551,615 bytes"]);
    }
}

#[test]
fn shapes_are_judged_as_they_are_shown() {
    let shown = |width, height| {
        let coded = CodedSize { width, height };
        (pinterest(|info| info.video[0].coded = coded), official(|info| info.video[0].coded = coded))
    };
    let passes = |width, height| shown(width, height).0.iter().all(|finding| finding.starts_with('~'));
    // One percent of 9:16, 2:3 and 1:1 at 1,000 and more lines.
    for (width, height, fits) in [
        (1_069, 1_920, false),
        (1_070, 1_920, true),
        (1_090, 1_920, true),
        (1_091, 1_920, false),
        (659, 1_000, false),
        (660, 1_000, true),
        (673, 1_000, true),
        (674, 1_000, false),
        (989, 1_000, false),
        (990, 1_000, true),
        (1_010, 1_000, true),
        (1_011, 1_000, false),
        (u32::MAX, u32::MAX, true),
        (u32::MAX, 1_000, false),
    ] {
        assert_eq!(passes(width, height), fits, "{width}×{height}");
    }
    // The official range, closed at both ends with the same tolerance.
    for (width, height, fits) in [(990, 2_000, true), (989, 2_000, false), (1_929, 1_000, true), (1_930, 1_000, false)]
    {
        assert_eq!(!shown(width, height).1.iter().any(|f| f.starts_with("aspect-ratio")), fits, "{width}×{height}");
    }
    assert_eq!(shown(240, 427).0, NOTHING);
    assert_eq!(shown(239, 425).0, ["resolution: 239×425"]);
    assert_eq!(shown(239, 425).1, NOTHING, "the official set asks no size");
    assert_eq!(shown(1_000, 1_000).0, ["~feed-aspect: 1000×1000 (1:1)"]);

    let turned = |rotation| {
        pinterest(|info| {
            info.video[0].coded = CodedSize { width: 426, height: 240 };
            info.video[0].orientation = Orientation { rotation, mirrored: true };
        })
    };
    assert_eq!(turned(Rotation::Clockwise90), NOTHING);
    assert_eq!(turned(Rotation::Clockwise270), NOTHING);
    assert_eq!(turned(Rotation::Half), ["aspect-ratio: 426×240 (1.775:1)"]);
    let squeezed = |aspect: (u32, u32), aperture| {
        pinterest(|info| {
            info.video[0].coded = CodedSize { width: 240, height: 426 };
            info.video[0].sample_aspect = AspectRatio::new(aspect.0, aspect.1);
            info.video[0].clean_aperture = aperture;
        })
    };
    assert_eq!(squeezed((3_201, 3_200), None), NOTHING);
    assert_eq!(squeezed((239, 240), None), ["resolution: 239×426"]);
    assert_eq!(squeezed((1, 1), Some(CodedSize { width: 239, height: 426 })), ["resolution: 239×426"]);
    assert_eq!(squeezed((u32::MAX, 1), None), ["aspect-ratio: 4294967295×426 (10082082.852:1)"]);
}

#[test]
fn codecs_profiles_and_samples() {
    let profile = |name: &str| pinterest(|info| info.video[0].profile = Some(name.to_owned()));
    for allowed in ["Constrained Baseline", "Baseline", "Main", "High"] {
        assert_eq!(profile(allowed), NOTHING);
    }
    for other in ["Extended", "High 10", "High 4:2:2", "High 4:4:4 Predictive", "Stereo High", "high", ""] {
        assert_eq!(profile(other), [format!("video-codec: h264 {other}")]);
    }
    assert_eq!(official(|info| info.video[0].profile = Some("Extended".to_owned())), NOTHING, "it does not ask");
    let codec = |set, name: &str| told(set, |info| name.clone_into(&mut info.video[0].codec));
    assert_eq!(codec("pinterest", "hevc"), ["video-codec: hevc"]);
    assert_eq!(codec("pinterest-official", "hevc"), NOTHING);
    assert_eq!(codec("pinterest-official", "av1"), ["video-codec: av1"]);
    let samples =
        |set, name, depth, chroma| told(set, |info| info.video[0].pixel_format = Some(pixels(name, depth, chroma)));
    assert_eq!(samples("pinterest", "yuv420p9le", 9, Chroma::Yuv420), ["pixel-format: yuv420p9le (9 bit, 4:2:0)"]);
    assert_eq!(samples("pinterest-official", "yuv420p10le", 10, Chroma::Yuv420), NOTHING);
    assert_eq!(
        samples("pinterest-official", "yuv420p12le", 12, Chroma::Yuv420),
        ["pixel-format: yuv420p12le (12 bit, 4:2:0)"]
    );
    for (name, chroma, told) in [
        ("gray", Chroma::Monochrome, "4:0:0"),
        ("yuv422p", Chroma::Yuv422, "4:2:2"),
        ("yuv444p", Chroma::Yuv444, "4:4:4"),
        ("gbrp", Chroma::Other, "not YUV"),
    ] {
        for set in ["pinterest", "pinterest-official"] {
            assert_eq!(samples(set, name, 8, chroma), [format!("pixel-format: {name} (8 bit, {told})")]);
        }
    }
    let sound = |name: &str| pinterest(|info| name.clone_into(&mut info.audio[0].codec));
    for other in ["mp3", "ac3", "opus", "pcm_s16le", "aac_latm"] {
        assert_eq!(sound(other), [format!("audio-codec: {other}")]);
    }
    assert_eq!(pinterest(|info| info.audio.clear()), NOTHING, "no sound is fit");
    assert_eq!(pinterest(|info| info.audio[0].profile = Some("HE-AACv2".to_owned())), NOTHING);
}

#[test]
fn range_and_transfer_are_advice() {
    let colour = |transfer: Option<&str>, full_range, dolby_vision| {
        pinterest(|info| {
            let video = &mut info.video[0];
            video.colour = Colour { transfer: transfer.map(str::to_owned), full_range, ..Colour::default() };
            video.dolby_vision = dolby_vision;
        })
    };
    assert_eq!(colour(Some("bt709"), Some(false), false), NOTHING);
    assert_eq!(colour(Some("bt2020-10"), None, false), NOTHING, "wide colours alone are no HDR");
    assert_eq!(colour(Some("smpte2084"), None, false), ["~pixel-format: HDR (PQ)"]);
    assert_eq!(colour(Some("arib-std-b67"), None, true), ["~pixel-format: HDR (HLG)"]);
    assert_eq!(colour(None, None, true), ["~pixel-format: HDR (Dolby Vision)"]);
    assert_eq!(colour(Some("smpte2084"), Some(true), false), ["~pixel-format: HDR (PQ)", "~pixel-format: full range"]);
}

#[test]
fn streams_containers_and_advice() {
    for (container, fits) in [
        (Container::Mp4, true),
        (Container::Mov, true),
        (Container::M4v, true),
        (Container::ThreeGp, false),
        (Container::F4v, false),
        (Container::Matroska, false),
        (Container::Webm, false),
        (Container::Other("mxf".to_owned()), false),
    ] {
        let expected = if fits { Vec::new() } else { vec![format!("container: {}", container.name())] };
        assert_eq!(pinterest(|info| info.container = container.clone()), expected);
        assert_eq!(official(|info| info.container = container.clone()), expected);
    }
    let doubled = pinterest(|info| {
        info.video.push(VideoStream { index: 2, ..info.video[0].clone() });
        info.audio.push(AudioStream { index: 3, ..info.audio[0].clone() });
        info.other.push(OtherStream { index: 4, kind: "data".to_owned(), codec: "gpmd".to_owned() });
    });
    assert_eq!(
        doubled,
        [
            "streams: one more video stream (h264)",
            "streams: one more audio stream (aac)",
            "~streams: data stream (gpmd)",
            "~privacy: location metadata"
        ]
    );
    assert_eq!(pinterest(|info| info.faststart = Some(false)), ["~faststart: moov after mdat"]);
    assert_eq!(pinterest(|info| info.private = vec![PrivateTag::Device]), ["~privacy: device metadata"]);
    let odd = |anomaly: Anomaly| pinterest(|info| info.anomalies = vec![anomaly]).join("; ");
    let at = Some(Seconds::from_millis(2_500));
    assert_eq!(odd(Anomaly::Truncated { whole: at }), "integrity: cut off, whole up to 2.5 s");
    assert_eq!(odd(Anomaly::Truncated { whole: None }), "integrity: cut off, nothing is whole");
    assert_eq!(
        odd(Anomaly::CorruptPackets { count: 3, first: at }),
        "integrity: 3 damaged packets, the first at 2.5 s"
    );
    assert_eq!(odd(Anomaly::OddDisplayMatrix { stream: 0 }), "~integrity: a display matrix that is no quarter turn");
}
