//! What this worker is.

use pinpress_media::About;

/// Versions, encoders and the walls around the process that answers.
#[must_use]
pub(crate) fn about(walls: Vec<String>) -> About {
    About { version: env!("CARGO_PKG_VERSION").to_owned(), libraries: Vec::new(), encoders: Vec::new(), sandbox: walls }
}
