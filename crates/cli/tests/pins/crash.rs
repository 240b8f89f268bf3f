//! The program is killed around the answer to `POST /pins`. A proxy of the test's own stands before the stand-in, sees
//! the answer pass, and kills: wherever that falls, there is one Pin in the end, with its receipt, or it is named.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use pinpress_rehearsal::Call;
use serde_json::Value;

use super::account::{Account, is_there};

/// When the program dies.
#[derive(Debug, Clone, Copy)]
enum Death {
    /// The Pin is there, its answer not yet on the way.
    Before,
    /// A part of the answer was sent.
    Within,
    /// All of the answer was sent, and so long ago.
    After(Duration),
}

/// Passes bytes on, and kills the child at the answer to the first `POST /pins`.
struct Proxy {
    address: SocketAddr,
    child: Arc<Mutex<Option<Child>>>,
}

impl Proxy {
    fn start(to: SocketAddr, death: Death) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let child = Arc::new(Mutex::new(None));
        let held = Arc::clone(&child);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let held = Arc::clone(&held);
                thread::spawn(move || pass(stream, to, death, &held));
            }
        });
        Self { address, child }
    }
}

fn pass(mut client: TcpStream, to: SocketAddr, death: Death, child: &Mutex<Option<Child>>) -> Option<()> {
    let mut server = TcpStream::connect(to).ok()?;
    let mut first = [0; 16_384];
    let read = client.read(&mut first).ok()?;
    server.write_all(&first[..read]).ok()?;
    let creates = first.starts_with(b"POST /v5/pins ");
    let (mut from_client, mut to_server) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || {
        let ended = std::io::copy(&mut from_client, &mut to_server);
        drop(to_server.shutdown(Shutdown::Write));
        ended
    });
    if creates {
        let mut answer = vec![0; 65_536];
        let mut length = server.read(&mut answer).ok()?;
        let whole = |answer: &[u8]| answer.ends_with(b"}");
        while !whole(&answer[..length]) {
            length += server.read(&mut answer[length..]).ok()?;
        }
        match death {
            Death::Before => {}
            Death::Within => client.write_all(&answer[..length / 2]).ok()?,
            Death::After(later) => {
                client.write_all(&answer[..length]).ok()?;
                thread::sleep(later);
            }
        }
        if let Some(child) = child.lock().unwrap().as_mut() {
            // SIGKILL: nothing of it runs any more.
            child.kill().unwrap();
        }
        return None;
    }
    std::io::copy(&mut server, &mut client).ok()?;
    client.shutdown(Shutdown::Both).ok()
}

fn killed(death: Death) -> Option<()> {
    let account = Account::with(&["clips/soup.mp4"], Vec::new())?;
    let proxy = Proxy::start(account.pinterest.address(), death);
    // One address for both runs: the ledger keeps Pins by it.
    let api = format!("http://{}/v5", proxy.address);
    let publish = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
        command.env("PINPRESS_ACCESS_TOKEN", account.pinterest.token()).env("PINPRESS_API", &api);
        command.args(["publish", "clips", "--board", "rehearsal"]).current_dir(account.dir.path());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut held = proxy.child.lock().unwrap();
    *held = Some(publish().spawn().unwrap());
    drop(held);
    let ended = || proxy.child.lock().unwrap().as_mut().unwrap().try_wait().unwrap();
    while ended().is_none() {
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(account.pinterest.pins().len(), 1, "{death:?}: the Pin was made");
    let had_receipt = is_there(&account.path("clips"), "soup.pin.json");
    *proxy.child.lock().unwrap() = None;
    let code = publish().status().unwrap().code();
    assert_eq!(code, Some(0), "{death:?}");
    assert_eq!((account.pinterest.pins().len(), account.count(Call::CreatePin)), (1, 1), "{death:?}: sent once");
    let receipt: Value = serde_json::from_slice(&std::fs::read(account.path("clips/soup.pin.json")).unwrap()).unwrap();
    assert_eq!(receipt["pin"]["pin_id"], account.pinterest.pins()[0].id, "{death:?}");
    if matches!(death, Death::Before | Death::Within) {
        assert!(!had_receipt && receipt["pin"]["adopted"] == true, "{death:?}");
    }
    Some(())
}

#[test]
fn a_death_around_the_answer_loses_no_pin_and_makes_no_second() {
    let after = [0, 1, 2, 5, 10, 30].map(|millis| Death::After(Duration::from_millis(millis)));
    for death in [Death::Before, Death::Within].into_iter().chain(after) {
        if killed(death).is_none() {
            return;
        }
    }
}
