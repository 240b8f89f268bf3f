//! Videos in headless Chromium, from a server of the test's own.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What the browser says of a video that it has played to its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Played {
    /// Width and height of the picture, upright.
    pub(crate) size: (u32, u32),
    /// What it takes for the length, in milliseconds.
    pub(crate) duration_ms: u64,
    /// Where it was when it had ended, in milliseconds.
    pub(crate) ended_ms: u64,
    /// Mean red, green and blue of the last picture.
    pub(crate) last: [u8; 3],
    /// How far the values of one picture lie apart, at most over those that were looked at; 0 when each was flat.
    pub(crate) spread: u8,
}

/// The longest that a browser gets for a video.
const PATIENCE: Duration = Duration::from_secs(90);

/// Plays one video after the other, each in an element of its own.
const PAGE: &str = r#"<!doctype html><body></body><script>
const count = COUNT;
const say = (at, text) => fetch('/said?' + encodeURIComponent(at + ' ' + text));
const play = at => new Promise(done => {
  const v = document.createElement('video');
  v.muted = true;
  v.preload = 'auto';
  document.body.replaceChildren(v);
  const told = text => say(at, text).finally(done);
  v.onerror = () => told('error ' + v.error.message);
  let spread = 0;
  const look = () => {
    const c = document.createElement('canvas');
    c.width = c.height = 48;
    const g = c.getContext('2d');
    g.drawImage(v, 0, 0, 48, 48);
    const p = g.getImageData(0, 0, 48, 48).data.filter((_, i) => i % 4 == 0);
    spread = Math.max(spread, Math.max(...p) - Math.min(...p));
  };
  v.ontimeupdate = look;
  v.onended = () => {
    look();
    const c = document.createElement('canvas');
    c.width = v.videoWidth; c.height = v.videoHeight;
    const g = c.getContext('2d');
    g.drawImage(v, 0, 0);
    const p = g.getImageData(0, 0, c.width, c.height).data;
    const sum = [0, 0, 0];
    for (let i = 0; i < p.length; i += 4) for (let k = 0; k < 3; k++) sum[k] += p[i + k];
    const n = p.length / 4;
    told(['ended', v.videoWidth, v.videoHeight, Math.round(v.duration * 1000), Math.round(v.currentTime * 1000),
          ...sum.map(s => Math.round(s / n)), spread].join(' '));
  };
  v.src = '/' + at + '.mp4';
  v.playbackRate = 4;
  v.play().catch(e => told('error ' + e));
});
(async () => { for (let at = 0; at < count; at++) await play(at); })();
</script>"#;

/// Plays the video to its end.
pub(crate) fn play(video: &Path) -> Played {
    play_all(&[video]).remove(0)
}

/// Plays each video to its end, all in one browser: its start takes longer than most of them.
pub(crate) fn play_all<P: AsRef<Path>>(videos: &[P]) -> Vec<Played> {
    let bytes: Vec<Vec<u8>> = videos.iter().map(|video| std::fs::read(video).unwrap()).collect();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let address = format!("http://{}/", server.local_addr().unwrap());
    let profile = tempfile::tempdir().unwrap();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    let program = found.expect("chromium is missing: `cargo xtask setup --tests` installs it");
    let mut browser = Command::new(program)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"])
        .args(["--autoplay-policy=no-user-gesture-required", "--force-color-profile=srgb", "--remote-debugging-port=0"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(&address)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said: Vec<Option<String>> = vec![None; videos.len()];
    let mut heard = Instant::now();
    while said.contains(&None) && heard.elapsed() < PATIENCE {
        match server.accept() {
            Ok((stream, _)) => {
                if let Some((at, text)) = answer(stream, &bytes) {
                    said[at] = Some(text);
                    heard = Instant::now();
                }
            }
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    browser.kill().unwrap();
    browser.wait().unwrap();
    said.iter().zip(videos).map(|(said, video)| played(said.as_deref(), video.as_ref())).collect()
}

/// What the page said of a video.
fn played(said: Option<&str>, video: &Path) -> Played {
    let said = said.unwrap_or_else(|| panic!("the browser says nothing of {}", video.display()));
    let numbers: Vec<u64> = said
        .strip_prefix("ended ")
        .unwrap_or_else(|| panic!("{said}: {}", video.display()))
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect();
    let small = |at: usize| u32::try_from(numbers[at]).unwrap();
    let colour = |at: usize| u8::try_from(numbers[at]).unwrap();
    Played {
        size: (small(0), small(1)),
        duration_ms: numbers[2],
        ended_ms: numbers[3],
        last: [colour(4), colour(5), colour(6)],
        spread: colour(7),
    }
}

/// Answers one request; what the page says is given back, with the number of its video.
fn answer(mut stream: TcpStream, videos: &[Vec<u8>]) -> Option<(usize, String)> {
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let first = lines.next()?;
    let target = first.split(' ').nth(1)?.to_owned();
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let range =
        headers.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    let mut send = |head: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        // A browser may hang up in the middle of a video.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    };
    if let Some(said) = target.strip_prefix("/said?") {
        send("204 No Content", b"");
        let said = said.replace("%20", " ");
        let (at, text) = said.split_once(' ')?;
        return Some((at.parse().ok()?, text.to_owned()));
    }
    let number = target.strip_prefix('/').and_then(|name| name.strip_suffix(".mp4")?.parse::<usize>().ok());
    if let Some(video) = number.and_then(|number| videos.get(number)) {
        let from = range.and_then(|range| range.split('-').next()?.parse::<usize>().ok()).unwrap_or(0);
        let body = video.get(from..).unwrap_or_default();
        let (last, whole) = (video.len() - 1, video.len());
        send(
            &format!(
                "206 Partial Content\r\ncontent-type: video/mp4\r\naccept-ranges: bytes\r\ncontent-range: bytes {from}-{last}/{whole}"
            ),
            body,
        );
    } else if target == "/" {
        let page = PAGE.replace("COUNT", &videos.len().to_string());
        send("200 OK\r\ncontent-type: text/html", page.as_bytes());
    } else {
        send("404 Not Found", b"");
    }
    None
}
