use pinpress_media::{AspectMode, Fill, FpsMode, LongMode, ShortMode};
use pinpress_probe::{
    AspectRatio, AudioStream, Chroma, CodedSize, Colour, Container, FrameRate, Orientation, OtherStream, PixelFormat,
    PrivateTag, Rational, Reader, Rotation,
};
use proptest::prelude::*;

use super::*;

fn conforming() -> MediaInfo {
    MediaInfo {
        container: Container::Mp4,
        size_bytes: 4_000_000,
        duration: Some(Seconds::from_millis(10_000)),
        video: vec![VideoStream {
            cropping: None,
            clean_start: None,
            index: 0,
            codec: "h264".to_owned(),
            profile: Some("High".to_owned()),
            pixel_format: Some(PixelFormat { name: "yuv420p".to_owned(), bit_depth: 8, chroma: Chroma::Yuv420 }),
            coded: CodedSize { width: 1080, height: 1920 },
            clean_aperture: None,
            sample_aspect: None,
            orientation: Orientation::UPRIGHT,
            frame_rate: FrameRate::new(30, 1),
            min_frame_rate: FrameRate::new(30, 1),
            max_frame_rate: FrameRate::new(30, 1),
            variable_frame_rate: Some(false),
            scan: Some(Scan::Progressive),
            colour: Colour::default(),
            dolby_vision: false,
            duration: Some(Seconds::from_millis(10_000)),
            start: Some(Seconds::ZERO),
            frame_count: Some(300),
            sync_samples: Some(5),
            bit_rate: Some(3_000_000),
        }],
        audio: vec![AudioStream {
            index: 1,
            codec: "aac".to_owned(),
            profile: Some("LC".to_owned()),
            sample_rate: Some(48_000),
            channels: Some(2),
            duration: Some(Seconds::from_millis(10_000)),
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

fn planned(change: impl FnOnce(&mut MediaInfo)) -> Plan {
    let mut info = conforming();
    change(&mut info);
    plan(&info, &Spec::load("pinterest").unwrap(), &FixOptions::default())
}

fn encode_of(plan: &Plan) -> &VideoEncode {
    match &plan.video {
        Some(VideoStep::Encode(encode)) => encode,
        other => panic!("the picture is not encoded: {other:?}"),
    }
}

#[test]
fn what_fits_is_passed_through() {
    assert!(planned(|_| {}).is_passthrough());
    assert!(planned(|info| info.faststart = Some(false)).is_passthrough(), "advice alone is no reason to rewrite");
}

#[test]
fn a_wrong_container_costs_a_remux_and_nothing_more() {
    let plan = planned(|info| info.container = Container::Matroska);
    assert_eq!(plan.action, Action::Remux);
    assert_eq!(plan.container_rules, [RuleId::Container]);
    assert_eq!((plan.video, plan.audio), (Some(VideoStep::Copy { stream: 0 }), Some(AudioStep::Copy { stream: 1 })));
}

/// Field note 7: what is fine is copied.
#[test]
fn a_wrong_sound_leaves_the_picture_alone() {
    let plan = planned(|info| info.audio[0].codec = "pcm_s16le".to_owned());
    assert_eq!(plan.action, Action::Encode);
    assert_eq!(plan.video, Some(VideoStep::Copy { stream: 0 }));
    let Some(AudioStep::Encode { rules, bit_rate, .. }) = plan.audio else { panic!("the sound is not encoded") };
    assert_eq!((rules, bit_rate), (vec![RuleId::AudioCodec], 128_000));
}

/// Field note 10: extra tracks are dropped and named.
#[test]
fn extra_tracks_are_left_out_by_name() {
    let plan = planned(|info| {
        info.audio.push(AudioStream { index: 2, codec: "ac3".to_owned(), ..info.audio[0].clone() });
        info.other.push(OtherStream { index: 3, kind: "timecode".to_owned(), codec: "tmcd".to_owned() });
    });
    assert_eq!(plan.action, Action::Remux);
    let what: Vec<_> = plan.dropped.iter().map(|stream| stream.what.as_str()).collect();
    assert_eq!(what, ["another sound (ac3)", "timecode (tmcd)"]);
}

/// Field note 20: where it was taken does not leave the house unless asked for.
#[test]
fn location_forces_a_remux_unless_it_is_kept() {
    let located = |info: &mut MediaInfo| info.private.push(PrivateTag::Location);
    let plan_of = planned(located);
    assert_eq!((plan_of.action, plan_of.stripped), (Action::Remux, vec![PrivateTag::Location]));
    let mut info = conforming();
    located(&mut info);
    let keep = FixOptions { keep_metadata: true, ..FixOptions::default() };
    assert!(plan(&info, &Spec::load("pinterest").unwrap(), &keep).is_passthrough());
    let gopro = planned(|info| {
        info.other.push(OtherStream { index: 2, kind: "data".to_owned(), codec: "gpmd".to_owned() });
    });
    assert_eq!(gopro.stripped, [PrivateTag::Location], "positions in a track are positions");
}

#[test]
fn rates_are_multiplied_evenly() {
    let rate_of = |num, den| {
        let plan = planned(|info| info.video[0].frame_rate = FrameRate::new(num, den));
        encode_of(&plan).rate
    };
    let constant = |num, den| RateStep::Constant(FrameRate::new(num, den).unwrap());
    assert_eq!(rate_of(24, 1), constant(48, 1));
    assert_eq!(rate_of(24_000, 1001), constant(48_000, 1001));
    assert_eq!(rate_of(15, 1), constant(30, 1));
    assert_eq!(rate_of(25, 2), constant(25, 1));
    assert_eq!(rate_of(1, 1), constant(25, 1));
}

#[test]
fn a_variable_rate_goes_on_its_own_grid() {
    let rate_of = |fastest: FrameRate| {
        let plan = planned(|info| {
            let video = &mut info.video[0];
            video.frame_rate = FrameRate::new(7, 1);
            video.variable_frame_rate = Some(true);
            video.max_frame_rate = Some(fastest);
        });
        encode_of(&plan).rate
    };
    let constant = |num| RateStep::Constant(FrameRate::new(num, 1).unwrap());
    assert_eq!(rate_of(FrameRate::new(30, 1).unwrap()), constant(30));
    assert_eq!(rate_of(FrameRate::new(10, 1).unwrap()), constant(30));
    assert_eq!(rate_of(FrameRate::new(1000, 1).unwrap()), constant(60));
}

/// Facts of a clip whose picture and sound last so long.
fn lasting(info: &mut MediaInfo, picture_ms: i64, sound_ms: i64) {
    info.duration = Some(Seconds::from_millis(picture_ms.max(sound_ms)));
    info.video[0].duration = Some(Seconds::from_millis(picture_ms));
    if let Some(audio) = info.audio.first_mut() {
        audio.duration = Some(Seconds::from_millis(sound_ms));
    }
}

#[test]
fn short_clips_are_repeated_whole_times() {
    let plan = planned(|info| lasting(info, 1_500, 1_500));
    assert_eq!((plan.repeat, plan.period, plan.duration), (3, None, Some(Seconds::from_millis(4_500))));
    assert_eq!(encode_of(&plan).rules, [RuleId::Duration]);
    let padded = planned(|info| lasting(info, 1_958, 2_005));
    assert_eq!((padded.repeat, padded.period), (3, None), "the picture's length counts, which is under 2 s");
    let uneven = planned(|info| lasting(info, 67, 3_971));
    let period = Seconds::from_millis(3_971);
    assert_eq!((uneven.repeat, uneven.period), (2, Some(period)), "sound is not cut to one frame");
    assert_eq!(uneven.hold_until, uneven.duration, "and the picture stays until it ends");
    assert_eq!(planned(|info| info.duration = None).action, Action::Unfixable);
}

#[test]
fn long_videos_end_at_the_maximum_without_an_encode() {
    let plan = planned(|info| info.duration = Some(Seconds::from_millis(900_001)));
    assert_eq!((plan.action, plan.end), (Action::Remux, Some(Seconds::from_millis(900_000))));
}

#[test]
fn what_was_ruled_out_is_unfixable_and_says_why() {
    let reject = FixOptions {
        aspect: AspectMode::Reject,
        fps: FpsMode::Reject,
        short: ShortMode::Reject,
        long: LongMode::Reject,
        ..FixOptions::default()
    };
    let spec = Spec::load("pinterest").unwrap();
    let reason = |change: &dyn Fn(&mut MediaInfo)| {
        let mut info = conforming();
        change(&mut info);
        plan(&info, &spec, &reject).unfixable.unwrap_or_default()
    };
    assert!(reason(&|info| info.video[0].coded.height = 500).contains("--aspect reject"));
    assert!(reason(&|info| info.video[0].frame_rate = FrameRate::new(20, 1)).contains("--fps reject"));
    assert!(reason(&|info| info.duration = Some(Seconds::from_millis(3_999))).contains("--short reject"));
    assert!(reason(&|info| info.duration = Some(Seconds::from_millis(900_001))).contains("--long reject"));
}

/// What a careful executor makes of a plan: the facts that the result will have.
fn carried_out(info: &MediaInfo, plan: &Plan) -> MediaInfo {
    let mut done = info.clone();
    if plan.is_passthrough() {
        return done;
    }
    done.container = Container::Mp4;
    done.faststart = Some(true);
    done.other.clear();
    done.video.truncate(1);
    done.audio.truncate(1);
    done.private.retain(|tag| !plan.stripped.contains(tag));
    done.duration = plan.duration;
    done.size_bytes = done.size_bytes.min(1_000_000_000);
    if let Some(VideoStep::Encode(encode)) = &plan.video {
        let video = &mut done.video[0];
        video.codec = "h264".to_owned();
        video.profile = Some("High".to_owned());
        video.pixel_format = Some(PixelFormat { name: "yuv420p".to_owned(), bit_depth: 8, chroma: Chroma::Yuv420 });
        video.coded = encode.canvas;
        video.sample_aspect = AspectRatio::new(1, 1);
        video.clean_aperture = None;
        video.orientation = Orientation::UPRIGHT;
        video.scan = Some(Scan::Progressive);
        video.colour = Colour::default();
        if let RateStep::Constant(rate) = encode.rate {
            (video.frame_rate, video.variable_frame_rate) = (Some(rate), Some(false));
        }
    }
    if let Some(AudioStep::Encode { .. }) = plan.audio {
        done.audio[0].codec = "aac".to_owned();
    }
    done
}

prop_compose! {
    fn any_info()(
        container in prop::sample::select(vec![Container::Mp4, Container::Mov, Container::Matroska, Container::MpegTs]),
        (millis, sound_millis) in (1_i64..1_000_000, 1_i64..1_000_000),
        size in 1_u64..3_000_000_000,
        (width, height) in (1_u32..2200, 1_u32..2200),
        sar in prop::sample::select(vec![None, Some((1, 1)), Some((4, 3)), Some((2, 1)), Some((3201, 3200))]),
        rotation in prop::sample::select(vec![Rotation::None, Rotation::Clockwise90, Rotation::Half, Rotation::Clockwise270]),
        rate in (1_i64..120, 1_i64..5),
        fastest in 1_i64..200,
        variable in any::<bool>(),
        codec in prop::sample::select(vec!["h264", "hevc", "vp9"]),
        depth in prop::sample::select(vec![8_u8, 10]),
        chroma in prop::sample::select(vec![Chroma::Yuv420, Chroma::Yuv422, Chroma::Yuv444]),
        scan in prop::sample::select(vec![Scan::Progressive, Scan::Interlaced]),
        sound in prop::sample::select(vec![None, Some("aac"), Some("mp3"), Some("pcm_s16le"), Some("opus")]),
        (extra, located) in any::<(bool, bool)>(),
    ) -> MediaInfo {
        let mut info = conforming();
        info.container = container;
        lasting(&mut info, millis, sound_millis);
        info.size_bytes = size;
        let video = &mut info.video[0];
        video.coded = CodedSize { width, height };
        video.sample_aspect = sar.and_then(|(across, down)| AspectRatio::new(across, down));
        video.orientation.rotation = rotation;
        video.frame_rate = FrameRate::new(rate.0, rate.1);
        video.variable_frame_rate = Some(variable);
        video.max_frame_rate = if variable { FrameRate::new(fastest.max(rate.0 / rate.1), 1) } else { video.frame_rate };
        video.codec = codec.to_owned();
        video.pixel_format = Some(PixelFormat { name: "any".to_owned(), bit_depth: depth, chroma });
        video.scan = Some(scan);
        match sound {
            None => info.audio.clear(),
            Some(codec) => info.audio[0].codec = codec.to_owned(),
        }
        if extra {
            info.other.push(OtherStream { index: 2, kind: "data".to_owned(), codec: "gpmd".to_owned() });
        }
        if located {
            info.private.push(PrivateTag::Location);
        }
        info
    }
}

proptest! {
    /// Field note 9: nothing is processed for ever.
    #[test]
    fn a_plan_for_what_a_plan_made_is_empty(
        info in any_info(),
        aspect in prop::sample::select(vec![AspectMode::Blur, AspectMode::Pad, AspectMode::Crop]),
        short in prop::sample::select(vec![ShortMode::Loop, ShortMode::Hold]),
        keep_metadata in any::<bool>(),
    ) {
        let options = FixOptions { aspect, short, keep_metadata, ..FixOptions::default() };
        let spec = Spec::load("pinterest").unwrap();
        let first = plan(&info, &spec, &options);
        if first.action == Action::Unfixable {
            // Only what is too short to repeat is beyond help here.
            prop_assert!(info.duration.unwrap() < Seconds::from_millis(5), "{:?}", first.unfixable);
            return Ok(());
        }
        let done = carried_out(&info, &first);
        let report = check(&done, &spec);
        prop_assert!(report.passes(), "{:?} after {first:?}", report.findings);
        prop_assert!(plan(&done, &spec, &options).is_passthrough());
    }

    #[test]
    fn every_encode_names_its_rules(info in any_info()) {
        let plan = plan(&info, &Spec::load("pinterest").unwrap(), &FixOptions::default());
        if let Some(VideoStep::Encode(encode)) = &plan.video {
            prop_assert!(!encode.rules.is_empty());
            prop_assert_eq!(encode.fill == Fill::None, !encode.rules.contains(&RuleId::AspectRatio));
        }
        if let Some(AudioStep::Encode { rules, .. }) = &plan.audio {
            prop_assert!(!rules.is_empty());
        }
        prop_assert_eq!(plan.action == Action::Passthrough, check(&info, &Spec::load("pinterest").unwrap()).passes() && plan.stripped.is_empty());
    }

    #[test]
    fn what_is_lengthened_is_long_enough(millis in 10_i64..4_000) {
        let plan = planned(|info| lasting(info, millis, millis));
        prop_assert!(plan.duration.unwrap().0 >= Rational::whole(4));
        prop_assert!(i64::from(plan.repeat - 1) * millis < 4_000, "no more often than needed");
    }
}
