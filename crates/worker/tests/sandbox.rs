//! The walls, tried from inside: each case runs in a forked child that may not do what it tries.
//!
//! Without the test harness, whose threads a fork would lose.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, one that passes says so"
)]

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::Command;

use pinpress_media::PrivateFolder;
use pinpress_worker::sandbox::{Ended, Grants, Limits, confine, fork};

/// Runs `tried` behind the walls; it answers what went wrong.
fn inside(grants: &Grants, limits: Limits, tried: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let mut child = fork(|mut pipe| {
        let _walls = confine(limits, grants);
        let said = match tried() {
            Ok(()) => "fine".to_owned(),
            Err(what) => what,
        };
        let _ = pipe.write_all(said.as_bytes());
    })
    .unwrap();
    let mut said = String::new();
    child.output.read_to_string(&mut said).unwrap();
    let ended = child.wait().unwrap();
    if said == "fine" && ended == Ended::Exit(0) { Ok(()) } else { Err(format!("{said:?}, {ended:?}")) }
}

fn refused<T>(what: &str, result: io::Result<T>) -> Result<(), String> {
    match result {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(format!("{what}: refused for another reason: {error}")),
        Ok(_) => Err(format!("{what}: it was allowed")),
    }
}

fn allowed<T>(what: &str, result: io::Result<T>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error}"))
}

struct Folder {
    /// Removed at the end.
    _kept: tempfile::TempDir,
    source: std::path::PathBuf,
    secret: std::path::PathBuf,
    out: std::path::PathBuf,
}

fn folder() -> Folder {
    let kept = tempfile::tempdir().unwrap();
    let (source, secret, out) = (kept.path().join("in/a.mp4"), kept.path().join("in/b.mp4"), kept.path().join("out"));
    for folder in ["in", "out"] {
        fs::create_dir(kept.path().join(folder)).unwrap();
    }
    fs::write(&source, "a video").unwrap();
    fs::write(&secret, "another video").unwrap();
    Folder { _kept: kept, source, secret, out }
}

fn grants(folder: &Folder) -> Grants {
    Grants { read: vec![folder.source.clone()], write_in: vec![folder.out.clone()], ..Grants::default() }
}

fn only_the_source_is_readable() -> Result<(), String> {
    let folder = folder();
    inside(&grants(&folder), Limits::default(), || {
        let text = allowed("the source", fs::read(&folder.source))?;
        if text != b"a video" {
            return Err("the source reads otherwise".to_owned());
        }
        refused("its neighbour", fs::read(&folder.secret))?;
        refused("its folder", fs::read_dir(folder.source.parent().unwrap()).map(drop))?;
        refused("the passwords", fs::read("/etc/passwd"))?;
        refused("its own memory map", fs::read("/proc/self/maps"))?;
        refused("the source for writing", fs::OpenOptions::new().append(true).open(&folder.source))?;
        refused("the source's end", fs::remove_file(&folder.source))?;
        across_folders(fs::hard_link(&folder.secret, folder.out.join("b.mp4")))?;
        let way_round = folder.out.join("way-round");
        refused("a symbolic link", std::os::unix::fs::symlink(&folder.secret, way_round))
    })
}

/// Landlock answers a link or rename across folders as if they were on two devices.
fn across_folders(result: io::Result<()>) -> Result<(), String> {
    match result {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => Ok(()),
        other => Err(format!("a link across folders: {other:?}")),
    }
}

/// Refused, or answered as if the two folders were on two devices, as Landlock does when only a name would change.
fn kept_in<T: std::fmt::Debug>(what: &str, result: io::Result<T>) -> Result<(), String> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::CrossesDevices) => Ok(()),
        other => Err(format!("{what}: {other:?}")),
    }
}

fn only_the_private_folder_is_writable() -> Result<(), String> {
    let folder = folder();
    let (output, neighbour) = (folder.out.join("a.mp4"), folder.out.join("b.mp4"));
    fs::write(&neighbour, "done before").unwrap();
    let private = PrivateFolder::beside(&output).unwrap();
    let own = private.path();
    let grants = Grants { read: vec![folder.source.clone()], write_in: vec![own.to_owned()], ..Grants::default() };
    let outcome = inside(&grants, Limits::default(), || {
        let made = own.join("a.mp4");
        allowed("a file of its own", fs::write(&made, "fixed"))?;
        allowed("reading it back", fs::read(&made))?;
        allowed("another name for it", fs::rename(&made, own.join("c.mp4")))?;
        allowed("and back", fs::rename(own.join("c.mp4"), &made))?;
        allowed("one more", fs::write(own.join("x"), "x"))?;
        allowed("taking it away", fs::remove_file(own.join("x")))?;
        refused("a file in the output folder", File::create(folder.out.join("c.mp4")))?;
        refused("a folder in it", fs::create_dir(folder.out.join("deep")))?;
        refused("a look into it", fs::read_dir(&folder.out).map(drop))?;
        refused("its neighbour", fs::read(&neighbour))?;
        refused("more bytes in it", fs::OpenOptions::new().append(true).open(&neighbour))?;
        refused("fewer bytes in it", File::create(&neighbour))?;
        refused("its end", fs::remove_file(&neighbour))?;
        refused("the end of its own folder", fs::remove_dir(own))?;
        kept_in("its own file put in the place of its neighbour", fs::rename(&made, &neighbour))?;
        kept_in("its own file under its final name", fs::rename(&made, &output))?;
        kept_in("a second name for its own file", fs::hard_link(&made, &output))?;
        kept_in("its neighbour taken away", fs::rename(&neighbour, own.join("b.mp4")))?;
        kept_in("a second name for its neighbour", fs::hard_link(&neighbour, own.join("b.mp4")))
    });
    assert_eq!(fs::read(&neighbour).unwrap(), b"done before");
    assert_eq!(fs::read(own.join("a.mp4")).unwrap(), b"fixed");
    drop(private);
    assert_eq!(fs::read_dir(&folder.out).unwrap().count(), 1, "its neighbour alone is left");
    outcome
}

fn a_granted_folder_is_writable() -> Result<(), String> {
    let folder = folder();
    let outcome = inside(&grants(&folder), Limits::default(), || {
        let (temp, output) = (folder.out.join(".a.tmp"), folder.out.join("a.mp4"));
        let mut file = allowed("a temp file", File::create(&temp))?;
        allowed("its bytes", file.write_all(b"fixed"))?;
        allowed("its length", file.set_len(3))?;
        allowed("its sync", file.sync_all())?;
        allowed("its name", fs::rename(&temp, &output))?;
        allowed("the folder's sync", File::open(&folder.out).and_then(|folder| folder.sync_all()))?;
        allowed("reading it back", fs::read(&output))?;
        let other = allowed("one more", File::create(folder.out.join("x")))?;
        drop(other);
        allowed("taking it away", fs::remove_file(folder.out.join("x")))?;
        refused("a folder in it", fs::create_dir(folder.out.join("deep")))?;
        refused("a file beside the source", File::create(folder.source.with_file_name("c")))?;
        refused("a file in the system's temp folder", File::create("/tmp/pinpress-sandbox-test"))
    });
    assert_eq!(fs::read(folder.out.join("a.mp4")).unwrap(), b"fix");
    outcome
}

fn a_hard_link_can_be_made_when_it_is_granted() -> Result<(), String> {
    let folder = folder();
    let grants = Grants { link: Some(folder.source.clone()), ..grants(&folder) };
    inside(&grants, Limits::default(), || {
        allowed("the link", fs::hard_link(&folder.source, folder.out.join("a.mp4")))?;
        kept_in("a link to the neighbour", fs::hard_link(&folder.secret, folder.out.join("b.mp4")))?;
        refused("the neighbour", fs::read(&folder.secret))?;
        refused("a file beside the source", File::create(folder.source.with_file_name("c")))
    })
}

fn there_is_no_network() -> Result<(), String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    inside(&Grants::default(), Limits::default(), || {
        refused("connecting", TcpStream::connect(address))?;
        refused("listening", TcpListener::bind("127.0.0.1:0"))?;
        refused("datagrams", UdpSocket::bind("127.0.0.1:0"))?;
        refused("a pair of sockets", UnixStream::pair())
    })
}

fn there_are_no_other_programs_but_threads() -> Result<(), String> {
    inside(&Grants::default(), Limits::default(), || {
        refused("a program", Command::new("/bin/true").status())?;
        let sum = std::thread::spawn(|| 1 + 1).join();
        if sum.ok() == Some(2) { Ok(()) } else { Err("no thread".to_owned()) }
    })
}

fn memory_has_an_end() -> Result<(), String> {
    let limits = Limits { memory_bytes: Some(256 << 20) };
    inside(&Grants::default(), limits, || {
        let mut some: Vec<u8> = Vec::new();
        some.try_reserve_exact(64 << 20).map_err(|error| error.to_string())?;
        let mut much: Vec<u8> = Vec::new();
        match much.try_reserve_exact(512 << 20) {
            Err(_) => Ok(()),
            Ok(()) => Err("512 MiB were given".to_owned()),
        }
    })?;
    // Who does not ask first is aborted, not swapped.
    let mut child = fork(|_| {
        let _walls = confine(limits, &Grants::default());
        std::hint::black_box(vec![1_u8; 512 << 20]);
    })
    .unwrap();
    match child.wait().unwrap() {
        Ended::Signal(6) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn what_stands_is_told() -> Result<(), String> {
    let mut child = fork(|mut pipe| {
        let walls = confine(Limits { memory_bytes: Some(1 << 30) }, &Grants::default());
        let _ = pipe.write_all(walls.join("\n").as_bytes());
    })
    .unwrap();
    let mut told = String::new();
    child.output.read_to_string(&mut told).unwrap();
    for wall in ["address space 1024 MiB", "dies with its parent", "landlock abi ", "seccomp"] {
        if !told.contains(wall) {
            return Err(format!("{wall:?} is not in {told:?}"));
        }
    }
    Ok(())
}

fn a_child_ends_with_its_parent() -> Result<(), String> {
    // The one in the middle forks a sleeper and is gone.
    let mut middle = fork(|pipe| {
        let sleeper = fork(|mut ready| {
            let _ = ready.write_all(b".");
            std::thread::sleep(std::time::Duration::from_secs(20));
            let _ = (&pipe).write_all(b"still here");
        });
        match sleeper {
            Ok(mut sleeper) => {
                // It sleeps, or is about to: it has looked for its parent before.
                let _ = sleeper.output.read_exact(&mut [0]);
                // Not dropped, which would kill it.
                std::mem::forget(sleeper);
            }
            Err(error) => drop((&pipe).write_all(error.to_string().as_bytes())),
        }
    })
    .unwrap();
    let mut said = String::new();
    // Ends when both are gone, as each holds the other end.
    middle.output.read_to_string(&mut said).unwrap();
    middle.wait().unwrap();
    if said.is_empty() { Ok(()) } else { Err(said) }
}

type Case = fn() -> Result<(), String>;

fn main() {
    if !landlock_answers() {
        println!("skipped: this kernel has no Landlock");
        return;
    }
    let cases: [(&str, Case); 9] = [
        ("only the source is readable", only_the_source_is_readable),
        ("a granted folder is writable", a_granted_folder_is_writable),
        ("only the private folder is writable", only_the_private_folder_is_writable),
        ("a hard link can be made when it is granted", a_hard_link_can_be_made_when_it_is_granted),
        ("there is no network", there_is_no_network),
        ("there are no other programs, but threads", there_are_no_other_programs_but_threads),
        ("memory has an end", memory_has_an_end),
        ("what stands is told", what_stands_is_told),
        ("a child ends with its parent", a_child_ends_with_its_parent),
    ];
    let mut failed = 0;
    for (name, case) in cases {
        match case() {
            Ok(()) => println!("test {name} ... ok"),
            Err(why) => {
                failed += 1;
                println!("test {name} ... FAILED: {why}");
            }
        }
    }
    assert_eq!(failed, 0, "{failed} walls do not stand");
}

fn landlock_answers() -> bool {
    let mut child = fork(|mut pipe| {
        let walls = confine(Limits::default(), &Grants::default());
        let _ = pipe.write_all(walls.join("\n").as_bytes());
    })
    .unwrap();
    let mut told = String::new();
    child.output.read_to_string(&mut told).unwrap();
    told.contains("landlock")
}
