//! Opens the user's browser.

use std::process::Stdio;

use crate::account::{APP_SECRET_VARIABLE, TOKEN_VARIABLE};

/// Opens `address` with the program that the desktop has for it; answers whether one could be started. What that does
/// then, nobody tells.
pub(crate) fn open(address: &str) -> bool {
    open::commands(address).into_iter().any(|mut command| {
        // Our secrets are none of the browser's business, and Ctrl-C is meant for us.
        command.env_remove(APP_SECRET_VARIABLE).env_remove(TOKEN_VARIABLE);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().is_ok()
    })
}
