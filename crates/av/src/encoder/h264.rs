//! The encoders of H.264 that libav may have, and what each has to be told for the same quality.

use ffmpeg_next::{encoder, ffi};

/// Seconds between sync samples: what adaptive players and seeking expect.
pub(super) const GOP_SECONDS: i64 = 2;

/// Seconds that the rate ceiling is averaged over.
const VBV_SECONDS: u64 = 2;

/// What a step of libav's `qscale` is in its `global_quality` (`FF_QP2LAMBDA`).
const QP2LAMBDA: u32 = 118;

/// Bits that x264 spends on 1,000 pixels of usual footage at CRF 20, `medium`. The rate halves every six steps.
const BITS_PER_THOUSAND_PIXELS: u64 = 110;

/// Sixth roots of two in thousandths: what a rate is multiplied with for so many steps of CRF.
const SIXTHS: [u64; 6] = [1_000, 1_122, 1_260, 1_414, 1_587, 1_782];

/// An encoder of H.264.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum H264Encoder {
    /// x264.
    X264,
    /// Apple's `VideoToolbox`.
    VideoToolbox,
    /// NVIDIA's NVENC.
    Nvenc,
    /// Intel's Quick Sync Video.
    Qsv,
    /// VA-API.
    Vaapi,
    /// Cisco's `OpenH264`.
    Openh264,
}

/// What pictures have to be given to an encoder as; all are 8-bit 4:2:0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// Three planes in memory.
    Planar,
    /// Two planes in memory, chroma interleaved.
    SemiPlanar,
    /// Of a VA-API device, to which two planes in memory are copied.
    Vaapi,
}

/// What has to be known of an encode for its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aim<'a> {
    /// x264's CRF, 0 to 51.
    pub(crate) crf: u8,
    /// x264's preset.
    pub(crate) preset: &'a str,
    /// Ceiling of the bit rate in bits a second.
    pub(crate) ceiling: Option<u64>,
    /// Pixels a second.
    pub(crate) pixels: u64,
}

impl H264Encoder {
    /// All of them, best first: x264 gives most picture for its bits, hardware is fast.
    pub const ALL: [Self; 6] = [Self::X264, Self::VideoToolbox, Self::Nvenc, Self::Qsv, Self::Vaapi, Self::Openh264];

    /// libav's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X264 => "libx264",
            Self::VideoToolbox => "h264_videotoolbox",
            Self::Nvenc => "h264_nvenc",
            Self::Qsv => "h264_qsv",
            Self::Vaapi => "h264_vaapi",
            Self::Openh264 => "libopenh264",
        }
    }

    /// Whether it needs hardware.
    #[must_use]
    pub const fn is_hardware(self) -> bool {
        matches!(self, Self::VideoToolbox | Self::Nvenc | Self::Qsv | Self::Vaapi)
    }

    /// Whether the linked libav has it. A hardware encoder may still find no hardware: [`super::try_open`].
    #[must_use]
    pub fn is_compiled_in(self) -> bool {
        crate::log::init();
        encoder::find_by_name(self.name()).is_some()
    }

    pub(crate) const fn surface(self) -> Surface {
        match self {
            Self::X264 | Self::VideoToolbox | Self::Nvenc | Self::Openh264 => Surface::Planar,
            Self::Qsv => Surface::SemiPlanar,
            Self::Vaapi => Surface::Vaapi,
        }
    }

    /// Options to open it with, one set after the other until it takes one. All ask for High profile and, where the
    /// encoder has a scale of quality, for what is nearest to the CRF; else for the rate that x264 needs on average.
    pub(crate) fn options(self, aim: Aim<'_>) -> Vec<Vec<(&'static str, String)>> {
        let Aim { crf, preset, ceiling, .. } = aim;
        let high = ("profile", "high".to_owned());
        let vbv = || {
            let ceiling = ceiling.into_iter();
            ceiling.flat_map(|rate| {
                [("maxrate", rate.to_string()), ("bufsize", rate.saturating_mul(VBV_SECONDS).to_string())]
            })
        };
        let rate = || ("b", usual_rate(aim).to_string());
        let quantiser = crf.clamp(1, 51).to_string();
        let with_vbv = |options: Vec<(&'static str, String)>| options.into_iter().chain(vbv()).collect();
        match self {
            Self::X264 => vec![with_vbv(vec![("crf", crf.to_string()), ("preset", preset.to_owned()), high])],
            // Apple's scale is 0 to 1, in libav 0 to 100 steps of `qscale`; chips by Intel have none and refuse it.
            Self::VideoToolbox => {
                let quality = 100 - u32::from(crf.min(51)) * 7 / 4;
                let scale = (quality * QP2LAMBDA).to_string();
                let by_quality = vec![("flags", "+qscale".to_owned()), ("global_quality", scale), high.clone()];
                let by_rate = with_vbv(vec![rate(), high]);
                // It takes no ceiling beside a quality.
                if ceiling.is_some() { vec![by_rate] } else { vec![by_quality, by_rate] }
            }
            Self::Nvenc => vec![with_vbv(vec![
                ("rc", "vbr".to_owned()),
                ("cq", quantiser),
                ("b", "0".to_owned()),
                ("preset", "p5".to_owned()),
                ("forced-idr", "1".to_owned()),
                high,
            ])],
            // Its mode follows from what is set: quality alone is ICQ, a rate with a ceiling VBR.
            Self::Qsv if ceiling.is_some() => vec![with_vbv(vec![rate(), high])],
            Self::Qsv => vec![vec![("global_quality", quantiser), ("b", "0".to_owned()), high]],
            Self::Vaapi if ceiling.is_some() => {
                vec![with_vbv(vec![("rc_mode", "VBR".to_owned()), rate(), high])]
            }
            Self::Vaapi => vec![vec![("rc_mode", "CQP".to_owned()), ("qp", quantiser), high]],
            Self::Openh264 => vec![with_vbv(vec![
                ("rc_mode", "quality".to_owned()),
                rate(),
                ("qmin", crf.saturating_sub(10).max(1).to_string()),
                ("qmax", "51".to_owned()),
                ("allow_skip_frames", "0".to_owned()),
                high,
            ])],
        }
    }
}

/// What x264 would spend on so many pixels at this CRF, in bits a second, below the ceiling.
fn usual_rate(aim: Aim<'_>) -> u64 {
    let at_20 = aim.pixels.saturating_mul(BITS_PER_THOUSAND_PIXELS) / 1_000;
    let steps = usize::from(aim.crf.abs_diff(20));
    let (halvings, sixth) = (steps / 6, SIXTHS[steps % 6]);
    let rate = if aim.crf > 20 {
        (at_20 >> halvings) * 1_000 / sixth
    } else {
        at_20.saturating_mul(sixth << halvings) / 1_000
    };
    rate.clamp(100_000, 100_000_000).min(aim.ceiling.unwrap_or(u64::MAX))
}

impl Surface {
    /// The format of frames before they are given to the encoder.
    pub(crate) const fn in_memory(self) -> ffi::AVPixelFormat {
        match self {
            Self::Planar => ffi::AVPixelFormat::AV_PIX_FMT_YUV420P,
            Self::SemiPlanar | Self::Vaapi => ffi::AVPixelFormat::AV_PIX_FMT_NV12,
        }
    }

    /// What has to follow a graph that ends in three planes; empty where they are what is wanted.
    pub(crate) const fn filter(self) -> &'static str {
        match self {
            Self::Planar => "",
            Self::SemiPlanar | Self::Vaapi => ",format=nv12",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aim(crf: u8, ceiling: Option<u64>) -> Aim<'static> {
        Aim { crf, preset: "medium", ceiling, pixels: 1080 * 1920 * 30 }
    }

    #[test]
    fn rates_halve_every_six_steps_and_stay_below_the_ceiling() {
        assert_eq!(usual_rate(aim(20, None)), 6_842_880);
        assert_eq!(usual_rate(aim(26, None)), 3_421_440);
        assert_eq!(usual_rate(aim(14, None)), 13_685_760);
        assert!(usual_rate(aim(21, None)) < usual_rate(aim(20, None)));
        assert_eq!(usual_rate(aim(20, Some(1_000_000))), 1_000_000);
        assert_eq!(usual_rate(Aim { pixels: u64::MAX, ..aim(0, None) }), 100_000_000);
    }

    #[test]
    fn every_encoder_is_asked_for_high_profile_and_keeps_to_the_ceiling() {
        for encoder in H264Encoder::ALL {
            for options in encoder.options(aim(20, Some(2_000_000))) {
                let value = |key| options.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str());
                assert_eq!(value("profile"), Some("high"), "{encoder:?}");
                assert_eq!(value("maxrate"), Some("2000000"), "{encoder:?}");
                assert_eq!(value("bufsize"), Some("4000000"), "{encoder:?}");
            }
            assert!(encoder.options(aim(20, None)).iter().flatten().all(|(name, _)| *name != "maxrate"), "{encoder:?}");
        }
    }

    #[test]
    fn quality_goes_by_the_scale_of_each_encoder() {
        let first = |encoder: H264Encoder, key| {
            let options = encoder.options(aim(20, None)).remove(0);
            options.into_iter().find(|(name, _)| *name == key).map(|(_, value)| value)
        };
        assert_eq!(first(H264Encoder::X264, "crf").as_deref(), Some("20"));
        assert_eq!(first(H264Encoder::Nvenc, "cq").as_deref(), Some("20"));
        assert_eq!(first(H264Encoder::Qsv, "global_quality").as_deref(), Some("20"));
        assert_eq!(first(H264Encoder::Vaapi, "qp").as_deref(), Some("20"));
        assert_eq!(first(H264Encoder::VideoToolbox, "global_quality").as_deref(), Some("7670"));
        assert_eq!(first(H264Encoder::Openh264, "b").as_deref(), Some("6842880"));
    }
}
