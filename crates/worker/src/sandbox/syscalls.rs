//! seccomp: no network, no other programs, nothing of the kernel that a decoder has no use for.

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(super) fn apply() -> Option<String> {
    None
}

/// Takes the system calls of [`FORBIDDEN`] from the calling thread and all that it starts. `None` where the kernel
/// has no seccomp.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn apply() -> Option<String> {
    let programs = filters().ok()?;
    for program in &programs {
        seccompiler::apply_filter(program).ok()?;
    }
    Some("seccomp: no network, no programs".to_owned())
}

/// Answered with `EPERM`. Landlock covers TCP from ABI 4 on and abstract sockets from 6 on; here every socket goes.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
const FORBIDDEN: &[i64] = &[
    // the network
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // ways around the list: operations that are handed to the kernel by ring
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // other programs and processes; without a session or group of its own it cannot escape the kill of its group
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    // other views of the system
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_by_handle_at,
    // the kernel itself
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
];

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn filters() -> Result<[seccompiler::BpfProgram; 2], seccompiler::BackendError> {
    use std::collections::BTreeMap;

    use seccompiler::{
        SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
    };

    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = |calls: BTreeMap<i64, Vec<SeccompRule>>, errno: i32| {
        let errno = SeccompAction::Errno(errno.unsigned_abs());
        SeccompFilter::new(calls, SeccompAction::Allow, errno, arch)?.try_into()
    };

    let mut forbidden: BTreeMap<i64, Vec<SeccompRule>> = FORBIDDEN.iter().map(|&call| (call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    forbidden.extend([(libc::SYS_fork, Vec::new()), (libc::SYS_vfork, Vec::new())]);
    // `clone` makes threads, which decoders need, and processes, which they do not.
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    let no_thread = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), 0)?;
    forbidden.insert(libc::SYS_clone, vec![SeccompRule::new(vec![no_thread])?]);

    // A filter cannot look into `clone3`'s argument in memory. Told that there is no such call, the C library makes
    // its threads with `clone`.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    Ok([filter(forbidden, libc::EPERM)?, filter(unknown, libc::ENOSYS)?])
}
