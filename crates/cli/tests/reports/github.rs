//! Workflow commands, read back as GitHub's runner reads them.

use crate::ground::{output_of, pinpress, ran};
use crate::raw::{judged, raw};

/// A command, taken apart by the runner's rules: properties end at the first `::`.
struct Annotation {
    kind: String,
    file: String,
    title: String,
    message: String,
}

fn annotation(line: &str) -> Annotation {
    let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (kind, properties) = head.split_once(' ').unwrap();
    let value = |name: &str| {
        let property = properties.split(',').find_map(|property| property.strip_prefix(&format!("{name}=")));
        let text = property.unwrap().replace("%3A", ":").replace("%2C", ",");
        text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    };
    Annotation { kind: kind.into(), file: value("file"), title: value("title"), message: message.into() }
}

#[test]
fn each_finding_is_an_annotation_and_the_last_line_is_for_people() {
    let Some(dir) = judged() else { return };
    let ran = ran(dir.path(), &["check", "--format", "github", "raw"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn every_name_stays_inside_its_command() {
    let Some(dir) = raw() else { return };
    let ran = ran(dir.path(), &["check", "--format", "github", "raw"]);
    let (last, commands) =
        ran.stdout.lines().collect::<Vec<_>>().split_last().map(|(last, rest)| (*last, rest.to_vec())).unwrap();
    assert!(last.starts_with("9 videos: 1 pass, 5 fail, 3 cannot be read"), "{last}");
    let annotations: Vec<_> = commands.iter().map(|line| annotation(line)).collect();
    assert!(annotations.iter().all(|one| ["error", "notice"].contains(&one.kind.as_str()) && !one.message.is_empty()));
    assert!(annotations.iter().all(|one| one.file.starts_with("raw/") && one.title.starts_with("pinpress: ")));
    assert!(!ran.stdout.contains('\u{1b}'));
    #[cfg(unix)]
    {
        let name = crate::raw::HOSTILE.replace('\u{1b}', "\\u{1b}");
        assert!(annotations.iter().any(|one| one.file == format!("raw/odd/{name}")));
    }
}

#[test]
fn advice_is_a_notice_until_it_fails_the_check() {
    let Some(dir) = judged() else { return };
    for (level, code, kind) in [("error", 0, "notice"), ("advice", 1, "error")] {
        let ran = ran(dir.path(), &["check", "--format", "github", "--fail-on", level, "raw/advised.mov"]);
        assert_eq!(ran.code, code);
        assert_eq!(annotation(ran.stdout.lines().next().unwrap()).kind, kind);
    }
}

#[test]
fn the_page_of_the_job_gets_a_table() {
    let Some(dir) = raw() else { return };
    let page = dir.path().join("summary.md");
    std::fs::write(&page, "before\n").unwrap();
    let mut command = pinpress();
    command.env("GITHUB_STEP_SUMMARY", &page).args(["check", "--format", "github", "raw"]).current_dir(dir.path());
    assert_eq!(output_of(&mut command, dir.path()).code, 1);
    let page = std::fs::read_to_string(&page).unwrap();
    assert!(page.starts_with("before\n### pinpress check\n\n9 videos: "), "{page}");
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), 8, "{page}");
    assert!(rows.iter().all(|row| row.matches('|').count() == 3 && !row.contains('<')), "{page}");
    assert!(page.contains("| raw/deep/wide.mp4 | aspect-ratio&#58; 1280×720 "), "{page}");
}
