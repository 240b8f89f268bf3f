//! The calls by themselves: boards over pages, repeats of what may be repeated, redirects that are not followed.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use pinpress_publish::{BoardError, Call as ApiCall, PublishError, PublishState, publish};
use pinpress_rehearsal::{BoardOptions, Call, Fault, FaultRule, RateLimits};

use crate::stage::{Keeper, Stage, client};

#[tokio::test]
async fn boards_are_found_over_all_pages() {
    let stage = Stage::with(Vec::new(), |options| {
        options.boards = (0..260).map(|place| BoardOptions::named(format!("Board {place}"))).collect();
        options.boards.push(BoardOptions::named("Food"));
        options.boards.push(BoardOptions::named("FOOD"));
        options.boards.push(BoardOptions::named("food & drink"));
    });
    let boards = stage.client.boards().await.unwrap();
    assert_eq!(boards.len(), 263);
    assert_eq!(stage.count(Call::ListBoards), 2);
    let id = |name: &str| stage.rehearsal.board_id(name).unwrap();
    assert_eq!(stage.client.resolve_board("board 259").await.unwrap().as_str(), id("Board 259"));
    assert_eq!(stage.client.resolve_board(&id("Board 3")).await.unwrap().as_str(), id("Board 3"));
    assert_eq!(stage.client.resolve_board("FOOD").await.unwrap().as_str(), id("FOOD"));
    let error = stage.client.resolve_board("foOd").await.unwrap_err();
    assert!(matches!(error, PublishError::Board(BoardError::Ambiguous { .. })), "{error}");
    assert!(error.to_string().contains(&id("Food")) && error.to_string().contains(&id("FOOD")), "{error}");
    let error = stage.client.resolve_board("food and drink").await.unwrap_err();
    assert!(error.to_string().contains("food & drink"), "{error}");
    let error = stage.client.resolve_board("99").await.unwrap_err();
    assert!(matches!(error, PublishError::Board(BoardError::Unknown { .. })), "digits that are no id: {error}");
}

#[tokio::test]
async fn a_pin_goes_into_a_section() {
    let stage = Stage::new(Vec::new());
    let board = stage.client.resolve_board("summer RECIPES").await.unwrap();
    let section = stage.client.resolve_section(&board, "soups").await.unwrap();
    assert!(stage.client.resolve_section(&board, "Salads").await.unwrap_err().to_string().contains("Soups"));
    let draft = pinpress_publish::PinDraft {
        cover: pinpress_publish::CoverSource::Picture { file: stage.path("cover.jpg"), time: None },
        ..pinpress_publish::PinDraft::new(stage.path("a.mp4"), "ignored once settled")
    };
    let draft = draft.settle(board.clone(), Some(section.clone()), None).unwrap();
    let receipt = publish(&stage.client, &draft, PublishState::New, &Keeper::default(), &()).await.unwrap();
    let pins = stage.client.pins(&board, Some(&section)).await.unwrap();
    assert_eq!(pins.iter().map(|pin| &pin.id).collect::<Vec<_>>(), [&receipt.pin_id]);
    let pin = stage.client.pin(&receipt.pin_id).await.unwrap();
    assert_eq!((pin.board_id, pin.board_section_id), (Some(board), Some(section)));
    assert!(pin.created_at.is_some());
}

#[tokio::test]
async fn reads_and_registrations_are_repeated() {
    for call in [Call::GetUserAccount, Call::RegisterMedia] {
        for fault in [
            Fault::RateLimited { retry_after: Some(0) },
            Fault::RateLimited { retry_after: None },
            Fault::RateLimitedFor { reset: 0 },
            Fault::RateLimitedBare,
            Fault::ErrorBeforeEffect,
            Fault::ErrorAfterEffect,
            Fault::AnswerLost,
            Fault::CutRequest { after: 3 },
            Fault::CutAnswer { after: 60 },
            Fault::ConnectionLost,
        ] {
            if matches!((call, &fault), (Call::GetUserAccount, Fault::CutRequest { .. })) {
                continue; // It has no body.
            }
            let rules = [1, 2, 3].map(|nth| FaultRule::nth(call, nth, fault.clone()));
            // The answers tell that the window ends tomorrow, which is nothing to wait for.
            let stage = Stage::with(rules.to_vec(), |options| options.limits = RateLimits::trial());
            if call == Call::RegisterMedia {
                stage.client.register(&()).await.unwrap();
            } else {
                assert_eq!(stage.client.user_account().await.unwrap().username.as_deref(), Some("rehearsal"));
            }
            assert_eq!(stage.count(call), 4, "{call:?} {fault:?}");
        }
    }
    let stage = Stage::new(vec![FaultRule::always(Call::GetUserAccount, Fault::ErrorBeforeEffect)]);
    let error = stage.client.user_account().await.unwrap_err();
    assert_eq!(stage.count(Call::GetUserAccount), 4, "and not for ever");
    assert!(matches!(error, PublishError::Refused { call: ApiCall::GetUserAccount, .. }) && error.is_transient());
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    let stage = Stage::new(vec![FaultRule::always(Call::GetUserAccount, Fault::Unauthorized)]);
    let error = stage.client.user_account().await.unwrap_err();
    assert!(error.is_unauthorized() && error.to_string().contains("access token"), "{error}");
    assert_eq!(stage.count(Call::GetUserAccount), 1);
    let error = stage.client.board(&"12".parse().unwrap()).await.unwrap_err();
    let PublishError::Refused { refusal, .. } = &error else { panic!("{error}") };
    assert_eq!((refusal.status, refusal.code), (404, Some(40)));
    assert_eq!(stage.count(Call::GetBoard), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let stage = Stage::new(Vec::new());
    let target = format!("{}/user_account", stage.rehearsal.api_base());
    let host = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = host.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = host.accept().unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).unwrap();
        let answer = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let error = client(&format!("http://{address}/v5"), |_| {}).user_account().await.unwrap_err();
    thread.join().unwrap();
    assert!(error.to_string().contains("HTTP 307"), "{error}");
    assert!(stage.rehearsal.requests().is_empty());
}
