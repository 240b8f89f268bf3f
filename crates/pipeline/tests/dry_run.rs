//! A dry run tells everything and does nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]
#![expect(dead_code, reason = "the ground serves several test programs")]

mod ground;

use ground::{Ground, ScriptedMedia, files, name_of};
use pinpress_pipeline::{CoverUrl, DryRun, Mode, RunError, RunOptions, Standing, dry_run};
use pinpress_publish::CoverAs;
use pinpress_rehearsal::{Call, Fault, FaultRule};

fn tried(ground: &Ground, change: impl FnOnce(&mut RunOptions)) -> Result<DryRun, RunError> {
    let mut options = ground.run_options();
    change(&mut options);
    let asked = ground.rehearsal.requests().len();
    let told = dry_run(&options, &ScriptedMedia::default());
    let new: Vec<_> = ground.rehearsal.requests().into_iter().skip(asked).collect();
    assert!(new.iter().all(|request| request.method == "GET"), "it only reads: {new:?}");
    told
}

fn standing<'a>(told: &'a DryRun, name: &str) -> &'a Standing {
    &told.videos.iter().find(|video| name_of(&video.source) == name).unwrap().standing
}

#[test]
fn what_would_be_sent_is_told_and_nothing_is_written() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mov", "1");
    ground.manifest = Some(
        "file,title,link,cover_image_timestamp_ms,publish_at\n\
         a.mov,Soup,https://e.example/soup,2300,2999-01-01T00:00:00Z\n"
            .to_owned(),
    );
    let told = tried(&ground, |_| {}).unwrap();
    assert!(told.all_good(), "{told:?}");
    let Standing::Sent(requests) = standing(&told, "a.mov") else { panic!("{told:?}") };
    let body = requests.last().unwrap().body.as_ref().unwrap();
    let board = ground.rehearsal.board_id("Rehearsal").unwrap();
    assert_eq!((body["title"].as_str(), body["board_id"].as_str()), (Some("Soup"), Some(board.as_str())));
    assert_eq!(body["media_source"]["cover_image_data"], "(base64 of the frame at 2300 ms)");
    assert_eq!(told.videos[0].publish_at.unwrap().to_string(), "2999-01-01T00:00:00Z");
    assert!(!ground.out("").exists());
    assert_eq!(files(&ground.raw("")), ["a.mov"]);
}

#[test]
fn a_cover_that_pinterest_fetches_is_told_with_its_address() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a b.mov", "1");
    let told = tried(&ground, |options| {
        let pins = options.pins.as_mut().unwrap();
        (pins.cover_as, pins.cover_url) = (CoverAs::Url, Some(CoverUrl::new("https://cdn.example/{stem}.jpg")));
    })
    .unwrap();
    let Standing::Sent(requests) = standing(&told, "a b.mov") else { panic!("{told:?}") };
    let source = &requests.last().unwrap().body.as_ref().unwrap()["media_source"];
    assert_eq!(source["cover_image_url"], "https://cdn.example/a%20b.jpg");
    assert!(source.get("cover_image_data").is_none(), "{source}");
}

#[test]
fn all_problems_are_told_at_once() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    for (name, mark) in [("a.mp4", "1"), ("b.mp4", "2"), ("c.mp4", "3"), ("___.mp4", "4")] {
        ground.video(name, mark);
    }
    let long = "x".repeat(101);
    ground.manifest = Some(format!(
        "file,board,section,title,link\na.mp4,,,{long},http://e.example\nb.mp4,Nosuch,,,\nc.mp4,,Nowhere,,\ngone.mp4,,,,\n"
    ));
    let told = tried(&ground, |_| {}).unwrap();
    assert!(!told.all_good());
    let begin: Vec<_> = told.problems.iter().map(|problem| problem.split(':').next().unwrap()).collect();
    assert_eq!(
        begin,
        ["row 2, title", "row 2, link", "row 3, board", "row 4, section", "row 5, file"],
        "{:#?}",
        told.problems
    );
    ground.manifest = None;
    ground.board = Some("Nosuch".to_owned());
    let told = tried(&ground, |_| {}).unwrap();
    assert!(matches!(told.problems.as_slice(), [only] if only.contains("Rehearsal")), "{:?}", told.problems);
    ground.token = Some("pina_another".to_owned());
    assert!(matches!(tried(&ground, |_| {}), Err(RunError::Pins(_))), "that is no problem of a draft");
}

#[test]
fn what_is_out_or_unknown_or_unfit_is_told_as_such() {
    let lost = FaultRule::nth(Call::CreatePin, 2, Fault::ErrorBeforeEffect);
    let Some(ground) = Ground::new(vec![lost]) else { return };
    ground.video("a.mp4", "1");
    ground.ends(&ScriptedMedia::default());
    ground.video("b.mp4", "2");
    ground.ends(&ScriptedMedia::default());
    ground.video("c.mp4", "3");
    let told = tried(&ground, |_| {}).unwrap();
    assert!(matches!(standing(&told, "a.mp4"), Standing::Published { url } if url.contains("/pin/")));
    assert!(matches!(standing(&told, "b.mp4"), Standing::Unknown));
    assert!(matches!(standing(&told, "c.mp4"), Standing::Sent(_)));
    let wide = pinpress_fixtures::make("upright-16x9.mp4").unwrap();
    std::fs::copy(wide, ground.raw("wide.mp4")).unwrap();
    let told = tried(&ground, |options| options.mode = Mode::AsIs).unwrap();
    assert!(matches!(standing(&told, "wide.mp4"), Standing::Unfit { .. }) && !told.all_good());
}
