//! After an unknown outcome of `POST /pins`: which Pin on the board is the one that was asked for.

use crate::client::Client;
use crate::error::PublishError;
use crate::id::PinId;
use crate::reconcile::SoughtPin;
use crate::state::{Checkpoint, Observer, Waiting};

/// What a look at the board tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// No Pin could be it.
    None,
    /// One could, and no other.
    One(PinId),
    /// Any of these could.
    Several(usize),
}

/// Looks at the board until a Pin turns up or the looks are used up.
pub(crate) async fn look_up(
    client: &Client,
    sought: &SoughtPin,
    checkpoint: &dyn Checkpoint,
    observer: &dyn Observer,
) -> Result<Look, PublishError> {
    let policy = client.options().lookup;
    let mut look = Look::None;
    for round in 0..policy.looks.max(1) {
        if round > 0 {
            observer.waiting(&Waiting::Lookup { delay: policy.delay });
            tokio::time::sleep(policy.delay).await;
        }
        let mut candidates = client.candidates(sought).await?;
        candidates.retain(|pin| !checkpoint.belongs_to_another(&pin.id));
        look = match candidates.as_slice() {
            [] => Look::None,
            [one] => Look::One(one.id.clone()),
            several => Look::Several(several.len()),
        };
        if look != Look::None {
            break;
        }
    }
    Ok(look)
}
