//! A form as Pinterest hands it out, signed for the server
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html>).

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::server::{ACCESS_KEY, BUCKET, SECRET_KEY};

/// What a form allows, and with which key it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) key: String,
    pub(crate) lifetime: SignedDuration,
    pub(crate) length_max: u64,
    pub(crate) secret_key: &'static str,
}

impl Terms {
    pub(crate) fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            lifetime: SignedDuration::from_hours(1),
            length_max: 2_000_000_000,
            secret_key: SECRET_KEY,
        }
    }

    /// `upload_parameters` in the order in which Pinterest's example has them.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let now = Timestamp::now();
        let day = now.strftime("%Y%m%d").to_string();
        let fields = vec![
            ("Content-Type", "multipart/form-data".to_owned()),
            ("key", self.key.clone()),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential", format!("{ACCESS_KEY}/{day}/us-east-1/s3/aws4_request")),
            ("x-amz-date", now.strftime("%Y%m%dT%H%M%SZ").to_string()),
            ("x-amz-security-token", "PLANT-upload-session-token".to_owned()),
        ];
        let mut conditions: Vec<Value> = fields.iter().map(|(name, value)| json!({*name: value})).collect();
        conditions.push(json!({"bucket": BUCKET}));
        conditions.push(json!(["content-length-range", 1, self.length_max]));
        let expiration = (now + self.lifetime).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
        let policy = STANDARD.encode(json!({"expiration": expiration, "conditions": conditions}).to_string());
        let signature = signature(self.secret_key, &day, &policy);
        let mut fields = fields;
        fields.insert(2, ("policy", policy));
        fields.push(("x-amz-signature", signature));
        fields
    }
}

/// Signature version 4 of a policy.
fn signature(secret_key: &str, day: &str, policy: &str) -> String {
    let mut key = format!("AWS4{secret_key}").into_bytes();
    for part in [day, "us-east-1", "s3", "aws4_request", policy] {
        key = sign(&Key::new(HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
    }
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}
