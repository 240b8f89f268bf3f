//! What a run tells, and in which order: metrics and traces go by it.

use std::collections::HashMap;
use std::sync::Mutex;

use pinpress_media::FailureKind;
use pinpress_pipeline::{RunEvent, RunObserver, run};

use super::ground::{Ground, ScriptedMedia, name_of};

/// A word for each event that is about a video, by the video; and those that are about none.
#[derive(Default)]
struct Heard(Mutex<HashMap<String, Vec<String>>>);

impl RunObserver for Heard {
    fn event(&self, event: &RunEvent<'_>) {
        let (video, word) = match event {
            RunEvent::Begun { .. } => (String::new(), "begun".to_owned()),
            RunEvent::Found { video } => (name_of(video), "found".to_owned()),
            RunEvent::Started { video, stage } => (name_of(video), stage.to_string()),
            RunEvent::StageDone { video, stage, media, succeeded, .. } => {
                assert_eq!(media.is_some(), *succeeded, "what did not work is no video that was done");
                (name_of(video), format!("{stage} {}", if *succeeded { "done" } else { "failed" }))
            }
            RunEvent::Finished { outcome, .. } => (name_of(&outcome.source), outcome.end.name().to_owned()),
            _ => return,
        };
        self.0.lock().unwrap().entry(video).or_default().push(word);
    }
}

#[test]
fn every_stage_that_is_started_is_over_before_the_next() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.video("same.mp4", "1");
    ground.video("b.mp4", "2");
    std::fs::write(ground.raw("broken.mp4"), b"this is no video").unwrap();
    let heard = |media: &ScriptedMedia| {
        let heard = Heard::default();
        run(&ground.run_options(), media, &heard, &ground.interrupt).unwrap();
        heard.0.into_inner().unwrap()
    };
    let failing = ScriptedMedia::default();
    failing.failures.lock().unwrap().insert("b.mp4".to_owned(), vec![FailureKind::Encoder]);
    let first = heard(&failing);
    assert_eq!(first[""], ["begun"]);
    let done =
        ["found", "check", "check done", "fix", "fix done", "cover", "cover done", "publish", "publish done", "done"];
    assert_eq!(first["a.mp4"], done);
    assert_eq!(first["same.mp4"], ["found", "check", "check done", "duplicate"]);
    assert_eq!(first["b.mp4"], ["found", "check", "check done", "fix", "fix failed", "failed"]);
    assert_eq!(first["broken.mp4"], ["found", "check", "check failed", "failed"]);
    let second = heard(&ScriptedMedia::default());
    assert_eq!(second["a.mp4"], ["found", "up-to-date"], "nothing is done");
}
