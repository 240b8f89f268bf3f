//! `--dry-run`: everything is told, nothing is sent that writes.

use serde_json::Value;

use super::account::Account;

fn only_read(account: &Account) {
    let asked = account.pinterest.requests();
    assert!(asked.iter().all(|request| request.method == "GET"), "{asked:?}");
}

#[test]
fn the_requests_are_told_and_none_is_sent() {
    let Some(account) = Account::with(&["clips/soup.mp4"], Vec::new()) else { return };
    let csv = format!(
        "file,board,title,description,link\nsoup.mp4,rehearsal,Soup,{},https://e.example/soup\n",
        "hot ".repeat(50)
    );
    std::fs::write(account.path("pins.csv"), csv).unwrap();
    let told = account.ran(&["publish", "clips", "--manifest", "pins.csv", "--dry-run"]);
    assert_eq!(told.code, 0, "{}{}", told.stdout, told.stderr);
    let board = account.pinterest.board_id("Rehearsal").unwrap();
    insta::with_settings!({filters => vec![(board.as_str(), "[BOARD]"), (r"\d+ bytes", "[N] bytes")]}, {
        insta::assert_snapshot!(told.stdout);
    });
    let json = account.ran(&["publish", "clips", "--manifest", "pins.csv", "--dry-run", "--json"]);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["schema"], "pinpress.dry-run/1");
    let requests = document["videos"][0]["requests"].as_array().unwrap();
    let body = &requests.last().unwrap()["body"];
    assert_eq!((&body["board_id"], body["description"].as_str().unwrap().len()), (&Value::from(board), 199));
    // The job that fixes first tells the same, before there is anything to send.
    let run = account.ran(&["run", "clips", "-o", "out", "--manifest", "pins.csv", "--dry-run"]);
    assert!(run.code == 0 && run.stdout.contains("(soup.mp4, once it is made)"), "{}{}", run.stdout, run.stderr);
    only_read(&account);
    assert!(!account.path("out").exists() && !account.path("clips/.pinpress").exists(), "nothing is made");
}

#[test]
fn every_problem_is_told_at_once_and_is_one() {
    let Some(account) = Account::with(&["clips/a.mp4", "clips/b.mp4"], Vec::new()) else { return };
    let csv = format!("file,board,title,link\na.mp4,rehearsal,{},http://e.example\nb.mp4,Nosuch,,\n", "x".repeat(101));
    std::fs::write(account.path("pins.csv"), csv).unwrap();
    let told = account.ran(&["publish", "clips", "--manifest", "pins.csv", "--dry-run"]);
    assert_eq!(told.code, 1);
    for problem in ["row 2, title", "row 2, link", "row 3, board", "3 problems to mend"] {
        assert!(told.stdout.contains(problem), "{problem}: {}", told.stdout);
    }
    only_read(&account);
    // In earnest nothing is uploaded either: not even the video whose row is right.
    let earnest = account.ran(&["publish", "clips", "--manifest", "pins.csv"]);
    assert_eq!(earnest.code, 2, "{}", earnest.stdout);
    only_read(&account);
}
