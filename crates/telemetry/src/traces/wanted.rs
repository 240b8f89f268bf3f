//! What the variables of OpenTelemetry ask for.

use url::Url;

use super::TracesError;

/// Where an endpoint stands, the nearer one first.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const COMPRESSIONS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"];
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// Whether traces are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Nobody asks for them.
    Nothing,
    /// They are sent.
    Sent {
        /// Scheme, host and port of the endpoint.
        place: String,
    },
}

impl Wanted {
    /// Reads the variables; one that is empty counts as not set, as the specification has it.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, TracesError> {
        let given = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, given(name)?)));
        let Some((_, endpoint)) = first(ENDPOINTS) else { return Ok(Self::Nothing) };
        if given(DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(Self::Nothing);
        }
        match given(EXPORTER).as_deref() {
            Some("none") => return Ok(Self::Nothing),
            None | Some("otlp") => {}
            Some(other) => return Err(unsupported(EXPORTER, other, "use otlp, or none")),
        }
        if let Some((name, protocol)) = first(PROTOCOLS).filter(|(_, protocol)| protocol != "http/protobuf") {
            let remedy = "use http/protobuf, which collectors take on port 4318";
            return Err(unsupported(name, &protocol, remedy));
        }
        if let Some((name, compression)) =
            first(COMPRESSIONS).filter(|(_, how)| !["gzip", "none"].contains(&how.as_str()))
        {
            return Err(unsupported(name, &compression, "use gzip, or none"));
        }
        match Url::parse(&endpoint) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                Ok(Self::Sent { place: url.origin().ascii_serialization() })
            }
            // Not shown, as it may hold a password.
            _ => Err(TracesError::Settings {
                reason: "the endpoint is no address such as http://collector.example.org:4318".to_owned(),
            }),
        }
    }
}

fn unsupported(variable: &'static str, value: &str, remedy: &'static str) -> TracesError {
    TracesError::Unsupported { variable, value: value.chars().take(40).collect(), remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Wanted, TracesError> {
        Wanted::read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn traces_are_off_unless_there_is_an_endpoint() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:PLANT@collector:4318/x?key=PLANT");
        let sent = Ok(Wanted::Sent { place: "http://collector:4318".to_owned() });
        assert_eq!(read(&[]), Ok(Wanted::Nothing));
        assert_eq!(read(&[("OTEL_SERVICE_NAME", "a"), ("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Ok(Wanted::Nothing));
        assert_eq!(read(&[endpoint]), sent);
        assert_eq!(read(&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]), Ok(Wanted::Nothing));
        assert_eq!(read(&[endpoint, ("OTEL_SDK_DISABLED", "false")]), sent);
        assert_eq!(read(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]), Ok(Wanted::Nothing));
        assert_eq!(read(&[endpoint, ("OTEL_TRACES_EXPORTER", "otlp")]), sent);
        let nearer = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example.org/v1/traces");
        assert_eq!(read(&[endpoint, nearer]), Ok(Wanted::Sent { place: "https://traces.example.org".to_owned() }));
    }

    #[test]
    fn what_cannot_be_done_is_told_with_the_variable() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
        for (name, value) in [
            ("OTEL_TRACES_EXPORTER", "console"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ] {
            let text = read(&[endpoint, (name, value)]).unwrap_err().to_string();
            assert!(text.contains(&format!("{name}={value}")), "{text}");
        }
        for bad in ["collector:4318", "user:PLANT@collector", "ftp://a", "http://"] {
            let text = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", bad)]).unwrap_err().to_string();
            assert!(text.contains("OTEL_EXPORTER_OTLP_") && !text.contains("PLANT"), "{text}");
        }
    }
}
