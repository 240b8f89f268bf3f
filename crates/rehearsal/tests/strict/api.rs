//! The calls of the API.

use pinpress_rehearsal::{BoardOptions, Call, Fault, FaultRule};
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

#[test]
fn a_video_pin_without_a_cover_or_with_half_of_one_is_refused() {
    let (_folder, rehearsal) = rehearsal(|_| {});
    let media_id = ready(&rehearsal);
    let source = json!({"source_type": "video_id", "media_id": media_id});
    for cover in [
        json!({}),
        json!({"cover_image_url": null, "cover_image_data": null}),
        json!({"cover_image_data": "/9j/4AAQSkZJRg=="}),
        json!({"cover_image_content_type": "image/jpeg"}),
        json!({"cover_image_data": "/9j/4AAQSkZJRg==", "cover_image_content_type": "image/gif"}),
        json!({"cover_image_data": "/9j/4AAQSkZJRg==", "cover_image_content_type": "image/png"}),
        json!({"cover_image_key_frame_time": "1"}),
        json!({"cover_image_key_frame_time": 1.5}),
        json!({"cover_image_timestamp_ms": -1}),
        json!({"cover_image_url": "/cover.jpg"}),
        json!({"cover_image_timestamp_ms": 5, "cover_image_url": "https://e.example/c.jpg"}),
    ] {
        let mut body = pin_body(&rehearsal, &media_id);
        body["media_source"] = source.clone();
        body["media_source"].as_object_mut().unwrap().extend(cover.as_object().unwrap().clone());
        let answer = call(&rehearsal, "POST", "pins", Some(&body));
        assert!([(400, 1), (403, 235)].contains(&answer.refusal()), "{cover}: {}", answer.text());
    }
    assert!(rehearsal.pins().is_empty());
}

#[test]
fn ids_are_digits_in_quotes_everywhere() {
    let (_folder, rehearsal) = rehearsal(|_| {});
    let media_id = ready(&rehearsal);
    let good = pin_body(&rehearsal, &media_id);
    let board: u64 = good["board_id"].as_str().unwrap().parse().unwrap();
    for (pointer, value) in [
        ("/board_id", json!(board)),
        ("/board_id", json!(format!("{board}.0"))),
        ("/board_id", json!("")),
        ("/board_section_id", json!(12)),
        ("/parent_pin_id", json!(12)),
        ("/media_source/media_id", json!([media_id])),
    ] {
        let mut body = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value.clone();
        assert_eq!(call(&rehearsal, "POST", "pins", Some(&body)).refusal(), (400, 1), "{pointer}: {value}");
    }
    for target in ["DELETE pins/1", "PATCH pins/1", "PUT pins", "DELETE boards/1"] {
        let (method, path) = target.split_once(' ').unwrap();
        assert_eq!(call(&rehearsal, method, path, Some(&good)).status, 405, "{target}");
    }
    assert!(rehearsal.pins().is_empty());
}

#[test]
fn calls_over_the_limits_are_refused_and_the_headers_tell_the_truth() {
    let (_folder, rehearsal) = rehearsal(|options| {
        options.limits = "4;w=86400, 1000;w=172800".parse().unwrap();
        options.faults = vec![FaultRule::nth(Call::GetUserAccount, 5, Fault::RateLimitedBare)];
    });
    let told = |answer: &crate::wire::Answer, name: &str| {
        answer.header(&format!("x-ratelimit-{name}")).map_or_else(String::new, str::to_owned)
    };
    for remaining in ["3", "2", "1", "0"] {
        let answer = call(&rehearsal, "GET", "user_account", None);
        assert_eq!((answer.status, &*told(&answer, "remaining")), (200, remaining));
        assert_eq!(told(&answer, "limit"), "4, 4;w=86400, 1000;w=172800");
        assert!((1..=86_400).contains(&told(&answer, "reset").parse().unwrap()));
    }
    assert_eq!(told(&call(&rehearsal, "GET", "user_account", None), "limit"), "", "a fault that tells nothing");
    for path in ["user_account", "boards", "pins/1"] {
        let answer = call(&rehearsal, "GET", path, None);
        assert_eq!((answer.refusal(), &*told(&answer, "remaining")), ((429, 8), "0"), "one budget for all calls");
    }
    // A wrong token is told first, and the upload host has no part in it.
    assert_eq!(ask(&rehearsal, "GET", "/v5/boards", &[("Authorization", "Bearer x")], b"").status, 401);
    assert_eq!(ask(&rehearsal, "POST", "/upload", &[], b"x").status, 400);
}

#[test]
fn pages_are_no_longer_than_the_account_has_them() {
    let (_folder, rehearsal) = rehearsal(|options| {
        options.boards = ["A", "B", "C", "D", "E"].map(BoardOptions::named).to_vec();
        options.page_size_max = 2;
    });
    let mut names = Vec::new();
    let mut path = "boards?page_size=250".to_owned();
    loop {
        let page = call(&rehearsal, "GET", &path, None).json();
        let items = page["items"].as_array().unwrap();
        assert!((1..=2).contains(&items.len()), "{page}");
        names.extend(items.iter().map(|board| board["name"].as_str().unwrap().to_owned()));
        let Some(bookmark) = page["bookmark"].as_str() else { break };
        path = format!("boards?page_size=250&bookmark={bookmark}");
    }
    assert_eq!(names, ["A", "B", "C", "D", "E"]);
}
