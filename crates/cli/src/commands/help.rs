//! `pinpress help`: commands, and what takes more words than an option has.

use std::io::Write as _;

use clap::Args;

use crate::exit::Exit;
use crate::render::metrics_text;

/// Texts by the word that asks for them.
const TOPICS: [Topic; 12] = [
    Topic {
        name: "config",
        about: "options in files and variables, key by key, and which of them wins",
        text: || include_str!("../help/config.md").to_owned(),
    },
    Topic {
        name: "fixes",
        about: "what fix does for each rule, and what it costs",
        text: || include_str!("../help/fixes.md").to_owned(),
    },
    Topic {
        name: "formats",
        about: "the reports of check, and what each is for",
        text: || include_str!("../help/formats.md").to_owned(),
    },
    Topic {
        name: "machine",
        about: "jobs, threads, memory and priority; what hangs or is hostile",
        text: || include_str!("../help/machine.md").to_owned(),
    },
    Topic {
        name: "manifest",
        about: "what each Pin says: lists, files beside videos, templates",
        text: || include_str!("../help/manifest.md").to_owned(),
    },
    Topic {
        name: "many-machines",
        about: "parts of a folder, one ledger, and a queue for many machines",
        text: || include_str!("../help/many-machines.md").to_owned(),
    },
    Topic {
        name: "metrics",
        about: "how a run is seen from outside: metrics, probes, traces, logs for programs",
        text: || include_str!("../help/metrics.md").replace("{metrics}", &metrics_text::list()),
    },
    Topic {
        name: "publishing",
        about: "how a Pin comes into being once, what happens when an answer is lost, schedules",
        text: || include_str!("../help/publishing.md").to_owned(),
    },
    Topic {
        name: "rule-sets",
        about: "how to write limits of your own, key by key",
        text: || include_str!("../help/rule-sets.md").to_owned(),
    },
    Topic {
        name: "rules",
        about: "what each rule judges, and where its limits come from",
        text: || include_str!("../help/rules.md").to_owned(),
    },
    Topic {
        name: "runs",
        about: "what a run tells: progress, events for programs, the report, the log",
        text: || include_str!("../help/runs.md").to_owned(),
    },
    Topic {
        name: "storage",
        about: "videos in S3, Google's and Azure's storage: addresses, credentials, what travels",
        text: || include_str!("../help/storage.md").to_owned(),
    },
];

struct Topic {
    name: &'static str,
    about: &'static str,
    text: fn() -> String,
}

/// Explain a command or a topic
#[derive(Debug, Args)]
#[command(after_help = listed_topics())]
pub(crate) struct HelpArgs {
    /// A command, or a topic.
    #[arg(value_name = "COMMAND|TOPIC")]
    what: Option<String>,
}

/// The topics as a list.
fn listed_topics() -> String {
    let width = TOPICS.iter().map(|topic| topic.name.len()).max().unwrap_or_default();
    let lines = TOPICS.iter().map(|topic| format!("\n  {:<width$}  {}", topic.name, topic.about));
    format!("Topics of pinpress help:{}", lines.collect::<String>())
}

pub(crate) fn run(args: &HelpArgs, mut command: clap::Command) -> anyhow::Result<Exit> {
    let mut out = anstream::stdout();
    let Some(what) = args.what.as_deref() else {
        writeln!(out, "{}\n{}", command.render_help().ansi(), listed_topics())?;
        return Ok(Exit::Success);
    };
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name == what) {
        write!(out, "{}", (topic.text)())?;
        return Ok(Exit::Success);
    }
    // Built, the command knows its full name and the options of every command.
    command.build();
    let Some(named) = command.find_subcommand_mut(what) else {
        let topics: Vec<&str> = TOPICS.iter().map(|topic| topic.name).collect();
        anyhow::bail!("no command or topic {what:?}: see pinpress --help; topics are {}", topics.join(", "));
    };
    write!(out, "{}", named.render_help().ansi())?;
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_fits_a_terminal() {
        for Topic { name, text, .. } in &TOPICS {
            let text = text();
            let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 100).collect();
            assert!(wide.is_empty() && text.ends_with('\n'), "{name}: {wide:?}");
        }
    }
}
