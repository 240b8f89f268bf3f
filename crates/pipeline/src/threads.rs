//! How many videos at once, and how many threads each: one budget for the machine.

/// How the cores are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// Videos that are encoded at the same time; at least 1.
    pub jobs: usize,
    /// Threads for decoder, filters and encoder of one of them together; at least 1.
    pub per_job: usize,
}

impl Threads {
    /// The share for a machine of `cores` where nobody says how many videos at once: one a core, with a thread each.
    #[must_use]
    pub fn auto(cores: usize) -> Self {
        Self::share(cores, cores)
    }

    /// The share for `jobs` videos at once on a machine of `cores`: `jobs × per_job` is at most twice the cores, so
    /// `jobs` over that is cut.
    #[must_use]
    pub fn share(jobs: usize, cores: usize) -> Self {
        let cores = cores.max(1);
        let jobs = jobs.clamp(1, 2 * cores);
        Self { jobs, per_job: (cores / jobs).max(1) }
    }

    /// The share for decoding alone, for `jobs` videos at once: decoder threads wait for one another, so that all that
    /// the budget allows keeps the cores busy, also behind the last file. One video never has more than the cores.
    #[must_use]
    pub fn share_decoding(jobs: usize, cores: usize) -> Self {
        let cores = cores.max(1);
        let jobs = jobs.clamp(1, 2 * cores);
        Self { jobs, per_job: (2 * cores / jobs).clamp(1, cores) }
    }

    /// The cores of this machine, 1 when the system does not tell.
    #[must_use]
    pub fn cores() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_budget_holds_at_any_number_of_jobs(jobs in 0_usize..200, cores in 0_usize..130) {
            for share in [Threads::share(jobs, cores), Threads::share_decoding(jobs, cores)] {
                prop_assert!(share.jobs >= 1 && share.per_job >= 1);
                prop_assert!(share.jobs * share.per_job <= 2 * cores.max(1));
                if jobs >= 1 && jobs <= cores {
                    prop_assert_eq!(share.jobs, jobs, "what fits is not cut");
                }
            }
            prop_assert_eq!(Threads::share_decoding(1, cores).per_job, cores.max(1), "one video has all cores");
        }
    }
}
