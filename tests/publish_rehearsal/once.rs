//! A Pin comes into being once, whatever happens to the answer, to the keeper of states, or to the process.

use pinpress_publish::{Looked, PublishError, PublishState, publish};
use pinpress_rehearsal::{Call, Fault, FaultRule};

use crate::stage::{Keeper, Stage, client};

fn on_create(fault: Fault) -> Stage {
    Stage::new(vec![FaultRule::always(Call::CreatePin, fault)])
}

#[tokio::test]
async fn a_pin_whose_answer_is_lost_is_found_and_adopted() {
    for fault in [Fault::AnswerLost, Fault::ErrorAfterEffect, Fault::Body("<html>oops".to_owned())] {
        let stage = on_create(fault.clone());
        let keeper = Keeper::default();
        let receipt = stage.publish(&keeper).await.unwrap();
        let [pin] = stage.rehearsal.pins().try_into().unwrap();
        assert_eq!(receipt.pin_id.as_str(), pin.id, "{fault:?}");
        assert!(receipt.adopted);
        assert_eq!(stage.count(Call::CreatePin), 1, "never sent again: {fault:?}");
        assert_eq!(keeper.names(), ["registered", "uploaded", "ready", "intended", "unknown", "pinned"]);
    }
}

#[tokio::test]
async fn a_pin_that_is_not_found_stays_unknown_and_is_never_sent_again() {
    for fault in [Fault::ErrorBeforeEffect, Fault::ConnectionLost] {
        let stage = on_create(fault.clone());
        let keeper = Keeper::default();
        let error = stage.publish(&keeper).await.unwrap_err();
        assert!(matches!(error, PublishError::OutcomeUnknown { .. }), "{error}");
        assert!(
            error.to_string().contains("no Pin on the board") && error.to_string().contains("reconcile"),
            "{error}"
        );
        assert!(!error.is_transient());
        for _ in 0..2 {
            assert_eq!(keeper.last().name(), "unknown");
            let error = stage.publish_from(keeper.last(), &keeper).await.unwrap_err();
            assert!(matches!(error, PublishError::OutcomeUnknown { .. }), "{error}");
        }
        assert_eq!(stage.count(Call::CreatePin), 1, "{fault:?}");
        assert!(stage.rehearsal.pins().is_empty());
    }
}

#[tokio::test]
async fn a_board_that_cannot_be_read_proves_nothing() {
    let stage = Stage::new(vec![
        FaultRule::always(Call::CreatePin, Fault::AnswerLost),
        FaultRule::always(Call::ListBoardPins, Fault::ErrorBeforeEffect),
    ]);
    let keeper = Keeper::default();
    let error = stage.publish(&keeper).await.unwrap_err();
    assert!(matches!(&error, PublishError::OutcomeUnknown { looked: Looked::Unread(_), .. }), "{error}");
    assert_eq!((keeper.last().name(), stage.count(Call::CreatePin)), ("unknown", 1));
}

#[tokio::test]
async fn a_pin_with_an_id_exists_however_odd_the_rest() {
    let body = r#"{"id":"77","board_id":"string","created_at":5,"title":[]}"#.to_owned();
    let stage = on_create(Fault::Body(body));
    let receipt = stage.publish(&Keeper::default()).await.unwrap();
    assert_eq!((receipt.pin_id.as_str(), receipt.adopted), ("77", false));
}

#[tokio::test]
async fn several_matches_are_left_to_a_person() {
    let stage = Stage::new(vec![FaultRule::nth(Call::CreatePin, 2, Fault::AnswerLost)]);
    let first = stage.publish(&Keeper::default()).await.unwrap();
    // The same texts, a moment later: without the keeper's word nobody can tell the two apart.
    let keeper = Keeper::default();
    let error = stage.publish(&keeper).await.unwrap_err();
    assert!(error.to_string().contains("2 Pins"), "{error}");

    let knowing = Keeper { others: vec![first.pin_id.clone()], ..Keeper::default() };
    let receipt = stage.publish_from(keeper.last(), &knowing).await.unwrap();
    assert!(receipt.adopted && receipt.pin_id != first.pin_id);
    assert_eq!(stage.count(Call::CreatePin), 2);
    assert_eq!(stage.rehearsal.pins().len(), 2);
}

#[tokio::test]
async fn a_pin_that_is_listed_late_or_twice_is_one() {
    let stage = Stage::with(
        vec![
            FaultRule::nth(Call::CreatePin, 3, Fault::AnswerLost),
            FaultRule::nth(Call::CreatePin, 3, Fault::ListedLate { looks: 1 }),
            FaultRule::always(Call::ListBoardPins, Fault::ListedTwice),
        ],
        |options| options.page_size_max = 3,
    );
    for title in ["Salad", "Bread"] {
        let other = stage.draft_with(|draft| draft.title = Some(title.to_owned()));
        publish(&stage.client, &other, PublishState::New, &Keeper::default(), &()).await.unwrap();
    }
    let receipt = stage.publish(&Keeper::default()).await.unwrap();
    assert!(receipt.adopted);
    assert_eq!(stage.rehearsal.pins().last().unwrap().id, receipt.pin_id.as_str());
    assert_eq!((stage.count(Call::CreatePin), stage.count(Call::ListBoardPins)), (3, 2 + 2), "two pages at each look");
}

#[tokio::test]
async fn another_pin_of_the_board_is_not_adopted() {
    let stage = Stage::new(vec![FaultRule::nth(Call::CreatePin, 2, Fault::ErrorBeforeEffect)]);
    let other = stage.draft_with(|draft| draft.title = Some("Salad".to_owned()));
    publish(&stage.client, &other, PublishState::New, &Keeper::default(), &()).await.unwrap();
    let error = stage.publish(&Keeper::default()).await.unwrap_err();
    assert!(matches!(error, PublishError::OutcomeUnknown { .. }), "{error}");
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_and_spam_is_not() {
    let limited = Fault::RateLimited { retry_after: Some(0) };
    let stage = Stage::new(vec![FaultRule::nth(Call::CreatePin, 1, limited)]);
    stage.publish(&Keeper::default()).await.unwrap();
    assert_eq!((stage.count(Call::CreatePin), stage.rehearsal.pins().len()), (2, 1));

    let stage = on_create(Fault::Spam);
    let keeper = Keeper::default();
    let error = stage.publish(&keeper).await.unwrap_err();
    assert_eq!(stage.count(Call::CreatePin), 1);
    assert!(error.to_string().contains("spam") && !error.is_transient(), "{error}");
    assert_eq!(keeper.last().name(), "ready", "certainly no Pin");

    let stage = on_create(Fault::RateLimited { retry_after: Some(86_400) });
    let keeper = Keeper::default();
    let error = stage.publish(&keeper).await.unwrap_err();
    assert!(matches!(error, PublishError::RateLimited { .. }) && error.is_transient(), "{error}");
    assert_eq!((stage.count(Call::CreatePin), keeper.last().name()), (1, "ready"));
}

#[tokio::test]
async fn a_refusal_and_a_closed_port_leave_no_doubt() {
    let stage = on_create(Fault::Unauthorized);
    let keeper = Keeper::default();
    let error = stage.publish(&keeper).await.unwrap_err();
    assert!(error.is_unauthorized() && error.to_string().contains("x-pinterest-rid rehearsal"), "{error}");
    let PublishState::Ready { media_id } = keeper.last() else { panic!("{:?}", keeper.last()) };

    // A port that nobody listens on: bound a moment ago, and closed.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = client(&format!("http://{closed}/v5"), |_| {});
    let keeper = Keeper::default();
    let error = publish(&nobody, &stage.draft(), PublishState::Ready { media_id }, &keeper, &()).await.unwrap_err();
    assert!(matches!(error, PublishError::Network { .. }) && error.is_transient(), "{error:?}");
    assert_eq!(keeper.names(), ["intended", "ready"]);
}

#[tokio::test]
async fn publishing_goes_on_from_every_state() {
    let stage = Stage::new(Vec::new());
    let keeper = Keeper::default();
    stage.publish(&keeper).await.unwrap();
    let states = keeper.states.lock().unwrap().clone();
    for (place, state) in states.iter().enumerate().skip(3) {
        // The Pin exists: intended finds it, pinned knows it.
        let receipt = stage.publish_from(state.clone(), &Keeper::default()).await.unwrap();
        assert_eq!((receipt.adopted, stage.count(Call::CreatePin)), (place == 3, 1), "{state:?}");
    }
    for state in &states[..3] {
        // The bytes are there: none is sent again, not even from registered.
        let uploads = stage.count(Call::Upload);
        let made = stage.rehearsal.pins().len();
        stage.publish_from(state.clone(), &Keeper::default()).await.unwrap();
        assert_eq!(stage.count(Call::Upload), uploads, "{state:?}");
        assert_eq!(stage.rehearsal.pins().len(), made + 1, "{state:?}");
    }
}

#[tokio::test]
async fn a_registration_without_bytes_is_made_again() {
    let stage = Stage::new(Vec::new());
    let orphan = stage.client.register(&()).await.unwrap().media_id;
    let keeper = Keeper::default();
    let receipt = stage.publish_from(PublishState::Registered { media_id: orphan.clone() }, &keeper).await.unwrap();
    assert_ne!(receipt.media_id, orphan);
    // And one that Pinterest has forgotten.
    for state in [
        PublishState::Registered { media_id: "1".parse().unwrap() },
        PublishState::Uploaded { media_id: "1".parse().unwrap() },
        PublishState::Ready { media_id: "1".parse().unwrap() },
    ] {
        stage.publish_from(state, &Keeper::default()).await.unwrap();
    }
    assert_eq!(stage.rehearsal.pins().len(), 4);
}

#[tokio::test]
async fn one_pin_comes_of_a_keeper_that_fails_at_any_save() {
    for fault in [None, Some(Fault::AnswerLost)] {
        for fails_at in 1..=6 {
            let rules = fault.clone().map(|fault| FaultRule::nth(Call::CreatePin, 1, fault)).into_iter().collect();
            let stage = Stage::new(rules);
            let keeper = Keeper { fails_at: Some(fails_at), ..Keeper::default() };
            let outcome = stage.publish(&keeper).await;
            if fails_at <= 5 {
                let error = outcome.unwrap_err();
                assert!(matches!(error, PublishError::Checkpoint { .. }), "{error}");
                assert!(error.to_string().contains("disk full"), "{error}");
            }
            let again = Keeper::default();
            let receipt = stage.publish_from(keeper.last(), &again).await.unwrap();
            let [pin] = stage.rehearsal.pins().try_into().unwrap();
            assert_eq!(receipt.pin_id.as_str(), pin.id, "save {fails_at}, {fault:?}");
            assert_eq!(stage.count(Call::CreatePin), 1, "save {fails_at}, {fault:?}");
        }
    }
}
