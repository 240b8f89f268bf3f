//! Traces for OpenTelemetry: one for each video, a span for each stage, and one for each call of the API within it.
//!
//! The variables are those of its specification; without an endpoint nothing is set up, and no thread is started.

mod count;
mod wanted;
mod worth;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use self::count::{Count, Counted};
pub(crate) use self::wanted::Wanted;
use self::worth::WithWork;

/// How long the end of a run waits for a collector that is slow, or away.
const LAST: Duration = Duration::from_secs(3);

/// Spans that wait to be sent. The specification's 2,048 are full in a moment when a folder is checked that was done
/// before.
const QUEUE: usize = 16_384;
const QUEUE_VARIABLE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";

const SERVICE_NAME: &str = "service.name";

/// There are no traces, or not all of them. It ends nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TracesError {
    /// A variable asks for what cannot be done here.
    #[error("no traces are sent: {variable}={value} is not supported: {remedy}")]
    Unsupported {
        /// The variable.
        variable: &'static str,
        /// What it says.
        value: String,
        /// What it could say.
        remedy: &'static str,
    },
    /// An endpoint, a header or a limit is wrong.
    #[error("no traces are sent: look over the variables OTEL_EXPORTER_OTLP_*: {reason}")]
    Settings {
        /// What is wrong.
        reason: String,
    },
    /// The collector did not take them.
    #[error(
        "{spans} spans of the traces are lost: the collector at {place} did not take them: is it there, and does it \
         speak OTLP over HTTP?"
    )]
    Lost {
        /// How many.
        spans: u64,
        /// Scheme, host and port of the endpoint. The rest of it may be a secret.
        place: String,
    },
}

/// Traces on their way to a collector.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    count: Arc<Count>,
    place: String,
}

impl Traces {
    /// What the variables of the environment ask for, of a pinpress of that version; `None` when they ask for nothing.
    ///
    /// # Errors
    /// When they ask for what cannot be done.
    pub fn from_environment(version: &'static str) -> Result<Option<Self>, TracesError> {
        match Wanted::read(|name| std::env::var(name).ok())? {
            Wanted::Nothing => Ok(None),
            Wanted::Sent { place } => Self::begin(version, place).map(Some),
        }
    }

    fn begin(version: &'static str, place: String) -> Result<Self, TracesError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .build()
            // What the library says of an address or a header may quote it.
            .map_err(|_| TracesError::Settings { reason: format!("they say nothing that can be used for {place}") })?;
        let count = Arc::new(Count::default());
        let mut config = BatchConfigBuilder::default();
        if std::env::var_os(QUEUE_VARIABLE).is_none() {
            config = config.with_max_queue_size(QUEUE);
        }
        let batches = BatchSpanProcessor::builder(Counted::new(exporter, Arc::clone(&count)))
            .with_batch_config(config.build())
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(version))
            .with_span_processor(WithWork::new(batches, Arc::clone(&count)))
            .build();
        Ok(Self { provider, count, place })
    }

    /// What makes traces of the spans of ours.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("pinpress"))
            // Lines of our source and numbers of threads help nobody who runs it.
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target("pinpress", LevelFilter::INFO))
    }

    /// Sends what is left. Waits for a few seconds at most.
    ///
    /// # Errors
    /// When spans were lost, now or earlier.
    pub fn end(self) -> Result<(), TracesError> {
        // How it went shows in the count.
        drop(self.provider.shutdown_with_timeout(LAST));
        match self.count.lost() {
            0 => Ok(()),
            spans => Err(TracesError::Lost { spans, place: self.place }),
        }
    }
}

/// Who we are, unless the variables say it.
fn resource(version: &'static str) -> Resource {
    let from_variables = Resource::builder().build();
    let named = from_variables.get(&SERVICE_NAME.into());
    // The library's own word for a program without a name.
    let is_named = named.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let resource = Resource::builder().with_attribute(KeyValue::new("service.version", version));
    if is_named { resource.build() } else { resource.with_service_name("pinpress").build() }
}
