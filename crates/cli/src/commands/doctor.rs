//! `pinpress doctor`: what works here, and what to do about the rest.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use jiff::Timestamp;
use pinpress_media::{About, EncoderReport, EncoderState};
use pinpress_publish::{ApiBase, StoreError, TokenError};

use super::whoami::good_for;
use crate::account::{self, TOKEN_VARIABLE};
use crate::config::{Config, ConfigError};
use crate::exit::Exit;
use crate::options::ApiArgs;
use crate::output::{BAD, GOOD, NOTE, clean, shown};
use crate::workers::LazyWorkers;

/// Less free space than this is worth a word: one long 1080p video and its temp file.
const LITTLE_SPACE: u64 = 4_000_000_000;

/// 2026-01-23 in seconds since 1970: the date of the built-in rules. A clock before it is wrong.
const RULES_DATE: u64 = 1_769_126_400;

/// Say what works here, and what to do about the rest
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 everything that is needed works, 1 something does not.")]
pub(crate) struct DoctorArgs {
    /// The folder that outputs will go to.
    #[arg(short, long, value_name = "DIR", default_value = ".", env = "PINPRESS_OUTPUT", hide_env = true)]
    output: PathBuf,
    #[command(flatten)]
    api: ApiArgs,
}

/// One line of the answer.
struct Finding {
    what: &'static str,
    state: State,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    /// Worth knowing; nothing is broken.
    Note,
    Problem,
}

pub(crate) fn run(args: &DoctorArgs, config: &Result<Config, ConfigError>) -> anyhow::Result<Exit> {
    let mut findings = worker();
    findings.extend(files(config));
    findings.push(disk(&args.output));
    findings.push(token(&args.api.base()));
    findings.push(Finding { what: "API", state: State::Good, text: args.api.base().to_string() });
    findings.push(clock());
    let mut out = anstream::stdout();
    for Finding { what, state, text } in &findings {
        let (mark, style) = match state {
            State::Good => ("ok", GOOD),
            State::Note => ("note", NOTE),
            State::Problem => ("problem", BAD),
        };
        writeln!(out, "{style}{mark:<7}{style:#}  {what:<9} {}", clean(text))?;
    }
    let bad = findings.iter().any(|finding| finding.state == State::Problem);
    Ok(if bad { Exit::SomeFailed } else { Exit::Success })
}

/// The files that options come from, the nearest first, or all that is wrong with them.
fn files(config: &Result<Config, ConfigError>) -> Vec<Finding> {
    let what = "config";
    match config {
        Ok(config) if config.paths().next().is_none() => {
            let text = "no file: pinpress init writes one; pinpress help config explains it".to_owned();
            vec![Finding { what, state: State::Good, text }]
        }
        Ok(config) => config.paths().map(|path| Finding { what, state: State::Good, text: shown(path) }).collect(),
        Err(error) => {
            let told = error.mistakes.iter().map(ToString::to_string);
            told.map(|text| Finding { what, state: State::Problem, text }).collect()
        }
    }
}

fn worker() -> Vec<Finding> {
    let about = match LazyWorkers::new(1).about() {
        Ok(about) => about,
        Err(failure) => return vec![Finding { what: "worker", state: State::Problem, text: failure.message }],
    };
    let mut findings = vec![version(&about), libraries(&about), encoders(&about)];
    findings.extend(about.video_encoders.iter().map(video_encoder));
    findings.push(sandbox(&about));
    findings
}

fn version(about: &About) -> Finding {
    let ours = env!("CARGO_PKG_VERSION");
    if about.version == ours {
        return Finding { what: "worker", state: State::Good, text: format!("pinpress-media {ours}") };
    }
    let text = format!("pinpress-media is {}, pinpress is {ours}: install both from one build", about.version);
    Finding { what: "worker", state: State::Problem, text }
}

fn libraries(about: &About) -> Finding {
    if about.libraries.is_empty() {
        let text = "the worker names no libraries: install both programs from one build".to_owned();
        return Finding { what: "libraries", state: State::Problem, text };
    }
    Finding { what: "libraries", state: State::Good, text: about.libraries.join(", ") }
}

fn encoders(about: &About) -> Finding {
    let picture = about.video_encoders.iter().any(|encoder| encoder.state == EncoderState::Default);
    let sound = about.encoders.iter().any(|name| name == "aac");
    let missing = match (picture, sound) {
        (true, true) => return Finding { what: "encoders", state: State::Good, text: about.encoders.join(", ") },
        (false, true) => "none of H.264 can be used",
        (true, false) => "none of AAC is there",
        (false, false) => "neither of H.264 nor of AAC",
    };
    let text = format!("{missing}: install an FFmpeg that was built with libx264 and aac");
    Finding { what: "encoders", state: State::Problem, text }
}

/// One that is not there is worth a word, as somebody may look for it; nothing is broken.
fn video_encoder(encoder: &EncoderReport) -> Finding {
    let (state, text) = match &encoder.state {
        EncoderState::Default => (State::Good, "used by default".to_owned()),
        EncoderState::Usable => (State::Good, "can be used with --encoder".to_owned()),
        EncoderState::CannotOpen(reason) => (State::Note, format!("cannot be opened here: {reason}")),
        EncoderState::NotCompiledIn => (State::Note, "not in this FFmpeg".to_owned()),
    };
    Finding { what: "encoder", state, text: format!("{:<17}  {text}", encoder.name) }
}

fn sandbox(about: &About) -> Finding {
    if about.sandbox.is_empty() {
        let text = "nothing confines decoders here: open only files you trust, or use a Linux with Landlock";
        return Finding { what: "sandbox", state: State::Note, text: text.to_owned() };
    }
    Finding { what: "sandbox", state: State::Good, text: about.sandbox.join(", ") }
}

fn disk(folder: &Path) -> Finding {
    let what = "disk";
    // A folder that is not there yet will be made on the disk of the nearest one above it.
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let there = absolute.ancestors().find(|above| above.is_dir()).unwrap_or(folder);
    let free = match rustix::fs::statvfs(there) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(error) => {
            let text = format!("free space unknown: {error}: {}", shown(there));
            return Finding { what, state: State::Note, text };
        }
    };
    let text = format!("{} MB free: {}", free / 1_000_000, shown(there));
    if free < LITTLE_SPACE {
        let text = format!("{text}: make room, or choose another output folder");
        return Finding { what, state: State::Problem, text };
    }
    if tempfile::tempfile_in(there).is_err() {
        let text = format!("cannot write there: choose another output folder: {}", shown(there));
        return Finding { what, state: State::Problem, text };
    }
    Finding { what, state: State::Good, text }
}

fn token(api_base: &ApiBase) -> Finding {
    let what = "token";
    let (state, text) = match account::fixed_token() {
        Ok(Some(_)) => (State::Good, format!("{TOKEN_VARIABLE} is set")),
        Ok(None) => match account::app() {
            Ok(_) => login(api_base).unwrap_or_else(|error| (State::Problem, error.to_string())),
            Err(error) => (State::Problem, error.to_string()),
        },
        Err(_) => (State::Problem, format!("{TOKEN_VARIABLE} holds no token: set it again")),
    };
    Finding { what, state, text }
}

/// What there is to say of the login, never what is in it.
fn login(api_base: &ApiBase) -> Result<(State, String), StoreError> {
    let places = account::places(api_base)?;
    if let Some(mode) = places.file().close_to_others()? {
        return Ok((State::Problem, account::was_open(mode, &places)));
    }
    let found = match places.find() {
        Ok(found) => found,
        Err(TokenError::NotLoggedIn { .. }) => {
            let text = format!(
                "none: publishing needs `pinpress login`, or one in {TOKEN_VARIABLE}; `pinpress rehearse` does not"
            );
            return Ok((State::Note, text));
        }
        Err(error) => return Ok((State::Problem, error.to_string())),
    };
    let now = Timestamp::now();
    let text = format!("{}: {}", good_for(&found.login), found.store.place());
    let is_over = found.login.is_expired(now) && !found.login.is_refreshable(now);
    Ok((if is_over { State::Problem } else { State::Good }, text))
}

fn clock() -> Finding {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if now < RULES_DATE {
        let text = "it stands before the date of the rules: set it, or TLS and publishing times will go wrong";
        return Finding { what: "clock", state: State::Problem, text: text.to_owned() };
    }
    Finding { what: "clock", state: State::Good, text: "plausible".to_owned() }
}

#[cfg(test)]
mod tests {
    use pinpress_media::Encoder;

    use super::*;

    #[test]
    fn every_state_of_an_encoder_has_its_words() {
        let told = |state| {
            let Finding { state, text, .. } =
                video_encoder(&EncoderReport { encoder: Encoder::Nvenc, name: "h264_nvenc".to_owned(), state });
            (state == State::Good, text)
        };
        let words = |text: &str| format!("h264_nvenc         {text}");
        assert_eq!(told(EncoderState::Default), (true, words("used by default")));
        assert_eq!(told(EncoderState::Usable), (true, words("can be used with --encoder")));
        let reason = EncoderState::CannotOpen("Cannot load libcuda.so.1".to_owned());
        assert_eq!(told(reason), (false, words("cannot be opened here: Cannot load libcuda.so.1")));
        assert_eq!(told(EncoderState::NotCompiledIn), (false, words("not in this FFmpeg")));
    }
}
