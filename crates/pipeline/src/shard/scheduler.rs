//! Which part of an array job this process is, by the variables that its scheduler sets.
//!
//! Read 2026-12-01: Slurm (<https://slurm.schedmd.com/job_array.html>), Kubernetes
//! (<https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode>), AWS Batch
//! (<https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html>), Cloud Run
//! (<https://cloud.google.com/run/docs/container-contract#env-vars-jobs>).

use super::Shard;

/// How many shards there are, where the scheduler does not tell; where it does, the same number.
pub const SHARDS: &str = "PINPRESS_SHARDS";

/// Schedulers that count from 0: their index, and how many there are. Kubernetes does not tell that.
const FROM_ZERO: [(&str, Option<&str>); 3] = [
    ("JOB_COMPLETION_INDEX", None),
    ("AWS_BATCH_JOB_ARRAY_INDEX", Some("AWS_BATCH_JOB_ARRAY_SIZE")),
    ("CLOUD_RUN_TASK_INDEX", Some("CLOUD_RUN_TASK_COUNT")),
];

const SLURM_ID: &str = "SLURM_ARRAY_TASK_ID";
const SLURM_COUNT: &str = "SLURM_ARRAY_TASK_COUNT";
const SLURM_MIN: &str = "SLURM_ARRAY_TASK_MIN";
const SLURM_MAX: &str = "SLURM_ARRAY_TASK_MAX";

/// The variables do not say which part this is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchedulerError {
    /// No array job.
    #[error(
        "this is no array job that says which part it is: give I/N, or run it by Slurm (SLURM_ARRAY_TASK_ID), Kubernetes (JOB_COMPLETION_INDEX), AWS Batch (AWS_BATCH_JOB_ARRAY_INDEX) or Cloud Run (CLOUD_RUN_TASK_INDEX)"
    )]
    NoArray,
    /// A variable that must be there as well is not.
    #[error("{index} is set, and {count} is not: {}", if *count == SHARDS { "set it to the number of completions" } else { "set PINPRESS_SHARDS to how many there are, or give I/N" })]
    Missing {
        /// What is there.
        index: &'static str,
        /// What is missing.
        count: &'static str,
    },
    /// A variable is no number that it could be.
    #[error("{name} is {value:?}, and no whole number that there could be: give I/N")]
    NoNumber {
        /// The variable.
        name: &'static str,
        /// What it says.
        value: String,
    },
    /// The indices of a Slurm array have gaps of different sizes.
    #[error(
        "the indices of this array are not evenly spaced (task {id} of {count}, from {min} to {max}): submit it with --array=1-N, or give I/N"
    )]
    Uneven {
        /// Of this task.
        id: u32,
        /// How many there are.
        count: u32,
        /// The least of them.
        min: u32,
        /// The greatest.
        max: u32,
    },
    /// A part of the array was submitted again.
    #[error(
        "{SHARDS} is {shards}, and the array has {count}: submit the whole of it again (what is done is not done twice), or give I/N"
    )]
    Differs {
        /// What was asked for.
        shards: u32,
        /// What the scheduler says.
        count: u32,
    },
    /// The index is not below the count.
    #[error("{name} is {index}, and there are {count}: see that both are of one job, or give I/N")]
    Beyond {
        /// The variable.
        name: &'static str,
        /// What it says.
        index: u32,
        /// How many there are.
        count: u32,
    },
}

pub(super) fn shard(variable: &dyn Fn(&str) -> Option<String>) -> Result<Shard, SchedulerError> {
    let number = |name: &'static str| {
        let Some(value) = variable(name).filter(|value| !value.is_empty()) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| SchedulerError::NoNumber { name, value })
    };
    let shards = number(SHARDS)?;
    if let Some(id) = number(SLURM_ID)? {
        let of_array = |name| number(name)?.ok_or(SchedulerError::Missing { index: SLURM_ID, count: name });
        let (count, min, max) = (of_array(SLURM_COUNT)?, of_array(SLURM_MIN)?, of_array(SLURM_MAX)?);
        let index = evenly(id, count, min, max).ok_or(SchedulerError::Uneven { id, count, min, max })?;
        return agreed(SLURM_ID, index, count, shards);
    }
    for (name, count_name) in FROM_ZERO {
        let Some(index) = number(name)? else { continue };
        let count = match count_name {
            Some(count) => number(count)?.or(shards),
            None => shards,
        };
        let count = count.ok_or(SchedulerError::Missing { index: name, count: count_name.unwrap_or(SHARDS) })?;
        return agreed(name, index, count, shards);
    }
    Err(SchedulerError::NoArray)
}

/// The place of a Slurm task in its array, from 0. By the count rather than Slurm's step, which is not that of a list.
fn evenly(id: u32, count: u32, min: u32, max: u32) -> Option<u32> {
    let (place, width) = (id.checked_sub(min)?, max.checked_sub(min)?);
    let Some(gaps) = count.checked_sub(1).filter(|gaps| *gaps > 0) else {
        return (count == 1 && place == 0 && width == 0).then_some(0);
    };
    let step = width / gaps;
    (step > 0 && width % gaps == 0 && place % step == 0 && id <= max).then(|| place / step)
}

fn agreed(name: &'static str, index: u32, count: u32, shards: Option<u32>) -> Result<Shard, SchedulerError> {
    if let Some(shards) = shards.filter(|shards| *shards != count) {
        return Err(SchedulerError::Differs { shards, count });
    }
    let from_one = index.checked_add(1).and_then(|index| Shard::new(index, count));
    from_one.ok_or(SchedulerError::Beyond { name, index, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Result<String, SchedulerError> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Shard::of_scheduler(variable).map(|shard| shard.to_string())
    }

    fn slurm(id: &str, count: &str, min: &str, max: &str) -> Result<String, SchedulerError> {
        found(&[(SLURM_ID, id), (SLURM_COUNT, count), (SLURM_MIN, min), (SLURM_MAX, max)])
    }

    #[test]
    fn slurm_arrays_begin_and_step_as_they_like() {
        assert_eq!(slurm("1", "8", "1", "8").unwrap(), "1/8");
        assert_eq!(slurm("0", "8", "0", "7").unwrap(), "1/8", "--array=0-7");
        assert_eq!(slurm("7", "8", "0", "7").unwrap(), "8/8");
        assert_eq!(slurm("107", "4", "101", "107").unwrap(), "4/4", "--array=101-107:2");
        assert_eq!(slurm("5", "1", "5", "5").unwrap(), "1/1");
    }

    #[test]
    fn uneven_slurm_arrays_are_refused_by_a_task_at_least() {
        for ids in [&[1_u32, 3, 7] as &[u32], &[1, 2, 6, 7], &[0, 1, 2, 9], &[1, 3, 4, 7]] {
            let (min, max) = (ids[0].to_string(), ids[ids.len() - 1].to_string());
            let count = ids.len().to_string();
            let refused = ids.iter().filter(|id| slurm(&id.to_string(), &count, &min, &max).is_err()).count();
            assert!(refused > 0, "{ids:?}");
        }
        assert!(matches!(slurm("3", "1", "1", "8"), Err(SchedulerError::Uneven { .. })));
        assert!(matches!(slurm("9", "8", "1", "8"), Err(SchedulerError::Uneven { .. })));
    }

    #[test]
    fn a_part_of_an_array_is_not_taken_for_the_whole() {
        let again = [(SLURM_ID, "3"), (SLURM_COUNT, "1"), (SLURM_MIN, "3"), (SLURM_MAX, "3"), (SHARDS, "8")];
        assert_eq!(found(&again), Err(SchedulerError::Differs { shards: 8, count: 1 }));
    }

    #[test]
    fn the_others_count_from_zero() {
        assert_eq!(found(&[("JOB_COMPLETION_INDEX", "0"), (SHARDS, "4")]).unwrap(), "1/4");
        assert_eq!(found(&[("AWS_BATCH_JOB_ARRAY_INDEX", "9"), ("AWS_BATCH_JOB_ARRAY_SIZE", "10")]).unwrap(), "10/10");
        assert_eq!(found(&[("AWS_BATCH_JOB_ARRAY_INDEX", "1"), (SHARDS, "2")]).unwrap(), "2/2", "an older agent");
        assert_eq!(found(&[("CLOUD_RUN_TASK_INDEX", "2"), ("CLOUD_RUN_TASK_COUNT", "3")]).unwrap(), "3/3");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert_eq!(found(&[]), Err(SchedulerError::NoArray));
        assert_eq!(found(&[(SHARDS, "4")]), Err(SchedulerError::NoArray), "a count alone is no part");
        let told = found(&[("JOB_COMPLETION_INDEX", "0")]).unwrap_err().to_string();
        assert_eq!(
            told,
            "JOB_COMPLETION_INDEX is set, and PINPRESS_SHARDS is not: set it to the number of completions"
        );
        let told = found(&[(SLURM_ID, "1"), (SLURM_COUNT, "2")]).unwrap_err().to_string();
        assert!(told.contains(SLURM_MIN), "{told}");
        assert!(matches!(found(&[(SLURM_ID, "x")]), Err(SchedulerError::NoNumber { name: SLURM_ID, .. })));
        let beyond = [("CLOUD_RUN_TASK_INDEX", "3"), ("CLOUD_RUN_TASK_COUNT", "3")];
        assert!(matches!(found(&beyond), Err(SchedulerError::Beyond { index: 3, count: 3, .. })));
    }
}
