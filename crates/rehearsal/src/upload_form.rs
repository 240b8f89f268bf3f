//! The upload form that a registration hands out, in the manner of an S3 POST policy
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>).

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::reply::S3Error;

/// Bytes that Pinterest takes at most; the card's limit.
const VIDEO_MAX: u64 = 2_000_000_000;

/// A form, as the upload host remembers it.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    /// Name and value of every field that must come back.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// The same for the card's `PUT`, where the address is signed instead.
    pub(crate) signature: String,
    expires: Timestamp,
}

impl Form {
    /// A form for one upload, with a signature that nobody can guess.
    pub(crate) fn new(media_id: &str, lifetime: Duration, expired: bool) -> Self {
        let now = Timestamp::now();
        let lifetime = SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::from_hours(1));
        let expires = if expired { now - SignedDuration::from_secs(1) } else { now + lifetime };
        let key = format!("uploads/11/aa/22/3:video:5212123920968240000:{media_id}");
        let date = now.strftime("%Y%m%d").to_string();
        let credential = format!("ASIAREHEARSAL0000000/{date}/us-east-1/s3/aws4_request");
        let token = format!("IQoJb3JpZ2luX2Vj{}", random_hex());
        let conditions = json!([
            {"bucket": "rehearsal"},
            {"key": key},
            ["content-length-range", 1, VIDEO_MAX],
            ["starts-with", "$Content-Type", ""],
        ]);
        let policy =
            json!({"expiration": expires.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(), "conditions": conditions});
        let signature = random_hex();
        let fields = vec![
            ("Content-Type", "multipart/form-data".to_owned()),
            ("key", key),
            ("policy", STANDARD.encode(policy.to_string())),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential", credential),
            ("x-amz-date", now.strftime("%Y%m%dT%H%M%SZ").to_string()),
            ("x-amz-security-token", token),
            ("x-amz-signature", signature.clone()),
        ];
        Self { fields, signature, expires }
    }

    /// OpenAPI `MediaUploadParameters`.
    pub(crate) fn parameters(&self) -> Value {
        let pairs = self.fields.iter().map(|(name, value)| ((*name).to_owned(), Value::String(value.clone())));
        Value::Object(pairs.collect::<Map<_, _>>())
    }

    /// Whether the form is still good.
    pub(crate) fn check_time(&self) -> Result<(), S3Error> {
        if self.expires <= Timestamp::now() {
            return Err(S3Error::denied("Invalid according to Policy: Policy expired."));
        }
        Ok(())
    }

    /// Whether the fields that came are those that were handed out: every one, each with its value, and no other.
    pub(crate) fn check_fields(&self, came: &[(String, String)]) -> Result<(), S3Error> {
        for (name, value) in &self.fields {
            match came.iter().find(|(known, _)| known == name) {
                None => return Err(S3Error::invalid(format!("Bucket POST must contain a field named '{name}'."))),
                Some((_, given)) if given == value => {}
                Some(_) if *name == "x-amz-signature" => {
                    return Err(S3Error::new(
                        axum::http::StatusCode::FORBIDDEN,
                        "SignatureDoesNotMatch",
                        "The request signature we calculated does not match the signature you provided.",
                    ));
                }
                Some(_) => {
                    return Err(S3Error::denied(format!(
                        "Invalid according to Policy: Policy Condition failed: [\"eq\", \"${name}\"]"
                    )));
                }
            }
        }
        if let Some((name, _)) = came.iter().find(|(name, _)| !self.fields.iter().any(|(known, _)| known == name)) {
            return Err(S3Error::denied(format!("Invalid according to Policy: Extra input fields: {name}")));
        }
        if came.len() != self.fields.len() {
            return Err(S3Error::invalid("a field was given twice"));
        }
        Ok(())
    }
}

/// 64 hexadecimal digits from the random keys that the standard library seeds its hash maps with.
fn random_hex() -> String {
    (0..4_u8).map(|part| format!("{:016x}", RandomState::new().hash_one(part))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(form: &Form) -> Vec<(String, String)> {
        form.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_form_comes_back_as_it_was_or_not_at_all() {
        let form = Form::new("1", Duration::from_secs(60), false);
        assert_eq!(form.check_fields(&came(&form)), Ok(()));
        assert_eq!(form.check_time(), Ok(()));
        for place in 0..form.fields.len() {
            let mut missing = came(&form);
            missing.remove(place);
            assert!(form.check_fields(&missing).is_err(), "without {}", form.fields[place].0);
            let mut changed = came(&form);
            changed[place].1.push('x');
            assert!(form.check_fields(&changed).is_err(), "changed {}", form.fields[place].0);
        }
        let mut more = came(&form);
        more.push(("acl".to_owned(), "public-read".to_owned()));
        assert!(form.check_fields(&more).is_err());
        let mut twice = came(&form);
        twice.push(twice[1].clone());
        assert!(form.check_fields(&twice).is_err());
        assert!(form.check_fields(&came(&Form::new("1", Duration::from_secs(60), false))).is_err(), "another's");
    }

    #[test]
    fn the_policy_tells_when_the_form_ends() {
        let form = Form::new("1", Duration::from_secs(60), true);
        assert_eq!(form.check_time().unwrap_err().code, "AccessDenied");
        let policy = STANDARD.decode(&form.fields[2].1).unwrap();
        let policy: Value = serde_json::from_slice(&policy).unwrap();
        let end: Timestamp = policy["expiration"].as_str().unwrap().parse().unwrap();
        assert!(end <= Timestamp::now());
    }
}
