//! Every bound of the fast path, in one place. A file beyond one of them is not called broken: it is left to libav,
//! which has the limits of its worker.
//!
//! Together they keep one file under 256 MB at its peak: tables are held at most in the bytes of `moov`, twice in
//! the parser and once in our own types, of which the widest (`stsc`, edit lists) take two bytes for one of the file.

/// Bytes of `moov`. Two hours at 60 fps with sound need about 12 MiB.
pub(super) const MAX_MOOV_BYTES: u64 = 32 << 20;

/// Boxes of the file itself. A progressive file has a handful.
pub(super) const MAX_TOP_LEVEL_BOXES: usize = 1_000;

/// Boxes in one box of `moov`. Metadata lists hold a few dozen; each costs us four times its header.
pub(super) const MAX_CHILDREN: usize = 4_096;

/// Tracks. One per stream; no camera writes more.
pub(super) const MAX_TRACKS: usize = 64;

/// Entries of one edit list. Editors write one for each cut, cameras one or two.
pub(super) const MAX_EDITS: usize = 4_096;

/// Bytes of `stsd`: sample entries with their decoder configuration and colour profile.
pub(super) const MAX_SAMPLE_DESCRIPTION_BYTES: usize = 256 << 10;

/// Bytes of a parameter set. H.264 bounds none, but the longest that its syntax makes sense of (all scaling lists,
/// all HRD parameters) is far below.
pub(super) const MAX_PARAMETER_SET_BYTES: usize = 4 << 10;

/// How deep metadata (`udta`, `meta`, `ilst`) is followed. The sample tables need no bound: the way to them is fixed.
pub(super) const MAX_METADATA_DEPTH: u32 = 4;
