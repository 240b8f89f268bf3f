//! The media worker: requests in on standard input, events out on standard output, and between them a child process
//! for each request, confined to the files of that request: it reads the video, writes in a private folder, and its
//! parent takes the result out of there.

pub mod sandbox;
pub mod serve;

mod about;
mod events;
mod job;
mod outputs;
