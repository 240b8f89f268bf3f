//! The list of metrics for `pinpress help metrics`, out of the same table as the page that is served.

use std::fmt::Write as _;

use pinpress_telemetry::{Kind, METRICS};

/// Columns of a terminal that the help keeps to.
const WIDTH: usize = 100;
/// What stands before an explanation.
const INDENT: &str = "      ";

/// Name, labels and kind of each metric, and under it what it says.
pub(crate) fn list() -> String {
    let mut list = String::new();
    for metric in METRICS {
        let labels = if metric.labels.is_empty() { String::new() } else { format!("{{{}}}", metric.labels.join(", ")) };
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let _ = writeln!(list, "  {}{labels}, a {kind}\n{}", metric.name(), wrapped(metric.help));
    }
    list.trim_end().to_owned()
}

/// The words in indented lines.
fn wrapped(text: &str) -> String {
    let mut lines = vec![INDENT.to_owned()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() == INDENT.len() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{INDENT}{word}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_listed_by_the_name_that_is_asked_for() {
        let list = list();
        assert!(list.contains("  pinpress_videos{state}, a gauge\n      Videos of this run"), "{list}");
        assert!(list.contains("  pinpress_upload_bytes_total, a counter\n"), "{list}");
        assert_eq!(list.lines().filter(|line| line.starts_with("  pinpress_")).count(), METRICS.len());
    }
}
