use super::*;
use pinpress_probe::Seconds;

fn parse(text: &str, format: Format) -> Result<Manifest, ManifestError> {
    Manifest::parse(text.as_bytes(), format, Path::new("pins.x"))
}

fn mistakes(text: &str, format: Format) -> Vec<String> {
    match parse(text, format) {
        Err(ManifestError::Mistakes { mistakes, .. }) => mistakes.iter().map(ToString::to_string).collect(),
        other => panic!("no mistakes but {other:?}"),
    }
}

const CSV: &str = "file,board,section,title,description,link,alt_text,cover_image_timestamp_ms,publish_at,spec
a.mov,Recipes,77,\"Bread, in an hour\",,https://example.com/,Dough,1500,2026-12-01T09:00:00+01:00,pinterest
b/c.mkv,,,,,,,,,
";

const JSON: &str = r#"[
 {"file": "a.mov", "board": "Recipes", "section": "77", "title": "Bread, in an hour", "link": "https://example.com/",
  "alt_text": "Dough", "cover_image_timestamp_ms": 1500, "publish_at": "2026-12-01T09:00:00+01:00", "spec": "pinterest"},
 {"file": "b/c.mkv", "title": null}
]"#;

const TOML: &str = r#"
[[pins]]
file = "a.mov"
board = "Recipes"
section = "77"
title = "Bread, in an hour"
link = "https://example.com/"
alt_text = "Dough"
cover_image_timestamp_ms = 1500
publish_at = 2026-12-01T09:00:00+01:00
spec = "pinterest"
[[pins]]
file = "b/c.mkv"
"#;

#[test]
fn the_three_formats_say_the_same() {
    let unnumbered = |text, format| {
        let manifest = parse(text, format).unwrap();
        manifest.rows.into_iter().map(|row| Row { number: 0, ..row }).collect::<Vec<_>>()
    };
    let rows = unnumbered(CSV, Format::Csv);
    assert_eq!(rows, unnumbered(JSON, Format::Json));
    assert_eq!(rows, unnumbered(TOML, Format::Toml));
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].title.as_deref(), Some("Bread, in an hour"));
    assert_eq!(rows[0].cover_at, Some(Seconds::from_millis(1500)));
    assert_eq!(rows[0].publish_at, Some("2026-12-01T08:00:00Z".parse().unwrap()));
    assert_eq!((&rows[1].board, &rows[1].cover_at), (&None, &None));
}

#[test]
fn rows_of_csv_are_the_lines_of_the_file() {
    let text = "file,title\na.mov,\"two\nlines\"\nb.mov,x\n";
    let numbers: Vec<u64> = parse(text, Format::Csv).unwrap().rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, [2, 4]);
}

#[test]
fn spreadsheets_write_a_mark_and_windows_lines() {
    let manifest = parse("\u{feff}file,title\r\na.mov, x \r\n", Format::Csv).unwrap();
    assert_eq!(manifest.rows[0].title.as_deref(), Some("x"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "file,title,cover_image_timestamp_ms,publish_at
a.mov,x,soon,
,y,,
b.mov,z,-1,tomorrow
a.mov,again,,
";
    assert_eq!(
        mistakes(text, Format::Csv),
        [
            "row 2, cover_image_timestamp_ms: is \"soon\": write whole milliseconds from the start, such as 1500",
            "row 3, file: is missing: every row names its video",
            "row 4, cover_image_timestamp_ms: is \"-1\": write whole milliseconds from the start, such as 1500",
            "row 4, publish_at: is \"tomorrow\": write RFC 3339 with its zone, such as 2026-12-01T09:00:00+01:00",
            "row 5, file: row 2 names the same file: one Pin a file",
        ]
    );
}

#[test]
fn unknown_columns_are_named_once_with_a_near_one() {
    assert_eq!(mistakes("File,titel\na.mov,x\nb.mov,y\n", Format::Csv)[..1], ["File: unknown column: is it file?"]);
    let json = mistakes(r#"[{"file": "a", "colour": 1}, {"file": "b", "colour": 2}]"#, Format::Json);
    assert_eq!(json.len(), 1);
    assert!(json[0].starts_with("colour: unknown column: use file, board"), "{json:?}");
    let empty_column = mistakes("file,colour\na.mov,\n", Format::Csv);
    assert_eq!(empty_column.len(), 1, "a column without a value is still unknown: {empty_column:?}");
}

#[test]
fn ids_are_text() {
    let told = mistakes(r#"[{"file": "a.mov", "board": 42}]"#, Format::Json);
    assert_eq!(told, ["row 1, board: is 42: write it as text, in quotes"]);
}

#[test]
fn broken_text_is_an_error_with_its_place() {
    for (text, format, place) in [
        ("file,title\na.mov\n", Format::Csv, "line: 2"),
        ("file,file\na,b\n", Format::Csv, "two columns"),
        ("[{\"file\": ", Format::Json, "line 1"),
        ("{}", Format::Json, "a list"),
        ("[1]", Format::Json, "item 1"),
        ("[[pins]]\nfile = ", Format::Toml, "line 2"),
        ("[[pin]]\nfile = 'a'", Format::Toml, "[[pins]]"),
        ("name = 'x'\n[[pins]]\nfile = 'a'", Format::Toml, "name"),
    ] {
        let error = parse(text, format).unwrap_err().to_string();
        assert!(error.contains(place) && error.ends_with("pins.x"), "{error}");
    }
}

#[test]
fn the_format_is_told_by_the_ending() {
    assert_eq!(Format::of(Path::new("a/pins.CSV")), Some(Format::Csv));
    assert!(matches!(Manifest::load(Path::new("pins.xlsx")), Err(ManifestError::UnknownFormat { .. })));
    assert!(matches!(Manifest::load(Path::new("/nowhere/pins.csv")), Err(ManifestError::Io { .. })));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pins.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = Manifest::load(&pipe).unwrap_err().to_string();
    assert!(error.contains("not a regular file") && error.ends_with("pins.csv"), "{error}");
}
