//! Options that several commands share.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, ColorChoice};
use pinpress_media::{AspectMode, CropFocus, Encoder, FixOptions, FpsMode, LinkMode, LongMode, ShortMode};
use pinpress_pipeline::ledger::PostgresLedger;
use pinpress_pipeline::{LedgerAddress, LedgerPlace, Template};
use pinpress_probe::{AspectRatio, Spec};
use pinpress_publish::CoverAs;
use pinpress_telemetry::Traces;
use serde::de::DeserializeOwned;

use crate::account;
use crate::destination::OutputFolder;
use crate::logs::{self, LogFormat};
pub(crate) use crate::machine::JobsOption;
use crate::output;
use crate::render::doubt::quoted;

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Shared {
    /// Colours: auto, always or never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", env = "PINPRESS_COLOR", hide_env = true)]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    color: ColorChoice,
    /// Say only what went wrong.
    #[arg(short, long, global = true, env = "PINPRESS_QUIET", hide_env = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more; twice for a log of every step.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How the log is written, on stderr and in files: text, or json for an object a line.
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        env = "PINPRESS_LOG_FORMAT",
        hide_env = true
    )]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub(crate) log_format: LogFormat,
    /// Options from this file, not the nearest pinpress.toml.
    #[arg(long, global = true, value_name = "FILE", env = "PINPRESS_CONFIG", hide_env = true)]
    config: Option<PathBuf>,
}

impl Shared {
    /// Colours, logs and `traces`, before anything is written.
    pub(crate) fn set_up(&self, traces: Option<&Traces>) {
        output::set_color(self.color);
        // Nothing is set up that nobody reads: most runs of the gate are over in milliseconds.
        let named = std::env::var("PINPRESS_LOG").ok().filter(|filter| !filter.is_empty());
        let usual = match self.verbose {
            0 => None,
            1 => Some("warn,pinpress=info"),
            _ => Some("info,pinpress=debug"),
        };
        let filter = named.as_deref().or(usual);
        if filter.is_some() || traces.is_some() {
            logs::begin(filter, self.log_format, traces);
        }
    }
}

/// `--spec`.
#[derive(Debug, Args)]
pub(crate) struct SpecOption {
    /// Rule set: pinterest, pinterest-official, or a TOML file.
    #[arg(long, value_name = "NAME|FILE", default_value = "pinterest", env = "PINPRESS_SPEC", hide_env = true)]
    spec: String,
}

impl SpecOption {
    pub(crate) fn load(&self) -> anyhow::Result<Spec> {
        Spec::load(&self.spec).context("cannot use --spec")
    }
}

/// `--ledger`.
#[derive(Debug, Args)]
pub(crate) struct LedgerOption {
    /// The ledger: a file on a disk of this machine, or `postgres://USER@HOST/DATABASE` for many machines, with the
    /// password in `PGPASSWORD` or ~/.pgpass; by default a file in the output folder.
    #[arg(id = "ledger", long, value_name = "FILE|URL", env = "PINPRESS_LEDGER", hide_env = true)]
    named: Option<OsString>,
}

impl LedgerOption {
    /// What was named. Judged here and not by clap, which would show a password with what is wrong.
    pub(crate) fn address(&self) -> anyhow::Result<Option<LedgerAddress>> {
        let password = std::env::var("PGPASSWORD").ok();
        let parse = |named: &OsString| LedgerAddress::parse(named, password.as_deref());
        let address = self.named.as_ref().map(parse).transpose().context("cannot use --ledger")?;
        Ok(match (address, passfile()) {
            (Some(LedgerAddress::Server(server)), Some(file)) => {
                Some(LedgerAddress::Server(server.or_password_of(&file)))
            }
            (address, _) => address,
        })
    }

    /// The ledger as a queue.
    ///
    /// # Errors
    /// When it is not in a database, or cannot be used.
    pub(crate) fn queue(&self) -> anyhow::Result<PostgresLedger> {
        match self.address()? {
            Some(LedgerAddress::Server(server)) => Ok(PostgresLedger::open(server)?),
            _ => anyhow::bail!(
                "a queue needs a ledger that machines share: give --ledger postgres://USER@HOST/DATABASE, or set \
                 PINPRESS_LEDGER"
            ),
        }
    }

    pub(crate) fn place(&self, output: &Path) -> anyhow::Result<LedgerPlace> {
        let OutputFolder { folder, depot } = OutputFolder::of(output)?;
        Ok(LedgerPlace::new(&folder, self.address()?.as_ref()).of_depot(depot.as_ref()))
    }

    /// The one that is named, or all that are in the output folder: with shards there are several.
    pub(crate) fn places(&self, output: &Path) -> anyhow::Result<Vec<LedgerPlace>> {
        if self.named.is_some() {
            return Ok(vec![self.place(output)?]);
        }
        let OutputFolder { folder, depot } = OutputFolder::of(output)?;
        Ok(LedgerPlace::all_in(&folder).into_iter().map(|place| place.of_depot(depot.as_ref())).collect())
    }

    /// How a command names one of them, for a shell; without a password.
    pub(crate) fn named(&self, place: &LedgerPlace) -> anyhow::Result<String> {
        let of_shard = || place.shard().and_then(|_| place.file()).map(LedgerAddress::File);
        let address = self.address()?.or_else(of_shard);
        let address = address.map(|address| format!(" --ledger {}", quoted(Path::new(&address.to_string()))));
        Ok(format!("-o {}{}", quoted(&place.results()), address.unwrap_or_default()))
    }
}

/// Where programs of `PostgreSQL` look for passwords.
fn passfile() -> Option<PathBuf> {
    let named = std::env::var_os("PGPASSFILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(std::env::home_dir()?.join(".pgpass")))
}

/// Where a fix has a choice.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where there is a choice")]
pub(crate) struct FixArgs {
    /// A shape that is not allowed: blur, pad, crop or reject.
    #[arg(long, value_name = "HOW", default_value = "blur", env = "PINPRESS_ASPECT", hide_env = true)]
    #[arg(value_parser = named::<AspectMode>(&["blur", "pad", "crop", "reject"]), hide_possible_values = true)]
    aspect: AspectMode,
    /// Colour of the bars of `--aspect pad`: a name, or #RRGGBB.
    #[arg(long, value_name = "COLOUR", default_value = "black", env = "PINPRESS_PAD_COLOR", hide_env = true)]
    #[arg(value_parser = pad_color)]
    pad_color: String,
    /// Which part `--aspect crop` keeps: centre, or auto for where the picture is busiest.
    #[arg(long, value_name = "WHERE", default_value = "centre", env = "PINPRESS_CROP_FOCUS", hide_env = true)]
    #[arg(value_parser = named::<CropFocus>(&["centre", "auto"]), hide_possible_values = true)]
    crop_focus: CropFocus,
    /// Shape to aim for, such as 9:16; by default the allowed one that adds or loses least.
    #[arg(long, value_name = "W:H", env = "PINPRESS_PREFER", hide_env = true)]
    prefer: Option<AspectRatio>,
    /// A frame rate that is too low: multiply, retime or reject.
    #[arg(long, value_name = "HOW", default_value = "multiply", env = "PINPRESS_FPS", hide_env = true)]
    #[arg(value_parser = named::<FpsMode>(&["multiply", "retime", "reject"]), hide_possible_values = true)]
    fps: FpsMode,
    /// A clip that is too short: loop, hold or reject.
    #[arg(long, value_name = "HOW", default_value = "loop", env = "PINPRESS_SHORT", hide_env = true)]
    #[arg(value_parser = named::<ShortMode>(&["loop", "hold", "reject"]), hide_possible_values = true)]
    short: ShortMode,
    /// A video that is too long: trim, split or reject.
    #[arg(long, value_name = "HOW", default_value = "trim", env = "PINPRESS_LONG", hide_env = true)]
    #[arg(value_parser = named::<LongMode>(&["trim", "split", "reject"]), hide_possible_values = true)]
    long: LongMode,
    /// x264's CRF, 1 (next to lossless) to 51.
    #[arg(long, value_name = "N", default_value_t = 20, env = "PINPRESS_QUALITY", hide_env = true)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=51))]
    quality: u8,
    /// x264's preset, ultrafast to placebo.
    #[arg(long, value_name = "NAME", default_value = "medium", env = "PINPRESS_PRESET", hide_env = true)]
    #[arg(value_parser = PRESETS, hide_possible_values = true)]
    preset: String,
    /// Who encodes: auto, x264, openh264, or hardware: videotoolbox, nvenc, qsv, vaapi.
    #[arg(long, value_name = "NAME", default_value = "auto", env = "PINPRESS_ENCODER", hide_env = true)]
    #[arg(value_parser = named::<Encoder>(ENCODERS), hide_possible_values = true)]
    encoder: Encoder,
    /// Keep what decodes of a truncated or damaged video.
    #[arg(long, env = "PINPRESS_SALVAGE", hide_env = true)]
    salvage: bool,
    /// Keep location and device metadata.
    #[arg(long, env = "PINPRESS_KEEP_METADATA", hide_env = true)]
    keep_metadata: bool,
    /// What becomes of a video that already fits: copy, reflink or hard.
    #[arg(long, value_name = "HOW", default_value = "copy", env = "PINPRESS_LINK", hide_env = true)]
    #[arg(value_parser = named::<LinkMode>(&["copy", "reflink", "hard"]), hide_possible_values = true)]
    link: LinkMode,
    /// Replace outputs that exist.
    #[arg(long, env = "PINPRESS_OVERWRITE", hide_env = true)]
    pub(crate) overwrite: bool,
}

const ENCODERS: &[&str] = &["auto", "x264", "openh264", "videotoolbox", "nvenc", "qsv", "vaapi"];

const PRESETS: [&str; 10] =
    ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"];

impl FixArgs {
    /// As the worker takes them, for `threads` threads a video.
    pub(crate) fn options(&self, threads: usize) -> FixOptions {
        FixOptions {
            aspect: self.aspect,
            pad_color: self.pad_color.clone(),
            crop_focus: self.crop_focus,
            prefer: self.prefer,
            fps: self.fps,
            short: self.short,
            long: self.long,
            quality: self.quality,
            preset: self.preset.clone(),
            encoder: self.encoder,
            salvage: self.salvage,
            keep_metadata: self.keep_metadata,
            link: self.link,
            overwrite: self.overwrite,
            threads,
        }
    }
}

/// The values of a type whose names are those of the command line.
fn named<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    names: &'static [&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(|name| serde_json::from_value::<T>(name.into()))
}

/// The colour becomes a part of a filter description, so only what cannot be anything else is let through.
fn pad_color(text: &str) -> Result<String, String> {
    let hex = text.strip_prefix('#').or_else(|| text.strip_prefix("0x"));
    match hex {
        Some(digits) if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Ok(format!("0x{digits}"))
        }
        None if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err("write a name such as black, or #RRGGBB".to_owned()),
    }
}

/// Boards and texts.
#[derive(Debug, Args)]
pub(crate) struct TextArgs {
    /// Board of every video that is given none: its id or name.
    #[arg(long, value_name = "BOARD", env = "PINPRESS_BOARD", hide_env = true)]
    pub(crate) board: Option<String>,
    /// What each Pin says: a .csv, .json or .toml file with a row for each video.
    #[arg(long, value_name = "FILE", env = "PINPRESS_MANIFEST", hide_env = true)]
    manifest: Option<PathBuf>,
    /// Title of every Pin that is given none; by default the words of its name. See pinpress help manifest.
    #[arg(long, value_name = "TEMPLATE", env = "PINPRESS_TITLE", hide_env = true)]
    title: Option<Template>,
    /// Description of every Pin that is given none.
    #[arg(long, value_name = "TEMPLATE", env = "PINPRESS_DESCRIPTION", hide_env = true)]
    description: Option<Template>,
    /// Alternative text of every Pin that is given none.
    #[arg(long, value_name = "TEMPLATE", env = "PINPRESS_ALT_TEXT", hide_env = true)]
    alt_text: Option<Template>,
    /// Link of every Pin that is given none.
    #[arg(long, value_name = "TEMPLATE", env = "PINPRESS_PIN_LINK", hide_env = true)]
    pin_link: Option<Template>,
    /// How covers are sent: image (the picture itself), key-frame (its second), timestamp-ms, or url.
    #[arg(long, value_name = "FORM", env = "PINPRESS_COVER_AS", hide_env = true, hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(["image", "key-frame", "timestamp-ms", "url"]).try_map(|name| name.parse::<CoverAs>()))]
    cover_as: Option<CoverAs>,
    /// Where Pinterest fetches the covers: {stem} in it stands for the name of each output without its ending.
    #[arg(long, value_name = "URL", env = "PINPRESS_COVER_URL", hide_env = true)]
    cover_url: Option<String>,
    /// Videos that are uploaded at the same time.
    #[arg(long, value_name = "N", default_value_t = 2, env = "PINPRESS_UPLOADS", hide_env = true)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=16))]
    uploads: u8,
}

impl TextArgs {
    /// Reads the manifest.
    pub(crate) fn texts(&self) -> anyhow::Result<pinpress_pipeline::PinTexts> {
        Ok(pinpress_pipeline::PinTexts {
            manifest: self.manifest.as_deref().map(pinpress_pipeline::Manifest::load).transpose()?,
            board: self.board.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            alt_text: self.alt_text.clone(),
            link: self.pin_link.clone(),
            stored: pinpress_pipeline::StoredSidecars::default(),
        })
    }

    /// How Pins are made at `destination` through `client`.
    ///
    /// # Errors
    /// When it is not clear how covers are to be sent.
    pub(crate) fn pins(
        &self,
        client: pinpress_publish::Client,
        destination: String,
    ) -> anyhow::Result<pinpress_pipeline::PinOptions> {
        let usual = if self.cover_url.is_some() { CoverAs::Url } else { CoverAs::default() };
        let (cover_as, uploads) = (self.cover_as.unwrap_or(usual), self.uploads.into());
        let cover_url = self.cover_url.clone().map(pinpress_pipeline::CoverUrl::new);
        match (cover_as, &cover_url) {
            (CoverAs::Url, None) => anyhow::bail!(
                "--cover-as url needs the address: give --cover-url, such as https://example.com/covers/{{stem}}.jpg"
            ),
            (CoverAs::Url, Some(_)) | (_, None) => {}
            (_, Some(_)) => anyhow::bail!("--cover-url is for covers that are sent as url: leave one of the two out"),
        }
        let clock = std::sync::Arc::new(pinpress_pipeline::SystemClock);
        Ok(pinpress_pipeline::PinOptions { client, destination, cover_as, cover_url, uploads, every: None, clock })
    }
}

/// Where Pinterest is.
#[derive(Debug, Args)]
pub(crate) struct ApiArgs {
    /// Base URL of the API, /v5 included.
    #[arg(long, value_name = "URL", env = "PINPRESS_API", hide = true)]
    api_base: Option<pinpress_publish::ApiBase>,
}

impl ApiArgs {
    pub(crate) fn base(&self) -> pinpress_publish::ApiBase {
        self.api_base.clone().unwrap_or_default()
    }

    pub(crate) fn options(&self) -> pinpress_publish::ClientOptions {
        pinpress_publish::ClientOptions { api_base: self.base(), ..Default::default() }
    }

    /// The client, with the token of the environment or the login.
    pub(crate) fn client(&self) -> anyhow::Result<pinpress_publish::Client> {
        self.client_within(None)
    }

    /// The same, which makes at most so many calls in a day.
    pub(crate) fn client_within(&self, daily_calls: Option<u64>) -> anyhow::Result<pinpress_publish::Client> {
        let options = pinpress_publish::ClientOptions { daily_calls, ..self.options() };
        Ok(pinpress_publish::Client::new(account::source(&self.base())?, options)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_names_or_six_digits() {
        assert_eq!(pad_color("#a0B1c2").as_deref(), Ok("0xa0B1c2"));
        assert_eq!(pad_color("0xffffff").as_deref(), Ok("0xffffff"));
        assert_eq!(pad_color("White").as_deref(), Ok("white"));
        for bad in ["", "#fff", "0xfffffff", "red,crop=1", "red@0.5", "black:x"] {
            assert!(pad_color(bad).is_err(), "{bad}");
        }
    }
}
