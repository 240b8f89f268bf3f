//! What the upload host answers, judged.

use crate::error::{Call, PublishError, Refusal};
use crate::http::Answer;
use crate::secret::without_secrets;

/// Why one try of an upload did not go through.
pub(super) enum Failed {
    /// The form is past its time.
    Expired,
    /// Another try may do.
    Again(PublishError),
    /// It will not.
    ForGood(PublishError),
}

/// Judges the host's answer. S3 answers 204 to a form by default, 200 or 201 when the form asks for it, 200 to a PUT.
pub(super) fn judge(answer: &Answer, known: &[&str]) -> Result<(), Failed> {
    if matches!(answer.status, 200 | 201 | 204) {
        return Ok(());
    }
    let code = xml_text(&answer.body, "Code").unwrap_or_default();
    let message = xml_text(&answer.body, "Message").unwrap_or_default();
    if answer.status == 403 && message.to_lowercase().contains("expired") {
        return Err(Failed::Expired);
    }
    // Only these two of S3's fields: others echo the policy and the key.
    let message = without_secrets(message, known);
    // A code is one of S3's words, which may be longer than anything else that is no secret.
    let shown = if is_code(code) && !known.contains(&code) { code.to_owned() } else { without_secrets(code, known) };
    let message = match (shown.as_str(), message.as_str()) {
        ("", text) | (text, "") => text.to_owned(),
        (code, message) => format!("{code}: {message}"),
    };
    let refusal = Refusal { status: answer.status, code: None, message, request_id: None };
    // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    let again = answer.status >= 500 || matches!(answer.status, 408 | 429) || code == "RequestTimeout";
    let error = PublishError::Refused { call: Call::Upload, refusal };
    Err(if again { Failed::Again(error) } else { Failed::ForGood(error) })
}

/// Whether it is written as S3's codes are: `SignatureDoesNotMatch`. Keys and signatures have digits.
fn is_code(text: &str) -> bool {
    text.len() <= 48
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
        && text.starts_with(|first: char| first.is_ascii_uppercase())
}

/// The text of the first element `name`. S3's errors are flat and without attributes.
fn xml_text<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let rest = &xml[start..];
    Some(rest[..rest.find(&format!("</{name}>"))?].trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;

    fn verdict(status: u16, body: &str) -> Result<(), Failed> {
        judge(&Answer { status, headers: HeaderMap::new(), body: body.to_owned() }, &[])
    }

    #[test]
    fn the_hosts_answers_are_told_apart() {
        for whole in [200, 201, 204] {
            assert!(verdict(whole, "").is_ok());
        }
        let expired =
            "<Error><Code>AccessDenied</Code><Message>Invalid according to Policy: Policy expired.</Message></Error>";
        assert!(matches!(verdict(403, expired), Err(Failed::Expired)));
        let slow = "<Error><Code>RequestTimeout</Code><Message>Your socket…</Message></Error>";
        assert!(matches!(verdict(400, slow), Err(Failed::Again(_))));
        assert!(matches!(verdict(503, "<Error><Code>SlowDown</Code></Error>"), Err(Failed::Again(_))));
        for refused in [301, 400, 403, 411, 412] {
            assert!(matches!(verdict(refused, ""), Err(Failed::ForGood(_))), "{refused}");
        }
    }

    #[test]
    fn the_hosts_error_keeps_code_and_message_alone() {
        let body = "<?xml?><Error><Code>SignatureDoesNotMatch</Code><Message>The request signature</Message>\
                    <AWSAccessKeyId>PLANT</AWSAccessKeyId><StringToSign>PLANT</StringToSign></Error>";
        let Err(Failed::ForGood(error)) = verdict(403, body) else { panic!() };
        let text = format!("{error} {error:?}");
        assert!(text.contains("SignatureDoesNotMatch: The request signature") && !text.contains("PLANT"), "{text}");
        // What is no code is judged as any other word.
        for odd in ["PLANTed9PLANTed9PLANTed9", "plantedplantedplantedplanted", "PlantedInTheForm"] {
            let body = format!("<Error><Code>{odd}</Code><Message>No</Message></Error>");
            let answer = Answer { status: 403, headers: HeaderMap::new(), body };
            let Err(Failed::ForGood(error)) = judge(&answer, &["PlantedInTheForm"]) else { panic!() };
            assert!(!error.to_string().contains(odd), "{error}");
        }
    }
}
