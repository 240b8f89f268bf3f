use pinpress_media::{AspectMode, Fill, FpsMode, LongMode, ShortMode};
use pinpress_probe::{
    AspectRatio, AudioStream, Chroma, CodedSize, Colour, Container, FrameCropping, FrameRate, Orientation, OtherStream,
    PixelFormat, PrivateTag, Rational, Reader, Rotation,
};

use super::*;

pub(super) fn conforming() -> MediaInfo {
    MediaInfo {
        container: Container::Mp4,
        size_bytes: 4_000_000,
        duration: Some(Seconds::from_millis(10_000)),
        video: vec![VideoStream {
            cropping: Some(FrameCropping { left: 0, right: 8, top: 0, bottom: 0, unit_x: 2, unit_y: 2 }),
            clean_start: Some(true),
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
            dolby_vision_profile: None,
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

pub(super) fn planned(change: impl FnOnce(&mut MediaInfo)) -> Plan {
    let mut info = conforming();
    change(&mut info);
    plan(&info, &Spec::load("pinterest").unwrap(), &FixOptions::default(), &Measured::default())
}

pub(super) fn encode_of(plan: &Plan) -> &VideoEncode {
    match &plan.video {
        Some(VideoStep::Encode(encode)) => encode,
        other => panic!("the picture is not encoded: {other:?}"),
    }
}

fn edit_of(plan: &Plan) -> &VideoEdit {
    match &plan.video {
        Some(VideoStep::Edit(edit)) => edit,
        other => panic!("the picture is not edited: {other:?}"),
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
    assert!(plan(&info, &Spec::load("pinterest").unwrap(), &keep, &Measured::default()).is_passthrough());
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
pub(super) fn lasting(info: &mut MediaInfo, picture_ms: i64, sound_ms: i64) {
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
    assert_eq!(edit_of(&plan).rules, [RuleId::Duration], "the packets follow on themselves");
    assert!(matches!(&plan.audio, Some(AudioStep::Encode { rules, .. }) if *rules == [RuleId::Duration]));
    let open = planned(|info| {
        lasting(info, 1_500, 1_500);
        info.video[0].clean_start = Some(false);
    });
    assert_eq!(encode_of(&open).rules, [RuleId::Duration]);
    let padded = planned(|info| lasting(info, 1_958, 2_005));
    assert_eq!((padded.repeat, padded.period), (3, None), "the picture's length counts, which is under 2 s");
    let uneven = planned(|info| lasting(info, 67, 3_971));
    let period = Seconds::from_millis(3_971);
    assert_eq!((uneven.repeat, uneven.period), (2, Some(period)), "sound is not cut to one frame");
    assert_eq!(uneven.hold_until, uneven.duration, "and the picture stays until it ends");
    assert_eq!(planned(|info| info.duration = None).action, Action::Unfixable);
}

#[test]
fn a_short_clip_is_held_by_encoding_what_is_held() {
    let spec = Spec::load("pinterest").unwrap();
    let hold = |encoder| FixOptions { short: ShortMode::Hold, encoder, ..FixOptions::default() };
    let mut info = conforming();
    lasting(&mut info, 3_000, 3_000);
    let held = plan(&info, &spec, &hold(Encoder::Auto), &Measured::default());
    let Some(VideoStep::Extend(extend)) = &held.video else { panic!("{:?}", held.video) };
    assert_eq!((extend.rules.as_slice(), held.action), (&[RuleId::Duration][..], Action::Encode));
    assert_eq!(held.audio, Some(AudioStep::Copy { stream: 1 }), "in silence");
    assert!(held.hold_until >= Some(Seconds::from_millis(4_000)) && held.duration == held.hold_until);
    // Only x264 numbers its parameter sets as it is told, and only what is constant has a rate to go on at.
    assert_eq!(encode_of(&plan(&info, &spec, &hold(Encoder::Nvenc), &Measured::default())).rules, [RuleId::Duration]);
    info.video[0].variable_frame_rate = Some(true);
    assert_eq!(encode_of(&plan(&info, &spec, &hold(Encoder::Auto), &Measured::default())).rules, [RuleId::Duration]);
}

#[test]
fn long_videos_end_at_the_maximum_without_an_encode() {
    let plan = planned(|info| info.duration = Some(Seconds::from_millis(900_001)));
    // Two frames of 30 fps before the limit.
    assert_eq!((plan.action, plan.end), (Action::Edit, Rational::new(26_998, 30).map(Seconds)));
    assert_eq!(edit_of(&plan).rules, [RuleId::Duration]);
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
        plan(&info, &spec, &reject, &Measured::default()).unfixable.unwrap_or_default()
    };
    assert!(reason(&|info| info.video[0].coded.height = 500).contains("--aspect reject"));
    assert!(reason(&|info| info.video[0].frame_rate = FrameRate::new(20, 1)).contains("--fps reject"));
    assert!(reason(&|info| info.duration = Some(Seconds::from_millis(3_999))).contains("--short reject"));
    assert!(reason(&|info| info.duration = Some(Seconds::from_millis(900_001))).contains("--long reject"));
}

#[test]
fn a_crop_is_said_in_the_parameter_set() {
    let crop = FixOptions { aspect: AspectMode::Crop, ..FixOptions::default() };
    let spec = Spec::load("pinterest").unwrap();
    let cropped = |change: &dyn Fn(&mut MediaInfo), focus: Focus| {
        let mut info = conforming();
        let video = &mut info.video[0];
        video.coded = CodedSize { width: 1920, height: 1080 };
        video.cropping = Some(FrameCropping { left: 0, right: 0, top: 0, bottom: 8, unit_x: 2, unit_y: 2 });
        change(&mut info);
        plan(&info, &spec, &crop, &Measured { busiest: Some(focus), ..Measured::default() })
    };
    let plan_of = cropped(&|_| {}, Focus::CENTRE);
    assert_eq!((plan_of.action, &plan_of.audio), (Action::Edit, &Some(AudioStep::Copy { stream: 1 })));
    let edit = edit_of(&plan_of);
    assert_eq!(
        (edit.rules.as_slice(), edit.size),
        (&[RuleId::AspectRatio][..], Some(CodedSize { width: 1080, height: 1080 }))
    );
    let sides = |edit: &VideoEdit| edit.cropping.map(|c| (c.left, c.right, c.top, c.bottom));
    assert_eq!(sides(edit), Some((448, 392, 0, 8)), "beside what was cut away before");
    let right = cropped(&|_| {}, Focus { across: 1000, down: 500 });
    assert_eq!(sides(edit_of(&right)), Some((832, 8, 0, 8)), "13 × 64 columns");
    // Held upright, the top of what is seen is the left of what is coded.
    let turned =
        cropped(&|info| info.video[0].orientation.rotation = Rotation::Clockwise90, Focus { across: 500, down: 0 });
    assert!(turned.is_passthrough(), "9:16 upright");
    let wide = cropped(
        &|info| {
            info.video[0].orientation.rotation = Rotation::Clockwise90;
            info.video[0].coded.height = 960;
            info.video[0].cropping.as_mut().unwrap().bottom = 0;
        },
        Focus { across: 500, down: 0 },
    );
    assert_eq!(sides(edit_of(&wide)), Some((0, 214, 0, 0)), "1706 of 1920 is 9:16 within 2 pixels");
    for encoded in [
        cropped(&|info| info.video[0].cropping = None, Focus::CENTRE),
        cropped(&|info| info.video[0].codec = "hevc".to_owned(), Focus::CENTRE),
        cropped(&|info| info.video[0].sample_aspect = AspectRatio::new(4, 3), Focus::CENTRE),
        cropped(&|info| info.video[0].coded = CodedSize { width: 400, height: 200 }, Focus::CENTRE),
    ] {
        assert!(matches!(encode_of(&encoded).fill, Fill::Crop { .. }), "{encoded:?}");
    }
    let coarse = cropped(&|info| info.video[0].cropping.as_mut().unwrap().unit_y = 4, Focus { across: 333, down: 1 });
    let cropping = edit_of(&coarse).cropping.unwrap();
    assert!(cropping.left.is_multiple_of(64) && cropping.top.is_multiple_of(4) && cropping.bottom.is_multiple_of(4));
}

/// Field note 16.
#[test]
fn nearly_square_samples_are_declared_square_where_that_is_all() {
    let plan = planned(|info| {
        info.video[0].coded = CodedSize { width: 1090, height: 1920 };
        info.video[0].sample_aspect = AspectRatio::new(201, 200);
    });
    let edit = edit_of(&plan);
    assert_eq!((plan.action, edit.square_pixels, edit.cropping), (Action::Edit, true, None));
    let fits = planned(|info| info.video[0].sample_aspect = AspectRatio::new(201, 200));
    assert!(fits.is_passthrough(), "what passes is not rewritten for it");
}

/// MP4 that libav writes has no `clap`, so its part of the picture is said by the parameter set.
#[test]
fn a_clean_aperture_outlives_a_remux() {
    let aperture = |info: &mut MediaInfo| info.video[0].clean_aperture = Some(CodedSize { width: 1080, height: 1620 });
    assert!(planned(aperture).is_passthrough());
    let remuxed = planned(|info| {
        aperture(info);
        info.container = Container::Matroska;
    });
    let edit = edit_of(&remuxed);
    assert_eq!(edit.size, Some(CodedSize { width: 1080, height: 1620 }));
    assert_eq!(edit.cropping.map(|c| (c.left, c.right, c.top, c.bottom)), Some((0, 8, 150, 150)));
}

#[test]
fn film_plays_a_little_faster_where_that_is_asked_for() {
    let retime = FixOptions { fps: FpsMode::Retime, ..FixOptions::default() };
    let spec = Spec::load("pinterest").unwrap();
    let of = |num, den, millis| {
        let mut info = conforming();
        lasting(&mut info, millis, millis);
        info.video[0].frame_rate = FrameRate::new(num, den);
        plan(&info, &spec, &retime, &Measured::default())
    };
    for (num, den) in [(24, 1), (24_000, 1001)] {
        let plan = of(num, den, 10_000);
        let to = FrameRate::new(25, 1).unwrap();
        assert_eq!(plan.retime, Some(Retime { from: FrameRate::new(num, den).unwrap(), to }));
        assert_eq!(edit_of(&plan).rules, [RuleId::FrameRate]);
        assert!(matches!(&plan.audio, Some(AudioStep::Encode { rules, .. }) if *rules == [RuleId::FrameRate]));
        assert!(plan.duration.unwrap() < Seconds::from_millis(9_601));
    }
    assert!(of(15, 1, 10_000).retime.is_none(), "motion would be seen to hurry");
    let short = of(24, 1, 4_100);
    assert!(short.retime.is_none(), "3.936 s would be too short");
    assert_eq!(encode_of(&short).rate, RateStep::Constant(FrameRate::new(48, 1).unwrap()));
}

#[test]
fn a_rate_that_misses_by_a_hair_is_no_reason_to_encode() {
    let of = |num, den, millis| {
        planned(|info| {
            lasting(info, millis, millis);
            info.video[0].frame_rate = FrameRate::new(num, den);
        })
    };
    let hair = of(24_999, 1_000, 60_000);
    assert_eq!((hair.action, edit_of(&hair).rules.as_slice()), (Action::Edit, &[RuleId::FrameRate][..]));
    assert_eq!(hair.audio, Some(AudioStep::Copy { stream: 1 }), "2 ms at the end");
    let heard = of(2_498, 100, 600_000);
    assert!(matches!(heard.audio, Some(AudioStep::Encode { .. })), "480 ms at the end");
    assert_eq!(edit_of(&heard).rules, [RuleId::FrameRate]);
    assert!(of(249, 10, 60_000).retime.is_none(), "that much is asked for");
    let encoded = planned(|info| {
        info.video[0].frame_rate = FrameRate::new(24_999, 1_000);
        info.video[0].codec = "hevc".to_owned();
    });
    assert!(encoded.retime.is_none() && encode_of(&encoded).rate != RateStep::Keep, "it is encoded anyway");
}

#[test]
fn damage_is_left_out_only_where_that_is_asked_for() {
    let spec = Spec::load("pinterest").unwrap();
    let with = |anomaly: Anomaly, salvage| {
        let mut info = conforming();
        info.anomalies.push(anomaly);
        plan(&info, &spec, &FixOptions { salvage, ..FixOptions::default() }, &Measured::default())
    };
    let whole = |millis| Anomaly::Truncated { whole: Some(Seconds::from_millis(millis)) };
    let told = with(whole(6_500), false).unfixable.unwrap();
    assert!(told.contains("whole up to 6.5 s") && told.contains("--salvage"), "{told}");
    let cut = with(whole(6_500), true);
    assert_eq!((cut.action, cut.end, cut.salvage), (Action::Edit, Some(Seconds::from_millis(6_500)), true));
    assert!(with(whole(3_000), true).unfixable.unwrap().contains("too short"));
    assert!(with(Anomaly::Truncated { whole: None }, true).unfixable.unwrap().contains("nothing can be kept"));
    let damaged = with(Anomaly::CorruptPackets { count: 2, first: None }, true);
    assert_eq!(encode_of(&damaged).rules, [RuleId::Integrity]);
    let sound = Anomaly::Undecodable { stream: 1, medium: Medium::Audio, partly: true, faults: 1, first: None };
    assert!(matches!(with(sound, true).video, Some(VideoStep::Copy { .. })), "the picture is whole");
}

/// Field note 15: the flag is a hint.
#[test]
fn the_measured_scan_goes_before_the_flag() {
    let spec = Spec::load("pinterest").unwrap();
    let deinterlaces = |flag, scan| {
        let mut info = conforming();
        info.video[0].codec = "hevc".to_owned();
        info.video[0].scan = flag;
        let measured = Measured { scan, ..Measured::default() };
        encode_of(&plan(&info, &spec, &FixOptions::default(), &measured)).deinterlace
    };
    let (progressive, interlaced) = (Some(Scan::Progressive), Some(Scan::Interlaced));
    assert!(deinterlaces(progressive, interlaced) && !deinterlaces(interlaced, progressive));
    assert!(deinterlaces(interlaced, None) && !deinterlaces(progressive, None) && !deinterlaces(None, None));
}

#[test]
fn a_part_is_a_video_of_its_own() {
    let spec = Spec::load("pinterest").unwrap();
    let options = FixOptions { long: LongMode::Split, ..FixOptions::default() };
    let mut info = conforming();
    lasting(&mut info, 1_200_000, 1_200_000);
    assert!(options.splits(&info, &spec));
    assert!(plan(&info, &spec, &options, &Measured::default()).unfixable.unwrap().contains("--long split"));
    let sync: Vec<_> = (0..600).map(|at| Seconds::from_millis(at * 2_000)).collect();
    let parts = parts(&info, &spec, &sync).unwrap();
    let plans: Vec<_> =
        parts.iter().map(|part| plan_part(&info, &spec, &options, &Measured::default(), *part)).collect();
    assert_eq!(
        plans.iter().map(|plan| (plan.action, plan.duration)).collect::<Vec<_>>(),
        [(Action::Edit, Some(Seconds::from_millis(600_000))); 2]
    );
    assert!(plans.iter().all(|plan| edit_of(plan).rules == [RuleId::Duration] && plan.end == plan.duration));
    info.video[0].codec = "vp9".to_owned();
    let encoded = plan_part(&info, &spec, &options, &Measured::default(), parts[1]);
    assert_eq!((encoded.action, encoded.part), (Action::Encode, Some(parts[1])));
}
