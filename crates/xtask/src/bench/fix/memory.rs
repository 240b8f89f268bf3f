//! The most memory that a long encode holds.

use anyhow::Result;

use super::{Bench, commands, source};
use crate::bench::measure::in_turn;
use crate::bench::text::{mebibytes, tenths};

/// Measures and prints; once, as it takes minutes.
pub(super) fn table(bench: &Bench) -> Result<()> {
    let video = source::cheap_quarter_of_an_hour()?;
    let run = bench.fix(&video, &["--preset", "veryfast"]);
    let taken = in_turn(1, std::slice::from_ref(&run))?;
    println!("| 15 minutes of 1920×1080, encoded | wall | peak memory of one process |\n|---|---|---|");
    for taken in taken {
        println!("| on a blurred square, veryfast | {} | {} |", tenths(taken.wall), mebibytes(taken.peak_kib));
    }
    commands([&run]);
    Ok(())
}
