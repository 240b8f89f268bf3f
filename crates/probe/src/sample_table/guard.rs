//! What stands in front of the `mp4` crate.
//!
//! That crate alone looped for ever on 15 of 600 mutated files (a child box of size zero makes it seek backwards)
//! and divides by a time scale of zero. So every box down to the sample tables is checked here first, table counts
//! against the bytes they claim, and time scales against zero. Boxes that nothing below asks for (`udta`, `meta`,
//! tracks of other kinds) are renamed to `free` in our copy, so that no parser meets them; and so are the sample
//! entries, which are read here (that parser knows five kinds, and one form of each), and the tables of which only the
//! first entry or the count matters: 15 minutes of video have 200 KB of composition offsets.

use std::ops::Range;

use super::Undecided;
use super::boxes::{BoxSpan, children, shorten_headers, u32_at};
use super::limits::{MAX_EDITS, MAX_METADATA_DEPTH, MAX_SAMPLE_DESCRIPTION_BYTES, MAX_TRACKS};
use super::seen::{CleanAperture, Seen};
use super::sound_entry::{self, SoundEntry};
use super::visual_entry::{self, VisualEntry};
use crate::info::{OtherStream, PrivateTag};

/// A `moov` that is safe to parse, and what the `mp4` crate does not tell.
#[derive(Debug)]
pub(super) struct Guarded {
    /// The box, its header of 8 bytes included.
    pub(super) bytes: Vec<u8>,
    /// Video and audio tracks, in the order of the `trak` boxes the parser will see.
    pub(super) tracks: Vec<GuardedTrack>,
    /// All other tracks.
    pub(super) other: Vec<OtherStream>,
    /// Metadata about person or place.
    pub(super) private: Vec<PrivateTag>,
}

/// What the guard saw in one video or audio track.
#[derive(Debug)]
pub(super) struct GuardedTrack {
    /// Place among all tracks.
    pub(super) index: u32,
    /// Its one sample entry.
    pub(super) entry: Entry,
    /// From `stz2`, which the parser does not know: a size for each sample.
    pub(super) compact_sizes: Option<Vec<u32>>,
    /// Composition offset of the first sample (`ctts`), in ticks of the media.
    pub(super) first_composition_offset: i64,
    /// How many sync samples (`stss`); `None` when all are.
    pub(super) sync_samples: Option<u64>,
    /// Whether the first sample is one of them.
    pub(super) begins_in_sync: bool,
}

/// A sample entry.
#[derive(Debug)]
pub(super) enum Entry {
    /// Of a `vide` track.
    Visual(VisualEntry),
    /// Of a `soun` track.
    Sound(SoundEntry),
}

type Guarding<T> = Result<T, Undecided>;

fn unsound(reason: impl Into<String>) -> Undecided {
    Undecided::Unsound(reason.into())
}

/// Checks `moov`, a box with a header of 8 bytes, and makes it safe to parse. What is worth keeping even when it is
/// not goes to `seen`.
pub(super) fn guard(moov: Vec<u8>, brand: Option<[u8; 4]>, seen: &mut Seen) -> Guarding<Guarded> {
    let quicktime = brand.is_none_or(|brand| brand == *b"qt  ");
    let mut bytes = moov;
    let (start, end) = (8, bytes.len());
    shorten_headers(&mut bytes, start..end);

    let mut guarded = Guarded { bytes, tracks: Vec::new(), other: Vec::new(), private: Vec::new() };
    let mut track_count = 0_u32;
    let mut cover_art = false;
    let mut fragmented = false;
    for child in children(&guarded.bytes, start..end).map_err(unsound)? {
        match &child.kind {
            b"mvhd" => movie_header(&guarded.bytes[child.payload.clone()])?,
            b"mvex" => fragmented = true,
            b"trak" => {
                let index = track_count;
                track_count += 1;
                if index as usize >= MAX_TRACKS {
                    return Err(unsound("too many tracks"));
                }
                track(&mut guarded, &child, index, quicktime, seen)?;
            }
            b"udta" | b"meta" => {
                cover_art |= metadata(&mut guarded, &child);
                hide(&mut guarded.bytes, &child);
            }
            _ => {}
        }
    }
    if fragmented {
        return Err(Undecided::Fragmented);
    }
    if cover_art {
        // libav shows it as a stream behind the tracks.
        guarded.other.push(OtherStream {
            index: track_count,
            kind: "attached-picture".to_owned(),
            codec: "covr".to_owned(),
        });
    }
    guarded.private.sort_unstable();
    guarded.private.dedup();
    Ok(guarded)
}

fn hide(bytes: &mut [u8], span: &BoxSpan) {
    bytes[span.start + 4..span.start + 8].copy_from_slice(b"free");
}

/// `mvhd`: its time scale, and its matrix, which libav multiplies into that of every track. Nothing writes another
/// than the unit matrix, so that is not done here.
fn movie_header(payload: &[u8]) -> Guarding<()> {
    const ONE: u32 = 0x1_0000;
    time_scale(payload, 12, 20)?;
    let at = if payload.first() == Some(&1) { 48 } else { 36 };
    let turn = [0, 4, 12, 16].map(|field| u32_at(payload, at + field));
    if turn == [Some(ONE), Some(0), Some(0), Some(ONE)] {
        Ok(())
    } else {
        Err(Undecided::codec("a display matrix of the whole movie"))
    }
}

/// A version 0 or 1 header whose time scale must not be zero.
fn time_scale(payload: &[u8], short_at: usize, long_at: usize) -> Guarding<()> {
    let at = match payload.first() {
        Some(0) => short_at,
        Some(1) => long_at,
        _ => return Err(unsound("a header of unknown version")),
    };
    match u32_at(payload, at) {
        Some(0) | None => Err(unsound("a time scale of zero")),
        Some(_) => Ok(()),
    }
}

/// The one box of that kind. Of two the parser would take the last, which nobody has looked into.
fn find<'a>(spans: &'a [BoxSpan], kind: &[u8; 4]) -> Guarding<&'a BoxSpan> {
    let mut found = spans.iter().filter(|span| span.kind == *kind);
    match (found.next(), found.next()) {
        (Some(span), None) => Ok(span),
        (None, _) => Err(unsound(format!("no {}", kind.escape_ascii()))),
        (Some(_), Some(_)) => Err(unsound(format!("more than one {}", kind.escape_ascii()))),
    }
}

fn track(guarded: &mut Guarded, span: &BoxSpan, index: u32, quicktime: bool, seen: &mut Seen) -> Guarding<()> {
    let bytes = &guarded.bytes;
    let inside = |range: &Range<usize>| children(bytes, range.clone()).map_err(unsound);
    let trak = inside(&span.payload)?;
    let mdia = inside(&find(&trak, b"mdia")?.payload)?;
    let handler_at = &find(&mdia, b"hdlr")?.payload;
    let handler = bytes[handler_at.clone()].get(8..12).ok_or_else(|| unsound("hdlr too short"))?;
    let handler = [handler[0], handler[1], handler[2], handler[3]];
    let minf = inside(&find(&mdia, b"minf")?.payload)?;
    let stbl = inside(&find(&minf, b"stbl")?.payload)?;
    let stsd = find(&stbl, b"stsd")?;
    if stsd.payload.len() > MAX_SAMPLE_DESCRIPTION_BYTES {
        return Err(Undecided::codec("a long sample description"));
    }
    let (entry, entry_count) = sample_entry(bytes, &stsd.payload)?;

    if !matches!(&handler, b"vide" | b"soun") {
        guarded.other.push(OtherStream {
            index,
            kind: other_kind(handler).to_owned(),
            codec: entry.as_ref().map_or_else(|| handler.escape_ascii().to_string(), BoxSpan::name),
        });
        let whole = span.clone();
        hide(&mut guarded.bytes, &whole);
        return Ok(());
    }
    let entry_span = entry.ok_or_else(|| unsound("no sample entry"))?;
    let entry = if handler == *b"vide" {
        let entry = visual_entry::read(bytes, &entry_span)?;
        let aperture = entry.clean_aperture.map(|clean| CleanAperture { stream: index, coded: entry.size, clean });
        seen.clean_apertures.extend(aperture);
        Entry::Visual(entry)
    } else {
        let version = bytes[stsd.payload.clone()].first().copied().unwrap_or(0);
        Entry::Sound(sound_entry::read(bytes, &entry_span, quicktime, version)?)
    };
    if entry_count != 1 {
        return Err(Undecided::codec("more than one sample entry"));
    }
    time_scale(&bytes[find(&mdia, b"mdhd")?.payload.clone()], 12, 20)?;
    tables(bytes, &stbl)?;
    for edts in trak.iter().filter(|span| span.kind == *b"edts") {
        for elst in inside(&edts.payload)?.iter().filter(|span| span.kind == *b"elst") {
            let payload = &bytes[elst.payload.clone()];
            let entry = if payload.first() == Some(&1) { 20 } else { 12 };
            if table(payload, "elst", 4, entry)? > MAX_EDITS {
                return Err(Undecided::codec("a long edit list"));
            }
        }
    }
    for dinf in minf.iter().filter(|span| span.kind == *b"dinf") {
        for dref in inside(&dinf.payload)?.iter().filter(|span| span.kind == *b"dref") {
            let entries = dref.payload.start + 8..dref.payload.end;
            (entries.start <= entries.end).then_some(()).ok_or_else(|| unsound("dref too short"))?;
            inside(&entries)?;
        }
    }
    let mut sizes = stbl.iter().filter(|span| matches!(&span.kind, b"stsz" | b"stz2"));
    if let (Some(_), Some(_)) = (sizes.next(), sizes.next()) {
        return Err(unsound("more than one table of sizes"));
    }
    let compact = stbl.iter().find(|span| span.kind == *b"stz2").cloned();
    let compact_sizes = compact.as_ref().map(|span| compact_sizes(&bytes[span.payload.clone()])).transpose()?;
    let hidden: Vec<_> = trak.iter().filter(|span| matches!(&span.kind, b"udta" | b"meta")).cloned().collect();
    for span in &hidden {
        metadata(guarded, span);
        hide(&mut guarded.bytes, span);
    }
    hide(&mut guarded.bytes, &entry_span);
    if let Some(span) = compact {
        // The field that holds the width of a size in `stz2` is in `stsz` the one size of all samples: the parser
        // reads a table without entries, and the count.
        guarded.bytes[span.start + 4..span.start + 8].copy_from_slice(b"stsz");
    }
    let payload_of =
        |kind: &[u8; 4]| stbl.iter().find(|span| span.kind == *kind).map(|span| &guarded.bytes[span.payload.clone()]);
    let first_composition_offset = payload_of(b"ctts").map_or(0, first_offset);
    let sync_samples = payload_of(b"stss").and_then(|stss| u32_at(stss, 4)).map(u64::from);
    let begins_in_sync = payload_of(b"stss").is_none_or(|stss| u32_at(stss, 8) == Some(1));
    for long in stbl.iter().filter(|span| matches!(&span.kind, b"ctts" | b"stss")) {
        hide(&mut guarded.bytes, long);
    }
    guarded.tracks.push(GuardedTrack {
        index,
        entry,
        compact_sizes,
        first_composition_offset,
        sync_samples,
        begins_in_sync,
    });
    Ok(())
}

/// The offset in the first entry of `ctts` (ISO/IEC 14496-12 §8.6.1.3). Version 0 has no signs, but writers use them.
fn first_offset(payload: &[u8]) -> i64 {
    let entries = u32_at(payload, 4).unwrap_or(0);
    let offset = u32_at(payload, 12).filter(|_| entries > 0).unwrap_or(0);
    i64::from(offset.cast_signed())
}

/// `stz2` (ISO/IEC 14496-12 §8.7.3.3): sizes of 4, 8 or 16 bits.
fn compact_sizes(payload: &[u8]) -> Guarding<Vec<u32>> {
    let too_short = || unsound("stz2 too short");
    let width = *payload.get(7).ok_or_else(too_short)?;
    let count = u32_at(payload, 8).ok_or_else(too_short)? as usize;
    let entries = payload.get(12..).ok_or_else(too_short)?;
    let bits = count.checked_mul(usize::from(width)).filter(|bits| bits.div_ceil(8) <= entries.len());
    if bits.is_none() {
        return Err(unsound(format!("stz2 claims {count} entries in {} bytes", entries.len())));
    }
    Ok(match width {
        4 => entries.iter().flat_map(|byte| [byte >> 4, byte & 0xF]).take(count).map(u32::from).collect(),
        8 => entries.iter().take(count).map(|size| u32::from(*size)).collect(),
        16 => entries.chunks_exact(2).take(count).map(|size| u32::from(size[0]) << 8 | u32::from(size[1])).collect(),
        other => return Err(unsound(format!("stz2 of {other} bits"))),
    })
}

fn sample_entry(bytes: &[u8], stsd: &Range<usize>) -> Guarding<(Option<BoxSpan>, u32)> {
    let count = u32_at(&bytes[stsd.clone()], 4).ok_or_else(|| unsound("stsd too short"))?;
    let entries = children(bytes, stsd.start + 8..stsd.end).map_err(unsound)?;
    Ok((entries.into_iter().next(), count))
}

fn other_kind(handler: [u8; 4]) -> &'static str {
    match &handler {
        b"text" | b"sbtl" | b"subt" | b"subp" | b"clcp" => "subtitle",
        b"tmcd" => "timecode",
        _ => "data",
    }
}

fn tables(bytes: &[u8], stbl: &[BoxSpan]) -> Guarding<()> {
    for (place, span) in stbl.iter().enumerate() {
        let payload = &bytes[span.payload.clone()];
        let (count_at, entry) = match &span.kind {
            b"stts" | b"ctts" | b"co64" => (4, 8),
            b"stsc" => (4, 12),
            b"stss" | b"stco" => (4, 4),
            b"stsz" => match u32_at(payload, 4) {
                Some(0) => (8, 4),
                Some(_) => (8, 0),
                None => return Err(unsound("stsz too short")),
            },
            _ => continue,
        };
        // Of two, readers take the first or the last.
        if stbl.iter().skip(place + 1).any(|later| later.kind == span.kind) {
            return Err(unsound(format!("more than one {}", span.name())));
        }
        table(payload, &span.name(), count_at, entry)?;
    }
    Ok(())
}

/// A table's count must fit its box: `count` entries of `entry` bytes after the count itself. Answers the count.
fn table(payload: &[u8], name: &str, count_at: usize, entry: usize) -> Guarding<usize> {
    let count = u32_at(payload, count_at).ok_or_else(|| unsound(format!("{name} too short")))? as usize;
    let room = payload.len() - count_at - 4;
    if count.checked_mul(entry).is_some_and(|needed| needed <= room) {
        Ok(count)
    } else {
        Err(unsound(format!("{name} claims {count} entries in {room} bytes")))
    }
}

/// Looks for location and device, and says whether there is cover art. A metadata box that is not sound is passed
/// over: nothing depends on it.
fn metadata(guarded: &mut Guarded, span: &BoxSpan) -> bool {
    let mut found = MetadataFound::default();
    look(&guarded.bytes, span, MAX_METADATA_DEPTH, &mut found);
    guarded.private.extend(found.private);
    found.cover_art
}

#[derive(Default)]
struct MetadataFound {
    private: Vec<PrivateTag>,
    cover_art: bool,
}

fn look(bytes: &[u8], span: &BoxSpan, depth: u32, found: &mut MetadataFound) {
    match &span.kind {
        b"\xa9xyz" | b"loci" => found.private.push(PrivateTag::Location),
        b"\xa9mak" | b"\xa9mod" | b"manu" | b"modl" => found.private.push(PrivateTag::Device),
        b"covr" => found.cover_art = true,
        b"keys" => {
            // QuickTime metadata keys are plain text (QuickTime File Format, "Metadata item keys atom").
            let keys = &bytes[span.payload.clone()];
            let has = |key: &[u8]| keys.windows(key.len()).any(|window| window == key);
            if has(b".location.") {
                found.private.push(PrivateTag::Location);
            }
            if has(b".make") || has(b".model") || has(b".manufacturer") {
                found.private.push(PrivateTag::Device);
            }
        }
        b"udta" | b"meta" | b"ilst" if depth > 0 => {
            // `meta` is a full box in ISO BMFF and a plain one in QuickTime.
            let skip = if span.kind == *b"meta"
                && u32_at(&bytes[span.payload.clone()], 4) != Some(u32::from_be_bytes(*b"hdlr"))
            {
                4
            } else {
                0
            };
            let start = (span.payload.start + skip).min(span.payload.end);
            // QuickTime closes `udta` with four zero bytes.
            let mut end = span.payload.end;
            if span.kind == *b"udta"
                && end - start >= 4
                && bytes[end - 4..end] == [0; 4]
                && children(bytes, start..end).is_err()
            {
                end -= 4;
            }
            for child in children(bytes, start..end).unwrap_or_default() {
                look(bytes, &child, depth - 1, found);
            }
        }
        _ => {}
    }
}
