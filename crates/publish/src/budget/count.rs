//! How many calls one window still has room for.
//!
//! Nobody says how Pinterest counts: in windows that begin at fixed times, in sliding ones, by a bucket that refills.
//! A call is counted here from when it is sent until a whole window after its answer came. No stretch of that length
//! then holds more calls at the server than the limit, which is enough for all three. What the answers tell is
//! counted besides, as others may use up the same window.

use std::collections::VecDeque;
use std::time::Duration;

use super::headers::RateWindow;

/// Of windows longer than this the server's word is taken that one is over. A day that ends at midnight must not be
/// counted until the next evening; in a short one little is given away.
const TRUSTED: Duration = Duration::from_secs(3_600);

/// When there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Now,
    /// At this time, or after an answer that is due, if one is.
    Later {
        at: Duration,
        answer_due: bool,
    },
}

/// What the latest answer told: the one that was given last, not the one that came last.
#[derive(Debug)]
struct Word {
    /// When it came.
    at: Duration,
    remaining: u64,
    /// Calls that may still be sent by this word. Those that were on their way when it came may not be counted in
    /// `remaining`, and are taken off.
    left: i64,
    until: Duration,
}

/// The count of one window. Times count from the same moment, and never run backwards.
#[derive(Debug)]
pub(crate) struct Count {
    limit: u64,
    span: Option<Duration>,
    on_their_way: u64,
    /// When calls ended, oldest first; no longer ago than a window.
    ended: VecDeque<Duration>,
    word: Option<Word>,
    /// Answers tell what is left. While no word holds, one call at a time asks for it.
    is_told: bool,
}

impl Count {
    /// A window in which calls that ended at the times `early` may have been counted.
    pub(crate) fn new(window: &RateWindow, early: &[Duration]) -> Self {
        Self {
            limit: window.limit,
            span: window.span,
            on_their_way: 0,
            ended: early.iter().copied().collect(),
            word: None,
            is_told: false,
        }
    }

    fn forget(&mut self, now: Duration) {
        let span = self.span.unwrap_or_default();
        while self.ended.front().is_some_and(|ended| *ended + span <= now) {
            self.ended.pop_front();
        }
        let over = self.word.take_if(|word| word.until <= now).map(|word| word.until);
        if let Some(until) = over.filter(|_| span > TRUSTED) {
            // The end was told in whole seconds, and rounded up by one.
            let before = until.saturating_sub(Duration::from_secs(2));
            while self.ended.front().is_some_and(|ended| *ended <= before) {
                self.ended.pop_front();
            }
        }
    }

    pub(crate) fn room(&mut self, now: Duration) -> Room {
        self.forget(now);
        if self.is_told && self.word.is_none() && self.on_their_way > 0 {
            return Room::Later { at: Duration::MAX, answer_due: true };
        }
        let by_word = self.word.as_ref().filter(|word| word.left <= 0).map(|word| word.until);
        let at = by_word.max(self.own_room());
        at.map_or(Room::Now, |at| Room::Later { at, answer_due: self.on_their_way > 0 })
    }

    /// When our own calls leave room; `None` is now.
    fn own_room(&self) -> Option<Duration> {
        let span = self.span?;
        let over = (self.ended.len() as u64 + self.on_their_way).checked_sub(self.limit)?;
        let frees = usize::try_from(over).ok().and_then(|place| self.ended.get(place));
        let frees = frees.map_or(Duration::MAX, |ended| *ended + span);
        let over = self.word.as_ref().filter(|_| span > TRUSTED).map(|word| word.until);
        Some(over.map_or(frees, |over| over.min(frees)))
    }

    /// Calls that may be sent now.
    pub(crate) fn left(&mut self, now: Duration) -> u64 {
        self.forget(now);
        let own = match self.span {
            Some(_) => self.limit.saturating_sub(self.ended.len() as u64 + self.on_their_way),
            None => self.limit,
        };
        self.word.as_ref().map_or(own, |word| u64::try_from(word.left).unwrap_or(0).min(own))
    }

    /// When the last of what is counted now is no longer; `None` when nothing is.
    pub(crate) fn empty_at(&mut self, now: Duration) -> Option<Duration> {
        self.forget(now);
        let span = self.span.unwrap_or_default();
        let told = self.word.as_ref().map(|word| word.until);
        let own = self.ended.back().map(|ended| *ended + span);
        if span > TRUSTED { told.or(own) } else { told.max(own) }
    }

    pub(crate) fn sent(&mut self) {
        self.on_their_way += 1;
        if let Some(word) = &mut self.word {
            word.left -= 1;
        }
    }

    /// A call that [`Self::sent`] counted was never sent, or is counted in another window.
    pub(crate) fn not_counted(&mut self) {
        self.on_their_way = self.on_their_way.saturating_sub(1);
        if let Some(word) = &mut self.word {
            word.left += 1;
        }
    }

    /// A call ended. One without an answer may have been counted at the server until now.
    pub(crate) fn ended(&mut self, was_counted: bool, now: Duration) {
        if was_counted {
            self.on_their_way = self.on_their_way.saturating_sub(1);
        }
        if self.span.is_some() {
            self.ended.push_back(now);
        }
    }

    /// What the answer to a call tells that was sent at `sent`; [`Self::ended`] comes first.
    pub(crate) fn told(
        &mut self,
        sent: Duration,
        was_counted: bool,
        now: Duration,
        remaining: u64,
        resets_in: Duration,
    ) {
        self.is_told = true;
        // A word that was known when this call was sent is older. Of two that were on their way together, the one
        // that leaves less was given later; the other was counted in it, and says nothing new.
        if let Some(word) = self.word.as_mut().filter(|word| word.at > sent && word.remaining < remaining) {
            word.left += i64::from(was_counted);
            return;
        }
        let left = i64::try_from(remaining).unwrap_or(i64::MAX);
        let left = left.saturating_sub(i64::try_from(self.on_their_way).unwrap_or(i64::MAX));
        self.word = Some(Word { at: now, remaining, left, until: now + resets_in });
    }
}
