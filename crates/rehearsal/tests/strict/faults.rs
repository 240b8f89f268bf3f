//! What goes wrong on purpose, as it looks on the wire.

use std::time::{Duration, Instant};

use pinpress_rehearsal::{Call, Fault, FaultRule, Rehearsal};
use serde_json::json;
use tempfile::TempDir;

use crate::wire::{VIDEO, call, pin_body, ready, register, send_video, settled};

fn struck(rules: Vec<FaultRule>) -> (TempDir, Rehearsal) {
    crate::wire::rehearsal(|options| options.faults = rules)
}

#[test]
fn an_upload_that_is_cut_leaves_nothing_and_can_be_sent_again() {
    let (folder, rehearsal) = struck(vec![FaultRule::nth(Call::Upload, 1, Fault::CutRequest { after: 300 })]);
    let registration = register(&rehearsal);
    let answer = send_video(&rehearsal, &registration, &[VIDEO, &[7; 200_000]].concat());
    assert_eq!((answer.status, &*answer.head), (0, ""), "not a byte of an answer");
    let media_id = registration["media_id"].as_str().unwrap();
    assert_eq!(settled(&rehearsal, media_id), ["registered"]);
    assert_eq!(std::fs::read_dir(folder.path().join("kept/media")).unwrap().count(), 0);
    assert_eq!(send_video(&rehearsal, &registration, VIDEO).status, 204);
}

#[test]
fn a_pin_whose_request_is_cut_is_not_made_and_one_whose_answer_is_cut_is() {
    for (fault, made) in [(Fault::CutRequest { after: 20 }, 0), (Fault::CutAnswer { after: 40 }, 1)] {
        let (_folder, rehearsal) = struck(vec![FaultRule::nth(Call::CreatePin, 1, fault.clone())]);
        let media_id = ready(&rehearsal);
        let body = pin_body(&rehearsal, &media_id);
        let answer = call(&rehearsal, "POST", "pins", Some(&body));
        let came = answer.head.len() + answer.body.len();
        assert_eq!((rehearsal.pins().len(), came), (made, 40 * made), "{fault:?}");
        // A client that reads by the length of the answer sees that it is short; none can take it for a refusal.
        assert!(answer.head.is_empty() || answer.head.starts_with("HTTP/1.1 201"), "{}", answer.head);
    }
}

#[test]
fn an_answer_that_is_shorter_than_its_cut_comes_whole() {
    let (_folder, rehearsal) =
        struck(vec![FaultRule::nth(Call::GetUserAccount, 1, Fault::CutAnswer { after: 1_000_000 })]);
    for _ in 0..2 {
        assert_eq!(call(&rehearsal, "GET", "user_account", None).json()["username"], "rehearsal");
    }
}

#[test]
fn slow_bytes_come_all_the_same() {
    let slow = |call| FaultRule::nth(call, 1, Fault::Slow { pause: 5 });
    let (_folder, rehearsal) = struck(vec![slow(Call::GetUserAccount), slow(Call::Upload)]);
    let begun = Instant::now();
    assert_eq!(call(&rehearsal, "GET", "user_account", None).json()["username"], "rehearsal");
    assert!(begun.elapsed() >= Duration::from_millis(8 * 5), "eight pauses at least");
    assert_eq!(send_video(&rehearsal, &register(&rehearsal), VIDEO).status, 204);
}

#[test]
fn a_pin_that_is_listed_late_is_there_all_the_while() {
    let (_folder, rehearsal) = struck(vec![FaultRule::nth(Call::CreatePin, 1, Fault::ListedLate { looks: 2 })]);
    let body = pin_body(&rehearsal, &ready(&rehearsal));
    let pin = call(&rehearsal, "POST", "pins", Some(&body)).json();
    let board = pin["board_id"].as_str().unwrap();
    let listed = || call(&rehearsal, "GET", &format!("boards/{board}/pins"), None).json()["items"].clone();
    assert_eq!(call(&rehearsal, "GET", &format!("pins/{}", pin["id"].as_str().unwrap()), None).status, 200);
    assert_eq!([listed(), listed(), listed()], [json!([]), json!([]), json!([pin])]);
}

#[test]
fn a_redirect_leads_away_and_does_nothing() {
    let to = "http://127.0.0.1:9/elsewhere".to_owned();
    let (_folder, rehearsal) = struck(vec![FaultRule::nth(Call::CreatePin, 1, Fault::Redirect { to: to.clone() })]);
    let body = pin_body(&rehearsal, &ready(&rehearsal));
    let answer = call(&rehearsal, "POST", "pins", Some(&body));
    assert_eq!((answer.status, answer.header("location")), (307, Some(&*to)));
    assert!(rehearsal.pins().is_empty());
}

#[test]
fn faults_add_up() {
    let (_folder, rehearsal) = struck(vec![
        FaultRule::nth(Call::CreatePin, 1, Fault::AnswerLost),
        FaultRule::nth(Call::CreatePin, 1, Fault::ListedLate { looks: 1 }),
        FaultRule::nth(Call::ListBoardPins, 2, Fault::ListedTwice),
    ]);
    let body = pin_body(&rehearsal, &ready(&rehearsal));
    assert_eq!(call(&rehearsal, "POST", "pins", Some(&body)).status, 0);
    let board = rehearsal.board_id("Rehearsal").unwrap();
    let counts = [(); 3].map(|()| {
        let page = call(&rehearsal, "GET", &format!("boards/{board}/pins"), None).json();
        page["items"].as_array().unwrap().len()
    });
    assert_eq!(counts, [0, 2, 1]);
}
