//! The media worker, looked for and started when the first video needs it: most checks never do.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use pinpress_media::{
    About, CoverOptions, Covers, Deaths, Failure, Fix, FixOptions, Fixed, Observer, Plan, Workers, WorkersConfig,
};
use pinpress_pipeline::{Decoder, Media};
use pinpress_probe::{Decoded, DeepReader, MediaInfo, ProbeError, Spec};

use crate::machine::MachineArgs;

/// Workers on demand.
#[derive(Debug, Default)]
pub(crate) struct LazyWorkers {
    max_workers: usize,
    /// Threads of a request that does not say.
    threads: Option<usize>,
    machine: MachineArgs,
    /// Where those that die are counted.
    deaths: Arc<Deaths>,
    workers: OnceLock<Result<Workers, Failure>>,
}

impl LazyWorkers {
    /// None runs yet; at most `max_workers` will at once.
    pub(crate) fn new(max_workers: usize) -> Self {
        Self { max_workers, ..Self::default() }
    }

    /// Each limited so.
    pub(crate) fn limited(self, machine: &MachineArgs) -> Self {
        Self { machine: machine.clone(), ..self }
    }

    /// Those that die are counted there.
    pub(crate) fn counted(self, deaths: Arc<Deaths>) -> Self {
        Self { deaths, ..self }
    }

    /// As many threads for each.
    pub(crate) fn with_threads(self, threads: usize) -> Self {
        Self { threads: Some(threads), ..self }
    }

    fn get(&self) -> Result<&Workers, Failure> {
        let found = self.workers.get_or_init(|| {
            WorkersConfig::discover().map(|config| {
                let threads = self.threads.unwrap_or(config.threads);
                let config = self.machine.limit(config);
                let config = WorkersConfig { max_workers: self.max_workers.max(1), threads, ..config };
                Workers::new(config).counting(Arc::clone(&self.deaths))
            })
        });
        found.as_ref().map_err(Clone::clone)
    }

    /// Why there is no worker, when one was needed and is not installed.
    pub(crate) fn missing(&self) -> Option<&str> {
        match self.workers.get() {
            Some(Err(failure)) => Some(&failure.message),
            _ => None,
        }
    }

    pub(crate) fn plan(
        &self,
        source: &Path,
        info: &MediaInfo,
        spec: &Spec,
        options: &FixOptions,
        observer: &dyn Observer,
    ) -> Result<Vec<Plan>, Failure> {
        self.get()?.plan(source, info, spec, options, observer)
    }

    pub(crate) fn plan_by_facts(
        &self,
        info: &MediaInfo,
        spec: &Spec,
        options: &FixOptions,
        observer: &dyn Observer,
    ) -> Result<Option<Vec<Plan>>, Failure> {
        self.get()?.plan_by_facts(info, spec, options, observer)
    }

    pub(crate) fn about(&self) -> Result<About, Failure> {
        self.get()?.about()
    }
}

impl DeepReader for LazyWorkers {
    fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
        match self.get() {
            Ok(workers) => workers.read(path),
            Err(failure) => Err(ProbeError::Reader { reason: failure.message, path: path.to_owned() }),
        }
    }
}

impl Decoder for LazyWorkers {
    fn decode(&self, path: &Path, info: &MediaInfo, observer: &dyn Observer) -> Result<Decoded, Failure> {
        Decoder::decode(self.get()?, path, info, observer)
    }
}

impl Media for LazyWorkers {
    fn fix(&self, fix: Fix<'_>, observer: &dyn Observer) -> Result<Fixed, Failure> {
        self.get()?.fix(fix, observer)
    }

    fn cover(&self, source: &Path, options: &CoverOptions, observer: &dyn Observer) -> Result<Covers, Failure> {
        self.get()?.cover(source, options, observer)
    }
}
