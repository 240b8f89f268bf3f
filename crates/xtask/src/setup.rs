//! System packages: FFmpeg's development files and command line, libclang for bindgen, pkg-config, compilers for C and
//! for `libFuzzer`'s C++; for the tests also the programs that judge, for the benches those measured against.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::step;

/// FFmpeg's libraries, by their pkg-config names.
const LIBRARIES: [&str; 6] = ["libavcodec", "libavfilter", "libavformat", "libavutil", "libswresample", "libswscale"];

/// Debian and Ubuntu.
const APT: [&str; 12] = [
    "gcc",
    "g++",
    "libc6-dev",
    "pkg-config",
    "libclang-dev",
    "libavcodec-dev",
    "libavfilter-dev",
    "libavformat-dev",
    "libavutil-dev",
    "libswresample-dev",
    "libswscale-dev",
    "ffmpeg",
];

/// For tests alone: the browser that looks at the pages, the validator of the `JUnit` report, the database of shared
/// ledgers, and what makes reads fail.
const APT_FOR_TESTS: [&str; 6] = ["chromium", "dbus-daemon", "gnome-keyring", "libxml2-utils", "postgresql", "strace"];

/// A Slurm of one machine, and what its credentials are made by: array jobs are run by a real one. Where apt is not, its
/// tests are skipped.
const APT_FOR_ARRAYS: [&str; 4] = ["slurmctld", "slurmd", "slurm-client", "munge"];

/// The same, as a thing that is missing.
const SLURM: &str = "Slurm";

/// What installs and runs judges that come from `PyPI`.
const APT_FOR_PYTHON: [&str; 1] = ["python3-venv"];

/// The same, as a thing that is missing.
const PYTHON: &str = "Python with venv";

/// What installs and runs judges that come from npm. Only where it is missing: Node.js from elsewhere has an npm of its
/// own, beside which apt's cannot be.
const APT_FOR_NPM: [&str; 2] = ["nodejs", "npm"];

/// The same, as a thing that is missing.
const NODE: &str = "Node.js with npm";

/// For benches alone: the programs that are measured against.
const APT_FOR_BENCHES: [&str; 3] = ["mediainfo", "handbrake-cli", "ffmpegthumbnailer"];

/// Their names, and what makes them print their version.
const MEASURED_AGAINST: [(&str, &str); 3] =
    [("mediainfo", "--Version"), ("HandBrakeCLI", "--version"), ("ffmpegthumbnailer", "-v")];

/// Other systems: the program that tells them, and what to type there.
const ELSEWHERE: [(&str, &str); 3] = [
    (
        "dnf",
        "sudo dnf install gcc gcc-c++ clang-devel pkgconf-pkg-config ffmpeg ffmpeg-devel   (FFmpeg with x264 is in RPM Fusion)",
    ),
    ("pacman", "sudo pacman -S --needed base-devel clang ffmpeg pkgconf"),
    ("brew", "brew install ffmpeg llvm pkgconf"),
];

/// Installs what is missing to build and run, where apt does it; elsewhere says what to type.
pub(crate) fn run() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    println!("missing: {}", missing.join(", "));
    if step::succeeds("apt-get", &["--version"]) {
        return apt(&APT, self::missing);
    }
    match ELSEWHERE.iter().find(|(program, _)| step::succeeds(program, &["--version"])) {
        Some((_, words)) => bail!("install what is missing, then run this again:\n    {words}"),
        None => bail!(
            "install FFmpeg 5.1 or later with its development files, libclang and pkg-config, then run this again"
        ),
    }
}

/// The same, and what the tests need besides.
pub(crate) fn for_tests() -> Result<()> {
    run()?;
    let missing = missing_for_tests();
    if !missing.is_empty() {
        println!("missing for the tests: {}", missing.join(", "));
        if !step::succeeds("apt-get", &["--version"]) {
            bail!("install {}, then run this again", missing.join(", "));
        }
        let for_npm: &[&str] = if missing.contains(&NODE) { &APT_FOR_NPM } else { &[] };
        let for_python: &[&str] = if missing.contains(&PYTHON) { &APT_FOR_PYTHON } else { &[] };
        let for_arrays: &[&str] = if missing.contains(&SLURM) { &APT_FOR_ARRAYS } else { &[] };
        apt(&[&APT_FOR_TESTS, for_npm, for_python, for_arrays].concat(), missing_for_tests)?;
    }
    Ok(())
}

fn missing_for_tests() -> Vec<&'static str> {
    let mut missing = Vec::new();
    if !["chromium", "chromium-browser", "google-chrome"].iter().any(|name| step::succeeds(name, &["--version"])) {
        missing.push("Chromium");
    }
    if !step::succeeds("xmllint", &["--version"]) {
        missing.push("xmllint");
    }
    if !step::succeeds("node", &["--version"]) || !step::succeeds("npm", &["--version"]) {
        missing.push(NODE);
    }
    // Debian keeps the server's programs out of the way.
    if !step::succeeds("postgres", &["--version"]) && !Path::new("/usr/lib/postgresql").is_dir() {
        missing.push("PostgreSQL");
    }
    if !step::succeeds("python3", &["-c", "import venv, ensurepip"]) {
        missing.push(PYTHON);
    }
    // It traces on Linux alone, and the tests that need it are not built elsewhere.
    if cfg!(target_os = "linux") && !step::succeeds("strace", &["--version"]) {
        missing.push("strace");
    }
    // Daemons are not in everybody's PATH.
    let daemons = ["/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/bin/sbatch"];
    let by_apt = cfg!(target_os = "linux") && step::succeeds("apt-get", &["--version"]);
    if by_apt && !daemons.iter().all(|program| Path::new(program).is_file()) {
        missing.push(SLURM);
    }
    let keyring = ["dbus-run-session", "gnome-keyring-daemon"];
    if cfg!(target_os = "linux") && !keyring.iter().all(|program| step::succeeds(program, &["--version"])) {
        missing.push("GNOME's keyring");
    }
    missing
}

fn missing() -> Vec<&'static str> {
    let mut missing = Vec::new();
    if !step::succeeds("cc", &["--version"]) {
        missing.push("a C compiler");
    }
    if !step::succeeds("c++", &["--version"]) {
        missing.push("a C++ compiler");
    }
    if !step::succeeds("pkg-config", &["--version"]) {
        missing.push("pkg-config");
    }
    if !step::succeeds("pkg-config", &[&["--exists"], &LIBRARIES[..]].concat()) {
        missing.push("FFmpeg's development files");
    }
    if !has_libclang() {
        missing.push("libclang");
    }
    if !step::succeeds("ffmpeg", &["-version"]) || !step::succeeds("ffprobe", &["-version"]) {
        missing.push("the ffmpeg command line");
    }
    missing
}

/// Where `clang-sys` looks, near enough: an LLVM folder with `libclang.so` and the headers of its compiler.
fn has_libclang() -> bool {
    if std::env::var_os("LIBCLANG_PATH").is_some() {
        return true;
    }
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path().join("lib"));
    let folders = folders
        .chain(["/usr/lib64", "/usr/lib", "/opt/homebrew/opt/llvm/lib", "/usr/local/opt/llvm/lib"].map(Into::into));
    folders.into_iter().any(|folder| holds_libclang(&folder))
}

fn holds_libclang(folder: &Path) -> bool {
    std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libclang.so")
            || name.starts_with("libclang-") && name.contains(".so")
            || name == "libclang.dylib"
    })
}

/// The same, and what benches measure against.
pub(crate) fn for_benches() -> Result<()> {
    run()?;
    let missing = missing_for_benches();
    if !missing.is_empty() {
        println!("missing for the benches: {}", missing.join(", "));
        if !step::succeeds("apt-get", &["--version"]) {
            bail!("install {}, then run this again", missing.join(" and "));
        }
        apt(&APT_FOR_BENCHES, missing_for_benches)?;
    }
    for (program, argument) in MEASURED_AGAINST {
        step::status(Command::new(program).arg(argument).stderr(std::process::Stdio::null()))?;
    }
    Ok(())
}

fn missing_for_benches() -> Vec<&'static str> {
    let missing = MEASURED_AGAINST.iter().filter(|(program, argument)| !step::succeeds(program, &[argument]));
    missing.map(|(program, _)| *program).collect()
}

fn apt(packages: &[&str], missing: fn() -> Vec<&'static str>) -> Result<()> {
    let root = std::env::var("USER").is_ok_and(|user| user == "root") || is_root();
    let apt = |args: &[&str]| {
        let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
        if !root {
            command.arg("apt-get");
        }
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    step::run(&mut apt(&["update", "-qq"]))?;
    step::run(&mut apt(&[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat()))?;
    let still = missing();
    if !still.is_empty() {
        bail!("still missing after the installation: {}", still.join(", "));
    }
    Ok(())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
