//! The board page, the media it plays, and what is shown again by the next rehearsal.

use pinpress_rehearsal::{Rehearsal, RehearsalOptions};

use crate::wire::{VIDEO, ask, call, pin_body, ready, rehearsal};

fn get(rehearsal: &Rehearsal, target: &str, headers: &[(&str, &str)]) -> crate::wire::Answer {
    ask(rehearsal, "GET", target, headers, b"")
}

#[test]
fn the_page_shows_the_pin_and_plays_its_video() {
    let (folder, rehearsal) = rehearsal(|_| {});
    assert!(get(&rehearsal, "/", &[]).text().contains("No Pin yet"));
    let media_id = ready(&rehearsal);
    let pin = call(&rehearsal, "POST", "pins", Some(&pin_body(&rehearsal, &media_id))).json();
    let id = pin["id"].as_str().unwrap();

    let page = get(&rehearsal, "/", &[]);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    let html = page.text();
    for part in [
        "A &lt;b&gt;bold&lt;/b&gt; title",
        "href=\"https://e.example/?a=1&amp;b=2\"",
        "starts like one",
        &format!("id=\"pin-{id}\""),
        &format!("poster=\"media/{id}.jpg\" src=\"media/{media_id}.mp4\""),
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let moved = get(&rehearsal, &format!("/pin/{id}/"), &[]);
    assert_eq!((moved.status, moved.header("location")), (303, Some(&*format!("/#pin-{id}"))));
    assert_eq!(get(&rehearsal, "/pin/1/", &[]).status, 404);

    let video = format!("/media/{media_id}.mp4");
    let whole = get(&rehearsal, &video, &[]);
    assert_eq!((whole.status, &*whole.body, whole.header("accept-ranges")), (200, VIDEO, Some("bytes")));
    let part = get(&rehearsal, &video, &[("Range", "bytes=4-7")]);
    assert_eq!((part.status, &*part.body), (206, &b"ftyp"[..]));
    assert_eq!(part.header("content-range"), Some(&*format!("bytes 4-7/{}", VIDEO.len())));
    let tail = get(&rehearsal, &video, &[("Range", "bytes=-4")]);
    assert_eq!((tail.status, &*tail.body), (206, &VIDEO[VIDEO.len() - 4..]));
    assert_eq!(get(&rehearsal, &video, &[("Range", "bytes=9000-")]).status, 416);
    assert_eq!(get(&rehearsal, &format!("/media/{id}.jpg"), &[]).header("content-type"), Some("image/jpeg"));
    let head = ask(&rehearsal, "HEAD", &video, &[], b"");
    assert_eq!(
        (head.status, head.body.len(), head.header("content-length")),
        (200, 0, Some(&*VIDEO.len().to_string()))
    );
    for outside in ["/media/..%2frehearsal.json", "/media/%2e%2e/rehearsal.json", "/rehearsal.json", "/media/"] {
        assert_eq!(get(&rehearsal, outside, &[]).status, 404, "{outside}");
    }

    let saved = rehearsal.save_board_page().unwrap();
    assert_eq!(saved, folder.path().join("kept/board.html"));
    assert_eq!(std::fs::read_to_string(saved).unwrap(), html);
}

#[test]
fn the_next_rehearsal_in_the_folder_shows_the_same_pins() {
    let (folder, first) = rehearsal(|_| {});
    let media_id = ready(&first);
    assert_eq!(call(&first, "POST", "pins", Some(&pin_body(&first, &media_id))).status, 201);
    let (pins, board) = (first.pins(), first.board_id("Rehearsal"));
    first.stop();
    let again = Rehearsal::start(RehearsalOptions::new(folder.path().join("kept"))).unwrap();
    assert_eq!((again.pins(), again.board_id("Rehearsal")), (pins, board));
    assert_eq!(get(&again, &format!("/media/{media_id}.mp4"), &[]).body, VIDEO);
    let new = crate::wire::register(&again)["media_id"].as_str().unwrap().to_owned();
    assert!(new > media_id, "ids are not given twice");
}

#[test]
fn a_port_that_is_taken_and_a_folder_that_cannot_be_are_named() {
    let (folder, first) = rehearsal(|_| {});
    let mut options = RehearsalOptions::new(folder.path().join("other"));
    options.port = first.address().port();
    let error = Rehearsal::start(options).unwrap_err().to_string();
    assert!(error.contains(&first.address().port().to_string()) && error.contains("another port"), "{error}");
    std::fs::write(folder.path().join("file"), b"").unwrap();
    let error = Rehearsal::start(RehearsalOptions::new(folder.path().join("file"))).unwrap_err().to_string();
    assert!(error.ends_with("file"), "{error}");
}
