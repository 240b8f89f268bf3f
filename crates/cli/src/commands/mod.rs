//! The commands, one file each.

pub(crate) mod boards;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod cover;
pub(crate) mod doctor;
pub(crate) mod enqueue;
pub(crate) mod fix;
pub(crate) mod help;
pub(crate) mod init;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod publish;
pub(crate) mod reconcile;
pub(crate) mod rehearse;
pub(crate) mod retry;
pub(crate) mod run;
pub(crate) mod spec;
pub(crate) mod status;
pub(crate) mod whoami;
pub(crate) mod work;
