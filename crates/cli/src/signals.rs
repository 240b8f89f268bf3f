//! Ctrl-C and SIGTERM: once to wind down, twice to stop now.

use std::time::Duration;

use pinpress_pipeline::Interrupt;

use crate::exit::Exit;
use crate::output;

/// How long stopping at once may take.
const AT_ONCE: Duration = Duration::from_secs(2);

/// The flag that the first signal sets.
pub(crate) fn interrupt() -> Interrupt {
    let interrupt = Interrupt::default();
    let flag = interrupt.clone();
    let set = ctrlc::set_handler(move || {
        if flag.halted() {
            stop();
        }
        if flag.requested() {
            // Stopping workers and removing their temp files takes a moment. The answer to a Pin that was sent is not
            // waited for: the next run looks for it.
            flag.halt();
            std::thread::spawn(|| {
                std::thread::sleep(AT_ONCE);
                stop();
            });
            return;
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
