//! What `--deep` found, as the JSON contract names it.

use pinpress_probe::{Decoded, DecodedStream, Medium, Seconds};
use schemars::JsonSchema;
use serde::Serialize;

/// What decoding every picture and sound of a video brought.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Deep")]
pub(crate) struct DeepJson {
    /// Every moving picture and every sound, in file order.
    streams: Vec<StreamJson>,
    /// Faults between packets, in no stream that anybody knows; only where there are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<FaultsJson>,
}

/// A stream, decoded from its first packet to its last. Without counts there is no decoder for it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "DecodedStream")]
struct StreamJson {
    /// Its place in the file, from 0.
    stream: u32,
    /// Picture or sound.
    kind: Kind,
    /// libav's codec name.
    codec: String,
    /// Pictures that were decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<u64>,
    /// Samples a channel that were decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<u64>,
    /// Packets and pictures that are damaged, concealed or missing; one that is so in more than one way counts once.
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<u64>,
    /// When the first of them is shown, in milliseconds from the first picture or sound; `null` without one.
    first_fault_ms: Option<i64>,
}

/// What a stream is for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "DecodedKind")]
enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// Faults, and when they begin.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Faults")]
struct FaultsJson {
    /// How many.
    faults: u64,
    /// When the first of them comes, in milliseconds from the first picture or sound.
    first_fault_ms: Option<i64>,
}

impl From<&Decoded> for DeepJson {
    fn from(decoded: &Decoded) -> Self {
        let container =
            FaultsJson { faults: decoded.damaged, first_fault_ms: decoded.first_damage.map(Seconds::millis) };
        Self {
            streams: decoded.streams.iter().map(StreamJson::from).collect(),
            container: (decoded.damaged > 0).then_some(container),
        }
    }
}

impl From<&DecodedStream> for StreamJson {
    fn from(stream: &DecodedStream) -> Self {
        let count = |medium| (stream.decoder && stream.medium == medium).then_some(stream.decoded);
        Self {
            stream: stream.index,
            kind: match stream.medium {
                Medium::Video => Kind::Video,
                Medium::Audio => Kind::Audio,
            },
            codec: stream.codec.clone(),
            frames: count(Medium::Video),
            samples: count(Medium::Audio),
            faults: stream.decoder.then_some(stream.faults),
            first_fault_ms: stream.first_fault.map(Seconds::millis),
        }
    }
}
