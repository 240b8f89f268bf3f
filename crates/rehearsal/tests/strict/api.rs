//! The calls of the API.

use pinpress_rehearsal::BoardOptions;
use serde_json::json;

use crate::wire::{ask, call, pin_body, ready, register, rehearsal};

#[test]
fn nothing_is_answered_without_the_token() {
    let (_folder, rehearsal) = rehearsal(|_| {});
    for path in ["user_account", "boards", "boards/1", "boards/1/pins", "media/1", "pins/1"] {
        let target = format!("/v5/{path}");
        for headers in [&[][..], &[("Authorization", "Bearer wrong")], &[("Authorization", "Basic cGluYTo=")]] {
            let answer = ask(&rehearsal, "GET", &target, headers, b"");
            assert_eq!(answer.refusal(), (401, 2), "{path}");
            assert!(answer.header("x-pinterest-rid").is_some(), "{}", answer.head);
        }
    }
    for path in ["media", "pins"] {
        let answer = ask(&rehearsal, "POST", &format!("/v5/{path}"), &[("Content-Type", "application/json")], b"{}");
        assert_eq!(answer.refusal(), (401, 2), "{path}");
    }
    let answer = call(&rehearsal, "GET", "user_account", None);
    assert_eq!(answer.status, 200);
    for name in ["x-pinterest-rid", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
        assert!(answer.header(name).is_some(), "{name}: {}", answer.head);
    }
}

#[test]
fn a_registration_is_as_described_or_refused() {
    let (_folder, rehearsal) = rehearsal(|_| {});
    let good = register(&rehearsal);
    assert!(good["media_id"].as_str().unwrap().bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(good["media_type"], "video");
    assert!(good["upload_url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    for name in ["key", "policy", "x-amz-signature", "Content-Type"] {
        assert!(good["upload_parameters"][name].is_string(), "{name}");
    }
    for bad in [
        json!({}),
        json!({"media_type": "image"}),
        json!({"media_type": 1}),
        json!({"media_type": "video", "x": 1}),
        json!([]),
    ] {
        assert_eq!(call(&rehearsal, "POST", "media", Some(&bad)).refusal(), (400, 1), "{bad}");
    }
    let bearer = format!("Bearer {}", rehearsal.token());
    let form = [("Authorization", &*bearer), ("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(ask(&rehearsal, "POST", "/v5/media", &form, b"media_type=video").refusal(), (400, 1));
    assert_eq!(call(&rehearsal, "GET", "media/12", None).refusal(), (404, 404));
}

#[test]
fn a_pin_needs_a_board_a_ready_video_and_one_cover() {
    let (_folder, rehearsal) = rehearsal(|options| {
        options.boards.push(BoardOptions { name: "Other".to_owned(), sections: vec!["Part".to_owned()] });
    });
    let media_id = ready(&rehearsal);
    let body = pin_body(&rehearsal, &media_id);
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut body = body.clone();
        change(&mut body);
        call(&rehearsal, "POST", "pins", Some(&body))
    };
    assert_eq!(with(&|body| body["board_id"] = json!("1")).refusal(), (404, 40));
    assert_eq!(with(&|body| body["board_section_id"] = json!("1")).refusal(), (404, 2031));
    assert_eq!(with(&|body| body["media_source"]["media_id"] = json!("1")).refusal(), (404, 404));
    let number: u64 = media_id.parse().unwrap();
    assert_eq!(with(&|body| body["media_source"]["media_id"] = json!(number)).refusal(), (400, 1));
    assert_eq!(with(&|body| body["media_source"]["cover_image_key_frame_time"] = json!(1)).refusal(), (400, 1));
    assert_eq!(with(&|body| body["media_source"]["cover_image_data"] = json!("R0lGODlh")).refusal(), (403, 235));
    assert_eq!(with(&|body| body["note"] = json!("x")).refusal(), (400, 1));
    let early = register(&rehearsal)["media_id"].clone();
    assert_eq!(with(&|body| body["media_source"]["media_id"] = early.clone()).refusal(), (400, 1));
    assert!(rehearsal.pins().is_empty(), "nothing that was refused left anything behind");

    let answer = call(&rehearsal, "POST", "pins", Some(&body));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let pin = answer.json();
    let id = pin["id"].as_str().unwrap();
    assert_eq!(call(&rehearsal, "GET", &format!("pins/{id}"), None).json(), pin);
    let board = pin["board_id"].as_str().unwrap();
    assert_eq!(call(&rehearsal, "GET", &format!("boards/{board}/pins"), None).json()["items"], json!([pin]));
    assert_eq!(call(&rehearsal, "GET", &format!("boards/{board}"), None).json()["pin_count"], 1);
    assert_eq!(call(&rehearsal, "GET", "pins/1", None).refusal(), (404, 50));
    assert_eq!(call(&rehearsal, "GET", "boards/1/pins", None).refusal(), (404, 40));
    assert_eq!(call(&rehearsal, "GET", "boards?page_size=251", None).refusal(), (400, 1));
    assert_eq!(call(&rehearsal, "GET", "nothing", None).status, 404);
}
