//! The page of metrics, read by the parsers that the Prometheus project keeps for Python.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Instant;

use pinpress_fixtures::Postgres;
use pinpress_rehearsal::{Rehearsal, RehearsalOptions};

use crate::ground::{output_of, pinpress};
use crate::watched::{LIMIT, RAW, Running, command, get, raw};

const OPENMETRICS: &str = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";

/// Each sample as `name{label="value"}` and its value; fails where the parser does.
const PARSE: &str = r#"
import json, sys
from prometheus_client.parser import text_string_to_metric_families as prometheus
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
families = list((openmetrics if sys.argv[1] == "openmetrics" else prometheus)(sys.stdin.read()))
samples = {}
for family in families:
    assert family.documentation and family.type in ("counter", "gauge"), family
    for sample in family.samples:
        labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
        key = f"{sample.name}{{{labels}}}" if labels else sample.name
        assert key not in samples, key
        samples[key] = sample.value
print(json.dumps(samples))
"#;

/// What the parser reads; `None` where it is not installed, which it says.
fn parsed(format: &str, page: &str) -> Option<BTreeMap<String, f64>> {
    let library = pinpress_fixtures::tools_folder().join("prometheus");
    if !library.join("prometheus_client/parser.py").is_file() {
        println!("skipped: no prometheus_client: `cargo xtask test` installs it");
        return None;
    }
    let mut child = Command::new("python3")
        .args(["-c", PARSE, format])
        .env("PYTHONPATH", library)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{format} is not right:\n{page}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Asks until a page holds `line`.
fn page_with(address: &str, accept: &str, line: &str) -> (String, String) {
    let begun = Instant::now();
    loop {
        let (head, page) = get(address, "/metrics", accept).unwrap();
        if page.lines().any(|known| known == line) {
            return (head, page);
        }
        assert!(begun.elapsed() < LIMIT, "never {line}:\n{page}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_run_that_watches_shows_what_it_did() {
    let Some(dir) = raw(&RAW) else { return };
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let mut command = command(dir.path(), &pinterest);
    command.args(["run", "raw", "-o", "out", "--preset", "ultrafast", "--board", "rehearsal", "--watch"]);
    command.args(["--metrics", "127.0.0.1:0", "--daily-calls", "5000"]);
    let mut run = Running::start(command);
    let address = run.address();
    assert!(get(&address, "/healthz", "*/*").unwrap().0.starts_with("HTTP/1.1 200 "));
    let (head, page) = page_with(&address, OPENMETRICS, "pinpress_videos{state=\"published\"} 3");
    assert!(get(&address, "/readyz", "*/*").unwrap().0.starts_with("HTTP/1.1 200 "));
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    let (head, plain) = get(&address, "/metrics", "*/*").unwrap();
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    // No name of a video, no title, no secret.
    for secret in [pinterest.token(), "ready", "film", "wide", "broken", "raw/", dir.path().to_str().unwrap()] {
        assert!(!page.contains(secret) && !plain.contains(secret), "{secret} is on the page:\n{page}");
    }
    let size = |name: &str| dir.path().join("out").join(name).metadata().unwrap().len();
    let uploaded = size("ready.mp4") + size("film.mp4") + size("wide.mp4");
    let (Some(open), Some(samples)) = (parsed("openmetrics", &page), parsed("prometheus", &plain)) else { return };
    assert_eq!(open.keys().collect::<Vec<_>>(), samples.keys().collect::<Vec<_>>(), "one page, two formats");
    let of = |name: &str| samples[name];
    let videos: f64 = samples.iter().filter(|(name, _)| name.starts_with("pinpress_videos{")).map(|(_, n)| n).sum();
    assert!((videos - 4.0).abs() < 0.1, "each video is in one place: {samples:#?}");
    let exact = [
        ("pinpress_videos{state=\"failed\"}", 1.0),
        ("pinpress_stage_videos_total{stage=\"check\",result=\"done\"}", 3.0),
        ("pinpress_stage_videos_total{stage=\"check\",result=\"failed\"}", 1.0),
        ("pinpress_stage_videos_total{stage=\"publish\",result=\"done\"}", 3.0),
        ("pinpress_rule_failures_total{rule=\"frame-rate\"}", 1.0),
        ("pinpress_rule_failures_total{rule=\"aspect-ratio\"}", 1.0),
        ("pinpress_rule_failures_total{rule=\"container\"}", 0.0),
        ("pinpress_worker_deaths_total{kind=\"crashed\"}", 0.0),
        ("pinpress_queue_age_seconds", 0.0),
        ("pinpress_pins_waiting", 0.0),
    ];
    for (name, value) in exact {
        assert!((of(name) - value).abs() < f64::EPSILON, "{name} is {}", of(name));
    }
    // All three go through every stage, and play for some fifteen seconds together.
    for stage in ["check", "fix", "cover", "publish"] {
        let media = of(&format!("pinpress_stage_media_seconds_total{{stage=\"{stage}\"}}"));
        assert!((14.0..17.0).contains(&media), "{stage}: {media}");
        assert!(of(&format!("pinpress_stage_work_seconds_total{{stage=\"{stage}\"}}")) > 0.0, "{stage}");
    }
    assert_eq!(
        of("pinpress_upload_bytes_total").to_string(),
        uploaded.to_string(),
        "no more and no less than the outputs"
    );
    let left: Vec<_> = samples.iter().filter(|(name, _)| name.starts_with("pinpress_api_calls_left{")).collect();
    let day = left.iter().find(|(name, _)| name.contains("window=\"86400s\"") && name.contains("limit=\"5000\""));
    assert!(left.len() == 2 && day.is_some_and(|(_, left)| (4_900.0..5_000.0).contains(*left)), "{left:?}");
    let (code, said) = run.interrupt();
    assert_eq!(code, Some(130), "{said}");
    assert!(get(&address, "/healthz", "*/*").is_none(), "it ends with the run");
}

/// A worker is ready while the database is there, and shows the calls that are left from the first order on.
#[test]
fn a_worker_tells_whether_its_ledger_is_within_reach() {
    let Some(mut server) = Postgres::start() else { return };
    let Some(dir) = raw(&RAW[..1]) else { return };
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let url = server.database();
    let on_it = |args: &[&str]| {
        let mut command = command(dir.path(), &pinterest);
        command.env("PINPRESS_LEDGER", &url).args(args);
        command
    };
    let mut worker = Running::start(on_it(&["work", "--metrics", "127.0.0.1:0"]));
    let address = worker.address();
    let becomes = |code: &str| {
        let begun = Instant::now();
        while !get(&address, "/readyz", "*/*").unwrap().0.starts_with(&format!("HTTP/1.1 {code} ")) {
            assert!(begun.elapsed() < LIMIT, "never {code}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    becomes("200");
    server.kill().unwrap();
    becomes("503");
    assert!(get(&address, "/healthz", "*/*").unwrap().0.starts_with("HTTP/1.1 200 "), "it is alive all the same");
    server.up().unwrap();
    becomes("200");
    let (_, page) = get(&address, "/metrics", "*/*").unwrap();
    assert!(!page.contains("pinpress_api_calls_left{"), "there is no order yet:\n{page}");
    let entered = on_it(&["enqueue", "raw", "-o", "out", "--preset", "ultrafast", "--board", "rehearsal"]).status();
    assert!(entered.unwrap().success());
    let (_, page) = page_with(&address, "*/*", "pinpress_videos{state=\"published\"} 1");
    assert!(page.contains("pinpress_api_calls_left{"), "{page}");
    worker.interrupt();
}

#[test]
fn what_waits_for_its_time_is_told_when_it_is_published_out_of_the_ledger() {
    let Some(dir) = raw(&[("conforming-9x16.mp4", "raw/a.mp4"), ("film-24fps.mp4", "raw/b.mp4")]) else { return };
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let spaced = ["run", "raw", "-o", "out", "--preset", "ultrafast", "--board", "rehearsal", "--every", "10h"];
    assert!(command(dir.path(), &pinterest).args(spaced).status().unwrap().success());
    assert_eq!(pinterest.pins().len(), 1, "the other one waits");
    let mut command = command(dir.path(), &pinterest);
    command.args(["publish", "--due", "-o", "out", "--watch", "--metrics", "127.0.0.1:0"]);
    let mut run = Running::start(command);
    let address = run.address();
    let (_, page) = page_with(&address, "*/*", "pinpress_pins_waiting 1");
    assert!(page.contains("pinpress_videos{state=\"scheduled\"} 1\n"), "{page}");
    let Some(samples) = parsed("prometheus", &page) else { return };
    let due = samples["pinpress_next_pin_timestamp_seconds"] - samples["pinpress_start_time_seconds"];
    assert!((9.0 * 3_600.0..10.0 * 3_600.0).contains(&due), "in ten hours: {due}");
    run.interrupt();
}

#[test]
fn a_taken_address_is_told_before_anything_is_done() {
    let Some(dir) = raw(&RAW[..1]) else { return };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = pinpress();
    command.args(["run", "raw", "-o", "out", "--no-publish", "--metrics", &address]).current_dir(dir.path());
    let told = output_of(&mut command, dir.path());
    assert_eq!(told.code, 2, "{}{}", told.stdout, told.stderr);
    assert!(told.stderr.contains(&address) && told.stderr.contains("--metrics"), "{}", told.stderr);
    assert!(!dir.path().join("out").exists(), "nothing was begun");
    let mut command = pinpress();
    command.args(["run", "raw", "-o", "out", "--no-publish", "--metrics", "9464"]).current_dir(dir.path());
    let told = output_of(&mut command, dir.path());
    assert!(told.code == 2 && told.stderr.contains("write HOST:PORT"), "{}", told.stderr);
}

/// A worker that dies over a video is counted, for each of its attempts.
#[test]
fn workers_that_die_are_counted() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(dir) = raw(&RAW[1..2]) else { return };
    let worker = dir.path().join("worker");
    std::fs::write(&worker, "#!/bin/sh\nread line\nkill -9 $$\n").unwrap();
    std::fs::set_permissions(&worker, std::fs::Permissions::from_mode(0o755)).unwrap();
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let mut command = command(dir.path(), &pinterest);
    command.env("PINPRESS_MEDIA", worker).args(["run", "raw", "-o", "out", "--board", "rehearsal", "--watch"]);
    let mut run = Running::start({
        command.args(["--metrics", "127.0.0.1:0"]);
        command
    });
    let address = run.address();
    let (_, page) = page_with(&address, "*/*", "pinpress_videos{state=\"failed\"} 1");
    assert!(page.contains("pinpress_stage_videos_total{stage=\"fix\",result=\"failed\"} 1\n"), "{page}");
    assert!(page.contains("pinpress_worker_deaths_total{kind=\"crashed\"} 1\n"), "{page}");
    run.interrupt();
}
