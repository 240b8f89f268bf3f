//! Only videos with which something was done are worth a trace: a folder of which all was done before, and Pins that
//! wait for their time, would be thousands of traces of one span in each round of --watch.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::count::Count;

/// The name of the span of a video.
const VIDEO: &str = "video";

/// Leaves out spans of videos that have no other within them. What is within a span ends before it.
#[derive(Debug)]
pub(super) struct WithWork<P> {
    next: P,
    /// Traces whose first span has not ended, and that have another.
    worked: Mutex<HashSet<TraceId>>,
    count: Arc<Count>,
}

impl<P> WithWork<P> {
    pub(super) fn new(next: P, count: Arc<Count>) -> Self {
        Self { next, worked: Mutex::default(), count }
    }

    fn is_worth_it(&self, span: &SpanData) -> bool {
        let trace = span.span_context.trace_id();
        let mut worked = self.worked.lock().unwrap_or_else(PoisonError::into_inner);
        if span.parent_span_id == SpanId::INVALID {
            worked.remove(&trace) || span.name != VIDEO
        } else {
            worked.insert(trace);
            true
        }
    }
}

impl<P: SpanProcessor> SpanProcessor for WithWork<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.next.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        // A sampler may have left it out.
        if span.span_context.is_sampled() && self.is_worth_it(&span) {
            self.count.made_one();
            self.next.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// Keeps what comes through.
    #[derive(Debug, Default, Clone)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl SpanProcessor for Kept {
        fn on_start(&self, _: &mut Span, _: &Context) {}

        fn on_end(&self, span: SpanData) {
            self.0.lock().unwrap().push(span.name.into_owned());
        }

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    #[test]
    fn videos_with_which_nothing_was_done_have_no_trace() {
        let (kept, count) = (Kept::default(), Arc::new(Count::default()));
        let processor = WithWork::new(kept.clone(), Arc::clone(&count));
        let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
        let tracer = provider.tracer("test");
        drop(tracer.start("video"));
        drop(tracer.start("call"));
        let video = Context::new().with_span(tracer.start("video"));
        drop(tracer.start_with_context("check", &video));
        drop(tracer.start_with_context("fix", &video));
        drop(video);
        assert_eq!(*kept.0.lock().unwrap(), ["call", "check", "fix", "video"]);
        assert_eq!(count.lost(), 4, "none of them was sent");
    }
}
