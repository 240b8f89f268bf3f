//! A worker whose link to the ledger is cut and healed: two network namespaces, and the link between them.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pinpress_fixtures::Postgres;
use pinpress_fixtures::postgres::database_of;

use super::{files, folder, output_of, pinpress};

/// As short as it may be.
const LEASE: &str = "30s";

/// The namespace in which the worker is, and the link to it. Gone with this.
struct Link {
    namespace: String,
    here: String,
    /// The address on this side.
    address: String,
}

impl Link {
    /// `None`, and a word about it, where this may not be done.
    fn new() -> Option<Self> {
        let process = std::process::id();
        // Of 10.231.0.0/16 four addresses for each process.
        let (high, low) = (process / 64 % 256, process % 64 * 4);
        let link = Self {
            namespace: format!("pinpress-{process}"),
            here: format!("pp{process}a"),
            address: format!("10.231.{high}.{}", low + 1),
        };
        let (namespace, here, there) = (link.namespace.as_str(), link.here.as_str(), format!("pp{process}b"));
        let (near, far) = (format!("{}/30", link.address), format!("10.231.{high}.{}/30", low + 2));
        let made = [
            &["netns", "add", namespace][..],
            &["link", "add", here, "type", "veth", "peer", "name", &there, "netns", namespace],
            &["addr", "add", &near, "dev", here],
            &["link", "set", here, "up"],
            &["-n", namespace, "addr", "add", &far, "dev", &there],
            &["-n", namespace, "link", "set", &there, "up"],
            &["-n", namespace, "link", "set", "lo", "up"],
        ]
        .into_iter()
        .all(ip);
        if !made {
            println!("skipped: network namespaces take root and iproute2");
            return None;
        }
        Some(link)
    }

    fn set(&self, state: &str) {
        assert!(ip(&["link", "set", &self.here, state]), "the link cannot be set {state}");
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Of what was not made there is nothing to remove.
        let _ = ip(&["link", "del", &self.here]);
        let _ = ip(&["netns", "del", &self.namespace]);
    }
}

fn ip(args: &[&str]) -> bool {
    Command::new("ip")
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Passes on what comes to `address` to the server, which listens on loopback alone. Answers the port.
fn relay(address: &str, server: SocketAddr) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let pass = |mut from: TcpStream, mut to: TcpStream| {
        std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        })
    };
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(server) else { continue };
            let (Ok(near_again), Ok(far_again)) = (near.try_clone(), far.try_clone()) else { continue };
            pass(near, far_again);
            pass(far, near_again);
        }
    });
    port
}

/// The processes below one: its media workers and their jobs.
fn descendants(of: u32) -> Vec<u32> {
    let parent = |process: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let all: Vec<u32> = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let mut found = vec![of];
    let mut at = 0;
    while at < found.len() {
        let parent_of = found[at];
        found.extend(all.iter().copied().filter(|process| parent(*process) == Some(parent_of)));
        at += 1;
    }
    found.split_off(1)
}

fn signal(process: u32, name: &str) {
    // One that is gone needs none.
    let _ = Command::new("kill").args([name, &process.to_string()]).stderr(Stdio::null()).status().unwrap();
}

struct Ground {
    dir: tempfile::TempDir,
    server: Postgres,
    url: String,
    /// Its address on the link.
    far_url: String,
    link: Link,
}

impl Ground {
    fn new() -> Option<Self> {
        let server = Postgres::start()?;
        let dir = folder(&[("upright-16x9.mp4", "raw/first.mp4"), ("pcm-sound.mov", "later/second.mov")])?;
        let link = Link::new()?;
        let url = server.database();
        let authority = url.split_once('@').unwrap().1.split_once('/').unwrap().0.to_owned();
        let port = relay(&link.address, authority.parse().unwrap());
        let far_url = url.replace(&authority, &format!("{}:{port}", link.address));
        Some(Self { dir, server, url, far_url, link })
    }

    fn counted(&self, sql: &str) -> String {
        self.server.psql(database_of(&self.url), &format!("SET search_path TO pinpress; {sql}")).unwrap()
    }

    fn wait_until(&self, sql: &str, answer: &str) {
        let begun = Instant::now();
        while self.counted(sql) != answer {
            assert!(begun.elapsed() < Duration::from_secs(120), "{sql}: {}", self.counted(sql));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn enqueue(&self, folder: &str) {
        let mut command = pinpress();
        command.current_dir(self.dir.path()).env("PINPRESS_LEDGER", &self.url);
        command.args(["enqueue", folder, "-o", "out", "--no-publish", "--preset", "ultrafast"]);
        let ran = output_of(&mut command, self.dir.path());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }

    /// A worker on this side, or behind the link.
    fn worker(&self, behind: bool) -> Child {
        let program = env!("CARGO_BIN_EXE_pinpress");
        let mut command = Command::new(if behind { "ip" } else { program });
        if behind {
            command.args(["netns", "exec", &self.link.namespace, program]);
        }
        command.args(["work", "--jobs", "1", "-q", "--lease", LEASE, "--stall-timeout", "600"]);
        command.current_dir(self.dir.path()).env("PINPRESS_SETTLE", "0").env("XDG_CONFIG_HOME", "/nowhere");
        command.env("PINPRESS_LEDGER", if behind { &self.far_url } else { &self.url });
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn outputs(&self) -> Vec<(PathBuf, std::time::SystemTime, Vec<u8>)> {
        let mut found: Vec<_> = files(&self.dir.path().join("out"), ".mp4")
            .into_iter()
            .map(|path| {
                let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
                let bytes = std::fs::read(&path).unwrap();
                (path, modified, bytes)
            })
            .collect();
        found.sort();
        found
    }
}

#[test]
fn a_worker_that_was_cut_off_changes_nothing_when_it_comes_back() {
    let Some(ground) = Ground::new() else { return };
    ground.enqueue("raw");
    let mut cut_off = ground.worker(true);
    ground.wait_until("SELECT count(*) FROM jobs WHERE state = 'fixing'", "1");
    // Its job takes very long.
    let jobs = descendants(cut_off.id());
    assert!(!jobs.is_empty(), "no job runs");
    jobs.iter().for_each(|job| signal(*job, "-STOP"));
    ground.link.set("down");
    assert!(ground.outputs().is_empty());

    let mut other = ground.worker(false);
    ground.wait_until("SELECT state FROM queue", "done");
    let claims = ground.counted("SELECT attempts, claim FROM jobs");
    let made = ground.outputs();
    assert_eq!(made.len(), 1);
    // By now it knows that it has lost its claim, though nobody told it.
    let begun = Instant::now();
    while descendants(cut_off.id()).iter().any(|process| jobs.contains(process)) {
        assert!(begun.elapsed() < Duration::from_secs(60), "its job goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
    ground.link.set("up");
    signal(other.id(), "-TERM");
    other.wait().unwrap();
    // It is well again: what is entered now it does, as nobody else is there.
    ground.enqueue("later");
    ground.wait_until("SELECT count(*) FROM queue WHERE state = 'done'", "2");
    let after = ground.outputs();
    assert_eq!(after.len(), 2);
    assert!(after.contains(&made[0]), "the output of the other was touched");
    assert_eq!(ground.counted("SELECT attempts, claim FROM jobs ORDER BY id LIMIT 1"), claims);
    assert_eq!(ground.counted("SELECT count(*) FROM history WHERE event = 'fixed'"), "2", "each was made once");
    assert_eq!(ground.counted("SELECT count(DISTINCT ended_by) FROM queue"), "2");
    let out = ground.dir.path().join("out");
    signal(cut_off.id(), "-TERM");
    cut_off.wait().unwrap();
    assert!(files(&out, ".pinpress-tmp").is_empty(), "{:?}", files(Path::new(&out), ".pinpress-tmp"));
}
