//! Where a file is, as SARIF says it: an address below the folder of the run where it lies there, else an absolute one.

use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use pinpress_store::ObjectAddress;
use serde::Serialize;

use super::log::Region;

/// What RFC 3986 lets stand in a path, without the colon: `a:b` would have a scheme.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// `location`, 3.28.
#[derive(Serialize, Clone)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    physical_location: PhysicalLocation,
}

/// `physicalLocation`, 3.29.
#[derive(Serialize, Clone)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

/// `artifactLocation`, 3.4.
#[derive(Serialize, Clone)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

impl Location {
    /// The address.
    pub(super) fn uri(&self) -> String {
        self.physical_location.artifact_location.uri.clone()
    }
}

/// The location of `path`, which is counted from `folder`.
pub(super) fn location(path: &Path, folder: &Path, region: Option<Region>) -> Location {
    if path.to_str().is_some_and(ObjectAddress::is_meant) {
        // An object in storage: the scheme and its slashes stay.
        let text = path.to_string_lossy();
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let uri = format!("{scheme}://{}", percent_encode(rest.as_bytes(), ENCODED));
        let artifact_location = ArtifactLocation { uri, uri_base_id: None };
        return Location { physical_location: PhysicalLocation { artifact_location, region } };
    }
    let whole = without_dots(&folder.join(path));
    let encoded = |path: &Path| percent_encode(path.as_os_str().as_encoded_bytes(), ENCODED).to_string();
    let artifact_location = match whole.strip_prefix(folder) {
        Ok(below) => ArtifactLocation { uri: encoded(below), uri_base_id: Some("%SRCROOT%") },
        Err(_) => ArtifactLocation { uri: format!("file://{}", encoded(&whole)), uri_base_id: None },
    };
    Location { physical_location: PhysicalLocation { artifact_location, region } }
}

/// Without `.` and `..`, by the text alone.
fn without_dots(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut whole, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            other => whole.push(other),
        }
        whole
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> (String, bool) {
        let location = location(Path::new(path), Path::new("/home/ci/job"), None).physical_location.artifact_location;
        (location.uri, location.uri_base_id.is_some())
    }

    #[test]
    fn objects_keep_their_addresses() {
        assert_eq!(at("s3://media/raw/a b.mp4"), ("s3://media/raw/a%20b.mp4".to_owned(), false));
    }

    #[test]
    fn addresses_are_relative_where_they_can_be_and_always_encoded() {
        assert_eq!(at("raw/a b.mp4"), ("raw/a%20b.mp4".into(), true));
        assert_eq!(at("./raw/../c:d.mp4"), ("c%3Ad.mp4".into(), true));
        assert_eq!(at("/home/ci/job/é.mp4"), ("%C3%A9.mp4".into(), true));
        assert_eq!(at("../other/100%.mp4"), ("file:///home/ci/other/100%25.mp4".into(), false));
    }
}
