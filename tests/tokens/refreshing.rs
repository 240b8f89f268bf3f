//! When a token is refreshed, and how often.

use std::sync::Arc;

use base64::Engine as _;
use pinpress_publish::{PublishError, TokenError, TokenStore as _};
use pinpress_rehearsal::{Call, Fault, FaultRule, Grant};
use tokio::task::JoinSet;

use crate::stage::{SECRET, Stage, logged};

#[tokio::test]
async fn a_token_that_is_good_is_used_as_it_is() {
    let stage = Stage::logged_in(Vec::new()).await;
    let client = stage.client();
    assert_eq!(client.user_account().await.unwrap().username.as_deref(), Some("rehearsal"));
    assert_eq!(client.boards().await.unwrap().len(), 1);
    assert_eq!(stage.rehearsal.grants(), [Grant::Code]);
}

#[tokio::test]
async fn a_token_near_its_end_is_refreshed_before_it_is_used() {
    for seconds in [300, -300] {
        let stage = Stage::logged_in(Vec::new()).await;
        stage.let_end_in(seconds);
        let before = stage.written();
        let client = stage.client();
        client.user_account().await.unwrap();
        client.user_account().await.unwrap();
        assert_eq!(stage.rehearsal.grants(), [Grant::Code, Grant::Refresh]);
        let after = stage.written();
        for part in ["access_token", "refresh_token", "expires_at"] {
            assert_ne!(before[part], after[part], "{part}");
        }
        let bearer = format!("Bearer {}", after["access_token"].as_str().unwrap());
        let requests = stage.rehearsal.requests();
        let calls: Vec<_> = requests.iter().filter(|request| request.call == Some(Call::GetUserAccount)).collect();
        assert!(calls.len() == 2 && calls.iter().all(|call| call.header("authorization") == Some(&bearer)));
    }
}

#[tokio::test]
async fn a_refused_token_is_refreshed_once() {
    let stage = Stage::logged_in(Vec::new()).await;
    let client = stage.client();
    client.user_account().await.unwrap();
    stage.rehearsal.expire_access_tokens();
    client.user_account().await.unwrap();
    assert_eq!((stage.count(Call::GetUserAccount), stage.refreshes()), (3, 1));

    let stage = Stage::logged_in(vec![FaultRule::always(Call::GetUserAccount, Fault::Unauthorized)]).await;
    let error = stage.client().user_account().await.unwrap_err();
    assert!(error.is_unauthorized() && error.to_string().contains("pinpress login"), "{error}");
    assert_eq!((stage.count(Call::GetUserAccount), stage.refreshes()), (2, 1), "and not for ever");
}

#[tokio::test]
async fn eighty_tasks_of_four_clients_refresh_once() {
    for refused in [false, true] {
        let stage = Stage::logged_in(Vec::new()).await;
        if !refused {
            stage.let_end_in(-1);
        }
        stage.rehearsal.expire_access_tokens();
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let client = Arc::new(stage.client());
            for _ in 0..20 {
                let client = Arc::clone(&client);
                tasks.spawn(async move { client.user_account().await });
            }
        }
        while let Some(result) = tasks.join_next().await {
            result.unwrap().unwrap();
        }
        assert_eq!(stage.refreshes(), 1, "refused: {refused}");
    }
}

#[tokio::test]
async fn what_another_process_brought_is_used() {
    let stage = Stage::logged_in(Vec::new()).await;
    let (one, other) = (stage.client(), stage.client());
    stage.rehearsal.expire_access_tokens();
    one.user_account().await.unwrap();
    other.user_account().await.unwrap();
    assert_eq!(stage.refreshes(), 1);
    // A new login of the user's is as good.
    stage.file().save(&stage.log_in().await).unwrap();
    stage.rehearsal.expire_access_tokens();
    let newest = stage.log_in().await;
    stage.file().save(&newest).unwrap();
    one.user_account().await.unwrap();
    assert_eq!(stage.refreshes(), 1);
}

#[tokio::test]
async fn a_refresh_that_fails_ahead_of_time_harms_nothing() {
    // The first is the login.
    let faults = (2..9).map(|nth| FaultRule::nth(Call::Token, nth, Fault::ErrorBeforeEffect));
    let stage = Stage::logged_in(faults.collect()).await;
    stage.let_end_in(300);
    let client = stage.client();
    for _ in 0..3 {
        client.user_account().await.unwrap();
    }
    assert_eq!(stage.count(Call::Token), 1 + 3, "the login, and one refresh with its tries");
    // Past its end there is nothing to go on with.
    stage.let_end_in(-1);
    let error = stage.client().user_account().await.unwrap_err();
    assert!(matches!(error, PublishError::Refused { .. }) && error.is_transient(), "{error}");
}

#[tokio::test]
async fn a_dead_refresh_token_asks_for_a_new_login() {
    let stage = Stage::logged_in(Vec::new()).await;
    let old = std::fs::read(stage.path()).unwrap();
    stage.rehearsal.expire_access_tokens();
    stage.client().user_account().await.unwrap();
    // An old copy of the file.
    std::fs::write(stage.path(), old).unwrap();
    stage.rehearsal.expire_access_tokens();
    let error = stage.client().user_account().await.unwrap_err();
    assert!(matches!(error, PublishError::Token(TokenError::Refused { .. })), "{error}");
    assert!(
        error.is_unauthorized() && !error.is_transient() && error.to_string().contains("pinpress login"),
        "{error}"
    );
    assert_eq!(stage.refreshes(), 1);
}

#[tokio::test]
async fn a_lost_answer_of_the_token_endpoint_is_told() {
    let stage = Stage::logged_in(vec![FaultRule::nth(Call::Token, 2, Fault::AnswerLost)]).await;
    stage.rehearsal.expire_access_tokens();
    let error = stage.client().user_account().await.unwrap_err();
    assert!(matches!(error, PublishError::Token(TokenError::Refused { .. })), "the stand-in rotates: {error}");
}

#[tokio::test]
async fn an_app_secret_of_the_environment_wins_over_the_kept_one() {
    let stage = Stage::logged_in(Vec::new()).await;
    stage.rehearsal.expire_access_tokens();
    let wrong = pinpress_publish::AppCredentials::new("rehearsal", "PLANTother").unwrap();
    let source = pinpress_publish::TokenSource::kept(Arc::new(stage.file())).unwrap().with_app(Some(wrong));
    let client = pinpress_publish::Client::new(source, stage.options()).unwrap();
    let error = client.user_account().await.unwrap_err();
    assert!(matches!(error, PublishError::Token(TokenError::Refused { .. })), "{error}");
    assert!(!format!("{error} {error:?} {client:?}").contains("PLANT"));
    stage.client().user_account().await.unwrap();
}

#[tokio::test]
async fn nothing_shows_a_secret_of_a_login_at_any_verbosity() {
    let stage = Stage::logged_in(Vec::new()).await;
    let client = stage.client();
    let first = stage.written();
    stage.rehearsal.expire_access_tokens();
    client.user_account().await.unwrap();
    let second = stage.written();
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("rehearsal:{SECRET}"));
    let mut secrets = vec![SECRET.to_owned(), basic];
    for login in [first, second] {
        secrets.extend(["access_token", "refresh_token"].map(|part| login[part].as_str().unwrap().to_owned()));
    }
    // A server that echoes what it was told: here the first tokens that a stand-in gives.
    let echo = format!(r#"{{"items":"{SECRET} pina_rehearsal0001 pinr_rehearsal0001"}}"#);
    let echoing = Stage::logged_in(vec![FaultRule::always(Call::ListBoards, Fault::Body(echo))]).await;
    assert_eq!(echoing.written()["access_token"], "pina_rehearsal0001");
    let error = echoing.client().boards().await.unwrap_err();
    assert!(error.to_string().contains("REDACTED REDACTED REDACTED"), "{error}");
    let log = logged();
    assert!(log.contains("was refreshed") && log.contains("TRACE"), "the log was caught");
    let shown = format!("{log} {error} {error:?} {client:?} {:?}", stage.file().load().unwrap());
    for secret in &secrets {
        let line = shown.lines().find(|line| line.contains(secret.as_str()));
        assert!(line.is_none(), "{secret} is shown: {line:?}");
    }
}
