//! Plans the least change that makes a video fit, carries it out and proves the result.
//!
//! [`facts::read`] answers what a file is, by libav, and [`decode`] whether all of it decodes; [`plans`] says what has
//! to be done; [`execute`](execute::execute) carries a plan out into a [`Rendition`], a temp file;
//! [`verify`](verify::verify) alone turns that into a [`VerifiedRendition`] under its final name.

use std::path::Path;

use pinpress_av::Cancel;
use pinpress_media::{Failure, FailureKind, Fix, Fixed, Plan, Progress};

pub mod decoded;
pub mod encoder;
pub mod execute;
pub mod facts;
pub mod failure;
pub mod filters;
mod link;
pub mod measure;
pub mod plan;
mod prepare;
pub mod rendition;
mod room;
mod salvage;
pub mod space;
mod stamp;
pub mod sync;
pub mod verify;
mod writeback;

pub use decoded::decode;
pub use facts::read;
pub use prepare::{plan_for, plans, plans_by_facts};
pub use rendition::Rendition;
pub use sync::sync_times;
pub use verify::{Claim, VerifiedRendition};

/// Carries out `plan`, proves the result and gives it its final name.
///
/// # Errors
/// Whatever stands in the way, told for a person. Nothing is under the final name then that was not there before, and
/// no temp file is left over.
pub fn carry_out(
    fix: Fix<'_>,
    plan: Plan,
    cancel: &Cancel,
    observe: &mut dyn FnMut(Progress),
) -> Result<Fixed, Failure> {
    let Fix { source, info, spec, options, output, .. } = fix;
    refuse_existing(output, options.overwrite)?;
    let stamp = stamp::Stamp::of(source, info.size_bytes)?;
    let done = execute::execute(source, info, &plan, options, output, cancel, observe).and_then(|mut rendition| {
        rendition.stamp = Some(stamp.clone());
        let salvaged = rendition.salvaged;
        let claim = Claim { info, plan: &plan, spec };
        Ok((salvaged, verify::verify(rendition, claim, options, cancel, observe)?))
    });
    let (salvaged, verified) = done.map_err(|failure| match (failure.kind, stamp.holds()) {
        (FailureKind::Cancelled, _) => failure,
        (_, held) => match failure::of_a_folder_that_is_gone(output) {
            Some(gone) => gone,
            // What was found wrong with a file that changed says nothing of it.
            None => held.err().unwrap_or(failure),
        },
    })?;
    Ok(Fixed { salvaged, ..verified.into_fixed(plan) })
}

/// Looks, before any work is done, whether there is something that may not be replaced.
///
/// # Errors
/// `OutputExists`.
pub fn refuse_existing(output: &Path, overwrite: bool) -> Result<(), Failure> {
    if !overwrite && std::fs::symlink_metadata(output).is_ok() { Err(Failure::output_exists()) } else { Ok(()) }
}
