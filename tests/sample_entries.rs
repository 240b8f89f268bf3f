//! The codecs and the forms of their sample entries that the fast path decides, each against ffprobe.

#![expect(clippy::expect_used, clippy::panic, reason = "a test stops at what it cannot go on from")]

use std::path::{Path, PathBuf};

use pinpress_fixtures::{Recipe, make_recipe};
use pinpress_probe::sample_table::{self, Decision};
use pinpress_probe::{MediaInfo, Source};

#[path = "sample_table/edit.rs"]
mod edit;
#[path = "sample_table/ffprobe.rs"]
mod ffprobe;
use edit::{edited, find, grow, insert, size_of};
use ffprobe::differences;

/// Four seconds of pictures and sound, encoded as `args` say.
fn made(name: &str, args: &str) -> PathBuf {
    let inputs = "-f lavfi -i testsrc2=size=270x480:rate=25:duration=4 \
                  -f lavfi -i sine=frequency=440:sample_rate=48000:duration=4 -pix_fmt yuv420p";
    let recipe = Recipe {
        name: name.to_owned(),
        args: inputs.split_whitespace().chain(args.split_whitespace()).map(str::to_owned).collect(),
        ..Recipe::default()
    };
    make_recipe(&recipe).expect("ffmpeg makes it")
}

fn decided(path: &Path) -> MediaInfo {
    match sample_table::read(&Source::open(path).expect("it opens")) {
        Ok(Decision::Facts(info)) => *info,
        Ok(Decision::Undecided { why, .. }) => panic!("{why}: {}", path.display()),
        Err(error) => panic!("{error}"),
    }
}

fn assert_agrees(path: &Path) -> MediaInfo {
    let info = decided(path);
    assert_eq!(differences(path, &info), Vec::<String>::new(), "{}", path.display());
    info
}

const X264: &str = "-c:v libx264 -preset ultrafast";

#[test]
fn pictures_of_every_codec() {
    let x265 = "-c:v libx265 -preset ultrafast -an -x265-params log-level=none";
    let hdr = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc";
    let tags = "-color_primaries bt709 -color_trc bt709 -colorspace bt709";
    for (name, args) in [
        ("hevc.mp4", format!("{x265} -tag:v hvc1 -c:a aac")),
        ("hevc-hdr10.mp4", format!("{x265}:{hdr} -pix_fmt yuv420p10le")),
        ("hevc-cropped.mov", format!("{x265} -tag:v hvc1 -vf scale=246:434,setsar=4/3")),
        ("hevc-422.mp4", format!("{x265} -pix_fmt yuv422p10le")),
        ("hevc-full-range.mp4", format!("{x265}:range=full")),
        ("hevc-gray.mp4", format!("{x265} -pix_fmt gray")),
        ("vp9.mp4", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 300k -c:a libopus".to_owned()),
        ("vp9-444.mp4", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 300k -pix_fmt yuv444p -an".to_owned()),
        ("av1.mp4", "-c:v libsvtav1 -preset 12 -an".to_owned()),
        ("av1-10-bit.mp4", format!("-c:v libsvtav1 -preset 12 -pix_fmt yuv420p10le {tags} -an")),
        ("mpeg4.mp4", "-c:v mpeg4 -vf setsar=12/11 -an".to_owned()),
        ("mpeg4-wide.mov", "-c:v mpeg4 -vf setsar=5/4 -c:a aac".to_owned()),
        ("prores.mov", format!("-c:v prores_ks -profile:v 3 -pix_fmt yuv422p10le {tags} -movflags write_colr -an")),
        ("h264-full-range.mp4", format!("{X264} -pix_fmt yuvj420p -an")),
        ("h264-hlg.mov", format!("{X264} -color_primaries bt2020 -color_trc arib-std-b67 -colorspace bt2020nc -an")),
        ("h264-444.mp4", format!("{X264} -pix_fmt yuv444p -an")),
    ] {
        let info = assert_agrees(&made(name, &args));
        assert_eq!(info.video.len(), 1, "{name}");
    }
}

#[test]
fn sounds_of_every_codec() {
    for (name, args) in [
        ("aac.mov", "-c:a aac"),
        ("aac-mono-22.mp4", "-c:a aac -ar 22050 -ac 1"),
        ("aac-5.1.mov", "-c:a aac -ac 6"),
        ("mp3-mono.mp4", "-c:a libmp3lame -ac 1"),
        ("mp3.mov", "-c:a libmp3lame -ar 44100 -ac 2"),
        ("ac3-5.1.mp4", "-c:a ac3 -ac 6"),
        ("ac3-mono.mov", "-c:a ac3 -ac 1 -ar 44100"),
        ("eac3.mp4", "-c:a eac3 -ac 2"),
        ("opus-mono.mp4", "-c:a libopus -ac 1"),
        ("alac.mp4", "-c:a alac -ac 2"),
        ("alac.mov", "-c:a alac -ar 44100"),
        ("flac.mp4", "-c:a flac -ac 2 -ar 44100 -strict experimental"),
        ("pcm-s16le.mov", "-c:a pcm_s16le -ac 2"),
        ("pcm-s16be.mov", "-c:a pcm_s16be"),
        ("pcm-s8.mov", "-c:a pcm_s8"),
        ("pcm-u8.mov", "-c:a pcm_u8"),
        ("pcm-s24le.mov", "-c:a pcm_s24le -ac 2"),
        ("pcm-s24be.mov", "-c:a pcm_s24be -ac 2"),
        ("pcm-s32le.mov", "-c:a pcm_s32le"),
        ("pcm-s32be.mov", "-c:a pcm_s32be"),
        ("pcm-f32le.mov", "-c:a pcm_f32le"),
        ("pcm-f64be.mov", "-c:a pcm_f64be"),
        ("pcm-96k-5.1.mov", "-c:a pcm_s24le -ar 96000 -ac 6"),
        ("pcm-mulaw.mov", "-c:a pcm_mulaw"),
        ("pcm-alaw.mov", "-c:a pcm_alaw -ac 2"),
    ] {
        let info = assert_agrees(&made(name, &format!("{X264} {args}")));
        assert_eq!(info.audio.len(), 1, "{name}");
        assert_eq!(info.anomalies, [], "{name}");
    }
}

fn with_sound() -> PathBuf {
    made("plain.mp4", &format!("{X264} -c:a aac"))
}

#[test]
fn boxes_with_64_bit_sizes() {
    // `moov` lies behind `mdat`, so that no chunk moves.
    let original = with_sound();
    let (_folder, path) = edited(&original, "long.mp4", |bytes| {
        let moov = find(bytes, b"moov", 0);
        for kind in [b"trak", b"mdia", b"minf", b"stbl", b"stsz"] {
            let at = find(bytes, kind, moov);
            let size = size_of(bytes, at) as u64 + 8;
            bytes.splice(at + 8..at + 8, size.to_be_bytes());
            bytes[at..at + 4].copy_from_slice(&1_u32.to_be_bytes());
            // Its parents: those before it have a long header by now.
            for parent in [b"trak", b"mdia", b"minf", b"stbl"].into_iter().take_while(|parent| *parent != kind) {
                let at = find(bytes, parent, moov);
                let size = u64::from_be_bytes(bytes[at + 8..at + 16].try_into().expect("eight bytes")) + 8;
                bytes[at + 8..at + 16].copy_from_slice(&size.to_be_bytes());
            }
            grow(bytes, moov, 8);
        }
    });
    let (plain, long) = (decided(&original), assert_agrees(&path));
    assert_eq!(MediaInfo { size_bytes: plain.size_bytes, ..long }, plain);
}

#[test]
fn compact_sample_sizes() {
    let original = with_sound();
    for bits in [8, 16] {
        let (_folder, path) = edited(&original, "compact.mp4", |bytes| {
            // The sound's table: its frames are small. What the sizes no longer need becomes a free box.
            let sound = find(bytes, b"mp4a", 0);
            let at = find(bytes, b"stsz", sound);
            let end = at + size_of(bytes, at);
            let sizes = bytes[at + 20..end].chunks_exact(4);
            let compact: Vec<u8> =
                sizes.flat_map(|size| if bits == 8 { vec![size[3].max(1)] } else { size[2..].to_vec() }).collect();
            let new_end = at + 20 + compact.len();
            bytes[at + 4..at + 8].copy_from_slice(b"stz2");
            bytes[at + 15] = bits;
            bytes[at + 20..new_end].copy_from_slice(&compact);
            bytes[at..at + 4].copy_from_slice(&u32::try_from(new_end - at).expect("it fits").to_be_bytes());
            let rest = u32::try_from(end - new_end).expect("it fits");
            bytes[new_end..new_end + 4].copy_from_slice(&rest.to_be_bytes());
            bytes[new_end + 4..new_end + 8].copy_from_slice(b"free");
        });
        let (plain, compact) = (decided(&original), assert_agrees(&path));
        if bits == 16 {
            assert_eq!(compact, plain);
        }
    }
}

#[test]
fn the_configuration_may_come_last() {
    let (_folder, path) = edited(&with_sound(), "last.mp4", |bytes| {
        let entry = find(bytes, b"avc1", find(bytes, b"moov", 0));
        let (first, end) = (find(bytes, b"avcC", entry), entry + size_of(bytes, entry));
        let size = size_of(bytes, first);
        bytes[first..end].rotate_left(size);
    });
    assert_eq!(assert_agrees(&path), decided(&with_sound()));
}

#[test]
fn several_parameter_sets() {
    /// Puts a second sequence parameter set, `of` the first, behind it.
    fn doubled(name: &str, of: impl Fn(&mut [u8])) -> (tempfile::TempDir, PathBuf) {
        edited(&with_sound(), name, |bytes| {
            let moov = find(bytes, b"moov", 0);
            let config = find(bytes, b"avcC", moov);
            let len = usize::from(u16::from_be_bytes([bytes[config + 14], bytes[config + 15]]));
            let mut second = bytes[config + 14..config + 16 + len].to_vec();
            of(&mut second[2..]);
            bytes[config + 13] = 0xE2;
            let parents = [b"avcC", b"avc1", b"stsd", b"stbl", b"minf", b"mdia", b"trak", b"moov"];
            insert(bytes, config + 16 + len, &second, moov, &parents);
        })
    }
    let (_folder, same) = doubled("same.mp4", |_| {});
    let plain = decided(&with_sound());
    assert_eq!(MediaInfo { size_bytes: plain.size_bytes, ..assert_agrees(&same) }, plain);
    // Another profile.
    let (_folder, other) = doubled("other.mp4", |set| set[1] = 77);
    let read = sample_table::read(&Source::open(&other).expect("it opens")).expect("it reads");
    assert!(matches!(read, Decision::Undecided { .. }));
}

#[test]
fn matrices_that_scale() {
    const ONE: i32 = 0x1_0000;
    let turned = |name: &str, matrix: [i32; 4]| {
        edited(&with_sound(), name, |bytes| {
            let at = find(bytes, b"tkhd", 0) + 8 + 40;
            for (place, entry) in [0, 4, 12, 16].into_iter().zip(matrix) {
                bytes[at + place..at + place + 4].copy_from_slice(&entry.to_be_bytes());
            }
        })
    };
    let (_folder, half) = turned("half.mp4", [0, ONE / 2, -ONE / 2, 0]);
    assert_eq!(assert_agrees(&half).video[0].orientation.rotation.degrees(), 90);
    let (_folder, double) = turned("double.mp4", [-2 * ONE, 0, 0, -2 * ONE]);
    assert_eq!(assert_agrees(&double).video[0].orientation.rotation.degrees(), 180);
    for (name, matrix) in [("wide.mp4", [2 * ONE, 0, 0, ONE]), ("skew.mp4", [ONE, ONE, -ONE, ONE])] {
        let (_folder, path) = turned(name, matrix);
        let read = sample_table::read(&Source::open(&path).expect("it opens")).expect("it reads");
        assert!(matches!(read, Decision::Undecided { .. }), "{name}");
    }
}
