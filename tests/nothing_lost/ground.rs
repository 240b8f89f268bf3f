//! Raw videos, the real programs, and what lies in a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// H.264 and AAC as fast as x264 makes them.
const CODECS: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";

/// A folder with `raw` in it, and the programs under names of its own.
pub(crate) struct Ground {
    dir: TempDir,
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ground {
    /// `None` where the worker is not built, which it says.
    pub(crate) fn new() -> Option<Self> {
        let worker = Path::new(env!("CARGO_BIN_EXE_pinpress")).with_file_name("pinpress-media");
        if !worker.is_file() {
            println!("skipped: build the worker with `cargo build -p pinpress-worker`");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("raw")).unwrap();
        std::os::unix::fs::symlink(worker, dir.path().join("pinpress-media")).unwrap();
        Some(Self { dir })
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A test picture of this size, length and rate with a tone, as `raw/NAME`.
    pub(crate) fn clip(&self, name: &str, size: &str, seconds: u32, rate: u32) -> PathBuf {
        self.made(name, &format!("testsrc2=s={size}:d={seconds}:r={rate}"), seconds)
    }

    /// The same, and hard to compress: some 9 MB a second.
    pub(crate) fn heavy(&self, name: &str, size: &str, seconds: u32) -> PathBuf {
        self.made(name, &format!("testsrc2=s={size}:d={seconds}:r=25,noise=alls=40:allf=t"), seconds)
    }

    /// A test picture without sound.
    pub(crate) fn silent(&self, name: &str, size: &str, seconds: u32, rate: u32) -> PathBuf {
        let (path, loud) = (self.at("raw").join(name), self.at("loud.mp4"));
        std::fs::rename(self.clip(name, size, seconds, rate), &loud).unwrap();
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-nostdin", "-i"]).arg(&loud).args([
            "-an",
            "-c",
            "copy",
            "-movflags",
            "+faststart",
        ]);
        assert!(command.arg(&path).status().unwrap().success());
        path
    }

    fn made(&self, name: &str, graph: &str, seconds: u32) -> PathBuf {
        let path = self.at("raw").join(name);
        let sound = format!("sine=d={seconds}:r=48000");
        let done = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", graph, "-f", "lavfi", "-i", &sound])
            .args(CODECS.split(' '))
            .args(["-movflags", "+faststart"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(done.success());
        path
    }

    /// `pinpress` with these arguments, in the folder, with nothing of the surroundings. Its workers can be told from
    /// others by the name of their program.
    pub(crate) fn pinpress(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PINPRESS_") {
                command.env_remove(&name);
            }
        }
        command.env("PINPRESS_MEDIA", self.at("pinpress-media")).current_dir(self.dir.path()).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Fixes all of `raw` into `output`.
    pub(crate) fn fix(&self, output: &Path, more: &[&str]) -> Command {
        let mut command = self.pinpress(&["fix", "raw", "--preset", "ultrafast", "-o"]);
        command.arg(output).args(more);
        command
    }

    /// The workers and their jobs that run for this ground.
    pub(crate) fn workers(&self) -> Vec<u32> {
        let program = self.at("pinpress-media");
        let program = program.as_os_str().as_encoded_bytes();
        processes()
            .filter(|process| {
                let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
                line.split(|&byte| byte == 0).next() == Some(program)
            })
            .collect()
    }

    /// Waits until no worker of this ground is there.
    pub(crate) fn wait_for_workers(&self) {
        let begun = Instant::now();
        while !self.workers().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "workers outlive their front: {:?}", self.workers());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What lies in a folder, by its names, with the bytes.
    pub(crate) fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        files.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
    }

    /// The names in a folder: those of files, and of what jobs write in. Workers may still be leaving it.
    pub(crate) fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let named = entries.map(|entry| (entry.path().is_file(), entry.file_name().into_string().unwrap()));
        let mut names: Vec<_> = named.filter(|(file, name)| *file || is_temp(name)).map(|(_, name)| name).collect();
        names.sort_unstable();
        names
    }

    /// Whether a job has begun to write for an output in this folder.
    pub(crate) fn is_written_to(folder: &Path) -> bool {
        Self::is_begun(folder, "")
    }

    /// Whether a job has begun to write for an output in this folder whose name begins so.
    pub(crate) fn is_begun(folder: &Path, name: &str) -> bool {
        let hidden = format!(".{name}");
        let jobs = Self::names(folder).into_iter().filter(|job| is_temp(job) && job.starts_with(&hidden));
        // Beside the lock, there is a hidden file.
        jobs.flat_map(|job| Self::names(&folder.join(job))).any(|file| file.starts_with('.'))
    }

    /// Asserts that a file is a whole video: by the gate, and by a decoder that stops at the first fault.
    pub(crate) fn assert_whole(&self, file: &Path) {
        let checked = ran(self.pinpress(&["check"]).arg(file));
        assert_eq!(checked.code, Some(0), "{}: {checked:?}", file.display());
        let decoded = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-xerror", "-i"])
            .arg(file)
            .args(["-f", "null", "-"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&decoded.stderr);
        assert!(decoded.status.success() && said.is_empty(), "{}: {said}", file.display());
    }
}

/// Whether it is the name of what no job was to leave.
pub(crate) fn is_temp(name: &str) -> bool {
    name.ends_with(".pinpress-tmp")
}

/// The same moments at each run of the test (splitmix64).
pub(crate) struct Moments(pub(crate) u64);

impl Moments {
    /// Somewhere in `span`.
    pub(crate) fn next(&mut self, span: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        span * u32::try_from((mixed ^ (mixed >> 31)) % 1000).unwrap() / 1000
    }
}

/// Runs to the end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    ended(command.spawn().unwrap())
}

/// Waits for the end.
pub(crate) fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// All processes.
pub(crate) fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// State and parent of a process or thread by its `stat` (proc(5)). Its name, in brackets, may hold anything.
pub(crate) fn state(stat: &Path) -> Option<(char, u32)> {
    let text = std::fs::read_to_string(stat).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether this process may mount; says so where not.
pub(crate) fn may_mount() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let may = mount(&["-t", "tmpfs", "-o", "size=64k", "none"], folder.path());
    if may {
        unmount(folder.path());
    } else {
        println!("skipped: this process may not mount (it needs CAP_SYS_ADMIN)");
    }
    may
}

pub(crate) fn mount(args: &[&str], at: &Path) -> bool {
    Command::new("mount").args(args).arg(at).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

pub(crate) fn unmount(at: &Path) {
    let _ = Command::new("umount").arg("-l").arg(at).status();
}

pub(crate) fn signal(process: u32, signal: rustix::process::Signal) -> bool {
    let process = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    rustix::process::kill_process(process, signal).is_ok()
}
