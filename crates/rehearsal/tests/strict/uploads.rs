//! The upload host.

use std::fs;

use pinpress_rehearsal::{Call, Fault, FaultRule, UploadForm};

use crate::wire::{
    Answer, VIDEO, ask, call, fields, file_part, raw, register, rehearsal, send_form, send_video, settled, text_part,
};

fn code(answer: &Answer) -> (u16, String) {
    let text = answer.text();
    let code = text.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next()).unwrap_or(&text);
    (answer.status, code.to_owned())
}

#[test]
fn a_whole_form_is_taken_and_judged_in_time() {
    let (folder, rehearsal) = rehearsal(|options| options.processing_polls = 2);
    let registration = register(&rehearsal);
    let media_id = registration["media_id"].as_str().unwrap();
    assert_eq!(settled(&rehearsal, media_id), ["registered"]);
    let answer = send_video(&rehearsal, &registration, VIDEO);
    assert_eq!((answer.status, answer.body.len()), (204, 0), "{}", answer.text());
    assert_eq!(settled(&rehearsal, media_id), ["processing", "succeeded"]);
    assert_eq!(fs::read(folder.path().join(format!("kept/media/{media_id}.mp4"))).unwrap(), VIDEO);
    let other = register(&rehearsal);
    assert_eq!(send_video(&rehearsal, &other, b"no video").status, 204);
    assert_eq!(settled(&rehearsal, other["media_id"].as_str().unwrap()), ["processing", "failed"]);
}

#[test]
fn a_picture_sent_as_a_video_fails() {
    let (_folder, rehearsal) = rehearsal(|options| {
        options.inspect = std::sync::Arc::new(|_| Ok(pinpress_rehearsal::Checked::default()));
    });
    let registration = register(&rehearsal);
    send_video(&rehearsal, &registration, &[0xFF, 0xD8, 0xFF, 0xE0]);
    assert_eq!(settled(&rehearsal, registration["media_id"].as_str().unwrap()).last().unwrap(), "failed");
    let registration = register(&rehearsal);
    let mut parts: Vec<_> = fields(&registration).iter().map(|(name, value)| text_part(name, value)).collect();
    let file = String::from_utf8(file_part(b"x")).unwrap().replace("video/mp4", "image/jpeg");
    parts.push(file.into_bytes());
    assert_eq!(code(&send_form(&rehearsal, &parts, &[])), (400, "InvalidArgument".to_owned()));
}

#[test]
fn a_form_that_is_not_as_handed_out_is_refused() {
    let (folder, rehearsal) = rehearsal(|_| {});
    let registration = register(&rehearsal);
    let texts: Vec<_> = fields(&registration).iter().map(|(name, value)| text_part(name, value)).collect();
    let file = [file_part(VIDEO)];
    let refused = |parts: &[Vec<u8>], status: u16, wanted: &str| {
        assert_eq!(code(&send_form(&rehearsal, parts, &[])), (status, wanted.to_owned()));
    };
    // The file is not last, or not there, or alone.
    refused(&[&file[..], &texts[..]].concat(), 400, "InvalidArgument");
    refused(&[&texts[..7], &file[..], &texts[7..]].concat(), 400, "InvalidArgument");
    refused(&[&texts[..], &file[..], &[text_part("more", "x")]].concat(), 400, "InvalidArgument");
    refused(&texts, 400, "InvalidArgument");
    refused(&file, 400, "InvalidArgument");
    // A field is missing, changed, or one too many.
    refused(&[&texts[1..], &file[..]].concat(), 400, "InvalidArgument");
    let signature = text_part("x-amz-signature", "0000");
    refused(&[&texts[..texts.len() - 1], &[signature], &file[..]].concat(), 403, "SignatureDoesNotMatch");
    refused(&[&texts[..], &[text_part("acl", "public-read")], &file[..]].concat(), 403, "AccessDenied");
    // A bearer token has no business here.
    let whole = [&texts[..], &file[..]].concat();
    let answer = send_form(&rehearsal, &whole, &[("Authorization", "Bearer pina_rehearsal")]);
    assert_eq!(code(&answer), (400, "InvalidArgument".to_owned()));
    // Chunked: no length is known.
    let body = [whole.concat(), b"--frontier--\r\n".to_vec()].concat();
    let head = "POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=frontier\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    let chunked = [head.as_bytes(), format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
    assert_eq!(code(&raw(&rehearsal, &chunked, false)), (411, "MissingContentLength".to_owned()));
    // No form at all.
    let answer = ask(&rehearsal, "POST", "/upload", &[("Content-Type", "video/mp4")], VIDEO);
    assert_eq!(code(&answer), (400, "MalformedPOSTRequest".to_owned()));

    let media_id = registration["media_id"].as_str().unwrap();
    assert_eq!(settled(&rehearsal, media_id), ["registered"], "none of these counts");
    assert_eq!(fs::read_dir(folder.path().join("kept/media")).unwrap().count(), 0, "and nothing of them is kept");
    // And the same form still works.
    assert_eq!(send_form(&rehearsal, &whole, &[]).status, 204);
}

#[test]
fn a_length_is_told_and_true() {
    let (_folder, rehearsal) = rehearsal(|_| {});
    let registration = register(&rehearsal);
    // HTTP/1.1 without a length and without chunks has no body; S3 wants to be told.
    let head = "POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                Content-Type: multipart/form-data; boundary=frontier\r\n\r\n";
    assert_eq!(code(&raw(&rehearsal, head.as_bytes(), false)), (411, "MissingContentLength".to_owned()));
    let nonsense = head.replace("Host: x", "Host: x\r\nContent-Length: many");
    assert_eq!(raw(&rehearsal, nonsense.as_bytes(), false).status, 400);
    assert_eq!(settled(&rehearsal, registration["media_id"].as_str().unwrap()), ["registered"]);
}

#[test]
fn a_form_has_one_file_and_the_fields_of_one_registration() {
    let (folder, rehearsal) = rehearsal(|_| {});
    let (one, other) = (register(&rehearsal), register(&rehearsal));
    let texts = |registration| fields(registration).iter().map(|(name, value)| text_part(name, value)).collect();
    let (mine, theirs): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (texts(&one), texts(&other));
    let file = [file_part(VIDEO)];
    let place = |name: &str| fields(&one).iter().position(|(known, _)| known == name).unwrap();
    let (key, signature) = (place("key"), place("x-amz-signature"));
    for (swapped, status) in [(key, 403), (signature, 403)] {
        let mut mixed = mine.clone();
        mixed[swapped] = theirs[swapped].clone();
        assert_eq!(send_form(&rehearsal, &[&mixed[..], &file[..]].concat(), &[]).status, status);
    }
    let twice = [&mine[..], &file[..], &file[..]].concat();
    assert_eq!(code(&send_form(&rehearsal, &twice, &[])), (400, "InvalidArgument".to_owned()));
    for registration in [&one, &other] {
        assert_eq!(settled(&rehearsal, registration["media_id"].as_str().unwrap()), ["registered"]);
    }
    assert_eq!(fs::read_dir(folder.path().join("kept/media")).unwrap().count(), 0);
}

#[test]
fn a_form_ends_by_itself() {
    let (_folder, rehearsal) = rehearsal(|options| options.form_lifetime = std::time::Duration::ZERO);
    let answer = send_video(&rehearsal, &register(&rehearsal), VIDEO);
    assert_eq!(code(&answer), (403, "AccessDenied".to_owned()));
}

#[test]
fn a_body_that_breaks_off_leaves_nothing() {
    let (folder, rehearsal) = rehearsal(|_| {});
    let registration = register(&rehearsal);
    let parts: Vec<_> = fields(&registration).iter().map(|(name, value)| text_part(name, value)).collect();
    let body = [parts.concat(), file_part(VIDEO)].concat();
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=frontier\r\n\
         Content-Length: {}\r\n\r\n",
        body.len() + 100
    );
    raw(&rehearsal, &[head.as_bytes(), &body[..body.len() - 10]].concat(), true);
    let media_id = registration["media_id"].as_str().unwrap();
    assert_eq!(settled(&rehearsal, media_id), ["registered"]);
    rehearsal.stop();
    assert_eq!(fs::read_dir(folder.path().join("kept/media")).unwrap().count(), 0);
}

#[test]
fn a_form_past_its_time_is_refused() {
    let (_folder, rehearsal) = rehearsal(|options| {
        options.faults = vec![FaultRule::nth(Call::RegisterMedia, 1, Fault::FormExpired)];
    });
    let answer = send_video(&rehearsal, &register(&rehearsal), VIDEO);
    assert_eq!(code(&answer), (403, "AccessDenied".to_owned()));
    assert!(answer.text().contains("Policy expired"));
    assert_eq!(send_video(&rehearsal, &register(&rehearsal), VIDEO).status, 204);
}

#[test]
fn the_cards_put_is_taken_at_its_own_address_alone() {
    let (_folder, rehearsal) = rehearsal(|options| options.upload = UploadForm::Put);
    let registration = register(&rehearsal);
    assert!(registration.get("upload_parameters").is_none());
    let url = registration["upload_url"].as_str().unwrap();
    let target = url.strip_prefix(&format!("http://{}", rehearsal.address())).unwrap();
    let mp4 = [("Content-Type", "video/mp4")];
    let unsigned = target.split('?').next().unwrap();
    assert_eq!(code(&ask(&rehearsal, "PUT", unsigned, &mp4, VIDEO)).0, 403);
    assert_eq!(code(&ask(&rehearsal, "PUT", target, &[("Content-Type", "image/jpeg")], VIDEO)).0, 400);
    let bearer = [("Content-Type", "video/mp4"), ("Authorization", "Bearer pina_rehearsal")];
    assert_eq!(code(&ask(&rehearsal, "PUT", target, &bearer, VIDEO)).0, 400);
    assert_eq!(code(&ask(&rehearsal, "PUT", target, &mp4, b"")), (400, "EntityTooSmall".to_owned()));
    let media_id = registration["media_id"].as_str().unwrap();
    assert_eq!(settled(&rehearsal, media_id), ["registered"]);
    assert_eq!(ask(&rehearsal, "PUT", target, &mp4, VIDEO).status, 200);
    assert_eq!(settled(&rehearsal, media_id).last().unwrap(), "succeeded");
    assert_eq!(call(&rehearsal, "GET", "media/1", None).refusal(), (404, 404));
}
