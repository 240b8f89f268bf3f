//! The cover beside what takes one today: ffmpeg's `thumbnail` filter, over all frames and over sync samples alone, and
//! ffmpegthumbnailer, which looks at one place.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use super::text::commands;

mod bad;
mod jobs;
mod memory;
mod peers;
mod source;
mod speed;

/// In seconds: the longest that a Pin may be.
pub(crate) const QUARTER_OF_AN_HOUR: u32 = 900;

/// One of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    /// 15 minutes of 1080p
    Fifteen,
    /// A minute of 1080×1920
    Minute,
    /// Memory of 4K
    Memory,
    /// A folder, by one and by two jobs
    Folder,
    /// Covers that are bad, of videos with planted defects
    Bad,
}

/// Builds, measures, prints.
pub(crate) fn run(rounds: usize, only: Option<Table>, build: bool, seconds: u32) -> Result<()> {
    let bench = Bench { pinpress: super::pinpress(build)?, rounds };
    for table in Table::value_variants().iter().filter(|table| only.is_none_or(|only| only == **table)) {
        match table {
            Table::Fifteen => speed::fifteen(&bench, seconds)?,
            Table::Minute => speed::minute(&bench)?,
            Table::Memory => memory::table(&bench)?,
            Table::Folder => jobs::table(&bench)?,
            Table::Bad => bad::table(&bench)?,
        }
        println!();
    }
    Ok(())
}

/// What all tables need.
struct Bench {
    pinpress: PathBuf,
    rounds: usize,
}
