//! New tokens are kept before they are used, and not lost when they cannot be.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pinpress_publish::{
    Checkpoint, CheckpointError, CoverSource, Login, PinDraft, PublishError, PublishState, StoreError, TokenError,
    TokenFile, TokenSource, TokenStore, publish,
};
use pinpress_rehearsal::{Call, Fault, FaultRule};

use crate::stage::Stage;

/// A store that fails at its save of this number, from 1, before or after the effect.
#[derive(Debug)]
struct Failing {
    file: TokenFile,
    saves: AtomicUsize,
    fails_at: usize,
    after_effect: bool,
}

impl Failing {
    fn at(file: TokenFile, fails_at: usize, after_effect: bool) -> Arc<Self> {
        Arc::new(Self { file, saves: AtomicUsize::new(0), fails_at, after_effect })
    }
}

impl TokenStore for Failing {
    fn load(&self) -> Result<Option<Login>, StoreError> {
        self.file.load()
    }

    fn save(&self, login: &Login) -> Result<(), StoreError> {
        let fails = self.saves.fetch_add(1, Ordering::SeqCst) + 1 == self.fails_at;
        if !fails || self.after_effect {
            self.file.save(login)?;
        }
        if fails {
            let source = std::io::Error::other("disk full");
            return Err(StoreError::Unwritten { source, path: self.file.path().to_owned() });
        }
        Ok(())
    }

    fn forget(&self) -> Result<bool, StoreError> {
        self.file.forget()
    }

    fn lock_file(&self) -> &Path {
        self.file.lock_file()
    }

    fn place(&self) -> String {
        self.file.place()
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_found_before_the_refresh_token_is_spent() {
    let stage = Stage::logged_in(Vec::new()).await;
    stage.rehearsal.expire_access_tokens();
    let client = stage.client_of(Failing::at(stage.file(), 1, false));
    let error = client.user_account().await.unwrap_err();
    assert!(matches!(error, PublishError::Token(TokenError::Store(_))), "{error}");
    assert!(error.to_string().ends_with("tokens.json"), "{error}");
    assert_eq!(stage.refreshes(), 0);
    client.user_account().await.unwrap();
    assert_eq!(stage.refreshes(), 1);
}

#[tokio::test]
async fn tokens_that_cannot_be_kept_are_not_used_and_not_lost() {
    let stage = Stage::logged_in(Vec::new()).await;
    let before = stage.written();
    stage.rehearsal.expire_access_tokens();
    let client = stage.client_of(Failing::at(stage.file(), 2, false));
    let error = client.user_account().await.unwrap_err();
    assert!(matches!(error, PublishError::Token(TokenError::NotKept { .. })), "{error}");
    assert!(error.to_string().contains("disk full"), "{error}");
    assert_eq!((stage.refreshes(), stage.count(Call::GetUserAccount)), (1, 1), "they were not used");
    assert_eq!(stage.written(), before);
    // The same process keeps them at its next call.
    client.user_account().await.unwrap();
    assert_eq!(stage.refreshes(), 1);
    assert_ne!(stage.written()["access_token"], before["access_token"]);
    stage.client().user_account().await.unwrap();
    assert_eq!(stage.refreshes(), 1);
}

#[tokio::test]
async fn a_crash_between_keeping_and_using_loses_nothing() {
    let stage = Stage::logged_in(Vec::new()).await;
    stage.rehearsal.expire_access_tokens();
    let client = stage.client_of(Failing::at(stage.file(), 2, true));
    client.user_account().await.unwrap_err();
    drop(client);
    assert_eq!(stage.refreshes(), 1);
    stage.client().user_account().await.unwrap();
    assert_eq!(stage.refreshes(), 1);
}

#[tokio::test]
async fn a_task_that_is_given_up_in_mid_refresh_loses_nothing() {
    let stage = Stage::logged_in(Vec::new()).await;
    stage.rehearsal.expire_access_tokens();
    let client = Arc::new(stage.client());
    let asking = Arc::clone(&client);
    let task = tokio::spawn(async move { asking.user_account().await });
    // Given up when the tokens are given and on their way.
    while stage.refreshes() == 0 {
        tokio::task::yield_now().await;
    }
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    client.user_account().await.unwrap();
    stage.client().user_account().await.unwrap();
    assert_eq!(stage.refreshes(), 1);
}

#[tokio::test]
async fn who_has_logged_out_is_not_logged_in_again() {
    let stage = Stage::logged_in(Vec::new()).await;
    let client = stage.client();
    assert!(stage.file().forget().unwrap());
    stage.rehearsal.expire_access_tokens();
    let error = client.user_account().await.unwrap_err();
    assert!(matches!(error, PublishError::Token(TokenError::NotLoggedIn { .. })), "{error}");
    assert!(!stage.path().exists());
    assert!(matches!(TokenSource::kept(Arc::new(stage.file())), Err(TokenError::NotLoggedIn { .. })));
}

#[tokio::test]
async fn the_file_and_its_lock_are_the_owners_alone() {
    let stage = Stage::logged_in(Vec::new()).await;
    stage.rehearsal.expire_access_tokens();
    stage.client().user_account().await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let folder = stage.path().parent().unwrap().to_owned();
    assert_eq!((mode(&folder), mode(&stage.path()), mode(stage.file().lock_file())), (0o700, 0o600, 0o600));
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 2, "no temp file stays");
}

/// Keeps nothing: nobody goes on from it.
struct Forgetful;

impl Checkpoint for Forgetful {
    fn save(&self, _: &PublishState) -> Result<(), CheckpointError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_pin_is_created_once_when_the_token_ends_just_before() {
    let stage = Stage::logged_in(vec![FaultRule::nth(Call::CreatePin, 1, Fault::Unauthorized)]).await;
    let at = |name: &str| stage.folder.path().join(name);
    std::fs::write(at("a.mp4"), b"\0\0\0\x18ftypmp42").unwrap();
    std::fs::write(at("cover.jpg"), [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, b'J', b'F', b'I', b'F', 0]).unwrap();
    let draft = PinDraft {
        cover: CoverSource::Picture { file: at("cover.jpg"), time: None },
        ..PinDraft::new(at("a.mp4"), "Rehearsal")
    };
    let board = stage.rehearsal.board_id("Rehearsal").unwrap().parse().unwrap();
    let draft = draft.settle(board, None, None).unwrap();
    publish(&stage.client(), &draft, PublishState::New, &Forgetful, &()).await.unwrap();
    assert_eq!((stage.refreshes(), stage.count(Call::CreatePin), stage.rehearsal.pins().len()), (1, 2, 1));
}
