//! Both forms of upload, every form of cover, and what an upload can run into.

use std::io::Read as _;
use std::net::TcpListener;
use std::time::Duration;

use pinpress_publish::{CoverAs, CoverSource, NetworkFault, PublishError, PublishState, Waiting, publish};
use pinpress_rehearsal::{Call, Fault, FaultRule, KeptCover, UploadForm};

use crate::stage::{JPEG, Keeper, Stage, client};

#[tokio::test]
async fn both_forms_of_upload_reach_a_pin() {
    for (form, method) in [(UploadForm::Multipart, "POST"), (UploadForm::Put, "PUT")] {
        let stage = Stage::with(Vec::new(), |options| options.upload = form);
        let keeper = Keeper::default();
        let receipt = stage.publish(&keeper).await.unwrap();

        assert_eq!(keeper.names(), ["registered", "uploaded", "ready", "intended", "pinned"]);
        let [pin] = stage.rehearsal.pins().try_into().unwrap();
        assert_eq!((receipt.pin_id.as_str(), receipt.media_id.as_str()), (&*pin.id, &*pin.media_id));
        assert!(!receipt.adopted);
        assert_eq!(receipt.url, format!("http://{}/pin/{}/", stage.rehearsal.address(), pin.id));
        assert_eq!(pin.title.as_deref(), Some("Soup"));
        assert_eq!(pin.description.as_deref(), Some("Hot & <good>"));
        assert_eq!(pin.link.as_deref(), Some("https://e.example/soup"));
        assert_eq!(pin.alt_text.as_deref(), Some("A bowl"));
        let kept = stage.path(&format!("rehearsal/media/{}.mp4", pin.media_id));
        assert_eq!(std::fs::read(kept).unwrap(), stage.bytes);

        let requests = stage.rehearsal.requests();
        let upload = requests.iter().find(|request| request.call == Some(Call::Upload)).unwrap();
        assert_eq!(upload.method, method);
        assert_eq!(upload.header("authorization"), None);
        assert_eq!(upload.header("transfer-encoding"), None);
        let length: u64 = upload.header("content-length").unwrap().parse().unwrap();
        assert!(length >= stage.bytes.len() as u64);

        let uploaded = keeper.uploaded.lock().unwrap();
        let total = stage.bytes.len() as u64;
        assert!(uploaded.is_sorted() && uploaded.iter().all(|(_, of)| *of == total), "{uploaded:?}");
        assert_eq!(uploaded.first(), Some(&(0, total)));
    }
}

#[tokio::test]
async fn every_form_of_cover_arrives() {
    let stage = Stage::new(Vec::new());
    let url = "https://e.example/cover.jpg".to_owned();
    let cases = [
        (CoverAs::KeyFrame, None, KeptCover::KeyFrame { seconds: 3 }),
        (CoverAs::TimestampMs, None, KeptCover::TimestampMs { millis: 2_600 }),
        (CoverAs::Url, Some(CoverSource::Url(url.clone())), KeptCover::Url { url }),
    ];
    for (form, source, kept) in cases {
        let draft = stage.draft_with(|draft| {
            draft.duration = Some(Duration::from_secs(9));
            draft.cover_as = form;
            draft.cover = source.unwrap_or(draft.cover.clone());
        });
        publish(&stage.client, &draft, PublishState::New, &Keeper::default(), &()).await.unwrap();
        assert_eq!(stage.rehearsal.pins().last().unwrap().cover, kept);
    }
    stage.publish(&Keeper::default()).await.unwrap();
    let pin = stage.rehearsal.pins().pop().unwrap();
    let KeptCover::Image { file } = pin.cover else { panic!("{:?}", pin.cover) };
    assert_eq!(std::fs::read(stage.path(&format!("rehearsal/media/{file}"))).unwrap(), JPEG);
}

#[tokio::test]
async fn an_expired_form_is_asked_for_again() {
    let stage = Stage::new(vec![FaultRule::nth(Call::RegisterMedia, 1, Fault::FormExpired)]);
    let keeper = Keeper::default();
    stage.publish(&keeper).await.unwrap();
    assert_eq!(stage.count(Call::RegisterMedia), 2);
    assert_eq!(stage.rehearsal.pins().len(), 1);
    assert_eq!(keeper.names(), ["registered", "new", "registered", "uploaded", "ready", "intended", "pinned"]);

    let stage = Stage::new(vec![FaultRule::always(Call::RegisterMedia, Fault::FormExpired)]);
    let error = stage.publish(&Keeper::default()).await.unwrap_err();
    assert!(matches!(error, PublishError::FormExpired), "{error}");
    assert_eq!(stage.count(Call::RegisterMedia), 3, "not for ever");
}

#[tokio::test]
async fn an_upload_is_sent_again_from_its_start() {
    for fault in [Fault::ErrorBeforeEffect, Fault::ErrorAfterEffect, Fault::AnswerLost, Fault::ConnectionLost] {
        let stage = Stage::new(vec![FaultRule::nth(Call::Upload, 1, fault.clone())]);
        stage.publish(&Keeper::default()).await.unwrap();
        assert_eq!(stage.count(Call::Upload), 2, "{fault:?}");
        assert_eq!(stage.count(Call::RegisterMedia), 1, "{fault:?}");
        assert_eq!(stage.rehearsal.pins().len(), 1, "the inspector saw the same bytes: {fault:?}");
    }
}

#[tokio::test]
async fn an_upload_in_which_nothing_moves_is_given_up() {
    // Accepts, reads the head, and then nothing more: the buffers between are smaller than the video.
    let host = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = host.local_addr().unwrap();
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = host.accept().unwrap();
        let mut head = [0; 100];
        stream.read_exact(&mut head).unwrap();
        let _ = wait.recv();
    });
    let body = format!(r#"{{"media_id":"1","media_type":"video","upload_url":"http://{address}/?secret=PLANTED"}}"#);
    let stage = Stage::new(vec![FaultRule::always(Call::RegisterMedia, Fault::Body(body))]);
    let client = client(&stage.rehearsal.api_base(), |options| {
        options.upload_idle_timeout = Duration::from_millis(200);
        options.retry.attempts = 1;
    });
    std::fs::File::create(stage.path("a.mp4")).unwrap().set_len(64 << 20).unwrap();
    let error = publish(&client, &stage.draft(), PublishState::New, &Keeper::default(), &()).await.unwrap_err();
    drop(done);
    thread.join().unwrap();
    assert!(matches!(error, PublishError::Network { call: _, fault: NetworkFault::Stalled, .. }), "{error:?}");
    assert!(error.is_transient() && !format!("{error} {error:?}").contains("PLANTED"), "{error:?}");
}

#[tokio::test]
async fn a_video_that_is_gone_is_named_and_nothing_is_left_to_repeat() {
    let stage = Stage::new(Vec::new());
    std::fs::remove_file(stage.path("a.mp4")).unwrap();
    let error = stage.publish(&Keeper::default()).await.unwrap_err();
    assert!(matches!(error, PublishError::Video { .. }), "{error}");
    assert!(error.to_string().ends_with("a.mp4"), "{error}");
    assert_eq!(stage.count(Call::Upload), 0);
}

#[tokio::test]
async fn an_upload_url_in_the_clear_is_refused() {
    let body = r#"{"media_id":"1","media_type":"video","upload_url":"http://e.example/?PLANTED"}"#.to_owned();
    let stage = Stage::new(vec![FaultRule::always(Call::RegisterMedia, Fault::Body(body))]);
    let error = stage.publish(&Keeper::default()).await.unwrap_err();
    assert!(matches!(error, PublishError::UploadUrl(_)), "{error}");
    assert!(error.to_string().ends_with("e.example"), "{error}");
    let none = r#"{"media_id":"1","media_type":"video"}"#.to_owned();
    let stage = Stage::new(vec![FaultRule::always(Call::RegisterMedia, Fault::Body(none))]);
    let error = stage.publish(&Keeper::default()).await.unwrap_err();
    assert!(matches!(error, PublishError::NoUploadUrl { .. }), "{error}");
}

#[tokio::test]
async fn a_status_that_nobody_knows_keeps_waiting() {
    let stage = Stage::new(vec![FaultRule::nth(Call::GetMedia, 1, Fault::Status("transcoding".to_owned()))]);
    let keeper = Keeper::default();
    stage.publish(&keeper).await.unwrap();
    let waits = keeper.waits.lock().unwrap();
    assert!(
        waits.iter().any(|wait| matches!(wait, Waiting::Processing { status, .. } if status == "transcoding")),
        "{waits:?}"
    );
}

#[tokio::test]
async fn processing_that_does_not_end_is_left_for_later() {
    let stage = Stage::new(vec![FaultRule::always(Call::RegisterMedia, Fault::StuckProcessing)]);
    let client = client(&stage.rehearsal.api_base(), |options| options.poll.limit = Duration::from_millis(50));
    let keeper = Keeper::default();
    let error = publish(&client, &stage.draft(), PublishState::New, &keeper, &()).await.unwrap_err();
    assert!(matches!(error, PublishError::StillProcessing { .. }) && error.is_transient(), "{error}");
    assert_eq!(keeper.last().name(), "uploaded", "the next run uploads nothing");
}

#[tokio::test]
async fn a_video_that_pinterest_cannot_process_is_told_with_what_to_check() {
    let stage = Stage::new(vec![FaultRule::nth(Call::RegisterMedia, 1, Fault::ProcessingFails)]);
    let keeper = Keeper::default();
    let error = stage.publish(&keeper).await.unwrap_err();
    assert!(matches!(error, PublishError::MediaFailed { .. }), "{error}");
    assert!(error.to_string().contains("pinpress check --deep") && error.to_string().ends_with("a.mp4"), "{error}");
    assert_eq!(keeper.last(), PublishState::New, "the next run uploads again");
    stage.publish_from(keeper.last(), &keeper).await.unwrap();
    assert_eq!(stage.rehearsal.pins().len(), 1);
}
