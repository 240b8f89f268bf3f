//! The page of metrics, in the formats of `OpenMetrics` and of Prometheus.

use std::fmt;
use std::sync::Arc;

use pinpress_media::FailureKind;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::metric::{Id, Kind, METRICS, Metric, PREFIX};
use crate::metrics::Metrics;

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `OpenMetrics` 1.0.0, which Prometheus asks for first.
    OpenMetrics,
    /// Prometheus' own, 0.0.4, which everything else reads.
    Prometheus,
}

impl Format {
    /// The one that the header `Accept` of a request asks for.
    pub(crate) fn accepted(header: Option<&str>) -> Self {
        if header.is_some_and(|header| header.contains("application/openmetrics-text")) {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
        }
    }
}

/// Writes pages.
#[derive(Debug)]
pub(crate) struct Exposition(Registry);

impl Exposition {
    pub(crate) fn of(metrics: Arc<Metrics>) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(Shown(metrics)));
        Self(registry)
    }

    pub(crate) fn page(&self, format: Format) -> Result<String, fmt::Error> {
        let mut page = String::new();
        match format {
            Format::OpenMetrics => text::encode(&mut page, &self.0)?,
            Format::Prometheus => prometheus_text::encode(&mut page, &self.0)?,
        }
        Ok(page)
    }
}

/// What is shown when somebody asks.
#[derive(Debug)]
struct Shown(Arc<Metrics>);

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for metric in METRICS {
            let unit = metric.unit.map(|unit| Unit::Other(unit.to_owned()));
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
            };
            let encoder = encoder.encode_descriptor(metric.stem, metric.help, unit.as_ref(), kind)?;
            Samples { metric, encoder }.write(&self.0)?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Value {
    Count(u64),
    Seconds(f64),
}

/// The values of a metric, as they are written.
struct Samples<'a> {
    metric: &'static Metric,
    encoder: MetricEncoder<'a>,
}

impl Samples<'_> {
    fn write(mut self, metrics: &Metrics) -> fmt::Result {
        use Value::{Count, Seconds};
        match self.metric.id {
            Id::BuildInfo => self.sample(&[metrics.version], Count(1)),
            Id::StartTime => self.sample(&[], Seconds(metrics.begun().as_secs_f64())),
            Id::Videos => {
                let states = metrics.with_tally(|tally| tally.states());
                states.into_iter().try_for_each(|(state, count)| self.sample(&[state], Count(count)))
            }
            Id::QueueAge => {
                let age = metrics.with_tally(|tally| tally.queue_age());
                self.sample(&[], Seconds(age.as_secs_f64()))
            }
            Id::StageVideos => stages(metrics).try_for_each(|(stage, tally)| {
                self.sample(&[stage, "done"], Count(tally.done))?;
                self.sample(&[stage, "failed"], Count(tally.failed))
            }),
            Id::StageMedia => {
                stages(metrics).try_for_each(|(stage, tally)| self.sample(&[stage], Seconds(tally.media.as_secs_f64())))
            }
            Id::StageWork => {
                stages(metrics).try_for_each(|(stage, tally)| self.sample(&[stage], Seconds(tally.work.as_secs_f64())))
            }
            Id::RuleFailures => {
                let failures: Vec<_> = metrics.with_tally(|tally| tally.rule_failures().collect());
                failures.into_iter().try_for_each(|(rule, count)| self.sample(&[rule.name()], Count(count)))
            }
            Id::WorkerDeaths => metrics.worker_deaths().counts().into_iter().try_for_each(|(kind, count)| {
                let kind = match kind {
                    FailureKind::Stalled => "stalled",
                    FailureKind::Endless => "endless",
                    _ => "crashed",
                };
                self.sample(&[kind], Count(count))
            }),
            Id::Upload => {
                let bytes = metrics.with_tally(|tally| tally.uploaded());
                self.sample(&[], Count(bytes))
            }
            Id::ApiCallsLeft => metrics.calls_left().iter().try_for_each(|left| {
                let window = left.window.span.map_or_else(String::new, |span| format!("{}s", span.as_secs()));
                let name = left.window.name.as_deref().unwrap_or_default();
                self.sample(&[&window, &left.window.limit.to_string(), name], Count(left.left))
            }),
            Id::PinsWaiting => {
                let (pins, _) = metrics.with_tally(|tally| tally.pins());
                self.sample(&[], Count(pins as u64))
            }
            Id::NextPin => match metrics.with_tally(|tally| tally.pins()) {
                (_, Some(due)) => self.sample(&[], Seconds(due.as_duration().as_secs_f64())),
                (_, None) => Ok(()),
            },
        }
    }

    /// One value, with a word for each label of the metric.
    fn sample(&mut self, words: &[&str], value: Value) -> fmt::Result {
        let labels: Vec<(&str, &str)> = self.metric.labels.iter().copied().zip(words.iter().copied()).collect();
        let mut encoder = self.encoder.encode_family(&labels)?;
        match (self.metric.kind, value) {
            (Kind::Counter, Value::Count(count)) => encoder.encode_counter::<NoLabelSet, _, f64>(&count, None),
            (Kind::Counter, Value::Seconds(value)) => encoder.encode_counter::<NoLabelSet, _, f64>(&value, None),
            (Kind::Gauge, Value::Count(count)) => encoder.encode_gauge(&count),
            (Kind::Gauge, Value::Seconds(value)) => encoder.encode_gauge(&value),
        }
    }
}

/// What the stages have done, by their names.
fn stages(metrics: &Metrics) -> impl Iterator<Item = (&'static str, crate::tally::StageTally)> {
    let stages: Vec<_> = metrics.with_tally(|tally| tally.stages().collect());
    stages.into_iter().map(|(stage, tally)| (stage.name(), tally))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_of_the_list_is_on_both_pages_under_its_name() {
        let exposition = Exposition::of(Arc::new(Metrics::new("1.2.3")));
        // These have no value before something is known.
        let absent = ["pinpress_api_calls_left", "pinpress_next_pin_timestamp_seconds"];
        for format in [Format::OpenMetrics, Format::Prometheus] {
            let page = exposition.page(format).unwrap();
            for metric in METRICS {
                let name = metric.name();
                let found = page
                    .lines()
                    .any(|line| line.starts_with(&format!("{name} ")) || line.starts_with(&format!("{name}{{")));
                assert_eq!(found, !absent.contains(&name.as_str()), "{name}\n{page}");
            }
            assert!(page.contains("pinpress_build_info{version=\"1.2.3\"} 1\n"), "{page}");
            assert!(page.contains("pinpress_stage_videos_total{stage=\"fix\",result=\"done\"} 0\n"), "{page}");
        }
    }

    #[test]
    fn prometheus_is_given_what_it_asks_for() {
        let asked = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        assert_eq!(Format::accepted(Some(asked)), Format::OpenMetrics);
        assert_eq!(Format::accepted(Some("text/html,*/*")), Format::Prometheus);
        assert_eq!(Format::accepted(None), Format::Prometheus);
    }
}
