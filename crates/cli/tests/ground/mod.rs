//! The real binary, started as a user starts it, with nothing of the surroundings.

use std::path::Path;

use assert_cmd::Command;

/// `pinpress`, without variables that would change what it does.
pub(crate) fn pinpress() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("PINPRESS_") && text != "PINPRESS_MEDIA" {
            command.env_remove(&name);
        }
    }
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "RUST_LOG", "GITHUB_STEP_SUMMARY"] {
        command.env_remove(name);
    }
    // What a test has just written is whole.
    command.env("PINPRESS_SETTLE", "0");
    // Whoever runs the tests may have options of their own, and be logged in.
    command.env("XDG_CONFIG_HOME", "/nowhere");
    command.env("PINPRESS_TOKEN_FILE", "no-login.json");
    command
}

/// What a run of the program gave.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs in `folder` and answers with its names taken out.
pub(crate) fn ran(folder: &Path, args: &[&str]) -> Ran {
    output_of(pinpress().current_dir(folder).args(args), folder)
}

/// Runs a prepared command.
pub(crate) fn output_of(command: &mut Command, folder: &Path) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| {
        let real = folder.canonicalize().unwrap();
        String::from_utf8_lossy(bytes)
            .replace(&real.display().to_string(), "[DIR]")
            .replace(&folder.display().to_string(), "[DIR]")
    };
    Ran { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// A folder with these fixtures under these names; `None` where there is no ffmpeg to make them, which it says.
pub(crate) fn folder(fixtures: &[(&str, &str)]) -> Option<tempfile::TempDir> {
    let dir = tempfile::tempdir().unwrap();
    for (fixture, name) in fixtures {
        let made = pinpress_fixtures::make(fixture);
        if let Err(error @ pinpress_fixtures::FixtureError::NoFfmpeg(_)) = &made {
            println!("skipped: {error}");
            return None;
        }
        let made = made.unwrap();
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(made, path).unwrap();
    }
    Some(dir)
}
