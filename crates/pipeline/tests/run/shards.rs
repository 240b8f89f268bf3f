//! Parts of the work in one output folder.

use pinpress_pipeline::{LedgerPlace, RunSummary, Shard, run};

use super::ground::{Ground, ScriptedMedia, files, name_of};

const PARTS: u32 = 3;

fn part(ground: &Ground, index: u32) -> RunSummary {
    let mut options = ground.run_options();
    options.shard = Shard::new(index, PARTS);
    run(&options, &ScriptedMedia::default(), &(), &ground.interrupt).unwrap()
}

/// Enough videos that each part has some.
fn twelve() -> Option<Ground> {
    let ground = Ground::new(Vec::new())?;
    for number in 0..12 {
        ground.video(&format!("day{}/v{number}.mp4", number % 3), &number.to_string());
    }
    Some(ground)
}

#[test]
fn each_part_has_its_own_videos_and_orders() {
    let Some(mut ground) = twelve() else { return };
    let rows = (0..12).map(|number| format!("day{}/v{number}.mp4,Title of v{number}\n", number % 3));
    ground.manifest = Some(format!("file,title\n{}", rows.collect::<String>()));
    let mut seen = Vec::new();
    for index in 1..=PARTS {
        let summary = part(&ground, index);
        let ends: Vec<_> = summary.videos.iter().map(|video| (name_of(&video.source), &video.end)).collect();
        assert!(summary.all_good() && (1..12).contains(&ends.len()), "{index}: {ends:?}");
        seen.extend(summary.videos.iter().map(|video| name_of(&video.source)));
    }
    seen.sort();
    let mut all: Vec<String> = (0..12).map(|number| format!("v{number}.mp4")).collect();
    all.sort();
    assert_eq!(seen, all);
    let mut titles: Vec<_> = ground.rehearsal.pins().into_iter().map(|pin| pin.title.unwrap()).collect();
    titles.sort();
    let wanted: Vec<_> = all.iter().map(|name| format!("Title of {}", name.trim_end_matches(".mp4"))).collect();
    assert_eq!(titles, wanted, "no part has the texts of another");
}

#[test]
fn what_another_part_may_be_writing_is_left_alone() {
    let Some(ground) = twelve() else { return };
    let temp = ground.out(".x.mp4.4711.pinpress-tmp");
    std::fs::create_dir_all(ground.out("")).unwrap();
    std::fs::write(&temp, b"half a video").unwrap();
    let other = LedgerPlace::from(ground.out("").as_path()).of_shard(Shard::new(2, PARTS));
    let mut held = (other.lock().unwrap(), other.lock_output().unwrap());
    held.1.let_others_in().unwrap();
    assert!(part(&ground, 1).all_good());
    assert!(temp.exists(), "of a part that is at work");
    drop(held);
    assert!(part(&ground, 2).all_good());
    assert!(!temp.exists(), "of nobody that is alive");
    assert!(files(&ground.out("")).len() > 2);
}
