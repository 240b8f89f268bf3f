//! `pinpress reconcile`: a person says what became of Pins of unknown outcome.

use std::io::{BufRead, IsTerminal as _, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use pinpress_pipeline::{Doubt, Doubts, means};
use pinpress_publish::{Client, PinId};
use tokio::runtime::Runtime;

use crate::exit::Exit;
use crate::options::{ApiArgs, LedgerOption};
use crate::output::{self, shown};
use crate::render::doubt::{self, Candidates};

/// What sending a Pin again risks; told wherever it is done.
const RISK: &str = "if the Pin is on the board after all, there will be two of it";

/// Settle Pins of which nobody knows whether they exist
#[derive(Debug, Args)]
#[command(after_help = "\
When the answer to a Pin is lost, pinpress looks for the Pin on its board and takes it when there is
exactly one that fits. Else it is never sent again until a person says what became of it. In a
terminal each such Pin is shown with those it could be, and asked about; else they are listed.

Examples:
  pinpress reconcile -o out
  pinpress reconcile clip.mp4 -o out --adopt 813744226420795884
  pinpress reconcile clip.mp4 -o out --resend

--resend makes a second Pin where the first is on the board after all. What is to be sent again goes
out with the next run, or with publish --due.
Exit codes: 0 nothing is unknown or what was asked is done, 1 some are still unknown, 2 the work
could not be done.")]
pub(crate) struct ReconcileArgs {
    /// Videos, by their sources or outputs; by default all whose Pin is unknown.
    #[arg(value_name = "VIDEO")]
    videos: Vec<PathBuf>,
    /// The output folder.
    #[arg(short, long, value_name = "DIR", default_value = ".", env = "PINPRESS_OUTPUT", hide_env = true)]
    output: PathBuf,
    #[command(flatten)]
    ledger: LedgerOption,
    /// The video's Pin is the one with this id.
    #[arg(long, value_name = "PIN", requires = "videos", conflicts_with_all = ["resend", "json"])]
    adopt: Option<PinId>,
    /// There is no such Pin: let it be sent again. A second one if it is there after all.
    #[arg(long, conflicts_with = "json")]
    resend: bool,
    /// With --resend: all that are unknown, rather than named ones.
    #[arg(long, requires = "resend", conflicts_with = "videos")]
    all: bool,
    /// Print JSON; asks nothing.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    api: ApiArgs,
}

pub(crate) fn run(args: &ReconcileArgs) -> anyhow::Result<Exit> {
    anyhow::ensure!(
        !args.resend || args.all || !args.videos.is_empty(),
        "--resend needs a video's name, or --all: {RISK}"
    );
    let doubts = Doubts::open(&args.ledger.place(&args.output)?, &args.api.base().to_string())?;
    let open = picked(args, doubts.list()?)?;
    if args.resend {
        return resend(&doubts, &open);
    }
    if open.is_empty() {
        let mut out = anstream::stdout();
        if args.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&doubt::json(&[]))?)?;
        } else {
            writeln!(out, "no Pin is unknown")?;
        }
        return Ok(Exit::Success);
    }
    let client = args.api.client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let desk = Desk { doubts: &doubts, client: &client, runtime: &runtime };
    if let Some(pin) = &args.adopt {
        let [doubt] = open.as_slice() else { anyhow::bail!("a Pin belongs to one video: name one") };
        desk.adopt(doubt, pin)?;
        return Ok(Exit::Success);
    }
    if args.json {
        let told: Vec<_> = open.iter().map(|doubt| (doubt, desk.candidates(doubt))).collect();
        let mut out = anstream::stdout();
        writeln!(out, "{}", serde_json::to_string_pretty(&doubt::json(&told))?)?;
        return Ok(Exit::SomeFailed);
    }
    let asking = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut left = 0;
    for doubt in &open {
        let candidates = desk.candidates(doubt);
        let mut out = anstream::stdout();
        doubt::human(&mut out, doubt, &candidates)?;
        if !asking {
            doubt::ways(&mut out, doubt, &candidates, &args.ledger.named(&args.ledger.place(&args.output)?)?)?;
            left += 1;
            continue;
        }
        match ask(&mut std::io::stdin().lock(), &mut out, candidates.as_deref().unwrap_or_default())? {
            Answer::Adopt(pin) => {
                // A slip is no reason to leave the others.
                if let Err(error) = desk.adopt(doubt, &pin) {
                    output::complain(&error.to_string());
                    left += 1;
                }
            }
            Answer::Resend => drop(resend(&doubts, std::slice::from_ref(doubt))?),
            Answer::Leave => left += 1,
        }
    }
    Ok(if left == 0 { Exit::Success } else { Exit::SomeFailed })
}

/// Those that the user means.
fn picked(args: &ReconcileArgs, open: Vec<Doubt>) -> anyhow::Result<Vec<Doubt>> {
    if args.videos.is_empty() {
        return Ok(open);
    }
    let is = |asked: &PathBuf, doubt: &Doubt| means(asked, &doubt.job.source, &doubt.output);
    if let Some(missed) = args.videos.iter().find(|asked| !open.iter().any(|doubt| is(asked, doubt))) {
        anyhow::bail!("no Pin of it is unknown: see pinpress status: {}", missed.display());
    }
    Ok(open.into_iter().filter(|doubt| args.videos.iter().any(|asked| is(asked, doubt))).collect())
}

fn resend(doubts: &Doubts, open: &[Doubt]) -> anyhow::Result<Exit> {
    let mut out = anstream::stdout();
    if open.is_empty() {
        writeln!(out, "no Pin is unknown")?;
    }
    for doubt in open {
        doubts.resend(doubt)?;
        let video = shown(&doubt.job.source);
        writeln!(out, "goes out with the next run, or publish --due: {video}")?;
    }
    if !open.is_empty() {
        output::warn(RISK);
    }
    Ok(Exit::Success)
}

struct Desk<'a> {
    doubts: &'a Doubts,
    client: &'a Client,
    runtime: &'a Runtime,
}

impl Desk<'_> {
    fn candidates(&self, doubt: &Doubt) -> Candidates {
        let base = &self.client.options().api_base;
        match self.runtime.block_on(self.doubts.candidates(self.client, doubt)) {
            Ok(pins) => Ok(pins.into_iter().map(|pin| (base.pin_url(&pin.id), pin)).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn adopt(&self, doubt: &Doubt, pin: &PinId) -> anyhow::Result<()> {
        let found = self.runtime.block_on(self.doubts.adoptable(self.client, doubt, pin))?;
        if !found.differences.is_empty() {
            let fields: Vec<_> = found.differences.iter().map(ToString::to_string).collect();
            output::warn(&format!("that Pin says something else than was sent: {}", fields.join(", ")));
        }
        if let Some(error) = self.doubts.adopt(doubt, &found)? {
            output::warn(&format!(
                "the ledger has it; the receipt could not be written, the next run writes it: {error}"
            ));
        }
        writeln!(anstream::stdout(), "is {}: {}", found.url, shown(&doubt.job.source))?;
        Ok(())
    }
}

/// What a person says of one.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Adopt(PinId),
    Resend,
    Leave,
}

/// Asks until the answer is one. The end of the input leaves it.
fn ask(
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    candidates: &[(String, pinpress_publish::Pin)],
) -> anyhow::Result<Answer> {
    let mut line = String::new();
    let mut read = |out: &mut dyn Write, prompt: &str| -> std::io::Result<Option<String>> {
        write!(out, "{prompt}")?;
        out.flush()?;
        line.clear();
        Ok((input.read_line(&mut line)? > 0).then(|| line.trim().to_owned()))
    };
    let numbers = match candidates.len() {
        0 => String::new(),
        1 => "1 it is that Pin, ".to_owned(),
        count => format!("1-{count} it is that Pin, "),
    };
    let prompt = format!("  {numbers}id ID it is another, s send it again, Enter leave it: ");
    while let Some(said) = read(out, &prompt)? {
        let number = said.parse::<usize>().ok().and_then(|number| candidates.get(number.checked_sub(1)?));
        match (said.as_str(), number) {
            ("", _) => return Ok(Answer::Leave),
            (_, Some((_, pin))) => return Ok(Answer::Adopt(pin.id.clone())),
            ("s", _) => match read(out, &format!("  {RISK}. Write yes to send it again: "))? {
                Some(sure) if sure == "yes" => return Ok(Answer::Resend),
                Some(_) => {}
                None => break,
            },
            (said, None) => match said.strip_prefix("id ").map(|id| id.trim().parse::<PinId>()) {
                Some(Ok(id)) => return Ok(Answer::Adopt(id)),
                Some(Err(error)) => writeln!(out, "  {error}")?,
                None => writeln!(out, "  no such answer")?,
            },
        }
    }
    writeln!(out)?;
    Ok(Answer::Leave)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(typed: &str) -> (Answer, String) {
        let candidates: Vec<_> = ["11", "22"]
            .map(|id| {
                (format!("https://p.example/{id}"), serde_json::from_str(&format!("{{\"id\":\"{id}\"}}")).unwrap())
            })
            .into();
        let mut out = Vec::new();
        let answer = ask(&mut typed.as_bytes(), &mut out, &candidates).unwrap();
        (answer, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_number_an_id_or_nothing() {
        let adopt = |id: &str| Answer::Adopt(id.parse().unwrap());
        assert_eq!(asked("2\n").0, adopt("22"));
        assert_eq!(asked("3\n0\nid 4x\nid 44\n").0, adopt("44"));
        assert_eq!(asked("\n").0, Answer::Leave);
        assert_eq!(asked("").0, Answer::Leave, "the input ends");
        let (_, told) = asked("7\n\n");
        assert!(told.contains("1-2 it is that Pin") && told.contains("no such answer"), "{told}");
    }

    #[test]
    fn sending_again_says_what_it_risks_and_wants_a_whole_word() {
        let (answer, told) = asked("s\nyes\n");
        assert_eq!(answer, Answer::Resend);
        assert!(told.contains("there will be two"), "{told}");
        assert_eq!(asked("s\ny\n\n").0, Answer::Leave);
        assert_eq!(asked("s\n").0, Answer::Leave);
    }
}
