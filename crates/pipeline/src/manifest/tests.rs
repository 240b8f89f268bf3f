use super::*;
use pinpress_probe::Seconds;

fn parse(text: &str, format: Format) -> Result<Manifest, ManifestError> {
    checked(Manifest::parse(text.as_bytes(), format, Path::new("pins.x")))
}

fn checked(manifest: Manifest) -> Result<Manifest, ManifestError> {
    refuse(manifest.mistakes.clone(), Some(&manifest.path)).map(|()| manifest)
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
        // All but where it stands, which differs.
        let said = |row: Row| {
            let texts =
                [row.title, row.description, row.link, row.alt_text].map(|text| text.map(|text| text.to_string()));
            ((row.file, row.board, row.section, texts), (row.cover_at, row.publish_at, row.spec))
        };
        manifest.rows.into_iter().map(said).collect::<Vec<_>>()
    };
    let rows = unnumbered(CSV, Format::Csv);
    assert_eq!(rows, unnumbered(JSON, Format::Json));
    assert_eq!(rows, unnumbered(TOML, Format::Toml));
    assert_eq!(rows.len(), 2);
    let rows = parse(CSV, Format::Csv).unwrap().rows;
    assert_eq!(rows[0].title, Some("Bread, in an hour".parse().unwrap()));
    assert_eq!(rows[0].cover_at, Some(Seconds::from_millis(1500)));
    assert_eq!(rows[0].publish_at, Some("2026-12-01T08:00:00Z".parse().unwrap()));
    assert_eq!((&rows[1].board, &rows[1].cover_at), (&None, &None));
}

#[test]
fn rows_of_csv_are_the_lines_of_the_file() {
    let text = "file,title\na.mov,\"two\nlines\"\nb.mov,x\n";
    let numbers: Vec<u64> = parse(text, Format::Csv).unwrap().rows.iter().filter_map(|row| row.at.row).collect();
    assert_eq!(numbers, [2, 4]);
}

#[test]
fn spreadsheets_write_a_mark_and_windows_lines() {
    let manifest = parse("\u{feff}file,title\r\na.mov, x \r\n", Format::Csv).unwrap();
    assert_eq!(manifest.rows[0].title, Some("x".parse().unwrap()));
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
    assert_eq!(
        mistakes("File,titel\na.mov,x\nb.mov,y\n", Format::Csv)[..2],
        ["row 1, File: unknown column: is it file?", "row 1, titel: unknown column: is it title?"]
    );
    let json = mistakes(r#"[{"file": "a", "colour": 1}, {"file": "b", "colour": 2}]"#, Format::Json);
    assert_eq!(json.len(), 1);
    assert!(json[0].starts_with("row 1 (line 1, column 26), colour: unknown column: use file, board"), "{json:?}");
    let empty_column = mistakes("file,colour\na.mov,\n", Format::Csv);
    assert_eq!(empty_column.len(), 1, "a column without a value is still unknown: {empty_column:?}");
}

#[test]
fn ids_are_text() {
    let told = mistakes("[\n  {\"file\": \"a.mov\", \"board\": 42}\n]", Format::Json);
    assert_eq!(told, ["row 1 (line 2, column 30), board: is 42: write it as text, in quotes"]);
}

#[test]
fn broken_text_is_told_with_its_place() {
    for (text, format, told) in [
        (
            "file,title\na.mov\nb.mov,x,y\n",
            Format::Csv,
            &["row 2: has 1 value, and there are 2 columns", "row 3: has 3 values"] as &[_],
        ),
        ("file,file\na,b\n", Format::Csv, &["row 1: two columns are called \"file\""]),
        (
            "file;title\na.mov;b\n",
            Format::Csv,
            &["row 1: the columns are separated by semicolons: separate them by commas"],
        ),
        ("[{\"file\": ", Format::Json, &["line 1, column 10: not JSON: EOF while parsing a value"]),
        ("{}", Format::Json, &["line 1, column 0: not a list"]),
        (
            "[1,\n {\"file\": 1}]",
            Format::Json,
            &["row 1 (line 1, column 2): is no object", "row 2 (line 2, column 11), file: is 1"],
        ),
        ("[{\"file\": \"a\",\n\"file\": \"b\"}]", Format::Json, &["row 1 (line 2, column 9), file: stands twice"]),
        (
            "[[pins]]\nfile = \n\n[[pins]]\nfile = 'a",
            Format::Toml,
            &["line 2, column 8: not TOML", "line 5, column 10: not TOML"],
        ),
        (
            "[[pin]]\nfile = 'a'",
            Format::Toml,
            &["no [[pins]] in it", "line 1, column 3: unknown key \"pin\" beside [[pins]]"],
        ),
        ("name = 'x'\n[[pins]]\nfile = 'a'", Format::Toml, &["line 1, column 1: unknown key \"name\""]),
        ("[pins]\nfile = 'a'", Format::Toml, &["line 1, column 1: not [[pins]] tables"]),
    ] {
        let found = mistakes(text, format);
        assert_eq!(found.len(), told.len(), "{text}: {found:#?}");
        for told in told {
            assert!(found.iter().any(|found| found.starts_with(told)), "{told}: {found:#?}");
        }
    }
    let latin1 = checked(Manifest::parse(b"file,title\na.mov,caf\xe9\n", Format::Csv, Path::new("pins.csv")))
        .unwrap_err()
        .to_string();
    assert_eq!(
        latin1,
        "the manifest has a mistake:\n  row 2, title: is not UTF-8: save the file as UTF-8 text\n\
         nothing was sent; mend it and run again: pins.csv"
    );
}

#[test]
fn templates_are_judged_where_they_stand() {
    assert_eq!(
        mistakes("file,title\na.mov,My {stm}\n", Format::Csv),
        [
            "row 2, title: unknown name {stm}: there are {stem}, {words}, {parent}, {n}, and {{ for a brace, at character 4"
        ]
    );
    let toml = mistakes("[[pins]]\nfile = 'a'\nlink = 'https://x/}'\n", Format::Toml);
    assert_eq!(toml, ["row 1 (line 3, column 8), link: a } without its {: write }} for a brace, at character 11"]);
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
