//! Every metric: the one list that the page of metrics and the page of help are made of.

/// What a value does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows while the program runs.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// The metrics, one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Id {
    BuildInfo,
    StartTime,
    Videos,
    QueueAge,
    StageVideos,
    StageMedia,
    StageWork,
    RuleFailures,
    WorkerDeaths,
    Upload,
    ApiCallsLeft,
    PinsWaiting,
    NextPin,
}

/// A metric.
#[derive(Debug)]
pub struct Metric {
    pub(crate) id: Id,
    /// Its name without `pinpress_`, unit and `_total`.
    pub(crate) stem: &'static str,
    /// What it counts in, as a part of its name.
    pub(crate) unit: Option<&'static str>,
    /// What its value does.
    pub kind: Kind,
    /// What tells its values apart.
    pub labels: &'static [&'static str],
    /// What it says, in a sentence or two.
    pub help: &'static str,
}

/// How every name begins.
pub(crate) const PREFIX: &str = "pinpress";

impl Metric {
    /// The name by which it is asked for.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = format!("{PREFIX}_{}", self.stem);
        for part in self.unit.into_iter().chain((self.kind == Kind::Counter).then_some("total")) {
            name.push('_');
            name.push_str(part);
        }
        name
    }
}

const fn gauge(id: Id, stem: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { id, stem, unit: None, kind: Kind::Gauge, labels, help }
}

const fn counter(id: Id, stem: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { id, stem, unit: None, kind: Kind::Counter, labels, help }
}

const fn of(unit: &'static str, metric: Metric) -> Metric {
    Metric { unit: Some(unit), ..metric }
}

/// All of them, in the order of the page. No label has a path or a title: there would be as many series as videos, and
/// they are nobody's business.
pub static METRICS: &[Metric] = &[
    gauge(Id::BuildInfo, "build_info", &["version"], "Always 1, for the version of pinpress."),
    of("seconds", gauge(Id::StartTime, "start_time", &[], "When the run began, since 1970.")),
    gauge(
        Id::Videos,
        "videos",
        &["state"],
        "Videos of this run by where they are: waiting, checking, fixing, covering, publishing; and at their end \
         published, done (without a Pin), or the other ends of pinpress help runs, as failed and set-aside.",
    ),
    of(
        "seconds",
        gauge(
            Id::QueueAge,
            "queue_age",
            &[],
            "How long ago the oldest video was found that waits for a stage; 0 when none does.",
        ),
    ),
    counter(
        Id::StageVideos,
        "stage_videos",
        &["stage", "result"],
        "Videos that a stage (check, fix, cover, publish) is through with; result is done, or failed, which is also what \
         was stopped or is left for later.",
    ),
    of(
        "seconds",
        counter(
            Id::StageMedia,
            "stage_media",
            &["stage"],
            "How long the videos play that a stage has done: its rate is seconds of video in a second.",
        ),
    ),
    of(
        "seconds",
        counter(
            Id::StageWork,
            "stage_work",
            &["stage"],
            "How long a stage was at work, added up over its videos; its rate is how many are worked on at once.",
        ),
    ),
    counter(Id::RuleFailures, "rule_failures", &["rule"], "Sources that were read and fail a rule."),
    counter(
        Id::WorkerDeaths,
        "worker_deaths",
        &["kind"],
        "Media workers that were lost over a video: crashed, stalled (no progress for the stall timeout), endless (over its whole time).",
    ),
    of("bytes", counter(Id::Upload, "upload", &[], "Bytes of videos that were handed to the network.")),
    gauge(
        Id::ApiCallsLeft,
        "api_calls_left",
        &["window", "limit", "name"],
        "Calls of the Pinterest API that may be made now, for each rate limit that its answers or --daily-calls tell of.",
    ),
    gauge(Id::PinsWaiting, "pins_waiting", &[], "Pins that wait for their time, as of the last look."),
    of(
        "seconds",
        gauge(
            Id::NextPin,
            "next_pin_timestamp",
            &[],
            "When the first of the Pins that wait is due, since 1970; not there when none waits.",
        ),
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_rules_of_prometheus() {
        let names: BTreeSet<String> = METRICS.iter().map(Metric::name).collect();
        assert_eq!(names.len(), METRICS.len(), "no name stands twice");
        for (metric, name) in METRICS.iter().zip(METRICS.iter().map(Metric::name)) {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
            // Base units, and no name that OpenMetrics keeps for itself.
            assert!(metric.unit.is_none_or(|unit| ["seconds", "bytes"].contains(&unit)), "{name}");
            assert!(!["_count", "_sum", "_bucket", "_created"].iter().any(|ending| name.ends_with(ending)), "{name}");
            assert!(metric.help.ends_with('.') && !metric.help.contains('\n'), "{name}: {}", metric.help);
        }
    }

    #[test]
    fn no_label_names_a_video() {
        let labels: BTreeSet<&str> = METRICS.iter().flat_map(|metric| metric.labels).copied().collect();
        let known = ["kind", "limit", "name", "result", "rule", "stage", "state", "version", "window"];
        assert_eq!(
            labels,
            known.into_iter().collect(),
            "a new label: how many values has it, and do they tell of a video?"
        );
    }
}
