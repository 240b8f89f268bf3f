//! The rehearsal behind Prism, which checks what the client asks of it and what it answers.

use pinpress_publish::{PublishError, PublishState, publish};
use pinpress_rehearsal::{BoardOptions, Call, Checked, Fault, FaultRule, Rehearsal, RehearsalOptions, UploadForm};
use tempfile::TempDir;

use crate::prism::{COVERS, Forgetful, Prism, TOKEN, client, draft};

fn rehearsal(change: impl FnOnce(&mut RehearsalOptions)) -> (TempDir, Rehearsal) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = RehearsalOptions::new(folder.path().join("kept"));
    options.token = TOKEN.to_owned();
    options.boards = vec![BoardOptions { name: "Food".to_owned(), sections: vec!["Soups".to_owned()] }];
    options.inspect = std::sync::Arc::new(|_| Ok(Checked::default()));
    change(&mut options);
    (folder, Rehearsal::start(options).unwrap())
}

#[tokio::test]
async fn requests_and_answers_are_as_described() {
    for form in [UploadForm::Multipart, UploadForm::Put] {
        let (folder, rehearsal) = rehearsal(|options| options.upload = form);
        let Some(prism) = Prism::proxy(&rehearsal.api_base()) else { return };
        let client = client(&prism.base(), |_| {});
        let board = client.resolve_board("food").await.unwrap();
        let section = client.resolve_section(&board, "soups").await.unwrap();
        let mut ids = Vec::new();
        for (cover, section) in COVERS.into_iter().zip([None, Some(section.as_str()), None]) {
            let draft = draft(folder.path(), board.as_str(), section, cover);
            let receipt = publish(&client, &draft, PublishState::New, &Forgetful, &()).await.unwrap();
            ids.push(receipt.pin_id);
        }
        assert_eq!(client.user_account().await.unwrap().username.as_deref(), Some("rehearsal"));
        assert_eq!(client.board(&board).await.unwrap().pin_count, Some(3));
        assert_eq!(client.pins(&board, None).await.unwrap().len(), 3);
        assert_eq!(client.pins(&board, Some(&section)).await.unwrap().len(), 1);
        for id in &ids {
            assert_eq!(client.pin(id).await.unwrap().id, *id);
        }
        // Refusals have their form too.
        for error in [
            client.pin(&"1".parse().unwrap()).await.unwrap_err(),
            client.board(&"1".parse().unwrap()).await.unwrap_err(),
            client.media(&"1".parse().unwrap()).await.unwrap_err(),
        ] {
            let PublishError::Refused { refusal, .. } = &error else { panic!("{error}") };
            assert_eq!(refusal.status, 404, "{error}");
        }
        assert_eq!(rehearsal.pins().len(), 3);
        assert!(prism.violations().is_empty(), "{:#?}", prism.violations());
        assert!(prism.said().contains("/user_account"), "it saw the calls: {}", prism.said());
    }
}

#[tokio::test]
async fn a_wrong_answer_is_found_out() {
    let body = r#"{"id":"x","username":7}"#.to_owned();
    let (_folder, rehearsal) = rehearsal(|options| {
        options.faults = vec![FaultRule::always(Call::GetUserAccount, Fault::Body(body))];
    });
    let Some(prism) = Prism::proxy(&rehearsal.api_base()) else { return };
    let client = client(&prism.base(), |_| {});
    let error = client.user_account().await.unwrap_err();
    assert!(error.to_string().contains("HTTP 500"), "Prism stands in for the answer: {error}");
    assert!(!prism.violations().is_empty(), "{}", prism.said());
}
