//! Logins in a file that only its owner can read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::login::{Login, StoredLogin};
use super::store::TokenStore;
use crate::api_base::ApiBase;

/// What the file is.
const SCHEMA: &str = "pinpress.tokens/1";

/// Logins in a file of mode 0600, one for each address of the API. It is replaced whole: written beside, synced,
/// renamed.
#[derive(Debug, Clone)]
pub struct TokenFile {
    path: PathBuf,
    lock: PathBuf,
    api_base: String,
}

/// The whole file. Not `Debug`: everything in it is secret.
#[derive(Serialize, Deserialize)]
struct Logins {
    schema: String,
    logins: BTreeMap<String, StoredLogin>,
}

impl TokenFile {
    /// The login for `api_base` in the file `path`, which need not be there.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, api_base: &ApiBase) -> Self {
        let path = path.into();
        let mut lock = path.clone().into_os_string();
        lock.push(".lock");
        Self { path, lock: lock.into(), api_base: api_base.to_string() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The permissions of the file when others can read or write it.
    #[must_use]
    pub fn open_to_others(&self) -> Option<u32> {
        let mode = mode(&self.path)?;
        (mode & 0o077 != 0).then_some(mode)
    }

    /// Takes from others what they can do with the file, and answers the permissions it had. What was readable may
    /// have been read: only a new login makes that worthless.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn close_to_others(&self) -> Result<Option<u32>, StoreError> {
        let Some(mode) = self.open_to_others() else { return Ok(None) };
        set_private(&self.path).map_err(|source| StoreError::Open { mode, source, path: self.path.clone() })?;
        Ok(Some(mode))
    }

    fn read(&self) -> Result<Option<Logins>, StoreError> {
        if let Some(mode) = self.close_to_others()? {
            tracing::warn!(path = %self.path.display(), mode = format!("{mode:03o}"), "others could read the token file");
        }
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => SecretString::from(text),
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::Unread { source, path: self.path.clone() }),
        };
        let logins: Logins = serde_json::from_str(text.expose_secret()).map_err(|_| self.garbled())?;
        if logins.schema == SCHEMA { Ok(Some(logins)) } else { Err(self.garbled()) }
    }

    fn write(&self, logins: &Logins) -> Result<(), StoreError> {
        let text = serde_json::to_string_pretty(logins).map(SecretString::from);
        let written = text.map_err(io::Error::other).and_then(|text| replace(&self.path, text.expose_secret()));
        written.map_err(|source| StoreError::Unwritten { source, path: self.path.clone() })
    }

    /// Whether a file can be made beside it.
    pub(crate) fn try_out(&self) -> Result<(), StoreError> {
        let made = tempfile::tempfile_in(folder_of(&self.path));
        made.map(drop).map_err(|source| StoreError::Unwritten { source, path: self.path.clone() })
    }

    fn garbled(&self) -> StoreError {
        StoreError::Garbled { place: self.place() }
    }
}

impl TokenStore for TokenFile {
    fn load(&self) -> Result<Option<Login>, StoreError> {
        let Some(logins) = self.read()? else { return Ok(None) };
        let stored = logins.logins.get(&self.api_base);
        stored.map(|stored| Login::from_stored(stored).map_err(|_| self.garbled())).transpose()
    }

    fn save(&self, login: &Login) -> Result<(), StoreError> {
        let mut logins = match self.read() {
            Ok(logins) => logins.unwrap_or_else(|| Logins { schema: SCHEMA.to_owned(), logins: BTreeMap::new() }),
            // What cannot be understood is of no use to anyone any more.
            Err(StoreError::Garbled { .. }) => Logins { schema: SCHEMA.to_owned(), logins: BTreeMap::new() },
            Err(error) => return Err(error),
        };
        logins.logins.insert(self.api_base.clone(), login.to_stored());
        self.write(&logins)
    }

    fn forget(&self) -> Result<bool, StoreError> {
        let removed = || match std::fs::remove_file(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::Unwritten { source, path: self.path.clone() })
            }
            _ => Ok(true),
        };
        let mut logins = match self.read() {
            Ok(Some(logins)) => logins,
            Ok(None) => return Ok(false),
            Err(StoreError::Garbled { .. }) => return removed(),
            Err(error) => return Err(error),
        };
        if logins.logins.remove(&self.api_base).is_none() {
            return Ok(false);
        }
        if logins.logins.is_empty() {
            return removed();
        }
        self.write(&logins)?;
        Ok(true)
    }

    fn lock_file(&self) -> &Path {
        &self.lock
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

/// The file behind a link, not the link, is replaced.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    make_private_folder(path)?;
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(&path);
    // Temp files have mode 0600.
    let mut temp = tempfile::Builder::new().prefix(".tokens.").suffix(".pinpress-tmp").tempfile_in(folder)?;
    temp.write_all(text.as_bytes())?;
    temp.as_file().sync_all()?;
    temp.persist(&path).map_err(|error| error.error)?;
    // Only Unix can open a folder for this.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Makes the folder of `path` where it is not there yet, for its owner alone.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder_of(path))
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(path.metadata().ok()?.permissions().mode() & 0o777)
}

#[cfg(unix)]
fn set_private(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

/// Elsewhere a profile's folder is its owner's.
#[cfg(not(unix))]
fn mode(_path: &Path) -> Option<u32> {
    None
}

#[cfg(not(unix))]
fn set_private(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::oauth::endpoint::tests::login;

    fn permissions(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    fn access(store: &dyn TokenStore) -> Option<String> {
        store.load().unwrap().map(|login| login.access_token.expose().to_owned())
    }

    #[test]
    fn each_address_of_the_api_has_a_login_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/tokens.json");
        let production = TokenFile::new(&path, &ApiBase::default());
        let sandbox = TokenFile::new(&path, &"https://api-sandbox.pinterest.com/v5".parse().unwrap());
        assert_eq!((access(&production), production.forget().unwrap()), (None, false));
        production.save(&login("one")).unwrap();
        sandbox.save(&login("two")).unwrap();
        production.save(&login("three")).unwrap();
        assert_eq!((access(&production).as_deref(), access(&sandbox).as_deref()), (Some("three"), Some("two")));
        assert_eq!((permissions(&path), permissions(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temp file stays");
        assert!(production.forget().unwrap() && !production.forget().unwrap());
        assert_eq!(access(&sandbox).as_deref(), Some("two"));
        assert!(sandbox.forget().unwrap() && !path.exists());
    }

    #[test]
    fn a_file_that_others_can_read_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::new(dir.path().join("tokens.json"), &ApiBase::default());
        file.save(&login("one")).unwrap();
        assert_eq!((file.open_to_others(), file.close_to_others().unwrap()), (None, None));
        for open in [0o644, 0o640, 0o604, 0o602] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(open)).unwrap();
            assert_eq!(file.open_to_others(), Some(open));
            assert_eq!(access(&file).as_deref(), Some("one"));
            assert_eq!(permissions(file.path()), 0o600, "reading closes it");
        }
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(file.close_to_others().unwrap(), Some(0o644));
    }

    #[test]
    fn a_garbled_file_is_told_without_its_text_and_can_be_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::new(dir.path().join("tokens.json"), &ApiBase::default());
        file.save(&login("PLANTtoken")).unwrap();
        let whole = std::fs::read_to_string(file.path()).unwrap();
        for broken in [whole[..whole.len() / 2].to_owned(), whole.replace("tokens/1", "tokens/9"), "PLANT".to_owned()] {
            std::fs::write(file.path(), &broken).unwrap();
            let error = file.load().unwrap_err();
            assert!(matches!(error, StoreError::Garbled { .. }), "{error}");
            assert!(!format!("{error} {error:?}").contains("PLANT"), "{error}");
            file.save(&login("two")).unwrap();
            assert_eq!(access(&file).as_deref(), Some("two"));
            std::fs::write(file.path(), broken).unwrap();
            assert!(file.forget().unwrap() && !file.path().exists());
        }
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("taken");
        std::fs::create_dir_all(path.join("below")).unwrap();
        let file = TokenFile::new(&path, &ApiBase::default());
        let error = file.save(&login("PLANTtoken")).unwrap_err();
        assert!(error.to_string().ends_with("taken") && !error.to_string().contains("PLANT"), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temp file stays");
    }

    #[test]
    fn a_link_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.json"), dir.path().join("link.json"));
        TokenFile::new(&real, &ApiBase::default()).save(&login("one")).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        TokenFile::new(&link, &ApiBase::default()).save(&login("two")).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(access(&TokenFile::new(&real, &ApiBase::default())).as_deref(), Some("two"));
    }
}
