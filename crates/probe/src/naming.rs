//! Whether a file is called what it is. Only the extension is looked at; the bytes have said what it is.

use std::path::Path;

use crate::info::{Anomaly, Container};

/// Extensions of the formats whose names we know, the usual one first.
const EXTENSIONS: [(Container, &[&str]); 11] = [
    // These three are one format with three brands, and players and services take one for the other.
    (Container::Mp4, &["mp4", "m4v", "mov", "qt"]),
    (Container::Mov, &["mov", "qt", "mp4", "m4v"]),
    (Container::M4v, &["m4v", "mp4", "mov", "qt"]),
    (Container::ThreeGp, &["3gp", "3g2", "3gpp", "3gpp2"]),
    (Container::F4v, &["f4v"]),
    (Container::Matroska, &["mkv", "mk3d"]),
    // WebM is a part of Matroska.
    (Container::Webm, &["webm", "mkv"]),
    (Container::MpegTs, &["ts", "m2ts", "mts", "m2t"]),
    (Container::Avi, &["avi", "divx"]),
    (Container::Flv, &["flv"]),
    (Container::Ogg, &["ogv", "ogg", "ogm"]),
];

/// No extension of a video is longer: what comes behind the last dot of a sentence is none.
const MAX_EXTENSION: usize = 8;

impl Container {
    /// The extension that such a file usually has, in lower case, without the dot; `None` where we do not know.
    #[must_use]
    pub fn usual_extension(&self) -> Option<&'static str> {
        self.extensions()?.first().copied()
    }

    fn extensions(&self) -> Option<&'static [&'static str]> {
        EXTENSIONS.iter().find(|(container, _)| container == self).map(|(_, extensions)| *extensions)
    }

    /// Whether such a file may go by that extension. One of a format that we do not know may go by all that are not
    /// another's.
    fn goes_by(&self, extension: Option<&str>) -> bool {
        let is = |known: &&str| extension.is_some_and(|extension| extension.eq_ignore_ascii_case(known));
        self.extensions().map_or_else(
            || !EXTENSIONS.iter().any(|(_, extensions)| extensions.iter().any(&is)),
            |extensions| extensions.iter().any(&is),
        )
    }
}

/// That the name of the file at `path` says another format than its bytes, if so.
pub(crate) fn misnamed(path: &Path, container: &Container) -> Option<Anomaly> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension
        .filter(|text| text.len() <= MAX_EXTENSION && !text.is_empty())
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    (!container.goes_by(extension)).then(|| Anomaly::Misnamed { extension: extension.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, container: &Container) -> Option<Option<String>> {
        match misnamed(Path::new(name), container) {
            Some(Anomaly::Misnamed { extension }) => Some(extension),
            _ => None,
        }
    }

    #[test]
    fn names_that_fit() {
        for (name, container) in [
            ("a.mp4", Container::Mp4),
            ("A.MP4", Container::Mov),
            ("a.mov", Container::M4v),
            ("a.b.mkv", Container::Webm),
            ("a.MTS", Container::MpegTs),
            ("a.wmv", Container::Other("asf".to_owned())),
            ("a", Container::Other("asf".to_owned())),
        ] {
            assert_eq!(told(name, &container), None, "{name}");
        }
    }

    #[test]
    fn names_of_another_format_and_none() {
        let other = |extension: &str| Some(Some(extension.to_owned()));
        assert_eq!(told("a.mp4", &Container::Matroska), other("mp4"));
        assert_eq!(told("a.MKV", &Container::Mp4), other("MKV"));
        assert_eq!(told("a.mp4", &Container::ThreeGp), other("mp4"));
        assert_eq!(told("a.webm", &Container::Matroska), other("webm"));
        assert_eq!(told("a.mp4", &Container::Other("asf".to_owned())), other("mp4"));
        assert_eq!(told("clip", &Container::Mp4), Some(None));
        assert_eq!(told("Clip no. 5", &Container::Mp4), Some(None), "a sentence");
        assert_eq!(told(".mp4", &Container::Mp4), Some(None), "a hidden file without an extension");
    }

    #[test]
    fn every_format_goes_by_its_usual_name() {
        for (container, _) in &EXTENSIONS {
            assert!(container.goes_by(container.usual_extension()), "{}", container.name());
        }
    }
}
