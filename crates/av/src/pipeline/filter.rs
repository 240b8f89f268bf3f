//! Frames through a graph.

use crossbeam_channel::{Receiver, Sender};
use ffmpeg_next::frame;

use super::{Halt, Pictures, next};
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
    let mut current: Option<(PictureShape, Graph)> = None;
    loop {
        let message = next(frames)?;
        let frame = match message {
            Pictures::Frame(frame) => frame::Video::from(frame),
            Pictures::End(until) => {
                if let Some((_, graph)) = &mut current {
                    drain(graph, until, base, to_encode)?;
                }
                to_encode.send(Pictures::End(until))?;
                return Ok(());
            }
        };
        let shape = PictureShape::of(&frame);
        let fits = current.as_ref().is_some_and(|(known, _)| *known == shape);
        if !fits {
            if let Some((_, graph)) = &mut current {
                drain(graph, frame.pts(), base, to_encode)?;
            }
            let graph = Graph::pictures(shape, base, Some(settings.frame_rate), &settings.filter, threads)?;
            current = Some((shape, graph));
        }
        if let Some((_, graph)) = &mut current {
            graph.send(Some(&frame))?;
            hand_on(graph, base, to_encode)?;
        }
    }
}

fn drain(graph: &mut Graph, until: Option<i64>, base: Fraction, to_encode: &Sender<Pictures>) -> Result<(), Halt> {
    graph.end_at(until)?;
    hand_on(graph, base, to_encode)
}

fn hand_on(graph: &mut Graph, base: Fraction, to_encode: &Sender<Pictures>) -> Result<(), Halt> {
    let own = graph.time_base();
    while let Some(mut frame) = graph.receive()? {
        let time = frame.pts().unwrap_or(0);
        frame.set_pts(Some(own.rescale(time, base)));
        to_encode.send(Pictures::Frame(frame))?;
    }
    Ok(())
}
