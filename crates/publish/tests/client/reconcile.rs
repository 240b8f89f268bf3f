//! A Pin of unknown outcome, settled by hand.

use pinpress_publish::{PublishError, PublishState, SoughtPin, publish};
use pinpress_rehearsal::{Call, Fault, FaultRule};

use crate::ground::{BOARD, Ground, Keeper, client, count};

#[tokio::test]
async fn one_of_several_candidates_is_adopted_by_hand() {
    let ground = Ground::new();
    let rehearsal = ground.rehearsal(vec![FaultRule::nth(Call::CreatePin, 2, Fault::AnswerLost)]);
    let client = client(&rehearsal.api_base(), |_| {});
    let draft = ground.draft(&rehearsal.board_id(BOARD).unwrap(), "Soup");
    publish(&client, &draft, PublishState::New, &Keeper::default(), &()).await.unwrap();
    let keeper = Keeper::default();
    publish(&client, &draft, PublishState::New, &keeper, &()).await.unwrap_err();
    let PublishState::Unknown { attempted_at, .. } = keeper.last() else { panic!("{:?}", keeper.last()) };

    let sought = SoughtPin::of(&draft, attempted_at);
    let candidates = client.candidates(&sought).await.unwrap();
    assert_eq!(candidates.len(), 2, "both have the texts");
    let found = client.adoptable(&sought, &candidates[1].id).await.unwrap();
    assert_eq!((found.differences.as_slice(), &found.pin.id), ([].as_slice(), &candidates[1].id));
    let state = keeper.last().adopting(&found).unwrap();
    let receipt = publish(&client, &draft, state, &keeper, &()).await.unwrap();
    assert_eq!((receipt.pin_id, receipt.url, receipt.adopted), (found.pin.id, found.url, true));
    assert_eq!(count(&rehearsal, Call::CreatePin), 2);
}

#[tokio::test]
async fn a_pin_of_another_board_and_one_that_is_not_there_are_refused() {
    let ground = Ground::new();
    let rehearsal = ground.rehearsal(Vec::new());
    let client = client(&rehearsal.api_base(), |_| {});
    let elsewhere = ground.draft(&rehearsal.board_id("Other").unwrap(), "Soup");
    let pin = publish(&client, &elsewhere, PublishState::New, &Keeper::default(), &()).await.unwrap().pin_id;
    let sought = SoughtPin::of(&ground.draft(&rehearsal.board_id(BOARD).unwrap(), "Soup"), jiff::Timestamp::now());
    assert!(client.candidates(&sought).await.unwrap().is_empty());
    let error = client.adoptable(&sought, &pin).await.unwrap_err();
    assert!(matches!(error, PublishError::PinElsewhere { .. }), "{error}");
    let error = client.adoptable(&sought, &"1".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, PublishError::Refused { .. }), "{error}");
    let other = SoughtPin { title: Some("Salad".to_owned()), ..SoughtPin::of(&elsewhere, jiff::Timestamp::now()) };
    let found = client.adoptable(&other, &pin).await.unwrap();
    assert_eq!(found.differences, [pinpress_publish::Field::Title], "a person may say so, and is told");
}

#[tokio::test]
async fn resending_creates_the_pin_with_an_intent_of_its_own() {
    let ground = Ground::new();
    let rehearsal = ground.rehearsal(vec![FaultRule::nth(Call::CreatePin, 1, Fault::ErrorBeforeEffect)]);
    let client = client(&rehearsal.api_base(), |_| {});
    let draft = ground.draft(&rehearsal.board_id(BOARD).unwrap(), "Soup");
    let keeper = Keeper::default();
    publish(&client, &draft, PublishState::New, &keeper, &()).await.unwrap_err();
    let state = keeper.last().resending().unwrap();
    let receipt = publish(&client, &draft, state, &keeper, &()).await.unwrap();
    assert!(!receipt.adopted);
    assert_eq!((rehearsal.pins().len(), count(&rehearsal, Call::Upload)), (1, 1), "the bytes are not sent again");
}
