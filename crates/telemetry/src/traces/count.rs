//! How many spans there were, and how many the collector took. The library itself only writes to its own log when some
//! are lost, whether on the way or from a queue that is full.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

#[derive(Debug, Default)]
pub(super) struct Count {
    made: AtomicU64,
    taken: AtomicU64,
}

impl Count {
    pub(super) fn made_one(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost(&self) -> u64 {
        let taken = self.taken.load(Ordering::Relaxed);
        self.made.load(Ordering::Relaxed).saturating_sub(taken)
    }
}

/// An exporter that counts what was taken.
#[derive(Debug)]
pub(super) struct Counted<E> {
    exporter: E,
    count: Arc<Count>,
}

impl<E> Counted<E> {
    pub(super) const fn new(exporter: E, count: Arc<Count>) -> Self {
        Self { exporter, count }
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        self.exporter.export(batch).await?;
        self.count.taken.fetch_add(spans, Ordering::Relaxed);
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
