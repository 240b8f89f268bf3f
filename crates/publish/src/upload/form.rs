//! How long an upload form is good for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap};
use url::Url;

use crate::model::parse_time;
use crate::secret::{UploadParameters, UploadUrl};

/// So long before its end a form is no longer begun with, if it is good for ten times as long.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Until when an upload with this form may begin, by our clock. `answered` are the headers of the answer that handed it
/// out at `now`: the form's end is by the server's clock, which they tell.
pub(crate) fn begin_by(
    url: &UploadUrl,
    parameters: &UploadParameters,
    answered: &HeaderMap,
    now: Timestamp,
) -> Option<Timestamp> {
    let end = end_of_policy(parameters).or_else(|| end_of_address(url.expose()))?;
    let date = answered.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let theirs = date.and_then(|date| Timestamp::try_from(date).ok()).unwrap_or(now);
    let good_for = end.duration_since(theirs);
    let margin = MARGIN.min(good_for / 10).max(SignedDuration::ZERO);
    now.checked_add(good_for - margin).ok()
}

/// `expiration` of the base64 JSON `policy` (Amazon S3, "POST policy").
fn end_of_policy(parameters: &UploadParameters) -> Option<Timestamp> {
    let (_, policy) = parameters.pairs().find(|(name, _)| name.eq_ignore_ascii_case("policy"))?;
    let json = STANDARD.decode(policy.trim()).ok()?;
    let policy: serde_json::Value = serde_json::from_slice(&json).ok()?;
    parse_time(policy.get("expiration")?.as_str()?)
}

/// `X-Amz-Date` and `X-Amz-Expires` of a signed address (Amazon S3, "Authenticating Requests: Using Query Parameters").
fn end_of_address(address: &str) -> Option<Timestamp> {
    let url = Url::parse(address).ok()?;
    let value = |name: &str| {
        url.query_pairs().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.into_owned())
    };
    let signed: Timestamp = value("X-Amz-Date")?.parse().ok()?;
    let seconds: i64 = value("X-Amz-Expires")?.parse().ok()?;
    signed.checked_add(SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn policy(json: &str) -> UploadParameters {
        serde_json::from_value(serde_json::json!({"key": "k", "policy": STANDARD.encode(json)})).unwrap()
    }

    #[test]
    fn the_policy_names_the_end_of_the_form() {
        let of = |json: &str| end_of_policy(&policy(json));
        assert_eq!(
            of(r#"{"expiration":"2026-01-27T19:51:43.000Z","conditions":[]}"#),
            Some(time("2026-01-27T19:51:43Z"))
        );
        assert_eq!((of("no json"), of("{}")), (None, None));
        assert_eq!(end_of_policy(&UploadParameters::default()), None);
    }

    #[test]
    fn a_signed_address_names_its_end() {
        let of = |query: &str| end_of_address(&format!("https://s3.example/v?{query}"));
        assert_eq!(
            of("X-Amz-Date=20260127T185143Z&X-Amz-Expires=3600&X-Amz-Signature=PLANT"),
            Some(time("2026-01-27T19:51:43Z"))
        );
        for none in ["", "X-Amz-Expires=3600", "X-Amz-Date=x&X-Amz-Expires=1", "X-Amz-Date=20260127T185143Z"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn the_end_is_by_the_servers_clock_and_begun_with_before() {
        let url = UploadUrl::new("https://s3.example/").unwrap();
        let form = policy(r#"{"expiration":"2026-01-27T12:00:00Z"}"#);
        let by = |date: Option<&'static str>, now: &str| {
            let headers = date.map(|date| (DATE, date.parse().unwrap()));
            begin_by(&url, &form, &headers.into_iter().collect(), time(now)).unwrap()
        };
        assert_eq!(by(None, "2026-01-27T11:00:00Z"), time("2026-01-27T11:59:00Z"));
        assert_eq!(by(None, "2026-01-27T11:59:50Z"), time("2026-01-27T11:59:59Z"), "a tenth where that is less");
        assert_eq!(
            by(Some("Tue, 27 Jan 2026 11:00:00 GMT"), "2026-01-27T18:30:00Z"),
            time("2026-01-27T19:29:00Z"),
            "our clock is wrong by hours"
        );
        assert_eq!(by(None, "2026-01-27T12:30:00Z"), time("2026-01-27T12:00:00Z"), "it is over");
    }
}
