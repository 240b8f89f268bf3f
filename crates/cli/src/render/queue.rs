//! How the queue of a shared ledger stands.

use jiff::{SignedDuration, Timestamp};
use pinpress_pipeline::ledger::{QueueHost, QueueState};
use serde_json::{Value, json};

use super::check_human::counted;
use super::doubt::seconds;
use crate::output::clean;

/// For so many minutes what a program has done counts for its rate, as the ledger keeps it.
const LATELY_MINUTES: u64 = 10;

fn videos(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "video")
}

fn done_lately(state: &QueueState) -> u64 {
    state.hosts.iter().map(|host| host.lately).sum()
}

/// How long what can be done now takes at the rate of the last minutes; `None` when nobody did anything.
fn left(state: &QueueState) -> Option<SignedDuration> {
    let open = state.ready + state.again + state.at_work;
    let lately = done_lately(state);
    (open > 0 && lately > 0).then(|| {
        let seconds = open.saturating_mul(LATELY_MINUTES * 60).div_ceil(lately);
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
    })
}

/// Lines for people; none where nothing was ever entered.
pub(crate) fn human(state: &QueueState, now: Timestamp) -> Vec<String> {
    if state.open() + state.done + state.failed == 0 {
        return Vec::new();
    }
    let QueueState { ready, scheduled, again, at_work, done, failed, .. } = state;
    let mut lines = vec![format!(
        "queue: {ready} ready, {at_work} at work, {again} tried again soon, {scheduled} with a Pin to come, {done} done, \
         {failed} given up"
    )];
    if let Some(oldest) = state.oldest {
        let waits = SignedDuration::from_secs(now.duration_since(oldest).as_secs().max(0));
        lines.push(format!("       the first of the ready waits for {waits:#}"));
    }
    lines.extend(state.hosts.iter().map(|host| {
        format!(
            "       {}  {} at work, {} done in {LATELY_MINUTES} minutes, leases until {}",
            clean(&host.claimant),
            host.at_work,
            host.lately,
            seconds(host.until)
        )
    }));
    match left(state) {
        Some(left) => lines.push(format!("       at this rate done in {left:#}")),
        None if state.hosts.is_empty() && *ready > 0 => {
            lines.push(format!("       nobody works on it: {} would be done by pinpress work", videos(*ready)));
        }
        None => {}
    }
    lines
}

/// The same for programs.
pub(crate) fn document(state: &QueueState) -> Value {
    let host = |host: &QueueHost| {
        json!({
            "claimant": host.claimant, "at_work": host.at_work, "done_in_10_minutes": host.lately,
            "lease_until": host.until.to_string(),
        })
    };
    json!({
        "ready": state.ready, "scheduled": state.scheduled, "again": state.again, "at_work": state.at_work,
        "done": state.done, "failed": state.failed,
        "oldest_since": state.oldest.map(|oldest| oldest.to_string()), "next_at": state.next.map(|next| next.to_string()),
        "seconds_left": left(state).map(|left| left.as_secs()),
        "hosts": state.hosts.iter().map(host).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, lately: u64) -> QueueHost {
        QueueHost { claimant: name.to_owned(), at_work: 2, until: Timestamp::UNIX_EPOCH, lately }
    }

    #[test]
    fn the_time_left_goes_by_the_rate_of_all() {
        let hosts = vec![host("a/1/x", 60), host("b/2/y", 40)];
        let state = QueueState { ready: 150, at_work: 4, again: 1, scheduled: 9, hosts, ..QueueState::default() };
        assert_eq!(left(&state), Some(SignedDuration::from_secs(930)), "155 videos at 10 a minute");
        let told = human(&state, Timestamp::UNIX_EPOCH).join("\n");
        assert!(told.contains("b/2/y") && told.contains("at this rate done in 15m 30s"), "{told}");
    }

    #[test]
    fn an_unused_queue_is_not_told_and_one_without_workers_says_so() {
        assert!(human(&QueueState::default(), Timestamp::UNIX_EPOCH).is_empty());
        let state = QueueState { ready: 2, ..QueueState::default() };
        let told = human(&state, Timestamp::UNIX_EPOCH).join("\n");
        assert!(told.contains("nobody works on it") && left(&state).is_none(), "{told}");
    }
}
