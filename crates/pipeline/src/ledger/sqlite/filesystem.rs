//! Which filesystem a ledger would be on. SQLite's log needs memory that all who have the file open share, and locks
//! that are given once: a filesystem of another machine promises neither (<https://www.sqlite.org/wal.html>,
//! <https://www.sqlite.org/howtocorrupt.html>, read 2026-11-30), and a lock that is given twice makes a Pin twice.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Names as the kernel and FUSE give them (`filesystems(5)`, `mount(8)`), without `fuse.`.
const OF_OTHER_MACHINES: [&str; 37] = [
    "9p",
    "acfs",
    "afs",
    "beegfs",
    "blobfuse",
    "blobfuse2",
    "ceph",
    "ceph-fuse",
    "cifs",
    "coda",
    "curlftpfs",
    "davfs",
    "davfs2",
    "gcsfuse",
    "gfs2",
    "glusterfs",
    "goofys",
    "gpfs",
    "gvfsd-fuse",
    "juicefs",
    "lustre",
    "mfs",
    "mount-s3",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "pvfs2",
    "rclone",
    "s3fs",
    "s3ql",
    "smb3",
    "smbfs",
    "smbnetfs",
    "sshfs",
    "vboxsf",
];

/// The type of the network filesystem that holds `folder`, which exists; `None` on a local one, and where the system
/// does not tell.
pub(super) fn network(folder: &Path) -> Option<String> {
    // Only Linux has it; a container may hide it.
    let mounts = std::fs::read("/proc/self/mountinfo").ok()?;
    let folder = folder.canonicalize().ok()?;
    let kind = kind_of(&mounts, &folder)?;
    is_network(&kind).then_some(kind)
}

fn is_network(kind: &str) -> bool {
    OF_OTHER_MACHINES.contains(&kind.strip_prefix("fuse.").unwrap_or(kind))
}

/// The type of the filesystem at `folder`, by the text of `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`): of all that
/// are mounted at or above it the nearest, and of those the one that was mounted last.
fn kind_of(mounts: &[u8], folder: &Path) -> Option<String> {
    let mounts = mounts.split(|byte| *byte == b'\n').filter_map(mount);
    let above = mounts.filter(|(point, _)| folder.starts_with(point));
    above.max_by_key(|(point, _)| point.components().count()).map(|(_, kind)| kind)
}

/// `36 35 98:0 /root /mount/point options [optional fields] - type source options`
fn mount(line: &[u8]) -> Option<(PathBuf, String)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = unescaped(fields.nth(4)?);
    let mut fields = fields.skip_while(|field| *field != b"-");
    fields.next()?;
    let kind = std::str::from_utf8(fields.next()?).ok()?.to_owned();
    Some((point, kind))
}

/// Space, tab, newline and backslash stand as `\` and three octal digits.
fn unescaped(mut field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    while let Some((first, rest)) = field.split_first() {
        let code = rest.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| *first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                field = &rest[3..];
            }
            None => {
                bytes.push(*first);
                field = rest;
            }
        }
    }
    #[cfg(unix)]
    let name: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&bytes);
    #[cfg(not(unix))]
    let name = String::from_utf8_lossy(&bytes);
    #[cfg(not(unix))]
    let name: &OsStr = OsStr::new(&*name);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as Linux writes them: a workstation, WSL 2, a container, an autofs with NFS over it.
    const MOUNTS: &str = r"22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
61 27 0:52 / /home/ann/NAS rw,relatime shared:30 - cifs //nas/videos rw,vers=3.1.1,username=ann
62 27 0:53 / /srv/my\040videos rw,relatime shared:31 master:2 - nfs4 fileserver:/export rw,vers=4.2
63 27 0:54 / /mnt/c rw,noatime - 9p C:\134 rw,dirsync,aname=drvfs;path=C:\;uid=1000
64 27 0:55 / /home/ann/cloud rw,nosuid,nodev,relatime shared:33 - fuse.rclone remote: rw,user_id=1000
65 27 0:56 / /home/ann/disk rw,nosuid,nodev,relatime shared:34 - fuseblk /dev/sdb1 rw,user_id=0
66 27 0:57 / /net rw,relatime shared:35 - autofs /etc/auto.net rw,fd=6
67 66 0:58 / /net/host rw,relatime shared:36 - nfs host:/ rw
68 27 0:59 / /over rw,relatime - nfs host:/ rw
69 68 0:60 / /over rw,relatime - tmpfs none rw
70 62 0:61 / /srv/my\040videos/fast rw,relatime - xfs /dev/sdc1 rw
not a line of it
";

    fn kind(folder: &str) -> Option<String> {
        kind_of(MOUNTS.as_bytes(), Path::new(folder))
    }

    #[test]
    fn the_nearest_mount_that_is_on_top_holds_a_folder() {
        for (folder, expected) in [
            ("/home/ann/out/.pinpress", "ext4"),
            ("/home/ann/NAS/out", "cifs"),
            ("/home/ann/NASty", "ext4"),
            ("/srv/my videos", "nfs4"),
            ("/srv/my videos/fast/out", "xfs"),
            ("/mnt/c/Users", "9p"),
            ("/home/ann/cloud", "fuse.rclone"),
            ("/home/ann/disk", "fuseblk"),
            ("/net/host/raw", "nfs"),
            ("/over/it", "tmpfs"),
        ] {
            assert_eq!(kind(folder).as_deref(), Some(expected), "{folder}");
        }
        assert_eq!(kind_of(b"", Path::new("/")), None);
    }

    #[test]
    fn only_those_of_other_machines_are_refused() {
        assert!(["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.rclone"].into_iter().all(is_network));
        for local in
            ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "fuse.mergerfs", "virtiofs", "autofs"]
        {
            assert!(!is_network(local), "{local}");
        }
        assert!(OF_OTHER_MACHINES.is_sorted());
    }

    #[test]
    fn a_folder_of_this_test_is_local() {
        assert_eq!(network(tempfile::tempdir().unwrap().path()), None);
    }
}
