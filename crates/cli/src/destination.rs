//! Where results go: a folder of this machine, or one in storage.

use std::path::{Path, PathBuf};

use pinpress_store::{AddressError, ObjectAddress};

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

    /// # Errors
    /// When it is no folder of this machine.
    pub(crate) fn folder(argument: &Path) -> anyhow::Result<PathBuf> {
        match Self::of(argument)? {
            Self::Folder(folder) => Ok(folder),
            Self::Storage(address) => {
                anyhow::bail!("only pinpress fix writes to storage: give a folder of this machine: {address}")
            }
        }
    }
}

/// Where copies of objects lie while results are made in `folder`.
pub(crate) fn copies_within(folder: &Path) -> PathBuf {
    folder.join(pinpress_pipeline::run::OWN_FOLDER).join("objects")
}
