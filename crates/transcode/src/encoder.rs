//! Who encodes the picture: the one that was asked for, or the best that is here.

use pinpress_av::{AvError, H264Encoder};
use pinpress_media::{Encoder, EncoderReport, EncoderState, Failure, FailureKind};

/// What is known of one encoder on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Here {
    /// It opens.
    Opens,
    /// The linked libav has it, and it does not open, for this reason.
    Refuses(String),
    /// The linked libav has none.
    Missing,
}

/// The encoder that a plan has to name for `asked`, never [`Encoder::Auto`]. x264 is taken on libav's word; others are
/// opened once, which takes up to a second with hardware.
///
/// # Errors
/// `Encoder`, when the one that was asked for by name cannot be used, or when there is none at all; with what to do.
pub fn resolve(asked: Encoder) -> Result<Encoder, Failure> {
    choose(asked, look)
}

/// Every encoder that pinpress knows, best first, and what can be done with it here.
#[must_use]
pub fn report() -> Vec<EncoderReport> {
    let here: Vec<(H264Encoder, Here)> = H264Encoder::ALL.into_iter().map(|encoder| (encoder, look(encoder))).collect();
    let known =
        |encoder| here.iter().find(|(known, _)| *known == encoder).map_or(Here::Missing, |(_, here)| here.clone());
    let default = choose(Encoder::Auto, known).ok();
    let state = |encoder, here: &Here| match here {
        Here::Opens if default == Some(encoder) => EncoderState::Default,
        Here::Opens => EncoderState::Usable,
        Here::Refuses(reason) => EncoderState::CannotOpen(reason.clone()),
        Here::Missing => EncoderState::NotCompiledIn,
    };
    here.iter()
        .map(|(encoder, here)| EncoderReport {
            encoder: in_media(*encoder),
            name: encoder.name().to_owned(),
            state: state(in_media(*encoder), here),
        })
        .collect()
}

/// libav's encoder for what a plan names; [`Encoder::Auto`] is x264, as in plans of before there was a choice.
pub(crate) const fn in_av(encoder: Encoder) -> H264Encoder {
    match encoder {
        Encoder::Auto | Encoder::X264 => H264Encoder::X264,
        Encoder::Openh264 => H264Encoder::Openh264,
        Encoder::VideoToolbox => H264Encoder::VideoToolbox,
        Encoder::Nvenc => H264Encoder::Nvenc,
        Encoder::Qsv => H264Encoder::Qsv,
        Encoder::Vaapi => H264Encoder::Vaapi,
    }
}

const fn in_media(encoder: H264Encoder) -> Encoder {
    match encoder {
        H264Encoder::X264 => Encoder::X264,
        H264Encoder::VideoToolbox => Encoder::VideoToolbox,
        H264Encoder::Nvenc => Encoder::Nvenc,
        H264Encoder::Qsv => Encoder::Qsv,
        H264Encoder::Vaapi => Encoder::Vaapi,
        H264Encoder::Openh264 => Encoder::Openh264,
    }
}

/// Whether a fix with this choice may have to reach for hardware, for what a sandbox has to leave open.
#[must_use]
pub fn may_need_hardware(asked: Encoder) -> bool {
    match asked {
        Encoder::Auto => !H264Encoder::X264.is_compiled_in(),
        named => in_av(named).is_hardware(),
    }
}

fn look(encoder: H264Encoder) -> Here {
    if !encoder.is_compiled_in() {
        return Here::Missing;
    }
    if encoder == H264Encoder::X264 {
        return Here::Opens;
    }
    match pinpress_av::try_open(encoder) {
        Ok(()) => Here::Opens,
        Err(AvError::Encoder { reason, .. }) => Here::Refuses(reason),
        Err(error) => Here::Refuses(error.to_string()),
    }
}

/// The first of all that opens, or the one that was asked for. Pure but for `look`, which is asked no more than needed.
fn choose(asked: Encoder, look: impl Fn(H264Encoder) -> Here) -> Result<Encoder, Failure> {
    let fail = |message: String| Err(Failure::new(FailureKind::Encoder, message));
    if asked == Encoder::Auto {
        return match H264Encoder::ALL.into_iter().find(|encoder| look(*encoder) == Here::Opens) {
            Some(encoder) => Ok(in_media(encoder)),
            None => fail(
                "no H.264 encoder can be used: install an FFmpeg with libx264 or libopenh264, see `pinpress doctor`"
                    .to_owned(),
            ),
        };
    }
    let encoder = in_av(asked);
    let name = encoder.name();
    match look(encoder) {
        Here::Opens => Ok(asked),
        Here::Missing => {
            fail(format!("this FFmpeg has no {name}: install one that was built with it, or pass `--encoder auto`"))
        }
        Here::Refuses(reason) => fail(format!(
            "{name} cannot be opened here ({}): install its driver, or pass `--encoder auto`",
            reason.trim_end_matches(['.', ' '])
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine on which libav has the first, and the second of them open.
    fn machine(compiled: &[H264Encoder], opening: &[H264Encoder]) -> impl Fn(H264Encoder) -> Here {
        let (compiled, opening) = (compiled.to_vec(), opening.to_vec());
        move |encoder| match (compiled.contains(&encoder), opening.contains(&encoder)) {
            (false, _) => Here::Missing,
            (true, true) => Here::Opens,
            (true, false) => Here::Refuses("no device".to_owned()),
        }
    }

    #[test]
    fn auto_is_x264_then_hardware_that_opens_then_openh264() {
        use H264Encoder::{Nvenc, Openh264, Qsv, Vaapi, X264};
        let auto = |compiled: &[H264Encoder], opening: &[H264Encoder]| {
            choose(Encoder::Auto, machine(compiled, opening)).map_err(|failure| failure.kind)
        };
        assert_eq!(auto(&H264Encoder::ALL, &H264Encoder::ALL), Ok(Encoder::X264));
        assert_eq!(auto(&[X264, Nvenc], &[X264]), Ok(Encoder::X264));
        assert_eq!(auto(&[Nvenc, Qsv, Vaapi, Openh264], &[Vaapi, Openh264]), Ok(Encoder::Vaapi));
        assert_eq!(auto(&[Nvenc, Qsv, Openh264], &[Openh264]), Ok(Encoder::Openh264));
        assert_eq!(auto(&[Nvenc], &[]), Err(FailureKind::Encoder));
        assert_eq!(auto(&[], &[]), Err(FailureKind::Encoder));
    }

    #[test]
    fn one_that_was_asked_for_is_taken_or_refused_with_a_reason() {
        let here = machine(&[H264Encoder::X264, H264Encoder::Nvenc], &[H264Encoder::X264]);
        assert_eq!(choose(Encoder::X264, &here), Ok(Encoder::X264));
        let refused = choose(Encoder::Nvenc, &here).unwrap_err().message;
        assert_eq!(
            refused,
            "h264_nvenc cannot be opened here (no device): install its driver, or pass `--encoder auto`"
        );
        let missing = choose(Encoder::Openh264, &here).unwrap_err().message;
        assert_eq!(
            missing,
            "this FFmpeg has no libopenh264: install one that was built with it, or pass `--encoder auto`"
        );
    }

    #[test]
    fn what_is_linked_here_is_told_for_every_encoder() {
        let report = report();
        assert_eq!(report.len(), H264Encoder::ALL.len());
        assert_eq!(report.iter().filter(|entry| entry.state == EncoderState::Default).count(), 1);
        for entry in report {
            let usable = matches!(entry.state, EncoderState::Default | EncoderState::Usable);
            assert_eq!(resolve(entry.encoder).is_ok(), usable, "{}", entry.name);
        }
    }
}
