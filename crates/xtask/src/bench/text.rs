//! Words of commands, and numbers as tables show them.

use std::time::Duration;

use super::measure::Run;

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(crate) fn shell(script: &str) -> Vec<String> {
    words(&["sh", "-c", script])
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

pub(crate) fn tenths(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

pub(crate) fn mebibytes(kib: u64) -> String {
    format!("{} MiB", kib / 1024)
}

/// How much of `whole` this is.
pub(crate) fn ratio(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64()
}

/// A command as a person would type it: from the workspace's folder, programs by their names.
pub(crate) fn typed(command: &[String]) -> String {
    let root = format!("{}/", pinpress_fixtures::workspace_root().display());
    let word = |word: &String| {
        let word = word.replace("target/release/pinpress", "pinpress").replace(&root, "");
        if word.is_empty() || word.contains([' ', '[', ';', '(', '|', '&', '\'']) {
            format!("'{}'", word.replace('\'', "'\\''"))
        } else {
            word
        }
    };
    let script = match command {
        [shell, option, script] if shell == "sh" && option == "-c" => Some(script),
        _ => None,
    };
    match script {
        Some(script) => script.replace(&root, ""),
        None => command.iter().map(word).collect::<Vec<_>>().join(" "),
    }
}

/// The commands of a table's rows.
pub(crate) fn commands<'a>(runs: impl IntoIterator<Item = &'a Run>) {
    println!("\n```sh");
    for run in runs {
        println!("{}", typed(&run.command));
    }
    println!("```");
}
