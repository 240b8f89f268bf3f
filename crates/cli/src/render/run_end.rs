//! How a video ended, in the words of programs and in what can be done about it.

use pinpress_pipeline::{End, VideoOutcome};

/// Why it ended so, where there is more to say; without the path, which stands beside it already.
pub(crate) fn reason(outcome: &VideoOutcome) -> Option<&str> {
    match &outcome.end {
        End::Later { reason } | End::Unknown { reason } | End::Failed { reason, .. } | End::SetAside { reason } => {
            let path = format!(": {}", outcome.source.display());
            Some(reason.strip_suffix(&path).unwrap_or(reason))
        }
        End::Done
        | End::UpToDate
        | End::Duplicate { .. }
        | End::Scheduled { .. }
        | End::Unlisted
        | End::Unfit
        | End::Interrupted => None,
    }
}

/// What is to be done by whoever wants it to end better.
pub(crate) const fn next_step(end: &End) -> Option<&'static str> {
    match end {
        End::Done | End::UpToDate | End::Duplicate { .. } => None,
        End::Scheduled { .. } => {
            Some("the next run after that time publishes it, and so does `pinpress publish --due`")
        }
        End::Unlisted => Some("to publish it, give it a row in the manifest, or give --board"),
        End::Later { .. } | End::Interrupted => Some("run the same command again"),
        End::Unknown { .. } => Some("look for it and say so with `pinpress reconcile`"),
        End::Unfit => Some("`pinpress fix` makes it fit, and `pinpress run` does both"),
        End::Failed { .. } | End::SetAside { .. } => {
            Some("put right what is wrong, give it new attempts with `pinpress retry`, and run the same command again")
        }
    }
}
