//! What holds of every plan.

use pinpress_media::{AspectMode, FpsMode, ShortMode};
use pinpress_probe::{
    AspectRatio, Chroma, CodedSize, Colour, Container, FrameCropping, FrameRate, Orientation, OtherStream, PixelFormat,
    PrivateTag, Rational, Rotation,
};
use proptest::prelude::*;

use super::tests::{conforming, lasting, planned};
use super::*;

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
    if plan.salvage {
        done.anomalies.clear();
    }
    let video = &mut done.video[0];
    // MP4 that libav writes has no clean aperture.
    video.clean_aperture = None;
    match &plan.video {
        Some(VideoStep::Encode(encode)) => {
            done.size_bytes = done.size_bytes.min(1_000_000_000);
            video.codec = "h264".to_owned();
            video.profile = Some("High".to_owned());
            video.pixel_format = Some(PixelFormat { name: "yuv420p".to_owned(), bit_depth: 8, chroma: Chroma::Yuv420 });
            video.coded = encode.canvas;
            video.sample_aspect = AspectRatio::new(1, 1);
            video.orientation = Orientation::UPRIGHT;
            video.scan = Some(Scan::Progressive);
            video.colour = Colour::default();
            if let RateStep::Constant(rate) = encode.rate {
                (video.frame_rate, video.variable_frame_rate) = (Some(rate), Some(false));
            }
        }
        Some(VideoStep::Edit(edit)) => {
            video.coded = edit.size.unwrap_or(video.coded);
            video.cropping = edit.cropping.or(video.cropping);
            if edit.square_pixels {
                video.sample_aspect = AspectRatio::new(1, 1);
            }
        }
        _ => {}
    }
    if let Some(retime) = plan.retime {
        video.frame_rate = Some(retime.to);
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
        (extra, located, clean, editable) in any::<(bool, bool, bool, bool)>(),
        (aperture, damage) in (prop::option::of((1_u32..2200, 1_u32..2200)), 0_u8..6),
        unit_y in prop::sample::select(vec![2_u32, 4]),
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
        video.clean_start = Some(clean);
        video.cropping = editable.then_some(FrameCropping {
            left: 0,
            right: width.next_multiple_of(16) - width,
            top: 0,
            bottom: height.next_multiple_of(16) - height,
            unit_x: 2,
            unit_y,
        });
        video.clean_aperture = aperture.map(|(w, h)| CodedSize { width: w.min(width), height: h.min(height) });
        match damage {
            0 => info.anomalies.push(Anomaly::Truncated { whole: Some(Seconds::from_millis(millis / 2)) }),
            1 => info.anomalies.push(Anomaly::CorruptPackets { count: 3, first: None }),
            _ => {}
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
        prefer in prop::sample::select(vec![None, Some("9:16"), Some("2:3"), Some("1:1")]),
        short in prop::sample::select(vec![ShortMode::Loop, ShortMode::Hold]),
        fps in prop::sample::select(vec![FpsMode::Multiply, FpsMode::Retime]),
        (across, down) in (0_u16..=1000, 0_u16..=1000),
        (keep_metadata, official) in any::<(bool, bool)>(),
    ) {
        let options = FixOptions {
            aspect,
            prefer: prefer.map(|ratio| ratio.parse().unwrap()),
            short,
            fps,
            keep_metadata,
            salvage: true,
            ..FixOptions::default()
        };
        let spec = Spec::load(if official { "pinterest-official" } else { "pinterest" }).unwrap();
        let measured = Measured { scan: None, busiest: Some(Focus { across, down }) };
        let first = plan(&info, &spec, &options, &measured);
        if first.action == Action::Unfixable {
            // Only what is too short to repeat, or to salvage, is beyond help here.
            let whole = info.anomalies.iter().find_map(|anomaly| match anomaly {
                Anomaly::Truncated { whole } => *whole,
                _ => None,
            });
            let (shown, least) = whole.map_or((info.duration.unwrap(), 5), |whole| (whole, 4_001));
            prop_assert!(shown < Seconds::from_millis(least), "{:?}", first.unfixable);
            return Ok(());
        }
        let done = carried_out(&info, &first);
        let report = check(&done, &spec);
        prop_assert!(report.passes(), "{:?} after {first:?}", report.findings);
        let again = plan(&done, &spec, &options, &measured);
        prop_assert!(again.is_passthrough(), "{again:?} after {first:?}");
    }

    #[test]
    fn every_encode_names_its_rules(info in any_info()) {
        let plan = plan(&info, &Spec::load("pinterest").unwrap(), &FixOptions::default(), &Measured::default());
        if let Some(VideoStep::Encode(encode)) = &plan.video {
            prop_assert!(!encode.rules.is_empty());
            prop_assert!(encode.fill == Fill::None || encode.rules.contains(&RuleId::AspectRatio));
        }
        if let Some(VideoStep::Edit(edit)) = &plan.video {
            prop_assert!(!edit.rules.is_empty());
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

#[test]
fn colours_that_nobody_here_can_decode_are_refused_and_those_of_other_profiles_are_not() {
    let of_profile = |profile| {
        planned(|info| {
            info.video[0].codec = "hevc".to_owned();
            info.video[0].dolby_vision = true;
            info.video[0].dolby_vision_profile = profile;
        })
    };
    let refused = of_profile(Some(5)).unfixable.unwrap();
    assert_eq!(
        refused,
        "Dolby Vision profile 5 has colours that only Dolby's own decoders know: export it as HDR10 or SDR"
    );
    assert_eq!(of_profile(Some(8)).action, Action::Encode);
    assert_eq!(of_profile(None).action, Action::Encode);
}
