//! `reconcile` and `retry`, as their users meet them.

use pinpress_rehearsal::{Call, Fault, FaultRule};
use serde_json::Value;

use super::account::{Account, is_there};

const PUBLISH: [&str; 4] = ["publish", "clips", "--board", "rehearsal"];

/// The Pin was refused with HTTP 500 before it came to be: nobody knows, and nothing is on the board. The looks at the
/// board are cut short by an answer that ends them.
fn unknown(names: &[&str]) -> Option<Account> {
    let lost = FaultRule::nth(Call::CreatePin, 1, Fault::ErrorBeforeEffect);
    let unread = FaultRule::nth(Call::ListBoardPins, 1, Fault::Spam);
    let account = Account::with(names, vec![lost, unread])?;
    let published = account.ran(&PUBLISH);
    assert_eq!(published.code, 1, "{}{}", published.stdout, published.stderr);
    Some(account)
}

/// Two Pins are there with the same texts, and the second one's answer was lost.
fn ambiguous() -> Option<Account> {
    let lost = FaultRule::nth(Call::CreatePin, 2, Fault::AnswerLost);
    let account = Account::with(&["clips/soup.mp4"], vec![lost])?;
    assert_eq!(account.ran(&PUBLISH).code, 0);
    std::fs::remove_dir_all(account.path("clips/.pinpress")).unwrap();
    std::fs::remove_file(account.path("clips/soup.pin.json")).unwrap();
    assert_eq!(account.ran(&PUBLISH).code, 1);
    Some(account)
}

fn filters(account: &Account) -> Vec<(String, &'static str)> {
    let mut filters = vec![
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ".to_owned(), "[TIME]"),
        (r"\(x-pinterest-rid \w+\)".to_owned(), "(x-pinterest-rid [RID])"),
    ];
    filters.extend(account.pinterest.pins().iter().map(|pin| (pin.id.clone(), "[PIN]")));
    filters.push((account.pinterest.board_id("Rehearsal").unwrap(), "[BOARD]"));
    filters
}

#[test]
fn what_is_unknown_is_listed_with_what_could_be_it() {
    let Some(account) = ambiguous() else { return };
    let listed = account.ran(&["reconcile", "-o", "clips"]);
    assert_eq!(listed.code, 1, "{}", listed.stderr);
    let filters = filters(&account);
    let filters: Vec<_> = filters.iter().map(|(from, to)| (from.as_str(), *to)).collect();
    insta::with_settings!({filters => filters.clone()}, {
        insta::assert_snapshot!(listed.stdout);
    });
    let json = account.ran(&["reconcile", "-o", "clips", "--json"]);
    assert_eq!(json.code, 1);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["schema"], "pinpress.reconcile/1");
    let pin = &document["pins"][0];
    assert_eq!((&pin["title"], pin["candidates"].as_array().unwrap().len()), (&Value::from("soup"), 2), "{pin:#}");
    let status = account.ran(&["status", "clips"]);
    assert_eq!(status.code, 1);
    insta::with_settings!({filters => filters}, {
        insta::assert_snapshot!("status_of_an_unknown_pin", status.stdout);
    });
}

#[test]
fn a_pin_that_is_named_is_adopted_and_has_its_receipt() {
    let Some(account) = ambiguous() else { return };
    let receipt = account.path("clips/soup.pin.json");
    assert!(!receipt.exists());
    let pin = account.pinterest.pins()[1].id.clone();
    let nameless = account.ran(&["reconcile", "-o", "clips", "--adopt", &pin]);
    assert_eq!(nameless.code, 2, "which video?");
    let other = account.ran(&["reconcile", "clips/other.mp4", "-o", "clips", "--adopt", &pin]);
    assert!(other.code == 2 && other.stderr.contains("no Pin of it is unknown"), "{}", other.stderr);
    let absent = account.ran(&["reconcile", "soup.mp4", "-o", "clips", "--adopt", "1"]);
    assert!(absent.code == 2 && absent.stderr.contains("404"), "{}", absent.stderr);
    assert!(!receipt.exists());
    let adopted = account.ran(&["reconcile", "soup.mp4", "-o", "clips", "--adopt", &pin]);
    assert_eq!((adopted.code, adopted.stderr.as_str()), (0, ""));
    assert!(adopted.stdout.contains(&format!("/pin/{pin}/")), "{}", adopted.stdout);
    let written: Value = serde_json::from_slice(&std::fs::read(receipt).unwrap()).unwrap();
    assert_eq!((&written["pin"]["pin_id"], &written["pin"]["adopted"]), (&Value::from(pin), &Value::from(true)));
    let none = account.ran(&["reconcile", "-o", "clips"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, "no Pin is unknown\n"));
    assert_eq!((account.ran(&PUBLISH).code, account.count(Call::CreatePin)), (0, 2), "never sent again");
}

/// In a terminal it asks. `script` (util-linux) makes one; where it is missing, there is nothing to test with.
#[cfg(target_os = "linux")]
#[test]
fn in_a_terminal_it_asks_and_does_what_is_said() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    let Some(account) = ambiguous() else { return };
    let in_terminal = |typed: &str| {
        let command = format!("{} reconcile -o clips --color never", env!("CARGO_BIN_EXE_pinpress"));
        let child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("PINPRESS_ACCESS_TOKEN", account.pinterest.token())
            .env("PINPRESS_API", account.pinterest.api_base())
            .current_dir(account.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            println!("skipped: there is no script (util-linux)");
            return None;
        };
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Some((output.status.code(), String::from_utf8(output.stdout).unwrap()))
    };
    let Some((left, told)) = in_terminal("\n") else { return };
    assert_eq!(left, Some(1), "{told}");
    assert!(told.contains("1-2 it is that Pin, id ID it is another, s send it again, Enter leave it:"), "{told}");
    let newest = account.pinterest.pins()[1].id.clone();
    let (settled, told) = in_terminal("9\n1\n").unwrap();
    assert!(settled == Some(0) && told.contains("no such answer"), "{told}");
    assert!(told.contains(&format!("is http://{}/pin/{newest}/", account.pinterest.address())), "{told}");
    assert_eq!(account.ran(&["reconcile", "-o", "clips"]).code, 0);
}

#[test]
fn another_videos_pin_is_refused() {
    let lost = FaultRule::nth(Call::CreatePin, 2, Fault::ErrorBeforeEffect);
    let unread = FaultRule::nth(Call::ListBoardPins, 1, Fault::Spam);
    let Some(account) = Account::with(&["clips/a.mp4", "clips/b.mp4"], vec![lost, unread]) else { return };
    assert_eq!(account.ran(&["publish", "clips", "--board", "rehearsal", "--uploads", "1"]).code, 1);
    let pin = account.pinterest.pins()[0].clone();
    let open = if pin.title.as_deref() == Some("a") { "b.mp4" } else { "a.mp4" };
    let refused = account.ran(&["reconcile", open, "-o", "clips", "--adopt", &pin.id]);
    assert!(refused.code == 2 && refused.stderr.contains("belongs to another video"), "{}", refused.stderr);
}

#[test]
fn sending_again_is_asked_for_by_name_and_says_what_it_risks() {
    let Some(account) = unknown(&["clips/soup.mp4"]) else { return };
    let vague = account.ran(&["reconcile", "-o", "clips", "--resend"]);
    assert!(vague.code == 2 && vague.stderr.contains("there will be two of it"), "{}", vague.stderr);
    let again = account.ran(&["reconcile", "clips/soup.mp4", "-o", "clips", "--resend"]);
    assert_eq!(again.code, 0);
    assert!(again.stderr.contains("there will be two of it"), "{}", again.stderr);
    assert_eq!(account.count(Call::CreatePin), 1, "only a run sends");
    let due = account.ran(&["publish", "--due", "-o", "clips"]);
    assert_eq!((due.code, account.pinterest.pins().len()), (0, 1), "{}{}", due.stdout, due.stderr);
    assert_eq!((account.count(Call::CreatePin), account.count(Call::Upload)), (2, 1));
}

#[test]
fn what_was_set_aside_is_tried_again() {
    let spam = (1..=3).map(|nth| FaultRule::nth(Call::RegisterMedia, nth, Fault::Spam)).collect();
    let Some(account) = Account::with(&["clips/soup.mp4"], spam) else { return };
    for _ in 0..4 {
        assert_eq!(account.ran(&PUBLISH).code, 1);
    }
    assert_eq!(account.count(Call::RegisterMedia), 3, "the fourth was none");
    assert!(account.ran(&["status", "clips"]).stdout.contains("pinpress retry -o clips"));
    let unknown = account.ran(&["retry", "nosuch.mp4", "-o", "clips"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("nosuch.mp4"), "{}", unknown.stderr);
    let retried = account.ran(&["retry", "soup.mp4", "-o", "clips"]);
    assert_eq!(
        (retried.code, retried.stdout.as_str()),
        (0, "[DIR]/clips/soup.mp4\n1 video: tried again by the next run\n")
    );
    assert_eq!(account.ran(&["retry", "-o", "clips"]).stdout, "nothing failed or was set aside\n");
    assert_eq!(account.ran(&["publish", "--due", "-o", "clips"]).code, 0);
    assert!(is_there(&account.path("clips"), "soup.pin.json"));
}
