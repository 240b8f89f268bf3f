//! Videos entered in a queue, for whoever works it off.

use std::path::PathBuf;

use pinpress_store::Stores;

use crate::discover::{Unreadable, discover_with};
use crate::ledger::{NewTask, Order, OrderPins, OrderTerms, Placed, PostgresLedger, TaskPin, TaskTerms};
use crate::naming::{Names, absolute};
use crate::pins::{VideoOrder, assign, resolve};
use crate::run::{Mode, RunError, RunOptions, runtime};

/// What was entered.
#[derive(Debug)]
pub struct Enqueued {
    /// What it changed.
    pub placed: Placed,
    /// What Pinterest advises against.
    pub advice: Vec<(PathBuf, String)>,
    /// Files that are no videos.
    pub skipped: usize,
    /// Places that could not be looked into.
    pub unreadable: Vec<Unreadable>,
}

/// Enters all videos under `options.paths`. Rows, texts and boards are found right before any is entered.
///
/// # Errors
/// As [`run()`](crate::run()), before anything is entered.
pub fn enqueue(options: &RunOptions, ledger: &PostgresLedger) -> Result<Enqueued, RunError> {
    let discovery = discover_with(&options.paths, Some(&options.output_as_named()), &options.filters, &Stores::new())?;
    let videos = &discovery.videos;
    if videos.is_empty() {
        return Err(RunError::NoVideos { paths: options.paths.clone() });
    }
    let (orders, advice) = match &options.pins {
        None => (vec![VideoOrder::default(); videos.len()], Vec::new()),
        Some(pins) => {
            let assignments = assign(videos, &discovery.strays, &options.paths, &options.texts, options.more_to_come)?;
            let advice = assignments.advice.clone();
            (runtime()?.block_on(resolve(&pins.client, assignments, &options.texts))?, advice)
        }
    };
    let folder = options.results();
    let given = ledger.queued_outputs(&folder)?;
    let mut names = Names::beside(given.values());
    let tasks: Vec<NewTask> = videos
        .iter()
        .zip(orders)
        .map(|(found, order)| {
            let source = absolute(&found.path);
            let output = given.get(&source).cloned().unwrap_or_else(|| names.give(&found.relative));
            NewTask { source, output, terms: terms_of(order) }
        })
        .collect();
    let placed = ledger.place_order(&Order { output: folder, terms: order_of(options) }, &tasks)?;
    Ok(Enqueued { placed, advice, skipped: discovery.skipped, unreadable: discovery.unreadable })
}

fn terms_of(order: VideoOrder) -> TaskTerms {
    let pin = order.pin.map(|plan| TaskPin {
        board: plan.board.as_str().to_owned(),
        content: plan.content(),
        publish_at: plan.publish_at,
    });
    TaskTerms { spec: order.spec, cover_at: order.cover_at, pin }
}

fn order_of(options: &RunOptions) -> OrderTerms {
    let fix = match &options.mode {
        Mode::Fix(fix) => fix.clone(),
        Mode::AsIs => pinpress_media::FixOptions::default(),
    };
    let pins = options.pins.as_ref().map(|pins| OrderPins {
        destination: pins.destination.clone(),
        cover_as: pins.cover_as,
        cover_url: pins.cover_url.as_ref().map(ToString::to_string),
        every_s: pins.every.map(|every| every.as_secs()),
    });
    OrderTerms { spec: options.spec.clone(), fix, pins }
}
