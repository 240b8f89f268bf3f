//! Videos with lies in them, the same ones at every run: flips in `moov`, cuts at every edge, sizes, counts and time
//! scales that lie, boxes twice. `mdat` is never held: a hole of its length stands for it, so that what the index
//! says of the file stays true until a mutation makes it a lie.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use pinpress_fixtures::{make_recipe, real_clips, recipes};

/// A file of which only some pieces are not zero.
#[derive(Debug, Clone)]
pub(crate) struct Sparse {
    pub(crate) pieces: Vec<(u64, Vec<u8>)>,
    pub(crate) len: u64,
    at: u64,
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        let wanted = self.at..self.at + count as u64;
        buffer[..count].fill(0);
        for (start, bytes) in &self.pieces {
            let (from, to) = (wanted.start.max(*start), wanted.end.min(start + bytes.len() as u64));
            if from < to {
                let place = |at: u64, of: u64| usize::try_from(at - of).expect("inside a piece");
                let source = &bytes[place(from, *start)..place(to, *start)];
                buffer[place(from, wanted.start)..place(to, wanted.start)].copy_from_slice(source);
            }
        }
        self.at = wanted.end;
        Ok(count)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(at) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        self.at = at;
        Ok(at)
    }
}

/// A box somewhere in a piece, header included, and the boxes around it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) kind: [u8; 4],
    pub(crate) whole: Range<usize>,
    pub(crate) around: Vec<usize>,
}

/// A sound video, as it is mutated.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    pub(crate) name: String,
    pub(crate) file: Sparse,
    /// Which piece `moov` is.
    pub(crate) moov: usize,
    /// All boxes of that piece, `moov` first.
    pub(crate) places: Vec<Place>,
}

/// Boxes that hold boxes, and where theirs begin.
fn first_child(kind: [u8; 4]) -> Option<usize> {
    match &kind {
        b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" | b"edts" | b"dinf" | b"udta" => Some(8),
        b"stsd" | b"dref" => Some(16),
        b"avc1" => Some(86),
        _ => None,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|bytes| u32::from_be_bytes(bytes.try_into().expect("four bytes")))
}

fn places(bytes: &[u8], range: Range<usize>, around: &[usize], found: &mut Vec<Place>) {
    let mut at = range.start;
    while at + 8 <= range.end {
        let size = u32_at(bytes, at).map_or(0, |size| size as usize);
        if size < 8 || size > range.end - at {
            return;
        }
        let kind = bytes[at + 4..at + 8].try_into().expect("four bytes");
        found.push(Place { kind, whole: at..at + size, around: around.to_vec() });
        if let Some(first) = first_child(kind) {
            places(bytes, at + first..at + size, &[around, &[at]].concat(), found);
        }
        at += size;
    }
}

impl Base {
    /// `None` when the file has no `moov`.
    pub(crate) fn open(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let mut pieces = Vec::new();
        let (mut at, mut moov) = (0_usize, None);
        while at + 8 <= bytes.len() {
            let size = match u32_at(&bytes, at)? {
                0 => bytes.len() - at,
                1 => usize::try_from(u64::from_be_bytes(bytes.get(at + 8..at + 16)?.try_into().ok()?)).ok()?,
                size => size as usize,
            };
            let end = at.checked_add(size.max(8)).filter(|end| *end <= bytes.len())?;
            let held = if &bytes[at + 4..at + 8] == b"mdat" { (at + 16).min(end) } else { end };
            if &bytes[at + 4..at + 8] == b"moov" {
                moov = Some(pieces.len());
            }
            pieces.push((at as u64, bytes[at..held].to_vec()));
            at = end;
        }
        let moov = moov?;
        let mut found = Vec::new();
        places(&pieces[moov].1, 0..pieces[moov].1.len(), &[], &mut found);
        let name = path.file_name()?.to_string_lossy().into_owned();
        let file = Sparse { pieces, len: bytes.len() as u64, at: 0 };
        Some(Self { name, file, moov, places: found })
    }

    /// The same video with its `moov` changed.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Vec<u8>)) -> Sparse {
        let mut file = self.file.clone();
        change(&mut file.pieces[self.moov].1);
        // A longer `moov` covers what came behind it.
        let (start, end) = (file.pieces[self.moov].0, file.pieces[self.moov].0 + file.pieces[self.moov].1.len() as u64);
        file.pieces.retain(|(other, _)| *other <= start || *other >= end);
        file.len = file.len.max(end);
        file
    }

    /// `extra` at the end of the box at `place`; all boxes around it grow with it.
    pub(crate) fn grown(&self, place: &Place, extra: &[u8]) -> Sparse {
        self.with(|moov| {
            for at in place.around.iter().copied().chain([place.whole.start]) {
                let size = u32_at(moov, at).unwrap_or(0).wrapping_add(u32::try_from(extra.len()).expect("short"));
                moov[at..at + 4].copy_from_slice(&size.to_be_bytes());
            }
            *moov = [&moov[..place.whole.end], extra, &moov[place.whole.end..]].concat();
        })
    }
}

/// The videos to mutate: the made ones, and the sound real clips where there are some.
pub(crate) fn bases() -> Vec<Base> {
    let recipes = recipes().expect("recipes that parse");
    let mut paths: Vec<PathBuf> =
        recipes.iter().map(|recipe| make_recipe(recipe).expect("a recipe that works")).collect();
    match real_clips() {
        Some(clips) => paths.extend(clips.into_iter().filter(|clip| !clip.malformed).map(|clip| clip.path)),
        None => println!("without real clips: there is no folder of them"),
    }
    let kinds = ["mp4", "mov", "3gp", "f4v"];
    paths.retain(|path| path.extension().is_some_and(|kind| kinds.iter().any(|known| kind == *known)));
    paths.iter().filter_map(|path| Base::open(path)).collect()
}

/// A cheap generator of places and bytes, so that a failure can be repeated.
pub(crate) struct Xorshift(u64);

impl Xorshift {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).expect("below a usize")
    }
}

/// Hands every mutant of `base` to `take`, with a name that tells how to make it again.
pub(crate) fn mutants(base: &Base, flips: u64, mut take: impl FnMut(&str, Sparse)) {
    for seed in 0..flips {
        take(&format!("flips {seed}"), flipped(base, seed));
    }
    cuts(base, &mut take);
    sizes(base, &mut take);
    numbers(base, &mut take);
    twins(base, &mut take);
}

/// One to six changes of bits and words anywhere in `moov`.
fn flipped(base: &Base, seed: u64) -> Sparse {
    let mut random = Xorshift::new(seed + 1);
    base.with(|moov| {
        for _ in 0..=random.below(6) {
            let at = 8 + random.below(moov.len() - 12);
            let word = match random.below(6) {
                0 => 0,
                1 => 1,
                2 => u32::MAX,
                3 => 0x7FFF_FFFF,
                4 => u32::try_from(random.below(256)).expect("a byte"),
                _ => {
                    moov[at] ^= 1 << random.below(8);
                    continue;
                }
            };
            moov[at..at + 4].copy_from_slice(&word.to_be_bytes());
        }
    })
}

/// The file ends at the edge of a box, or a byte to either side.
fn cuts(base: &Base, take: &mut impl FnMut(&str, Sparse)) {
    let moov_at = base.file.pieces[base.moov].0;
    let inside = base.places.iter().flat_map(|place| [place.whole.start, place.whole.end]);
    let mut edges: Vec<u64> = inside.map(|edge| moov_at + edge as u64).collect();
    edges.extend(base.file.pieces.iter().flat_map(|(start, bytes)| [*start, start + bytes.len() as u64]));
    edges.sort_unstable();
    edges.dedup();
    for edge in edges {
        for len in [edge.saturating_sub(1), edge, edge + 1] {
            if len > 0 && len < base.file.len {
                take(&format!("cut at {len}"), Sparse { len, ..base.file.clone() });
            }
        }
    }
}

/// Each box's size is a lie of 32 or 64 bits.
fn sizes(base: &Base, take: &mut impl FnMut(&str, Sparse)) {
    for place in &base.places {
        let (at, size) = (place.whole.start, u32::try_from(place.whole.len()).expect("short"));
        let name = place.kind.escape_ascii();
        for lie in [0, 1, 7, 8, 9, size - 1, size + 1, size + 8, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
            let file = base.with(|moov| moov[at..at + 4].copy_from_slice(&lie.to_be_bytes()));
            take(&format!("{name} at {at} of {lie} bytes"), file);
        }
        for lie in [0, 8, 15, 16, u64::from(size), u64::from(size) + 8, 1 << 32, u64::MAX >> 1, u64::MAX - 7, u64::MAX]
        {
            let file = base.with(|moov| {
                moov[at..at + 4].copy_from_slice(&1_u32.to_be_bytes());
                if let Some(long) = moov.get_mut(at + 8..at + 16) {
                    long.copy_from_slice(&lie.to_be_bytes());
                }
            });
            take(&format!("{name} at {at} of {lie} bytes, told in 64 bits"), file);
        }
    }
    for (piece, (start, bytes)) in base.file.pieces.iter().enumerate() {
        for lie in [0_u32, 1, 2, 7, u32::MAX] {
            let mut file = base.file.clone();
            if bytes.len() >= 8 {
                file.pieces[piece].1[..4].copy_from_slice(&lie.to_be_bytes());
                take(&format!("top-level box at {start} of {lie} bytes"), file);
            }
        }
    }
}

/// Time scales of zero, and counts that no box holds.
fn numbers(base: &Base, take: &mut impl FnMut(&str, Sparse)) {
    for place in &base.places {
        let fields: &[usize] = match &place.kind {
            b"mvhd" | b"mdhd" => &[20, 28],
            b"stts" | b"ctts" | b"stsc" | b"stco" | b"co64" | b"stss" | b"elst" | b"stsd" | b"dref" => &[12],
            b"stsz" => &[12, 16],
            b"avcC" => &[12, 14],
            b"tkhd" => &[8, 20],
            _ => continue,
        };
        for field in fields {
            for lie in [0_u32, 1, 2, 0x10000, 0x1555_5556, 0x2000_0001, 0x4000_0001, 0x7FFF_FFFF, u32::MAX] {
                let at = place.whole.start + field;
                let file = base.with(|moov| {
                    if let Some(word) = moov.get_mut(at..at + 4) {
                        word.copy_from_slice(&lie.to_be_bytes());
                    }
                });
                take(&format!("{} at {} says {lie}", place.kind.escape_ascii(), at), file);
            }
        }
    }
}

/// Each box twice, the twin sound or with a child of no size.
fn twins(base: &Base, take: &mut impl FnMut(&str, Sparse)) {
    for place in base.places.iter().filter(|place| !place.around.is_empty()) {
        let Some(parent) = base.places.iter().find(|other| Some(&other.whole.start) == place.around.last()) else {
            continue;
        };
        let name = place.kind.escape_ascii();
        let mut twin = base.file.pieces[base.moov].1[place.whole.clone()].to_vec();
        take(&format!("{name} at {} twice", place.whole.start), base.grown(parent, &twin));
        if let Some(child) = first_child(place.kind).filter(|child| twin.len() >= child + 8) {
            twin[child..child + 4].fill(0);
            take(&format!("{name} at {} twice, hollow", place.whole.start), base.grown(parent, &twin));
        }
    }
}
