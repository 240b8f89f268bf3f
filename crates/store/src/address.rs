//! Addresses of objects: `s3://BUCKET/KEY`, `gs://BUCKET/KEY`, `az://CONTAINER/KEY`, `file:///PATH`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use object_store::path::Path as Key;

/// Whose storage it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `s3`: Amazon S3, and what speaks its protocol.
    S3,
    /// `gs`: Google Cloud Storage.
    Google,
    /// `az`: Azure Blob Storage; the bucket is a container of the account that the environment names.
    Azure,
    /// `file`: this machine.
    File,
}

impl Scheme {
    /// As it is written before `://`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
            Self::File => "file",
        }
    }

    fn of(name: &str) -> Option<Self> {
        let all = [Self::S3, Self::Google, Self::Azure, Self::File];
        all.into_iter().find(|scheme| name.eq_ignore_ascii_case(scheme.name()))
    }
}

/// An object, or a folder of them: a prefix that ends at a `/`, or a whole bucket.
///
/// The key stands for itself, as for the programs of the storage's makers: nothing in it is percent-encoded.
///
/// ```
/// use pinpress_store::{ObjectAddress, Scheme};
///
/// let clip: ObjectAddress = "s3://media/raw/clip 1.mp4".parse()?;
/// assert_eq!((clip.scheme(), clip.bucket(), clip.key()), (Scheme::S3, "media", "raw/clip 1.mp4"));
/// assert_eq!(clip.to_string(), "s3://media/raw/clip 1.mp4");
/// # Ok::<(), pinpress_store::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectAddress {
    scheme: Scheme,
    /// Empty for `file`.
    bucket: String,
    /// Without a `/` at its beginning or end.
    key: String,
    /// A `/` stood at the end.
    folder: bool,
}

/// What is no address of an object. No message shows what may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// `ftp://…`, `https://…`.
    #[error("{scheme}:// is not known: write s3://BUCKET/KEY, gs://BUCKET/KEY, az://CONTAINER/KEY or file:///PATH")]
    UnknownScheme {
        /// As written.
        scheme: String,
    },
    /// `s3:///key`.
    #[error("no bucket is named: write {scheme}://BUCKET/KEY", scheme = scheme.name())]
    NoBucket {
        /// Whose storage it is.
        scheme: Scheme,
    },
    /// `s3://my bucket/key`.
    #[error("{bucket:?} is no name of a bucket: letters, digits, dots, hyphens and underscores are")]
    BadBucket {
        /// As written.
        bucket: String,
    },
    /// `s3://KEY:SECRET@bucket/key`, or a signed address with its signature.
    #[error(
        "credentials stand in the address, where others can read them: take them out, and set them in the environment \
         (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_KEY)"
    )]
    Credentials,
    /// `s3://bucket/a//b`, `s3://bucket/../b`.
    #[error("no object can be named so: parts of a key are not empty, . or ..: {address}")]
    BadKey {
        /// As written.
        address: String,
    },
    /// `file://host/path`.
    #[error("a path from the root is needed: write file:///PATH")]
    NoRoot,
}

/// Parts of the query of a signed address, in lower case.
const SIGNED: [&str; 5] = ["x-amz-", "x-goog-", "sig=", "signature=", "awsaccesskeyid="];

impl ObjectAddress {
    /// Whether `text` is meant as an address and not as a path: it begins with a word and `://`.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| {
            scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        })
    }

    /// What an argument says that is meant as an address; `None` for a path.
    #[must_use]
    pub fn of_argument(argument: &Path) -> Option<Result<Self, AddressError>> {
        argument.to_str().filter(|text| Self::is_meant(text)).map(str::parse)
    }

    /// Whose storage it is.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The bucket or container; empty for `file`.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key, or the prefix without the `/` that ends it; empty for a whole bucket.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether both are in the same bucket.
    #[must_use]
    pub fn shares_bucket(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.bucket == other.bucket
    }

    /// Whether it can only be a folder: it ends with `/`, or is a whole bucket.
    #[must_use]
    pub const fn is_folder(&self) -> bool {
        self.folder || self.key.is_empty()
    }

    /// What stands behind the last `/` of the key; the bucket's name for a whole bucket.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.key.is_empty() { &self.bucket } else { self.key.rsplit('/').next().unwrap_or(&self.key) }
    }

    /// The object or folder `relative` below this one.
    ///
    /// # Errors
    /// When a part of it is empty, `.` or `..`.
    pub fn join(&self, relative: &str) -> Result<Self, AddressError> {
        let folder = relative.is_empty() || relative.ends_with('/');
        let relative = relative.strip_suffix('/').unwrap_or(relative);
        let key = [self.key.as_str(), relative].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        Self { key: key.join("/"), folder, ..self.clone() }.checked()
    }

    /// The folder in which it lies; the whole bucket for what lies in no other.
    #[must_use]
    pub fn parent(&self) -> Self {
        let key = self.key.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned());
        Self { key, folder: true, ..self.clone() }
    }

    /// The path of a `file` address on this machine.
    #[must_use]
    pub fn local_path(&self) -> Option<PathBuf> {
        (self.scheme == Scheme::File).then(|| PathBuf::from(format!("/{}", self.key)))
    }

    /// As the path that stands for it where paths are named.
    #[must_use]
    pub fn to_path(&self) -> PathBuf {
        PathBuf::from(self.to_string())
    }

    pub(crate) fn location(&self) -> Key {
        // Checked when it was made.
        Key::parse(&self.key).unwrap_or_default()
    }

    /// The object that has that key in the same bucket.
    pub(crate) fn sibling(&self, location: &Key) -> Self {
        Self { key: location.to_string(), folder: false, ..self.clone() }
    }

    fn checked(self) -> Result<Self, AddressError> {
        match Key::parse(&self.key) {
            Ok(_) if !self.key.starts_with('/') && !self.key.ends_with('/') => Ok(self),
            _ => Err(AddressError::BadKey { address: self.to_string() }),
        }
    }
}

impl fmt::Display for ObjectAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.bucket)?;
        if !self.key.is_empty() || self.scheme == Scheme::File {
            write!(f, "/{}", self.key)?;
        }
        if self.folder && !self.key.is_empty() { f.write_str("/") } else { Ok(()) }
    }
}

impl FromStr for ObjectAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let query = key.split_once('?').map_or("", |(_, query)| query).to_lowercase();
        if bucket.contains('@') || SIGNED.iter().any(|part| query.contains(part)) {
            return Err(AddressError::Credentials);
        }
        let scheme = Scheme::of(scheme).ok_or_else(|| AddressError::UnknownScheme { scheme: scheme.to_owned() })?;
        let mut key = key.to_owned();
        if scheme == Scheme::File {
            if !(bucket.is_empty() || bucket == "localhost") || !rest.contains('/') {
                return Err(AddressError::NoRoot);
            }
            // The one kind that is written as an address of the web is.
            key = percent_encoding::percent_decode_str(&key).decode_utf8_lossy().into_owned();
        } else if bucket.is_empty() {
            return Err(AddressError::NoBucket { scheme });
        } else if !bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_$".contains(&byte)) {
            return Err(AddressError::BadBucket { bucket: bucket.to_owned() });
        }
        let bucket = if scheme == Scheme::File { String::new() } else { bucket.to_owned() };
        let folder = key.ends_with('/');
        if folder {
            key.pop();
        }
        Self { scheme, bucket, key, folder }.checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> ObjectAddress {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn what_is_written_is_what_is_shown() {
        for text in [
            "s3://media",
            "s3://media/raw/",
            "gs://media/raw/clip.mp4",
            "az://container/ä b%20c/d?.mp4",
            "s3://media/a=b/c#d.mov",
            "file:///srv/raw/clip.mp4",
            "file:///",
        ] {
            assert_eq!(parsed(text).to_string(), text);
        }
        assert_eq!(parsed("S3://media/").to_string(), "s3://media", "a bucket is a folder anyway");
        assert_eq!(parsed("file:///a%20b").local_path(), Some(PathBuf::from("/a b")));
    }

    #[test]
    fn folders_are_told_from_objects_by_their_end() {
        assert!(parsed("s3://media").is_folder() && parsed("s3://media/raw/").is_folder());
        assert!(!parsed("s3://media/raw").is_folder());
        let raw = parsed("s3://media/raw/");
        assert_eq!(raw.join("a/b.mp4").unwrap().to_string(), "s3://media/raw/a/b.mp4");
        assert_eq!(raw.join("a/b.mp4").unwrap().parent().to_string(), "s3://media/raw/a/");
        assert_eq!(parsed("s3://media/clip.mp4").parent().to_string(), "s3://media");
        assert!(raw.join("../b.mp4").is_err());
    }

    #[test]
    fn what_is_no_address_is_told_with_what_to_write() {
        let told = |text: &str| text.parse::<ObjectAddress>().unwrap_err().to_string();
        assert!(told("https://media/clip.mp4").contains("s3://BUCKET/KEY"));
        assert!(told("s3:///clip.mp4").ends_with("write s3://BUCKET/KEY"));
        assert!(told("gs://my bucket/clip.mp4").contains("\"my bucket\""));
        assert!(told("file://clip.mp4").contains("file:///PATH"));
        assert!(told("s3://media/a//b.mp4").ends_with("s3://media/a//b.mp4"));
        assert!(told("s3://media/../b.mp4").contains(".."));
    }

    #[test]
    fn secrets_are_refused_and_not_repeated() {
        for text in [
            "s3://AKIAPLANT:PLANT@media/clip.mp4",
            "https://media.s3.amazonaws.com/clip.mp4?X-Amz-Signature=PLANT",
            "az://container/clip.mp4?sv=2024&sig=PLANT",
        ] {
            let error = text.parse::<ObjectAddress>().unwrap_err();
            assert_eq!(error, AddressError::Credentials, "{text}");
            assert!(!error.to_string().contains("PLANT"), "{error}");
        }
    }

    #[test]
    fn paths_are_not_addresses() {
        for path in ["raw/clip.mp4", "/srv/raw", "c://x", "a b://x", "clip: take 2.mp4"] {
            assert!(!ObjectAddress::is_meant(path), "{path}");
        }
        assert!(ObjectAddress::is_meant("ftp://host/clip.mp4"), "so that it is told what can be written");
        assert!(ObjectAddress::of_argument(Path::new("s3://media/x")).unwrap().is_ok());
    }
}
