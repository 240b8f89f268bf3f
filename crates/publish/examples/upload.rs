//! Registers an upload and sends one video, and creates no Pin of it: what `cargo xtask bench upload` measures.
//!
//! `PINPRESS_ACCESS_TOKEN=… cargo run --release -p pinpress-publish --example upload -- VIDEO [API_BASE]`

#![expect(clippy::print_stdout, reason = "an example for people")]

use std::error::Error;
use std::path::PathBuf;

use pinpress_publish::{AccessToken, ApiBase, Client, ClientOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let video = arguments.next().map(PathBuf::from).ok_or("name a video")?;
    let api_base = match arguments.next() {
        Some(text) => text.to_string_lossy().parse()?,
        None => ApiBase::default(),
    };
    let token = std::env::var("PINPRESS_ACCESS_TOKEN").map_err(|_| "PINPRESS_ACCESS_TOKEN is not set")?;
    let client = Client::new(AccessToken::new(&token)?, ClientOptions { api_base, ..ClientOptions::default() })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let upload = client.register(&()).await?;
        client.upload(&upload, &video, &()).await?;
        println!("uploaded, media id {}", upload.media_id);
        Ok(())
    })
}
