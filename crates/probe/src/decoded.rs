//! What decoding all of a file brought: plain data, made by whoever has decoders.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::info::{Anomaly, MediaInfo};
use crate::units::Seconds;

/// A file decoded from its first packet to its last. Times count from the first picture or sound that is shown, as the
/// duration does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decoded {
    /// Every moving picture and every sound, in file order.
    pub streams: Vec<DecodedStream>,
    /// Pieces between packets that the demuxer could not make sense of, in no stream that anybody knows.
    pub damaged: u64,
    /// When the first of them comes.
    pub first_damage: Option<Seconds>,
}

/// A stream decoded from its first packet to its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodedStream {
    /// Place in the file, from 0, over all streams.
    pub index: u32,
    /// Picture or sound.
    pub medium: Medium,
    /// libav's codec name.
    pub codec: String,
    /// Whether there is a decoder for it; without one nothing is known of it.
    pub decoder: bool,
    /// Pictures, or samples a channel.
    pub decoded: u64,
    /// Packets and pictures that are damaged, concealed or missing; one that is so in more than one way counts once.
    pub faults: u64,
    /// When the first of them is shown.
    pub first_fault: Option<Seconds>,
}

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Video => "video",
            Self::Audio => "audio",
        })
    }
}

impl Decoded {
    /// Whether all of it was decoded, without a fault.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.damaged == 0 && self.streams.iter().all(|stream| stream.decoder && stream.faults == 0)
    }

    /// Adds its faults to the facts, one anomaly a stream. They take the place of damage that was counted on packets
    /// alone: these are the same packets, and now it is known whose they are.
    pub fn add_to(&self, info: &mut MediaInfo) {
        let faulty: Vec<Anomaly> = self.streams.iter().filter(|stream| stream.faults > 0).map(Anomaly::from).collect();
        if !faulty.is_empty() || self.damaged > 0 {
            info.anomalies.retain(|anomaly| !matches!(anomaly, Anomaly::CorruptPackets { .. }));
        }
        info.anomalies.extend(faulty);
        if self.damaged > 0 {
            info.anomalies.push(Anomaly::CorruptPackets { count: self.damaged, first: self.first_damage });
        }
    }
}

impl From<&DecodedStream> for Anomaly {
    fn from(stream: &DecodedStream) -> Self {
        Self::Undecodable {
            stream: stream.index,
            medium: stream.medium,
            partly: stream.decoded > 0,
            faults: stream.faults,
            first: stream.first_fault,
        }
    }
}
