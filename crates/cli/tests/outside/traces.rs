//! Traces, as a collector is sent them.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use pinpress_rehearsal::{Rehearsal, RehearsalOptions};

use crate::collector::{Collector, attribute, decoded};
use crate::watched::{RAW, command, raw};

fn run(dir: &Path, pinterest: &Rehearsal, variables: &[(&str, &str)]) -> Command {
    let mut command = command(dir, pinterest);
    command.args(["run", "raw", "-o", "out", "--preset", "ultrafast", "--board", "rehearsal"]);
    command.envs(variables.iter().copied()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Spans whose parent is `parent`, oldest first.
fn within<'a>(spans: &'a [Span], parent: &Span) -> Vec<&'a Span> {
    let mut found: Vec<_> = spans.iter().filter(|span| span.parent_span_id == parent.span_id).collect();
    found.sort_by_key(|span| span.start_time_unix_nano);
    assert!(found.iter().all(|span| span.trace_id == parent.trace_id), "one trace");
    let inside = |span: &&&Span| {
        span.start_time_unix_nano >= parent.start_time_unix_nano && span.end_time_unix_nano <= parent.end_time_unix_nano
    };
    assert_eq!(found.iter().filter(inside).count(), found.len(), "what is within a span is over before it");
    found
}

fn names(spans: &[&Span]) -> Vec<String> {
    spans.iter().map(|span| span.name.clone()).collect()
}

#[test]
fn each_video_is_a_trace_of_its_stages_and_calls() {
    let Some(dir) = raw(&RAW) else { return };
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let collector = Collector::start();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20PLANT"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
    ];
    let output = run(dir.path(), &pinterest, &variables).args(["-vv"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "one is no video: {}", said(&output));
    assert!(!said(&output).contains("PLANT") && !said(&output).contains("traces"), "{}", said(&output));
    let requests = collector.take();
    for request in &requests {
        assert!(request.head.starts_with("post /v1/traces http/1.1\r\n"), "{}", request.head);
        assert!(request.head.contains("content-type: application/x-protobuf\r\n"), "{}", request.head);
        assert!(request.head.contains("authorization: bearer plant\r\n"), "{}", request.head);
        for secret in [pinterest.token(), "PLANT", "upload_parameters", "Signature", "/upload"] {
            let found = request.body.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} is in the traces");
        }
    }
    let (spans, sender) = decoded(&requests);
    assert_eq!(attribute(&sender, "service.name"), "pinpress");
    assert_eq!(attribute(&sender, "service.version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(attribute(&sender, "deployment.environment"), "test");
    let videos: Vec<&Span> = spans.iter().filter(|span| span.name == "video").collect();
    let mut paths: Vec<_> = videos.iter().map(|video| attribute(&video.attributes, "path")).collect();
    paths.sort();
    assert_eq!(paths, ["raw/broken.mp4", "raw/film.mp4", "raw/ready.mp4", "raw/wide.mp4"], "one trace for each");
    assert!(videos.iter().all(|video| video.parent_span_id.is_empty()));
    let failed = |span: &Span| span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error);
    for video in videos {
        let stages = within(&spans, video);
        if attribute(&video.attributes, "path") == "raw/broken.mp4" {
            assert_eq!(names(&stages), ["check"]);
            assert!(failed(video) && failed(stages[0]));
            assert_eq!(attribute(&video.attributes, "end"), "failed");
            continue;
        }
        assert_eq!(names(&stages), ["check", "fix", "cover", "publish"]);
        assert!(!failed(video) && !stages.iter().any(|stage| failed(stage)));
        assert_eq!(attribute(&video.attributes, "end"), "done");
        let calls = within(&spans, stages[3]);
        let mut routes = names(&calls);
        routes.dedup();
        assert_eq!(routes, ["POST /media", "upload", "GET /media/{media_id}", "POST /pins"]);
        for call in calls {
            assert_eq!(call.kind(), SpanKind::Client);
            let status = attribute(&call.attributes, "http.response.status_code");
            assert!(status.starts_with('2') && !failed(call), "{}: {status}", call.name);
        }
    }

    // A run with nothing to do has no trace of the videos that it leaves alone.
    let named = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{}/v1/traces", collector.endpoint))];
    let named = named.each_ref().map(|(name, value)| (*name, value.as_str()));
    let again = run(dir.path(), &pinterest, &named).env("OTEL_SERVICE_NAME", "night").output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    let (spans, sender) = decoded(&collector.take());
    assert_eq!(attribute(&sender, "service.name"), "night");
    let spans: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(spans, ["GET /boards"], "the board is looked up");
}

#[test]
fn a_call_that_fails_says_so_in_its_span() {
    let Some(dir) = raw(&RAW[..1]) else { return };
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let collector = Collector::start();
    // A token that is not accepted.
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()), ("PINPRESS_ACCESS_TOKEN", "wrong")];
    let output = run(dir.path(), &pinterest, &variables).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let (spans, _) = decoded(&collector.take());
    let board = spans.iter().find(|span| span.name == "GET /boards").unwrap();
    assert_eq!(board.status.as_ref().unwrap().code(), StatusCode::Error);
    assert_eq!(attribute(&board.attributes, "http.response.status_code"), "401");
    assert_eq!(attribute(&board.attributes, "error.type"), "401");
}

#[test]
fn a_collector_that_is_not_there_costs_a_note() {
    let Some(dir) = raw(&RAW[..1]) else { return };
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // One that takes connections and never answers.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    for (address, out) in [(gone, "one"), (mute.local_addr().unwrap(), "two")] {
        let endpoint = format!("http://user:PLANT@{address}/PLANT");
        let mut run = command(dir.path(), &pinterest);
        run.args(["run", "raw", "-o", out, "--no-publish"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
        let output = run.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let notes: Vec<_> = said(&output).lines().filter(|line| line.contains("traces")).map(str::to_owned).collect();
        let note = format!("spans of the traces are lost: the collector at http://{address} did not take them");
        assert!(notes.len() == 1 && notes[0].contains(&note), "{}", said(&output));
        assert!(!said(&output).contains("PLANT"), "{}", said(&output));
    }
}

#[test]
fn traces_are_off_when_the_variables_say_so() {
    let Some(dir) = raw(&RAW[..1]) else { return };
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let collector = Collector::start();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
    for (number, off) in
        [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]
            .into_iter()
            .enumerate()
    {
        let mut run = command(dir.path(), &pinterest);
        run.args(["run", "raw", "-o", &format!("out-{number}"), "--no-publish"]).envs([endpoint, off]);
        let output = run.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(
            said(&output).contains("note: no traces are sent: OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
            off.1 == "grpc"
        );
    }
    // A check has no traces: it is over in milliseconds.
    let mut check = command(dir.path(), &pinterest);
    assert!(check.args(["check", "raw"]).envs([endpoint]).status().unwrap().success());
    assert!(collector.take().is_empty(), "nothing was sent");
}
