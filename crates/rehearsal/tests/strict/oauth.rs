//! Logging in: what Pinterest's description asks for, and nothing else, brings tokens.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pinpress_rehearsal::{Grant, Rehearsal};

use crate::wire::{Answer, ask, rehearsal};

const QUESTION: &str = "client_id=rehearsal&redirect_uri=http%3A%2F%2Flocalhost%3A8085%2F&response_type=code&scope=pins%3Aread%2Cpins%3Awrite&state=s%22%3C1";

fn code(rehearsal: &Rehearsal) -> String {
    let answer = ask(rehearsal, "GET", &format!("/oauth/?{QUESTION}&auto"), &[], b"");
    assert_eq!(answer.status, 302, "{}", answer.text());
    let back = answer.header("location").unwrap();
    assert!(back.starts_with("http://localhost:8085/?code=") && back.ends_with("&state=s%22%3C1"), "{back}");
    back["http://localhost:8085/?code=".len()..].split('&').next().unwrap().to_owned()
}

fn token(rehearsal: &Rehearsal, form: &str) -> Answer {
    let basic = format!("Basic {}", STANDARD.encode("rehearsal:rehearsal-secret"));
    let headers = [("Authorization", &*basic), ("Content-Type", "application/x-www-form-urlencoded")];
    ask(rehearsal, "POST", "/v5/oauth/token", &headers, form.as_bytes())
}

fn by_code(code: &str) -> String {
    format!("grant_type=authorization_code&code={code}&redirect_uri=http%3A%2F%2Flocalhost%3A8085%2F")
}

fn account(rehearsal: &Rehearsal, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    ask(rehearsal, "GET", "/v5/user_account", &[("Authorization", &bearer)], b"").status
}

#[test]
fn the_page_asks_and_the_browser_goes_back() {
    let (_folder, rehearsal) = rehearsal(|_| {});
    let page = ask(&rehearsal, "GET", &format!("/oauth/?{QUESTION}"), &[], b"").text();
    assert!(page.contains("pins:write") && page.contains("href=\"/oauth/allow?client_id="), "{page}");
    assert!(!page.contains("s\"<1"), "the state is escaped: {page}");
    let no = ask(&rehearsal, "GET", &format!("/oauth/deny?{QUESTION}"), &[], b"");
    assert_eq!(no.header("location"), Some("http://localhost:8085/?error=access_denied&state=s%22%3C1"));
    for (right, wrong) in [
        ("client_id=rehearsal", "client_id=other"),
        ("response_type=code", "response_type=token"),
        ("localhost%3A8085", "pinterest.example"),
        ("&state=s%22%3C1", ""),
        ("scope=pins%3Aread%2Cpins%3Awrite", "scope="),
    ] {
        let answer = ask(&rehearsal, "GET", &format!("/oauth/?{}&auto", QUESTION.replace(right, wrong)), &[], b"");
        assert_eq!(answer.refusal(), (400, 1), "{wrong}");
    }
}

#[test]
fn a_registered_redirect_uri_must_be_met_letter_by_letter() {
    let (_folder, rehearsal) =
        rehearsal(|options| options.oauth.redirect_uris = vec!["http://localhost:8085".to_owned()]);
    let answer = ask(&rehearsal, "GET", &format!("/oauth/?{QUESTION}"), &[], b"");
    assert_eq!(answer.refusal(), (400, 1));
}

#[test]
fn a_code_brings_tokens_once() {
    let (_folder, rehearsal) = rehearsal(|_| {});
    let form = by_code(&code(&rehearsal));
    let answer = token(&rehearsal, &form).json();
    assert_eq!((&answer["expires_in"], &answer["refresh_token_expires_in"]), (&2_592_000.into(), &5_184_000.into()));
    assert_eq!((&answer["token_type"], &answer["scope"]), (&"bearer".into(), &"pins:read pins:write".into()));
    assert_eq!(account(&rehearsal, answer["access_token"].as_str().unwrap()), 200);
    assert_eq!(account(&rehearsal, answer["refresh_token"].as_str().unwrap()), 401);
    assert_eq!(token(&rehearsal, &form).refusal(), (400, 1), "a code is good once");
    let other = by_code(&code(&rehearsal)).replace("8085", "8086");
    assert_eq!(token(&rehearsal, &other).refusal(), (400, 1), "another redirect URI");
    assert_eq!(rehearsal.grants(), [Grant::Code]);
}

#[test]
fn a_refresh_token_is_good_once() {
    let (_folder, rehearsal) = rehearsal(|_| {});
    let first = token(&rehearsal, &by_code(&code(&rehearsal))).json();
    let form = format!("grant_type=refresh_token&refresh_token={}", first["refresh_token"].as_str().unwrap());
    let second = token(&rehearsal, &form).json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(second["response_type"], "refresh_token");
    assert_eq!(account(&rehearsal, second["access_token"].as_str().unwrap()), 200);
    assert_eq!(token(&rehearsal, &form).refusal(), (400, 1));
    assert_eq!(rehearsal.grants(), [Grant::Code, Grant::Refresh]);
}

#[test]
fn tokens_end() {
    let (_folder, rehearsal) = rehearsal(|options| {
        options.oauth.access_lifetime = Duration::ZERO;
        options.oauth.refresh_lifetime = Duration::ZERO;
    });
    let answer = token(&rehearsal, &by_code(&code(&rehearsal))).json();
    assert_eq!(account(&rehearsal, answer["access_token"].as_str().unwrap()), 401);
    let form = format!("grant_type=refresh_token&refresh_token={}", answer["refresh_token"].as_str().unwrap());
    assert_eq!(token(&rehearsal, &form).refusal(), (400, 1));
}

#[test]
fn the_app_and_the_form_must_be_right() {
    let (_folder, rehearsal) = rehearsal(|_| {});
    let form = by_code(&code(&rehearsal));
    let post = |headers: &[(&str, &str)], form: &str| {
        ask(&rehearsal, "POST", "/v5/oauth/token", headers, form.as_bytes()).refusal()
    };
    let encoded = ("Content-Type", "application/x-www-form-urlencoded");
    let wrong = format!("Basic {}", STANDARD.encode("rehearsal:other"));
    assert_eq!(post(&[encoded], &form), (401, 2));
    assert_eq!(post(&[encoded, ("Authorization", &wrong)], &form), (401, 2));
    let right = format!("Basic {}", STANDARD.encode("rehearsal:rehearsal-secret"));
    assert_eq!(post(&[("Content-Type", "application/json"), ("Authorization", &right)], &form), (400, 1));
    for bad in [
        String::new(),
        form.replace("authorization_code", "password"),
        format!("{form}&client_id=rehearsal"),
        format!("{form}&code=again"),
        "grant_type=refresh_token".to_owned(),
    ] {
        assert_eq!(token(&rehearsal, &bad).refusal(), (400, 1), "{bad}");
    }
    assert_eq!(token(&rehearsal, &form).status, 200, "none of these has used the code");
}
