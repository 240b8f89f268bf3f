//! `--shard`: a part of the work.

use clap::Args;
use pinpress_pipeline::shard::ShardError;
use pinpress_pipeline::{Discovery, Found, Shard};

use crate::output::warn;

/// Which part of the folders is meant.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which files")]
pub(crate) struct ShardOption {
    /// A part of the work, for jobs that share a folder: 2/8 is the second of eight, auto what the array job says.
    #[arg(long, value_name = "I/N", env = "PINPRESS_SHARD", hide_env = true, value_parser = asked)]
    shard: Option<Asked>,
}

#[derive(Debug, Clone, Copy)]
enum Asked {
    /// That of the array job.
    Auto,
    /// That very one.
    This(Shard),
}

fn asked(text: &str) -> Result<Asked, String> {
    if text.trim().eq_ignore_ascii_case("auto") {
        return Ok(Asked::Auto);
    }
    text.parse().map(Asked::This).map_err(|error: ShardError| format!("{error}, or auto"))
}

impl ShardOption {
    /// The part; `None` is all.
    ///
    /// # Errors
    /// With `auto`, when no array job says which part this is.
    pub(crate) fn get(&self) -> anyhow::Result<Option<Shard>> {
        Ok(match self.shard {
            None => None,
            Some(Asked::This(shard)) => Some(shard),
            Some(Asked::Auto) => {
                let shard = Shard::of_scheduler(|name| std::env::var(name).ok());
                Some(shard.map_err(|error| anyhow::Error::from(error).context("cannot use --shard auto"))?)
            }
        })
    }

    /// What is meant of all that was found.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) fn part_of(&self, mut discovery: Discovery, quiet: bool) -> anyhow::Result<Discovery> {
        let places = self.places(&discovery.videos, quiet)?;
        if places.len() < discovery.videos.len() {
            discovery.videos = places.into_iter().map(|place| discovery.videos[place].clone()).collect();
        }
        Ok(discovery)
    }

    /// The places of the videos that are meant.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) fn places(&self, videos: &[Found], quiet: bool) -> anyhow::Result<Vec<usize>> {
        let shard = self.get()?;
        let places = Shard::places(shard, videos);
        tell_empty(shard, places.len(), quiet);
        Ok(places)
    }
}

/// Says why nothing is done. It is no mistake: a small folder has parts without a video.
pub(crate) fn tell_empty(shard: Option<Shard>, videos: usize, quiet: bool) {
    if let (Some(shard), 0, false) = (shard, videos, quiet) {
        warn(&format!("no video belongs to shard {shard}: nothing to do"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_or_what_the_array_says() {
        assert!(matches!(asked("auto"), Ok(Asked::Auto)));
        assert!(matches!(asked("2/8"), Ok(Asked::This(shard)) if shard.to_string() == "2/8"));
        assert_eq!(asked("0/8").unwrap_err(), "write I/N with I from 1 to N, such as 2/8, or auto");
    }
}
