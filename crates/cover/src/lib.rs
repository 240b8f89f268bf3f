//! From a video to its cover: frames that represent it, are still, sharp and well lit, and no two alike.
//!
//! `frames` takes small stills at sync samples; `measure` says what each is like, `flaw` refuses, `score` ranks,
//! `choose` picks distinct ones; `picture` and `sheet` write. Measuring and scoring are pure and the same on every
//! run at any number of threads.

mod choose;
mod cover;
mod failure;
mod flaw;
mod frames;
mod grid;
mod look;
mod measure;
mod picture;
mod pixels;
mod score;
mod sheet;
mod write;

pub use cover::cover;
pub(crate) use pixels::Picture;
