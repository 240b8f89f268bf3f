//! From `object_store`'s errors to ours: which of the few things is wrong that somebody can do something about.
//!
//! The crate keeps status and body of an answer to itself, but in the texts of its errors; what is looked for in them is
//! what S3, Google and Azure document as codes of theirs.

use std::error::Error as StdError;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use crate::address::Scheme;
use crate::error::Reason;
use crate::open::RETRIES;

/// What was being done, for the text of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    List,
    Read,
    Write,
}

impl Asked {
    const fn words(self, scheme: Scheme) -> (&'static str, &'static str) {
        match (self, scheme) {
            (Self::List, Scheme::S3) => ("list", "s3:ListBucket"),
            (Self::Read, Scheme::S3) => {
                ("read", "s3:GetObject (and s3:ListBucket, without which what is missing is denied too)")
            }
            (Self::Write, Scheme::S3) => {
                ("write", "s3:PutObject, s3:GetObject, s3:DeleteObject and s3:AbortMultipartUpload")
            }
            (Self::List, Scheme::Google) => ("list", "storage.objects.list"),
            (Self::Read, Scheme::Google) => ("read", "storage.objects.get"),
            (Self::Write, Scheme::Google) => ("write", "storage.objects.create, get and delete"),
            (Self::List | Self::Read, Scheme::Azure) => ("read", "Storage Blob Data Reader"),
            (Self::Write, Scheme::Azure) => ("write", "Storage Blob Data Contributor"),
            (Self::List | Self::Read, Scheme::File) => ("read", "the right to read"),
            (Self::Write, Scheme::File) => ("write", "the right to write"),
        }
    }
}

/// Codes of credentials that are unknown, wrong or old.
const REFUSED: [&str; 9] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "RequestTimeTooSkewed",
    "invalid_grant",
];

/// Where credentials are asked for when none are set.
const ASKED_FOR_CREDENTIALS: [&str; 6] = [
    "latest/api/token",
    "latest/meta-data",
    "169.254.170.2",
    "metadata.google.internal",
    "computeMetadata",
    "metadata/identity",
];

pub(crate) fn refusal(error: &Error, scheme: Scheme, asked: Asked) -> Reason {
    let text = whole_text(error);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"]) {
        return Reason::NoSuchBucket;
    }
    if has(&REFUSED) {
        return Reason::Refused { said: said(&text) };
    }
    if has(&ASKED_FOR_CREDENTIALS) || has(&["Missing AccessKeyId", "Missing SecretAccessKey"]) {
        return Reason::NoCredentials { scheme };
    }
    if has(&["PermanentRedirect", "AuthorizationHeaderMalformed", "without LOCATION"]) {
        return Reason::OtherRegion;
    }
    if has(&["SlowDown", "status code: 429", "status code: 503", "ServerBusy", "RequestLimitExceeded"]) {
        return Reason::Throttled { retries: RETRIES };
    }
    if has(&["scheme is not allowed"]) {
        let said = "its endpoint is http://, which others can read: set AWS_ALLOW_HTTP=true if that is meant";
        return Reason::Configuration { said: said.to_owned() };
    }
    match error {
        Error::NotFound { .. } => Reason::NotFound,
        Error::Precondition { .. } => Reason::Changed,
        Error::AlreadyExists { .. } => Reason::Exists,
        Error::InvalidPath { .. } => Reason::BadKey,
        // Listings tell it by their text alone.
        _ if matches!(error, Error::PermissionDenied { .. }) || has(&["status code: 403"]) => {
            let (operation, permission) = asked.words(scheme);
            Reason::AccessDenied { said: said(&text), operation, permission }
        }
        Error::Unauthenticated { .. } => Reason::Refused { said: said(&text) },
        _ => match http(error) {
            Some(http) if http.kind() != HttpErrorKind::Decode => Reason::Network { said: innermost(http) },
            _ => Reason::Other { said: without_queries(&innermost(error)) },
        },
    }
}

/// The texts of the error and of what is behind it.
fn whole_text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push('\n');
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

fn http(error: &Error) -> Option<&HttpError> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(http) = error.downcast_ref() {
            return Some(http);
        }
        next = error.source();
    }
    None
}

/// The last of the chain: `Connection refused (os error 111)`. Those before it name the request's address.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

/// Code and message of the answer's body, in brackets behind a space; nothing where there was no body.
fn said(text: &str) -> String {
    let tag = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once("</").map(|(inside, _)| inside.trim().trim_end_matches('.').to_owned())
    };
    let words: Vec<_> = [tag("Code"), tag("Message")].into_iter().flatten().filter(|word| !word.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(": ")) }
}

/// Addresses of requests without what stands behind their `?`: that may be a signature.
fn without_queries(text: &str) -> String {
    let words = text.split_whitespace().map(|word| match word.split_once('?') {
        Some((before, _)) if before.contains("://") => before,
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Error {
        Error::Generic { store: "S3", source: text.into() }
    }

    fn reason(error: &Error) -> Reason {
        refusal(error, Scheme::S3, Asked::Read)
    }

    #[test]
    fn the_codes_of_answers_are_known() {
        let not_found = Error::NotFound { path: "x".into(), source: "<Code>NoSuchBucket</Code>".into() };
        assert!(matches!(reason(&not_found), Reason::NoSuchBucket));
        let not_found = Error::NotFound { path: "x".into(), source: "<Code>NoSuchKey</Code>".into() };
        assert!(matches!(reason(&not_found), Reason::NotFound));
        let busy = generic("Server returned non-2xx status code: 503 Service Unavailable: <Code>SlowDown</Code>");
        assert!(matches!(reason(&busy), Reason::Throttled { .. }));
        let asked = generic("Error performing PUT http://169.254.169.254/latest/api/token in 3s - HTTP error");
        assert!(matches!(reason(&asked), Reason::NoCredentials { scheme: Scheme::S3 }));
        assert!(matches!(reason(&generic("<Code>PermanentRedirect</Code>")), Reason::OtherRegion));
    }

    #[test]
    fn a_refusal_says_what_the_storage_said_and_what_to_ask_for() {
        let body = "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>";
        let denied = Error::PermissionDenied { path: "x".into(), source: body.into() };
        let text = refusal(&denied, Scheme::S3, Asked::List).to_string();
        assert!(
            text.starts_with("access denied (AccessDenied: Access Denied): these credentials may not list"),
            "{text}"
        );
        assert!(text.ends_with("s3:ListBucket"), "{text}");
    }

    #[test]
    fn a_listing_that_is_denied_says_so_by_its_text() {
        let body = "Server returned non-2xx status code: 403 Forbidden: <Error><Code>AccessDenied</Code></Error>";
        let text = refusal(&generic(body), Scheme::S3, Asked::List).to_string();
        assert!(text.starts_with("access denied (AccessDenied)") && text.ends_with("s3:ListBucket"), "{text}");
    }

    #[test]
    fn no_signature_is_repeated() {
        let text = reason(&generic("error for https://host/x?sig=PLANT at once")).to_string();
        assert_eq!(text, "the storage failed: error for https://host/x at once");
    }
}
