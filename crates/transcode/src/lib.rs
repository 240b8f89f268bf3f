//! The least change that makes a video fit: planned, carried out, proved.

pub mod plan;
