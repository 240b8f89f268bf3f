//! Filter graphs with one way in and one way out.

use ffmpeg_next::{Error as LibavError, Frame, ffi, filter, frame};

use crate::error::{AvError, libav_errno};
use crate::facts::layout_name;
use crate::fraction::Fraction;

/// A configured graph: frames in at `in`, frames out at `out`.
pub(crate) struct Graph {
    graph: filter::Graph,
    source: filter::Context,
    sink: filter::Context,
    description: String,
}

// SAFETY: source and sink point into `graph`, which moves with them and has no tie to a thread.
unsafe impl Send for Graph {}

/// What arrives at a picture graph; frames that differ need a new graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PictureShape {
    width: u32,
    height: u32,
    format: ffi::AVPixelFormat,
    aspect: Fraction,
}

impl PictureShape {
    pub(crate) fn of(frame: &frame::Video) -> Self {
        let aspect = Fraction::from(frame.aspect_ratio());
        Self {
            width: frame.width(),
            height: frame.height(),
            format: frame.format().into(),
            aspect: if aspect.is_positive() { aspect } else { Fraction::new(1, 1) },
        }
    }
}

/// What arrives at a sound graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SoundShape {
    rate: u32,
    format: ffi::AVSampleFormat,
    /// libav's name of the channel layout, or of the usual one for so many channels.
    layout: String,
}

impl SoundShape {
    pub(crate) fn of(frame: &frame::Audio) -> Self {
        // SAFETY: the frame is owned and its layout valid; the fresh layout is set by libav before it is read, and
        // native layouts own no memory.
        let layout = unsafe {
            let layout = &(*frame.as_ptr()).ch_layout;
            layout_name(layout).or_else(|| {
                let mut usual = std::mem::zeroed();
                ffi::av_channel_layout_default(&raw mut usual, layout.nb_channels);
                layout_name(&usual)
            })
        };
        Self { rate: frame.rate(), format: frame.format().into(), layout: layout.unwrap_or_else(|| "stereo".into()) }
    }
}

impl Graph {
    /// A graph for pictures. `description` has one open input and one open output.
    pub(crate) fn pictures(
        shape: PictureShape,
        time_base: Fraction,
        frame_rate: Option<Fraction>,
        description: &str,
        threads: usize,
    ) -> Result<Self, AvError> {
        let PictureShape { width, height, format, aspect } = shape;
        let mut arguments = format!(
            "video_size={width}x{height}:pix_fmt={}:time_base={}/{}:pixel_aspect={}/{}",
            format as i32, time_base.num, time_base.den, aspect.num, aspect.den
        );
        if let Some(rate) = frame_rate.filter(|rate| rate.is_positive()) {
            arguments.push_str(&format!(":frame_rate={}/{}", rate.num, rate.den));
        }
        Self::build("buffer", &arguments, "buffersink", description, threads)
    }

    /// A graph for sound.
    pub(crate) fn sound(shape: &SoundShape, time_base: Fraction, description: &str) -> Result<Self, AvError> {
        let SoundShape { rate, format, layout } = shape;
        let arguments = format!(
            "time_base={}/{}:sample_rate={rate}:sample_fmt={}:channel_layout={layout}",
            time_base.num, time_base.den, *format as i32
        );
        Self::build("abuffer", &arguments, "abuffersink", description, 1)
    }

    fn build(source: &str, arguments: &str, sink: &str, description: &str, threads: usize) -> Result<Self, AvError> {
        crate::log::init();
        let fail =
            |error: LibavError| AvError::Filter { reason: error.to_string(), description: description.to_owned() };
        if description.contains('\0') {
            return Err(AvError::Filter { reason: "it holds a NUL".to_owned(), description: description.to_owned() });
        }
        let find = |name: &str| filter::find(name).ok_or_else(|| AvError::Missing(format!("filter {name}")));
        let mut graph = filter::Graph::new();
        // SAFETY: writing a plain field of the fresh graph, before a filter is made that reads it.
        unsafe {
            (*graph.as_mut_ptr()).nb_threads = i32::try_from(threads.max(1)).unwrap_or(1);
        }
        let source = graph.add(&find(source)?, "in", arguments).map_err(fail)?;
        let sink = graph.add(&find(sink)?, "out", "").map_err(fail)?;
        graph
            .output("in", 0)
            .and_then(|parser| parser.input("out", 0))
            .and_then(|parser| parser.parse(description))
            .and_then(|()| graph.validate())
            .map_err(fail)?;
        Ok(Self { graph, source, sink, description: description.to_owned() })
    }

    /// Gives a frame to the graph, or with `None` tells it that there are no more.
    pub(crate) fn send(&mut self, frame: Option<&Frame>) -> Result<(), AvError> {
        match frame {
            Some(frame) => self.source.source().add(frame),
            None => self.source.source().flush(),
        }
        .map_err(|error| self.fail(error))
    }

    /// Tells the graph that there are no more frames, and until when the last one is shown, in ticks of its input: a
    /// filter that makes a constant rate repeats it until then.
    pub(crate) fn end_at(&mut self, until: Option<i64>) -> Result<(), AvError> {
        let Some(until) = until else { return self.send(None) };
        self.source.source().close(until).map_err(|error| self.fail(error))
    }

    /// The next frame that is ready; `None` when it wants more input, or has ended.
    pub(crate) fn receive(&mut self) -> Result<Option<Frame>, AvError> {
        // SAFETY: an empty frame is allocated here and filled by libav before anyone reads it.
        let mut frame = unsafe { Frame::empty() };
        match self.sink.sink().frame(&mut frame) {
            Ok(()) => Ok(Some(frame)),
            Err(LibavError::Eof | LibavError::Other { errno: libav_errno::EAGAIN }) => Ok(None),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// The time base of what comes out.
    pub(crate) fn time_base(&mut self) -> Fraction {
        self.sink.sink().time_base().into()
    }

    /// Makes a sound graph give out frames of this many samples, the last one apart: AAC takes no others.
    pub(crate) fn set_frame_size(&mut self, samples: u32) {
        self.sink.sink().set_frame_size(samples);
    }

    fn fail(&self, error: LibavError) -> AvError {
        let _ = &self.graph;
        AvError::Filter { reason: error.to_string(), description: self.description.clone() }
    }
}
