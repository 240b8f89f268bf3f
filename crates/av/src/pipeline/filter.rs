//! Frames through a graph.

use ffmpeg_next::frame;

use super::{Halt, Pictures, Receiver, Sender, next, send};
use crate::fraction::Fraction;
use crate::graph::{Graph, PictureShape};
use crate::job::VideoEncode;

/// The stage for pictures. A change of size or format in mid-stream ends one graph and begins the next; both end in the
/// same size. What comes out has times in ticks of `base`.
pub(super) fn pictures(
    settings: &VideoEncode,
    base: Fraction,
    threads: usize,
    frames: &Receiver<Pictures>,
    to_encode: &Sender<Pictures>,
) -> Result<(), Halt> {
    let mut stage = Stage { settings, base, threads, to_encode, current: None };
    let mut held: Option<frame::Video> = None;
    loop {
        match next(frames)? {
            Pictures::Frame(frame) => {
                if let Some(before) = held.replace(frame::Video::from(frame)) {
                    stage.take(&before)?;
                }
            }
            Pictures::End(until) => {
                if let Some(last) = held.take() {
                    let again = stage.shown_again(&last, until);
                    stage.take(&last)?;
                    if let Some(again) = again {
                        stage.take(&again)?;
                    }
                }
                stage.drain(until)?;
                return send(to_encode, Pictures::End(until));
            }
        }
    }
}

struct Stage<'a> {
    settings: &'a VideoEncode,
    base: Fraction,
    threads: usize,
    to_encode: &'a Sender<Pictures>,
    current: Option<(PictureShape, Graph)>,
}

impl Stage<'_> {
    fn take(&mut self, frame: &frame::Video) -> Result<(), Halt> {
        let shape = PictureShape::of(frame);
        if self.current.as_ref().is_none_or(|(known, _)| *known != shape) {
            self.drain(frame.pts())?;
            let rate = Some(self.settings.frame_rate);
            let description = format!("{}{}", self.settings.filter, self.settings.encoder.surface().filter());
            let graph = Graph::pictures(shape, self.base, rate, &description, self.threads)?;
            self.current = Some((shape, graph));
        }
        if let Some((_, graph)) = &mut self.current {
            graph.send(Some(frame))?;
        }
        self.hand_on()
    }

    /// The last frame once more, a frame before the end, where a constant rate has to repeat it until then. The `fps`
    /// filter would do so by itself if it were told the end, but `overlay` does not pass that on before FFmpeg 6.
    fn shown_again(&self, last: &frame::Video, until: Option<i64>) -> Option<frame::Video> {
        let rate = self.settings.frame_rate;
        let step = Fraction::new(rate.den, rate.num).rescale(1, self.base);
        let left = until?.saturating_sub(last.pts()?);
        if !self.settings.constant || left <= step.saturating_add(step / 2) {
            return None;
        }
        let mut again = last.clone();
        again.set_pts(until.map(|until| until.saturating_sub(step)));
        Some(again)
    }

    fn drain(&mut self, until: Option<i64>) -> Result<(), Halt> {
        if let Some((_, graph)) = &mut self.current {
            graph.end_at(until)?;
        }
        self.hand_on()
    }

    fn hand_on(&mut self) -> Result<(), Halt> {
        let Some((_, graph)) = &mut self.current else { return Ok(()) };
        let own = graph.time_base();
        while let Some(mut frame) = graph.receive()? {
            let time = frame.pts().unwrap_or(0);
            frame.set_pts(Some(own.rescale(time, self.base)));
            send(self.to_encode, Pictures::Frame(frame))?;
        }
        Ok(())
    }
}
