//! From a video to its cover: frames that represent it, are still, sharp and well lit, and no two alike.
//!
//! `search` says where `frames` takes small stills; `measure` says what each is like, `flaw`, `beside` and
//! `transition` refuse, `cluster` and `score` rank, `choose` picks distinct ones; `picture` and `sheet` write.
//! Measuring and scoring are pure and the same on every run at any number of threads.

mod bars;
mod beside;
mod between;
mod choose;
mod cluster;
mod cover;
pub mod failure;
mod flaw;
mod frames;
mod grid;
mod look;
mod looked;
mod measure;
mod meter;
mod picture;
mod pieces;
mod pixels;
mod plane;
mod score;
mod search;
mod sheet;
mod texture;
mod transition;
mod write;

pub use cover::{cover, refuse_existing};
pub(crate) use pixels::Picture;
