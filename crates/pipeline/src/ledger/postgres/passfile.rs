//! The file of passwords that every program of `PostgreSQL` looks into (`PostgreSQL` 15, §34.16).
//!
//! ```text
//! # host:port:database:user:password
//! db.example.org:*:pins:team:secret
//! ```

use std::path::Path;

/// Whom a connection is to be opened as, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Login<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// The password for `login` in the file at `path`. None where there is no such file; one that others may read is passed
/// over with a warning, as libpq does.
pub(super) fn look_up(path: &Path, login: Login<'_>) -> Option<String> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    if is_open_to_others(&metadata) {
        tracing::warn!("others can read it, so it is passed over: close it to them with chmod 600: {}", path.display());
        return None;
    }
    password(&std::fs::read_to_string(path).ok()?, login)
}

#[cfg(unix)]
fn is_open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
const fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

/// That of the first line that fits.
fn password(text: &str, login: Login<'_>) -> Option<String> {
    let port = login.port.to_string();
    let wanted = [login.host, &port, login.database, login.user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut rest = line;
        for wanted in wanted {
            let (field, behind) = field(rest);
            // A `*` that is escaped is one.
            let any = rest.starts_with("*:");
            if !any && field != wanted {
                return None;
            }
            rest = behind?;
        }
        let (password, _) = field(rest);
        (!password.is_empty()).then_some(password)
    })
}

/// What stands before the next `:`, and what stands behind that; `\` takes its meaning from the character that follows.
fn field(text: &str) -> (String, Option<&str>) {
    let (mut field, mut rest) = (String::new(), text.char_indices());
    while let Some((at, character)) = rest.next() {
        match character {
            ':' => return (field, Some(&text[at + 1..])),
            '\\' => field.extend(rest.next().map(|(_, escaped)| escaped)),
            other => field.push(other),
        }
    }
    (field, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, host: &str) -> Option<String> {
        password(text, Login { host, port: 5432, database: "pins", user: "te:am" })
    }

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let text = "# db:5432:pins:te\\:am:commented\n\
                    other:5432:pins:te\\:am:of another host\n\
                    db:5433:pins:te\\:am:of another port\n\
                    db:*:pins:te\\:am:a\\:b\\\\c:ignored\n\
                    *:*:*:*:of all\n";
        assert_eq!(of(text, "db").as_deref(), Some("a:b\\c"));
        assert_eq!(of(text, "elsewhere").as_deref(), Some("of all"));
    }

    #[test]
    fn what_is_no_line_has_none() {
        for text in ["", "db", "db:5432:pins:te\\:am", "db:5432:pins:te\\:am:", "\\*:5432:pins:te\\:am:x", ":::::"] {
            assert_eq!(of(text, "db"), None, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn one_that_others_can_read_is_passed_over() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        std::fs::write(&path, "*:*:*:*:secret\n").unwrap();
        let look = |mode: u32| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            look_up(&path, Login { host: "db", port: 5432, database: "pins", user: "team" })
        };
        assert_eq!(look(0o600).as_deref(), Some("secret"));
        assert_eq!(look(0o640), None);
        assert_eq!(look_up(folder.path(), Login { host: "db", port: 1, database: "x", user: "y" }), None);
    }
}
