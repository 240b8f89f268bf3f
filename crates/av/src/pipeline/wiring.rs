//! What is known before the stages start: streams, time bases, zero.

use std::path::{Path, PathBuf};

use ffmpeg_next::media;

use crate::error::AvError;
use crate::fraction::Fraction;
use crate::input::Input;
use crate::job::{AudioTrack, Job, Retime};

/// Ticks a second below which timestamps of an encode are made finer, so that a loop's seam and a held frame fall
/// where they should.
const MIN_TICKS: i32 = 10_000;

/// What is known of the input before the stages start.
pub(crate) struct Wiring {
    path: PathBuf,
    pub(super) video: usize,
    pub(super) audio: Option<usize>,
    pub(super) video_base: Fraction,
    audio_base: Fraction,
    video_start: Option<i64>,
    audio_start: Option<i64>,
    /// Zero of the output, in microseconds of the input's timeline.
    origin_us: i64,
    pub(super) end_us: Option<i64>,
    /// How long the part is that is taken.
    part_us: Option<i64>,
    /// Whether it begins inside the file.
    pub(super) begins_inside: bool,
    /// Whether the clip is shown more than once.
    pub(super) repeats: bool,
    retime: Option<Retime>,
    /// How much longer everything plays: the source's rate by the output's.
    stretch: Fraction,
    salvage: Option<Vec<(usize, Vec<i64>)>>,
}

/// How far a time in microseconds may be from the one that it was rounded from, when several of them were added.
pub(super) const ROUNDING_US: i64 = 5;

impl Wiring {
    pub(super) fn of(job: &Job, input: &Input) -> Result<Self, AvError> {
        let video = job.video.stream();
        let audio = job.audio.as_ref().map(AudioTrack::stream);
        input.expect_kind(video, media::Type::Video, "video")?;
        if let Some(audio) = audio {
            input.expect_kind(audio, media::Type::Audio, "audio")?;
        }
        let stretch = match job.retime {
            None => Fraction::new(1, 1),
            Some(Retime { from, to }) => from.times(to.inverse()).ok_or_else(|| no_such_rate(from, to))?,
        };
        for stream in std::iter::once(video).chain(audio) {
            input.time_base(stream).times(stretch).ok_or_else(|| no_such_rate(input.time_base(stream), stretch))?;
        }
        let start = |stream: usize| input.start_ticks(stream).map(|ticks| input.time_base(stream).micros(ticks));
        let starts = [start(video), audio.and_then(start)];
        Ok(Self {
            path: job.input.clone(),
            video,
            audio,
            video_base: input.time_base(video),
            audio_base: audio.map_or(Fraction::MICROSECOND, |audio| input.time_base(audio)),
            video_start: input.start_ticks(video),
            audio_start: audio.and_then(|audio| input.start_ticks(audio)),
            origin_us: match job.part {
                None => starts.into_iter().flatten().min().unwrap_or(0),
                Some(part) => {
                    let (ticks, base) = input.first_shown();
                    base.micros(ticks).saturating_add(part.begin_us)
                }
            },
            end_us: job.end_us,
            part_us: job.part.map(|part| part.end_us.saturating_sub(part.begin_us).max(0)),
            repeats: job.repeat > 1,
            retime: job.retime,
            stretch,
            begins_inside: job.part.is_some_and(|part| part.begin_us > 0),
            salvage: job.salvage.clone(),
        })
    }

    /// Whether damage is left out.
    pub(super) const fn salvages(&self) -> bool {
        self.salvage.is_some()
    }

    /// Whether what `stream` shows at this time is known not to decode.
    pub(super) fn is_left_out(&self, stream: usize, ticks: i64) -> bool {
        let known = self.salvage.iter().flatten().filter(|(of, _)| *of == stream);
        known.into_iter().any(|(_, times)| times.binary_search(&ticks).is_ok())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn base(&self, stream: usize) -> Fraction {
        if stream == self.video { self.video_base } else { self.audio_base }
    }

    /// When a stream begins, in its ticks.
    pub(super) fn start(&self, stream: usize) -> Option<i64> {
        if stream == self.video { self.video_start } else { self.audio_start }
    }

    /// Zero of the output in ticks of a stream.
    pub(super) fn origin(&self, stream: usize) -> i64 {
        Fraction::MICROSECOND.rescale(self.origin_us, self.base(stream))
    }

    /// The rates between which the picture is retimed.
    pub(super) const fn retime(&self) -> Option<Retime> {
        self.retime
    }

    /// The time base of a copied picture in the output.
    pub(super) fn copied_base(&self) -> Fraction {
        self.retime.map_or(self.video_base, |retime| fine(retime.to.inverse()))
    }

    /// How long a tick of the input lasts in the output.
    pub(super) fn played(&self, base: Fraction) -> Fraction {
        base.times(self.stretch).unwrap_or(base)
    }

    /// The last moment in ticks of `base`, from zero of the output: what ends behind it is not shown.
    pub(super) fn end(&self, base: Fraction) -> i64 {
        self.end_us.map_or(i64::MAX, |end| Fraction::MICROSECOND.rescale(end, base))
    }

    /// The same in ticks of the input.
    pub(super) fn input_end(&self, base: Fraction) -> i64 {
        self.end(self.played(base))
    }

    /// Where the part ends, in ticks of the input from where it begins: a picture that begins before it is shown.
    pub(super) fn input_part_end(&self, base: Fraction) -> i64 {
        self.part_us.map_or(i64::MAX, |end| Fraction::MICROSECOND.rescale(end, base))
    }

    /// The same in ticks of the output.
    pub(super) fn part_end(&self, base: Fraction) -> i64 {
        self.part_us.map_or(i64::MAX, |end| self.played(Fraction::MICROSECOND).rescale(end, base))
    }

    /// Past which moment nothing has to be read, in microseconds of the input from zero of the output.
    pub(super) fn over_us(&self) -> Option<i64> {
        let end = self.end_us.map(|_| self.input_end(Fraction::MICROSECOND));
        [end, self.part_us].into_iter().flatten().min()
    }
}

fn no_such_rate(left: Fraction, right: Fraction) -> AvError {
    AvError::Muxer(format!("times cannot be scaled by {}/{} and {}/{}", left.num, left.den, right.num, right.den))
}

/// The same time base with ticks that are whole parts of its own, at least [`MIN_TICKS`] a second.
pub(super) fn fine(base: Fraction) -> Fraction {
    let mut fine = base;
    while fine.is_positive() && fine.den / fine.num < MIN_TICKS {
        match fine.den.checked_mul(2) {
            Some(den) => fine.den = den,
            None => break,
        }
    }
    fine
}

/// Ticks a second of a track with this time base. MP4 has whole numbers: for 1001/30000 it is 30,000.
pub(super) fn ticks_a_second(base: Fraction) -> i32 {
    base.den.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fine_time_bases_hold_the_coarse_ones() {
        assert_eq!(fine(Fraction::new(1, 25)), Fraction::new(1, 12_800));
        assert_eq!(fine(Fraction::new(1001, 30_000)).den % 30_000, 0);
        assert_eq!(fine(Fraction::new(1, 90_000)), Fraction::new(1, 90_000));
    }
}
