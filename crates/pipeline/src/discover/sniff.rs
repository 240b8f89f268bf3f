//! Telling a video by its name or its first bytes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Endings that promise a video. A file with one of these that is none is an error worth reporting.
pub const VIDEO_EXTENSIONS: [&str; 32] = [
    "3g2", "3gp", "asf", "avi", "divx", "dv", "f4v", "flv", "m1v", "m2t", "m2ts", "m2v", "m4v", "mkv", "mov", "mp4",
    "mpe", "mpeg", "mpg", "mts", "mxf", "ogm", "ogv", "qt", "rm", "rmvb", "tod", "ts", "vob", "webm", "wmv", "y4m",
];

/// Endings of what lies beside videos; their content is not looked at. Some share a container with videos.
const OTHER_EXTENSIONS: [&str; 46] = [
    "aac", "aif", "aiff", "ass", "avif", "bmp", "csv", "db", "doc", "docx", "flac", "gif", "heic", "heif", "html",
    "jpeg", "jpg", "json", "log", "lrv", "m4a", "m4b", "md", "mka", "mp3", "oga", "ogg", "opus", "pdf", "png", "psd",
    "rs", "sqlite", "srt", "sub", "svg", "thm", "tif", "tiff", "toml", "tsv", "txt", "vtt", "wav", "webp", "xml",
];

/// Bytes that are looked at: three packets of a transport stream with time codes (3 × 192).
const HEAD_BYTES: u64 = 576;

/// Major brands of ISO BMFF files that hold pictures or sound only (<https://mp4ra.org/registered-types/brands>).
const STILL_OR_SOUND_BRANDS: [&[u8; 4]; 10] =
    [b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"M4A ", b"M4B ", b"crx "];

/// Whether the name promises a video.
#[must_use]
pub fn has_video_extension(path: &Path) -> bool {
    extension_among(path, &VIDEO_EXTENSIONS)
}

/// Whether the first bytes are those of a video, for a file whose ending says nothing. What cannot be read is none.
#[must_use]
pub fn looks_like_video(path: &Path) -> bool {
    if extension_among(path, &OTHER_EXTENSIONS) {
        return false;
    }
    let mut head = Vec::new();
    File::open(path).is_ok_and(|file| file.take(HEAD_BYTES).read_to_end(&mut head).is_ok()) && is_video_head(&head)
}

fn extension_among(path: &Path, known: &[&str]) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| known.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

fn is_video_head(head: &[u8]) -> bool {
    let at = |from: usize, len: usize| head.get(from..from + len).unwrap_or_default();
    let iso_bmff = match at(4, 4) {
        b"ftyp" => !STILL_OR_SOUND_BRANDS.iter().any(|brand| at(8, 4) == brand.as_slice()),
        // QuickTime before `ftyp` existed.
        b"moov" | b"mdat" | b"wide" => true,
        _ => false,
    };
    let sync = |first: usize, step: usize| (0..3).all(|packet| head.get(first + packet * step) == Some(&0x47));
    iso_bmff
        || at(0, 4) == [0x1A, 0x45, 0xDF, 0xA3] // EBML (RFC 8794 §11.2.1): Matroska, WebM
        || (at(0, 4) == b"RIFF" && at(8, 4) == b"AVI ")
        || at(0, 4) == b"FLV\x01"
        // The first page of an Ogg file with Theora carries its identification header (RFC 3533 §6).
        || (at(0, 4) == b"OggS" && head.windows(7).any(|window| window == b"\x80theora"))
        // ISO/IEC 13818-1 §2.4.3.2; 192 is the form with a time code before each packet (M2TS).
        || sync(0, 188)
        || sync(4, 192)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_containers_by_their_first_bytes() {
        let ts: Vec<u8> = (0..576).map(|i| if i % 188 == 0 { 0x47 } else { 0 }).collect();
        let m2ts: Vec<u8> = (0..576).map(|i| if i % 192 == 4 { 0x47 } else { 0 }).collect();
        let videos: [&[u8]; 7] = [
            b"\0\0\0\x18ftypisom",
            b"\0\0\0\x08wide\0\0",
            b"\x1A\x45\xDF\xA3\x01",
            b"RIFF\x10\0\0\0AVI LIST",
            b"FLV\x01\x05",
            &ts,
            &m2ts,
        ];
        for head in videos {
            assert!(is_video_head(head), "{:?}", String::from_utf8_lossy(head));
        }
        let others: [&[u8]; 7] = [
            b"",
            b"G",
            b"\0\0\0\x18ftypheic",
            b"\0\0\0\x18ftypM4A ",
            b"RIFF\0\0\0\0WAVE",
            b"OggS\0\x02opus",
            b"\x89PNG",
        ];
        for head in others {
            assert!(!is_video_head(head), "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn lists_are_sorted_and_disjoint() {
        assert!(VIDEO_EXTENSIONS.is_sorted() && OTHER_EXTENSIONS.is_sorted());
        assert!(VIDEO_EXTENSIONS.iter().all(|video| !OTHER_EXTENSIONS.contains(video)));
    }

    #[test]
    fn real_clips_are_known_without_their_names() {
        let Some(clips) = pinpress_fixtures::real_clips() else {
            println!("skipped: no folder of real clips");
            return;
        };
        let mut looked_at = 0;
        for path in clips.into_iter().map(|clip| clip.path).filter(|path| has_video_extension(path)) {
            let mut head = Vec::new();
            File::open(&path).unwrap().take(HEAD_BYTES).read_to_end(&mut head).unwrap();
            assert!(is_video_head(&head), "{}", path.display());
            looked_at += 1;
        }
        assert!(looked_at > 40, "{looked_at} clips");
    }
}
