//! How many videos at once, and how many threads each: one budget for the machine.

/// Cores up to which each has a video of its own.
const MOST_ALONE: usize = 8;

/// How the cores are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// Videos that are encoded at the same time; at least 1.
    pub jobs: usize,
    /// Threads for decoder, filters and encoder of one of them together; at least 1.
    pub per_job: usize,
}

impl Threads {
    /// The share for a machine of `cores` where nobody says how many videos at once: one a core with a thread each, but
    /// no more than eight, or half as many as cores where that is more.
    ///
    /// x264 takes 6 % more time on cores for the same work with two threads than with one, and 13 % with three
    /// (1080×1080, medium, two cores), as threads wait for one another; so more videos are better than more threads, for
    /// as long as there are videos. On many cores there often are not, and each video holds its pictures: that part is a
    /// choice, and not measured. `cargo xtask bench run --only jobs` prints the table for any machine. What does not fit
    /// into memory waits in the pool of workers.
    #[must_use]
    pub fn auto(cores: usize) -> Self {
        Self::share(cores.min(MOST_ALONE).max(cores / 2), cores)
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

    #[test]
    fn by_itself_a_core_has_a_video_and_on_large_machines_two_share_one() {
        let auto = |cores| (Threads::auto(cores).jobs, Threads::auto(cores).per_job);
        let table = [
            (0, (1, 1)),
            (1, (1, 1)),
            (2, (2, 1)),
            (4, (4, 1)),
            (8, (8, 1)),
            (12, (8, 1)),
            (16, (8, 2)),
            (64, (32, 2)),
        ];
        for (cores, share) in table {
            assert_eq!(auto(cores), share, "{cores} cores");
        }
    }

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
