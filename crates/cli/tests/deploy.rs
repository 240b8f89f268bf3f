//! The files under `deploy/`, judged by the programs that read them, and carried out where that can be done here.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;

#[cfg(test)]
#[path = "deploy/docker.rs"]
mod docker;
#[cfg(test)]
#[path = "deploy/files.rs"]
mod files;
#[cfg(test)]
#[path = "deploy/github.rs"]
mod github;
#[cfg(test)]
#[path = "deploy/kubernetes.rs"]
mod kubernetes;
#[cfg(test)]
#[path = "deploy/prometheus.rs"]
mod prometheus;
#[cfg(test)]
#[path = "deploy/slurm.rs"]
mod slurm;
#[cfg(test)]
#[path = "deploy/system_calls.rs"]
mod system_calls;
#[cfg(test)]
#[path = "deploy/systemd.rs"]
mod systemd;
#[cfg(test)]
#[path = "deploy/systemd_boot.rs"]
mod systemd_boot;
