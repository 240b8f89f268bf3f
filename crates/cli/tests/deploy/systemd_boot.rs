//! The service carried out: systemd as the first process of namespaces, with this machine's system below it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use pinpress_rehearsal::{BoardOptions, Rehearsal, RehearsalOptions};

use crate::files::{deployed, raw, told};

/// How long systemd may take to start.
const BOOT: Duration = Duration::from_secs(60);

/// A running systemd, with what it was given. It ends when this is dropped.
struct System {
    folder: tempfile::TempDir,
    /// `unshare`, which takes all with it.
    outer: Child,
    /// systemd itself, as it is numbered out here.
    init: u32,
}

impl System {
    /// Starts with what [`files`] has put into `folder`. `None`, and a word about it, where that cannot be done here.
    fn boot(folder: tempfile::TempDir) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deploy/boot.sh");
        let mut command = Command::new("sh");
        command.arg(script).arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut outer = command.spawn().unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = outer.try_wait().unwrap() {
                let mut said = String::new();
                std::io::Read::read_to_string(outer.stderr.as_mut().unwrap(), &mut said).unwrap();
                println!("skipped: systemd does not start in namespaces here: {status}: {said}");
                return None;
            }
            let children = format!("/proc/{0}/task/{0}/children", outer.id());
            let children = std::fs::read_to_string(children).unwrap_or_default();
            let init: Option<u32> = children.split_whitespace().next().and_then(|child| child.parse().ok());
            let is_systemd = |init: &u32| {
                std::fs::read_to_string(format!("/proc/{init}/comm")).is_ok_and(|name| name.trim() == "systemd")
            };
            if let Some(init) = init.filter(is_systemd) {
                let system = Self { folder, outer, init };
                while !told(&system.run(&["systemctl", "is-active", "basic.target"])).starts_with("active") {
                    assert!(begun.elapsed() < BOOT, "{}", told(&system.run(&["systemctl", "--no-pager"])));
                    std::thread::sleep(Duration::from_millis(100));
                }
                return Some(system);
            }
            assert!(begun.elapsed() < BOOT, "the namespaces are not made");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A command within.
    fn run(&self, command: &[&str]) -> Output {
        let mut inside = Command::new("nsenter");
        inside.args(["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--target", &self.init.to_string()]);
        inside.args(command).output().unwrap()
    }

    /// A path within, as it can be reached from here.
    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init))
    }

    /// A property of the service.
    fn property(&self, name: &str) -> String {
        let shown = self.run(&["systemctl", "show", "pinpress.service", "--value", "--property", name]);
        String::from_utf8(shown.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = self.outer.kill();
        let _ = self.outer.wait();
        let group = Path::new("/sys/fs/cgroup/systemd").join(self.folder.path().file_name().unwrap_or_default());
        // Those that were in it end in their own time.
        for _ in 0..50 {
            let mut emptied = Command::new("find");
            emptied.arg(&group).args(["-depth", "-type", "d", "-exec", "rmdir", "{}", "+"]).stderr(Stdio::null());
            if emptied.status().is_err() || !group.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A folder for a system, with what is to be in it before it starts.
fn files(raw: &Path, api: &str, token: &str) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("pinpress-boot-").tempdir().unwrap();
    let files = folder.path().join("files");
    let put = |path: &str, mode: u32, bytes: &[u8]| {
        let to = files.join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(&to, bytes).unwrap();
        std::fs::set_permissions(to, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let program = PathBuf::from(env!("CARGO_BIN_EXE_pinpress"));
    for name in ["pinpress", "pinpress-media"] {
        put(&format!("usr/local/bin/{name}"), 0o755, &std::fs::read(program.with_file_name(name)).unwrap());
    }
    for unit in ["pinpress.service", "pinpress.timer"] {
        let text = std::fs::read(deployed("systemd").join(unit)).unwrap();
        put(&format!("etc/systemd/system/{unit}"), 0o644, &text);
    }
    // As `systemctl enable --now pinpress.timer` has it.
    std::fs::create_dir(files.join("etc/systemd/system/timers.target.wants")).unwrap();
    std::os::unix::fs::symlink(
        "../pinpress.timer",
        files.join("etc/systemd/system/timers.target.wants/pinpress.timer"),
    )
    .unwrap();
    // The one thing that is other than in the file: the place of the API.
    let here = format!("[Service]\nEnvironment=PINPRESS_API={api}\n");
    put("etc/systemd/system/pinpress.service.d/here.conf", 0o644, here.as_bytes());
    put("etc/pinpress/token.env", 0o600, format!("PINPRESS_ACCESS_TOKEN={token}\n").as_bytes());
    for video in ["ready.mp4", "edit/film.mp4", "broken.mp4"] {
        put(&format!("srv/videos/{video}"), 0o644, &std::fs::read(raw.join(video)).unwrap());
    }
    folder
}

#[test]
fn the_service_publishes_a_folder_locked_in() {
    let Some(raw) = raw() else { return };
    let options = RehearsalOptions {
        processing_polls: 0,
        boards: vec![BoardOptions::named("Recipes")],
        ..RehearsalOptions::new(raw.path().join("pinterest"))
    };
    let pinterest = Rehearsal::start(options).unwrap();
    let folder = files(&raw.path().join("raw"), &pinterest.api_base(), pinterest.token());
    let Some(system) = System::boot(folder) else { return };
    assert_eq!(told(&system.run(&["systemctl", "is-active", "pinpress.timer"])).trim(), "active");

    let journal = || told(&system.run(&["journalctl", "--unit", "pinpress", "--no-pager", "--output", "cat"]));
    let start = || {
        let started = system.run(&["systemctl", "start", "pinpress.service"]);
        assert!(started.status.success(), "{}\n{}", told(&started), journal());
        // One is no video: that is no failure of the service.
        assert_eq!(["Result", "ExecMainStatus"].map(|name| system.property(name)), ["success", "1"], "{}", journal());
    };
    start();
    assert_eq!(pinterest.pins().len(), 2, "{}", journal());
    let out = system.path("/var/lib/private/pinpress/out");
    for name in ["ready.mp4", "edit/film.mp4", "edit/film.cover.jpg", "ready.pin.json"] {
        let metadata = std::fs::metadata(out.join(name)).unwrap();
        assert!(metadata.uid() >= 61_184, "{name} is of a user that was made for it: {}", metadata.uid());
        assert_eq!(metadata.mode() & 0o007, 0, "{name} is for nobody else");
    }
    // The next night there is nothing to do.
    start();
    assert_eq!(pinterest.pins().len(), 2, "{}", journal());
    let journal = journal();
    assert!(journal.contains("broken.mp4") && !journal.contains(pinterest.token()), "{journal}");
}
