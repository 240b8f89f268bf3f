//! An upload holds a few chunks of the video, however long it is.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use peak_alloc::PeakAlloc;
use pinpress_publish::{AccessToken, Client, ClientOptions};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Long enough that a body kept whole would show, in bytes.
const LENGTH: u64 = 256 << 20;

/// Answers a registration with `form`, then takes an upload; how many bytes came. It holds 64 KiB.
fn serve(listener: &TcpListener, form: &str) -> u64 {
    let mut came = 0;
    for answer in [
        format!("HTTP/1.1 201 Created\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}", form.len()),
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned(),
    ] {
        let (stream, _) = listener.accept().expect("a connection");
        let mut stream = BufReader::with_capacity(64 << 10, stream);
        let (mut line, mut length) = (String::new(), 0);
        while stream.read_line(&mut line).expect("a line") > 2 {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        came = std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink()).expect("the body");
        stream.get_mut().write_all(answer.as_bytes()).expect("the client listens");
    }
    came
}

fn peak_of_an_upload(parameters: &str) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    let video = folder.path().join("a.mp4");
    std::fs::File::create(&video).and_then(|file| file.set_len(LENGTH)).expect("a sparse file");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address: SocketAddr = listener.local_addr().expect("an address");
    let form = format!(
        r#"{{"media_id":"1","media_type":"video","upload_url":"http://{address}/u","upload_parameters":{parameters}}}"#
    );
    let host = thread::spawn(move || serve(&listener, &form));
    let options =
        ClientOptions { api_base: format!("http://{address}/v5").parse().expect("a base"), ..ClientOptions::default() };
    let client = Client::new(AccessToken::new("pina_memory").expect("a token"), options).expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    runtime.block_on(async {
        let upload = client.register(&()).await.expect("registered");
        client.upload(&upload, &video, &()).await.expect("uploaded");
    });
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert!(host.join().expect("the host") >= LENGTH);
    peak
}

#[test]
fn an_upload_holds_a_few_chunks_in_either_form() {
    for parameters in [r#"{"key":"k","policy":"e30="}"#, "{}"] {
        let peak = peak_of_an_upload(parameters);
        assert!(peak < 4 << 20, "{peak} bytes");
    }
}
