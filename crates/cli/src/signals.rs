//! Ctrl-C and SIGTERM: once to wind down, twice to stop now.

use pinpress_pipeline::Interrupt;

use crate::exit::Exit;
use crate::output;

/// The flag that the first signal sets.
pub(crate) fn interrupt() -> Interrupt {
    let interrupt = Interrupt::default();
    let flag = interrupt.clone();
    let set = ctrlc::set_handler(move || {
        if flag.requested() {
            stop();
        }
        flag.request();
        output::warn("stopping; again to stop at once");
    });
    if let Err(error) = set {
        tracing::warn!(%error, "signals are not handled");
    }
    interrupt
}

#[expect(clippy::exit, reason = "the second signal means now; everything on disk is consistent at any moment")]
fn stop() -> ! {
    std::process::exit(Exit::Interrupted.code().into())
}
