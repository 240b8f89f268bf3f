//! Pins by the real program against a Pinterest on loopback: scheduled, spaced, of unknown outcome, tried again. The
//! videos fit and have their covers, so that no media worker is needed.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;
mod pins {
    mod account;
    mod crash;
    mod dry_run;
    mod reconcile;
    mod schedule;
}
