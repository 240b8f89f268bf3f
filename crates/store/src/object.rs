//! What is known of an object without its bytes.

use std::fmt;
use std::time::SystemTime;

use object_store::ObjectMeta;

use crate::address::ObjectAddress;

/// An object as a listing or a look at it told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Where.
    pub address: ObjectAddress,
    /// Bytes.
    pub size: u64,
    /// Changes with the content. The storage's own, and no hash that could be computed here: S3's is the MD5 of the
    /// content only where it was uploaded in one part and is not encrypted by a key of one's own, and does not say so.
    pub etag: Option<String>,
    /// Where the bucket keeps versions.
    pub version: Option<String>,
    /// When it was written; whole seconds in some storages.
    pub modified: SystemTime,
}

/// Tells whether an object is the one of an earlier look. Equal identities have equal content; the same content uploaded
/// again may have another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    size: u64,
    etag: String,
}

impl Object {
    pub(crate) fn new(address: ObjectAddress, meta: ObjectMeta) -> Self {
        Self { address, size: meta.size, etag: meta.e_tag, version: meta.version, modified: meta.last_modified.into() }
    }

    /// Its identity; `None` where the storage gives no etag that stands for every byte.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        let etag = self.etag.as_deref().filter(|etag| !is_weak(etag))?;
        Some(Identity { size: self.size, etag: bare(etag).to_owned() })
    }

    /// Whether what `meta` tells is this very object. What either does not tell is no difference.
    pub(crate) fn is(&self, meta: &ObjectMeta) -> bool {
        let same = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) => bare(one) == bare(other),
            _ => true,
        };
        self.size == meta.size && same(&self.etag, &meta.e_tag)
    }

    /// For `If-Match`, which compares strongly: a weak etag never matches. Azure lists them without their quotes.
    pub(crate) fn if_match(&self) -> Option<String> {
        let etag = self.etag.as_deref().filter(|etag| !is_weak(etag))?;
        Some(format!("\"{}\"", bare(etag)))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.etag, self.size)
    }
}

fn is_weak(etag: &str) -> bool {
    etag.starts_with("W/")
}

fn bare(etag: &str) -> &str {
    etag.trim_start_matches("W/").trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(etag: Option<&str>) -> Object {
        let address = "s3://media/clip.mp4".parse().unwrap();
        Object { address, size: 7, etag: etag.map(str::to_owned), version: None, modified: SystemTime::UNIX_EPOCH }
    }

    #[test]
    fn weak_etags_identify_nothing() {
        assert_eq!(object(Some("\"abc\"")).identity().unwrap().to_string(), "abc-7");
        assert_eq!(object(Some("abc")).identity(), object(Some("\"abc\"")).identity());
        assert_eq!(object(Some("W/\"abc\"")).identity(), None);
        assert_eq!(object(None).identity(), None);
    }

    #[test]
    fn if_match_has_its_quotes() {
        assert_eq!(object(Some("0x8D")).if_match().unwrap(), "\"0x8D\"");
        assert_eq!(object(Some("\"0x8D\"")).if_match().unwrap(), "\"0x8D\"");
        assert_eq!(object(Some("W/\"0x8D\"")).if_match(), None);
    }
}
