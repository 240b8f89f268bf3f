//! One life of a program that publishes a video, from the state that was saved last to its end or its death.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use pinpress_publish::{
    Checkpoint, CheckpointError, Client, Draft, PinId, PublishError, PublishState, Receipt, publish,
};

/// How a life ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// It does not.
    None,
    /// At the save of this number, from 1: nothing is saved.
    BeforeSave(u32),
    /// Just after it.
    AfterSave(u32),
    /// The task is dropped wherever it is when it was woken so many times.
    Dropped(u32),
}

/// What is on disk: the state of each video, and whose the Pins are.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    states: Mutex<HashMap<u64, String>>,
    owners: Mutex<HashMap<PinId, u64>>,
}

impl Disk {
    pub(crate) fn state(&self, video: u64) -> PublishState {
        let states = self.states.lock().unwrap();
        states.get(&video).map_or(PublishState::New, |text| serde_json::from_str(text).unwrap())
    }
}

/// Keeps the states of one video until the program dies.
struct Keeper<'a> {
    disk: &'a Disk,
    video: u64,
    death: Death,
    saves: Mutex<u32>,
}

impl Checkpoint for Keeper<'_> {
    fn save(&self, state: &PublishState) -> Result<(), CheckpointError> {
        let mut saves = self.saves.lock().unwrap();
        *saves += 1;
        if self.death == Death::BeforeSave(*saves) {
            return Err("killed before it was saved".into());
        }
        if let PublishState::Pinned { pin_id, .. } = state {
            let mut owners = self.disk.owners.lock().unwrap();
            if *owners.entry(pin_id.clone()).or_insert(self.video) != self.video {
                return Err("the Pin is another video's".into());
            }
        }
        self.disk.states.lock().unwrap().insert(self.video, serde_json::to_string(state).unwrap());
        if self.death == Death::AfterSave(*saves) {
            return Err("killed after it was saved".into());
        }
        Ok(())
    }

    fn belongs_to_another(&self, pin: &PinId) -> bool {
        self.disk.owners.lock().unwrap().get(pin).is_some_and(|owner| *owner != self.video)
    }
}

/// Polls a future so many times at most.
struct Mortal<F> {
    future: Pin<Box<F>>,
    left: Option<u32>,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.left {
            Some(0) => return Poll::Ready(None),
            Some(left) => *left -= 1,
            None => {}
        }
        self.future.as_mut().poll(cx).map(Some)
    }
}

/// Lives once. `None` when it was dropped.
pub(crate) async fn live(
    client: &Client,
    draft: &Draft,
    disk: &Disk,
    video: u64,
    death: Death,
) -> Option<Result<Receipt, PublishError>> {
    let keeper = Keeper { disk, video, death, saves: Mutex::default() };
    let left = if let Death::Dropped(polls) = death { Some(polls) } else { None };
    let future = publish(client, draft, disk.state(video), &keeper, &());
    Mortal { future: Box::pin(future), left }.await
}
