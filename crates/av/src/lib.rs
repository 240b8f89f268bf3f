//! The one door to FFmpeg: hardened open, facts, decode, filter, encode, mux, log capture.
//!
//! No type of FFmpeg leaves this crate, and none of our other crates is known to it: facts and jobs are plain data,
//! times are microseconds or ticks of a [`Fraction`]. Errors name no path, as the caller knows it.
//!
//! Written against FFmpeg 5.1; nothing is called that later versions have removed.

#![expect(unsafe_code, reason = "libav is a C library; each block says why it is sound")]

pub mod about;
mod amr;
pub mod colour;
pub mod digest;
pub mod error;
pub mod facts;
pub mod fraction;
pub mod job;
pub mod log;
pub mod picture;
pub mod pipeline;
pub mod proof;
pub mod sample;
pub mod scan;
pub mod sniff;
pub mod stills;
pub mod sync;
pub mod turn;

mod bitstream;
mod decoder;
mod encoder;
mod graph;
mod input;
mod muxer;
mod nal;
mod tail;
mod tkhd;
mod witness;

pub use about::{About, about};
pub use bitstream::LEFT_STEP;
pub use colour::Colour;
pub use digest::{StreamDigest, Units};
pub use encoder::{H264Encoder, try_open};
pub use error::AvError;
pub use facts::{AudioFacts, Facts, Opened, PixelFacts, StreamFacts, StreamKind, VideoFacts};
pub use fraction::Fraction;
pub use input::Cancel;
pub use job::{
    AudioEncode, AudioTrack, Cropping, Done, Job, Part, Reached, Retime, VideoEdit, VideoEncode, VideoExtend,
    VideoTrack,
};
pub use log::{init, take_log};
pub use pipeline::{run, run_opened};
pub use proof::{DecodeProof, StreamProof, decode_all, decode_seam, decode_streams};
pub use sample::{Fields, Grey, Sample, SampleOptions, sample};
pub use scan::{Scan, StreamScan, digest_samples, scan, scan_digests};
pub use stills::{Still, StillOptions, Stills};
pub use sync::{SyncTimes, sync_times};
pub use turn::Turn;
