//! One budget for all calls of a client, however many tasks make them: a call waits here until the windows that it
//! counts in have room, so that a 429 does not come about.
//!
//! Which windows a call counts in, its answers tell. Calls that are told of the same window share it; until the first
//! answer only one call is on its way. `governor` and its like are no use here: they keep a rate that is known
//! beforehand, and cannot be told by an answer what others have used up.

mod count;
mod headers;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::count::{Count, Room};
use self::headers::{RateHeaders, Told};
use crate::error::{Call, PublishError};
use crate::state::{Observer, Waiting};

pub use self::headers::RateWindow;
pub(crate) use self::headers::{DAY, InWords};

/// So long is slept at most before looking again.
const LOOK: Duration = Duration::from_secs(600);

/// So many calls without an answer are remembered; they come one after the other.
const EARLY_MAX: usize = 1_000;

/// What is left of one window of the rate limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetLeft {
    /// The window.
    pub window: RateWindow,
    /// Calls that may be made now.
    pub left: u64,
    /// Until all of it is there again; `None` when it is.
    pub full_in: Option<Duration>,
}

impl fmt::Display for BudgetLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} left", self.left, self.window)?;
        match self.full_in {
            Some(time) if self.left < self.window.limit => write!(f, ", all of them again in {}", InWords(time)),
            _ => Ok(()),
        }
    }
}

/// The budget of a client.
#[derive(Debug)]
pub(crate) struct Budget {
    begun: Instant,
    book: Mutex<Book>,
    ended: Notify,
}

/// A look at the budget of a client, for those who watch it while the client is at work.
#[derive(Debug, Clone)]
pub struct BudgetView(Arc<Budget>);

impl BudgetView {
    /// As [`crate::Client::budget`].
    #[must_use]
    pub fn left(&self) -> Vec<BudgetLeft> {
        self.0.left()
    }

    pub(crate) fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.0)
    }
}

impl From<&Arc<Budget>> for BudgetView {
    fn from(budget: &Arc<Budget>) -> Self {
        Self(Arc::clone(budget))
    }
}

/// What is known of the limits, and what was sent.
#[derive(Debug, Default)]
struct Book {
    counts: BTreeMap<RateWindow, Count>,
    /// The windows that the answers to a call tell of.
    windows: HashMap<Call, BTreeSet<RateWindow>>,
    /// Calls whose windows nobody knows yet, and that are on their way.
    unknown: Vec<Call>,
    /// When calls ended that were counted nowhere, as nobody knew a window.
    early: Vec<Duration>,
    /// Until when a call was told to wait, by an answer that names no window.
    barred: HashMap<Call, Duration>,
    /// The window of the app's owner.
    daily: Option<RateWindow>,
}

/// A call that was let through.
#[derive(Debug)]
struct Ticket {
    call: Call,
    sent: Duration,
    /// The windows in which it is counted.
    held: BTreeSet<RateWindow>,
    was_unknown: bool,
}

/// Why a call may not be sent yet.
#[derive(Debug, PartialEq, Eq)]
struct Full {
    at: Duration,
    /// An answer is due, and may make room earlier.
    answer_due: bool,
    window: Option<RateWindow>,
}

impl Book {
    /// Lets a call through, or tells when it may come again.
    fn admit(&mut self, call: Call, now: Duration) -> Result<Ticket, Full> {
        let known = self.windows.get(&call);
        if let Some(until) = self.barred.get(&call).filter(|until| **until > now) {
            return Err(Full { at: *until, answer_due: false, window: None });
        }
        // The first answers tell the windows; until then a second call could be one too many.
        let nobody_knows = self.windows.is_empty() && !self.unknown.is_empty();
        if known.is_none() && (nobody_knows || self.unknown.contains(&call)) {
            return Err(Full { at: Duration::MAX, answer_due: true, window: None });
        }
        let mut held = known.cloned().unwrap_or_else(|| self.counts.keys().cloned().collect());
        held.extend(self.daily.clone());
        let mut full: Option<Full> = None;
        for window in &held {
            if let Room::Later { at, answer_due } = self.count(window).room(now)
                && full.as_ref().is_none_or(|full| full.at < at)
            {
                full = Some(Full { at, answer_due, window: Some(window.clone()) });
            }
        }
        if let Some(full) = full {
            return Err(full);
        }
        for window in &held {
            self.count(window).sent();
        }
        let was_unknown = !self.windows.contains_key(&call);
        if was_unknown {
            self.unknown.push(call);
        }
        Ok(Ticket { call, sent: now, held, was_unknown })
    }

    fn count(&mut self, window: &RateWindow) -> &mut Count {
        self.counts.entry(window.clone()).or_insert_with(|| Count::new(window, &self.early))
    }

    fn no_longer_unknown(&mut self, ticket: &Ticket) {
        if ticket.was_unknown
            && let Some(place) = self.unknown.iter().position(|call| *call == ticket.call)
        {
            self.unknown.swap_remove(place);
        }
    }

    /// The call was never sent.
    fn unsent(&mut self, ticket: &Ticket) {
        self.no_longer_unknown(ticket);
        for window in &ticket.held {
            self.count(window).not_counted();
        }
    }

    /// The call ended; without an answer it may have been counted all the same.
    fn ended(&mut self, ticket: &Ticket, answer: Option<&RateHeaders>, succeeded: bool, now: Duration) {
        self.no_longer_unknown(ticket);
        if let Some(headers) = answer
            && (succeeded || !headers.windows.is_empty())
        {
            let known = self.windows.entry(ticket.call).or_default();
            if !headers.windows.is_empty() {
                *known = headers.windows.iter().cloned().collect();
            }
        }
        let counted_in = match self.windows.get(&ticket.call) {
            Some(known) => known.iter().cloned().chain(self.daily.clone()).collect(),
            None => {
                if self.early.len() < EARLY_MAX {
                    self.early.push(now);
                }
                ticket.held.clone()
            }
        };
        for window in ticket.held.difference(&counted_in) {
            self.count(window).not_counted();
        }
        for window in &counted_in {
            self.count(window).ended(ticket.held.contains(window), now);
        }
        for Told { window, remaining, resets_in } in answer.map(|headers| &*headers.told).unwrap_or_default() {
            let was_counted = ticket.held.contains(window);
            self.count(window).told(ticket.sent, was_counted, now, *remaining, *resets_in);
        }
    }
}

impl Budget {
    /// A budget of which nothing is known but the owner's daily limit.
    pub(crate) fn new(daily_calls: Option<u64>) -> Self {
        let daily = daily_calls.map(|limit| RateWindow { span: Some(DAY), limit: limit.max(1), name: None });
        Self { begun: Instant::now(), book: Mutex::new(Book { daily, ..Book::default() }), ended: Notify::new() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is left of each window that is known, the longest last.
    pub(crate) fn left(&self) -> Vec<BudgetLeft> {
        let now = self.begun.elapsed();
        let mut book = self.book();
        let counts = book.counts.iter_mut();
        counts
            .map(|(window, count)| BudgetLeft {
                window: window.clone(),
                left: count.left(now),
                full_in: count.empty_at(now).map(|at| at.saturating_sub(now)),
            })
            .collect()
    }

    /// Waits until the call may be sent. Gives up at once when that is longer than `max_wait` from now.
    pub(crate) async fn permit(
        &self,
        call: Call,
        max_wait: Duration,
        observer: &dyn Observer,
    ) -> Result<Permit<'_>, PublishError> {
        let mut told = Duration::ZERO;
        loop {
            // Before the look, so that an answer that comes just after it is not missed.
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            let now = self.begun.elapsed();
            let full = match self.book().admit(call, now) {
                Ok(ticket) => return Ok(Permit { budget: self, ticket: Some(ticket) }),
                Err(full) => full,
            };
            let wait = full.at.saturating_sub(now);
            if wait > max_wait && !full.answer_due {
                return Err(match full.window {
                    Some(window) => PublishError::BudgetSpent { call, window, resets_in: wait },
                    None => PublishError::RateLimited { call, wait },
                });
            }
            // Every answer wakes all who wait; not every time is there something new to tell.
            if wait <= max_wait && full.at > told + Duration::from_secs(1) {
                observer.waiting(&Waiting::Budget { call, delay: wait });
                told = full.at;
            }
            tokio::select! {
                () = ended => {}
                () = tokio::time::sleep(wait.min(LOOK)) => {}
            }
        }
    }

    /// An answer asks for a wait and names no window: nobody makes this call before.
    pub(crate) fn bar(&self, call: Call, wait: Duration) {
        let until = self.begun.elapsed() + wait.min(DAY);
        let mut book = self.book();
        let barred = book.barred.entry(call).or_default();
        *barred = until.max(*barred);
    }
}

/// The leave to send one call. Dropped without a word it counts as sent and not answered.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    budget: &'a Budget,
    ticket: Option<Ticket>,
}

impl Permit<'_> {
    /// An answer came.
    pub(crate) fn answered(mut self, status: u16, headers: &HeaderMap) {
        let headers = RateHeaders::read(status, headers);
        self.end(|book, ticket, now| book.ended(ticket, Some(&headers), (200..300).contains(&status), now));
    }

    /// No byte was sent.
    pub(crate) fn unsent(mut self) {
        self.end(|book, ticket, _| book.unsent(ticket));
    }

    fn end(&mut self, enter: impl FnOnce(&mut Book, &Ticket, Duration)) {
        if let Some(ticket) = self.ticket.take() {
            enter(&mut self.budget.book(), &ticket, self.budget.begun.elapsed());
            self.budget.ended.notify_waiters();
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.end(|book, ticket, now| book.ended(ticket, None, false, now));
    }
}
