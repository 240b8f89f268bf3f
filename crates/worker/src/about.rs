//! What this worker is.

use pinpress_media::About;

/// Versions, encoders and the walls around the process that answers.
pub(crate) fn about(walls: Vec<String>) -> About {
    let libav = pinpress_av::about();
    About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        libraries: libav.libraries,
        encoders: libav.encoders,
        video_encoders: pinpress_transcode::encoder::report(),
        sandbox: walls,
    }
}
