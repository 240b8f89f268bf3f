//! Where results go: a folder of this machine, or one in storage.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use etcetera::BaseStrategy as _;
use pinpress_store::{AddressError, ObjectAddress};

/// An output folder: that of this machine, and where in storage its results go.
#[derive(Debug, Clone)]
pub(crate) struct OutputFolder {
    /// Has the results, or only what is kept beside them: ledger, log and report.
    pub(crate) folder: PathBuf,
    /// Has the results.
    pub(crate) depot: Option<ObjectAddress>,
}

impl OutputFolder {
    /// As `-o` says it. What is kept on this machine for an address lies in a folder for it alone among the user's own, so
    /// that each command finds it by the address.
    ///
    /// # Errors
    /// When it is written like an address, and is none, or the user has no folder.
    pub(crate) fn of(argument: &Path) -> anyhow::Result<Self> {
        let address = match Destination::of(argument)? {
            Destination::Folder(folder) => return Ok(Self { folder, depot: None }),
            Destination::Storage(address) => address,
        };
        let folders = etcetera::choose_base_strategy().ok().context(
            "no folder for the ledger, log and report of a run into storage: set HOME, or XDG_STATE_HOME to a folder of \
             this machine",
        )?;
        let state = folders.state_dir().unwrap_or_else(|| folders.data_dir());
        Ok(Self { folder: state.join("pinpress").join("outputs").join(name_of(&address)), depot: Some(address) })
    }

    /// One of this machine alone.
    ///
    /// # Errors
    /// For an address; `why` says what it is to be.
    pub(crate) fn here(argument: &Path, why: &str) -> anyhow::Result<PathBuf> {
        match Self::of(argument)? {
            Self { folder, depot: None } => Ok(folder),
            Self { depot: Some(address), .. } => {
                anyhow::bail!("{why}: give a folder of this machine with -o: {address}")
            }
        }
    }
}

/// Tells addresses apart, and a person which it is.
fn name_of(address: &ObjectAddress) -> String {
    let text = address.to_string();
    let text = text.trim_end_matches('/');
    let readable: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
    format!("{readable}-{}", &blake3::hash(text.as_bytes()).to_hex()[..12])
}

/// As `-o` says it.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    /// Of this machine.
    Folder(PathBuf),
    /// Objects below an address.
    Storage(ObjectAddress),
}

impl Destination {
    /// As a path that stands for it.
    pub(crate) fn to_path(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.clone(),
            Self::Storage(address) => address.to_path(),
        }
    }

    /// # Errors
    /// When it is written like an address, and is none.
    pub(crate) fn of(argument: &Path) -> Result<Self, AddressError> {
        let Some(address) = ObjectAddress::of_argument(argument).transpose()? else {
            return Ok(Self::Folder(argument.to_owned()));
        };
        Ok(address.local_path().map_or(Self::Storage(address), Self::Folder))
    }
}

/// Where copies of objects lie while results are made in `folder`.
pub(crate) fn copies_within(folder: &Path) -> PathBuf {
    folder.join(pinpress_pipeline::run::OWN_FOLDER).join("objects")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_folder_of_its_own_and_says_whose_it_is() {
        let name = |text: &str| name_of(&text.parse().unwrap());
        assert!(name("s3://media/out").starts_with("s3---media-out-"), "{}", name("s3://media/out"));
        assert_eq!(name("s3://media/out/"), name("s3://media/out"));
        assert_ne!(name("s3://media/a-b"), name("s3://media/a/b"));
        assert!(name(&format!("s3://media/{}", "x".repeat(900))).len() < 100);
    }

    #[test]
    fn a_file_address_is_a_folder_of_this_machine() {
        let output = OutputFolder::of(Path::new("file:///videos/out")).unwrap();
        assert_eq!((output.folder, output.depot), (PathBuf::from("/videos/out"), None));
        assert!(OutputFolder::here(Path::new("s3://media/out"), "what is rehearsed stays here").is_err());
    }
}
