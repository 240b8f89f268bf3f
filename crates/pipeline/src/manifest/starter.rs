//! A manifest to start from: a row for each video, to be filled in.

use std::path::PathBuf;

use super::template::Template;
use crate::discover::Found;
use crate::pins::title_from_name;

/// What most people fill in, in the order in which they think of it.
const STARTER_COLUMNS: [&str; 7] = ["file", "board", "title", "description", "link", "alt_text", "publish_at"];

/// A manifest to start from.
#[derive(Debug)]
pub struct Starter {
    /// CSV, with a row for each video: its file and its title.
    pub csv: Vec<u8>,
    /// Videos whose names cannot stand in it: they are not UTF-8, or begin or end in white space.
    pub left_out: Vec<PathBuf>,
}

impl Starter {
    /// Of these videos, in their order.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn of(videos: &[Found]) -> Result<Self, std::io::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut left_out = Vec::new();
        writer.write_record(STARTER_COLUMNS)?;
        for video in videos {
            let Some(file) = video.relative.to_str().filter(|file| file.trim() == *file) else {
                left_out.push(video.path.clone());
                continue;
            };
            let title = Template::escape(&title_from_name(&video.path));
            writer.write_record([file, "", &title, "", "", "", ""])?;
        }
        let csv = writer.into_inner().map_err(|error| error.into_error())?;
        Ok(Self { csv, left_out })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::manifest::{Format, Manifest, Named};

    proptest! {
        #[test]
        fn what_is_written_is_read_again(names in prop::collection::hash_set("[ a,;\"'{}\n=ü_-]{1,8}", 1..6)) {
            let videos: Vec<Found> = names
                .iter()
                .map(|name| PathBuf::from(format!("deep/{name}.mp4")))
                .map(|relative| Found::here(relative.clone(), relative))
                .collect();
            let starter = Starter::of(&videos).unwrap();
            prop_assert!(starter.left_out.is_empty());
            let manifest = Manifest::parse(&starter.csv, Format::Csv, Path::new("pins.csv"));
            prop_assert_eq!(&manifest.mistakes, &[]);
            prop_assert_eq!(manifest.rows.len(), videos.len());
            for (row, video) in manifest.rows.iter().zip(&videos) {
                prop_assert_eq!(&row.file, &video.relative);
                let title = row.title.as_ref().map(|title| title.fill(Named { video: &video.path, number: 1 }));
                let wanted = Some(title_from_name(&video.path)).filter(|title| !title.is_empty());
                prop_assert_eq!(title, wanted);
            }
        }
    }

    #[test]
    fn names_that_a_row_cannot_hold_are_told() {
        let path = PathBuf::from(" a.mp4");
        let starter = Starter::of(&[Found::here(path.clone(), path.clone())]).unwrap();
        assert_eq!((starter.left_out, starter.csv.iter().filter(|byte| **byte == b'\n').count()), (vec![path], 1));
    }
}
