//! The door between the two halves: what the front may ask of the worker, what comes back, and the client that
//! starts workers, limits and watches them.

pub mod client;
pub mod cover;
pub mod final_name;
pub mod options;
pub mod plan;
mod private_folder;
pub mod signal;
pub mod wire;

pub use client::{Deaths, Observer, TEMP_SUFFIX, Workers, WorkersConfig, remove_abandoned, sweep_abandoned, temp_name};
pub use cover::{Candidate, CoverOptions, Covers, Flaw, PictureFiles, PictureFormat, Rejected, ScorePart};
pub use options::{AspectMode, CropFocus, Encoder, FixOptions, FpsMode, LinkMode, LongMode, ShortMode};
/// Part of [`Candidate`] and [`CoverOptions`]: who asks for covers need not know `probe`.
pub use pinpress_probe::Seconds;
pub use plan::{
    Action, AudioStep, DroppedStream, Estimate, Fill, Part, Plan, RateStep, Retime, VideoEdit, VideoEncode,
    VideoExtend, VideoStep,
};
pub use private_folder::PrivateFolder;
pub use signal::signal_name;
pub use wire::{
    About, EncoderReport, EncoderState, Event, Failure, FailureKind, Fix, Fixed, Outcome, Progress, Reply, Request,
    Salvaged, Stage, WirePath, wire_millis,
};
