//! A hand on the mouse and one on the keys: Chromium led through its debugging pipe (Chrome `DevTools` Protocol). What
//! comes this way is a person's input to the page, which no script of a page can make.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::program;

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page. It ends when this is dropped.
pub(crate) struct Hands {
    browser: Child,
    requests: ChildStdin,
    answers: Receiver<Value>,
    session: Option<String>,
    number: u32,
    _profile: TempDir,
}

impl Hands {
    /// Opens an address.
    pub(crate) fn open(address: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Command::new("sh")
            // It reads file descriptor 3 and writes 4.
            .args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "sh", program()])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe"])
            .arg("--window-size=1280,1000")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let requests = browser.stdin.take().unwrap();
        let mut lines = BufReader::new(browser.stdout.take().unwrap());
        let (answer, answers) = channel();
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while lines.read_until(0, &mut line).is_ok_and(|read| read > 0) {
                let said = serde_json::from_slice(line.strip_suffix(&[0]).unwrap_or(&line));
                if said.is_ok_and(|said| answer.send(said).is_err()) {
                    return;
                }
                line.clear();
            }
        });
        let mut hands = Self { browser, requests, answers, session: None, number: 0, _profile: profile };
        let targets = hands.ask("Target.getTargets", &json!({}))["targetInfos"].clone();
        let page = targets.as_array().unwrap().iter().find(|target| target["type"] == "page").unwrap();
        let attached = hands.ask("Target.attachToTarget", &json!({"targetId": page["targetId"], "flatten": true}));
        hands.session = attached["sessionId"].as_str().map(str::to_owned);
        hands.ask("Page.navigate", &json!({"url": address}));
        hands.wait_for("location.href !== 'about:blank' && document.readyState === 'complete'");
        hands
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.number += 1;
        let mut request = json!({"id": self.number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        self.requests.write_all(format!("{request}\0").as_bytes()).unwrap();
        self.requests.flush().unwrap();
        loop {
            let said = self.answers.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer to {method}"));
            if said["id"] == self.number {
                assert!(said.get("error").is_none(), "{method}: {said}");
                return said["result"].clone();
            }
        }
    }

    /// What an expression is in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true});
        self.ask("Runtime.evaluate", &asked)["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression) != true {
            assert!(begun.elapsed() < PATIENCE, "never true: {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks into the middle of the first element that a selector finds.
    pub(crate) fn click(&mut self, selector: &str) {
        let place = self.value(&format!(
            "(() => {{ const box = document.querySelector({selector:?}).getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for (kind, button) in [("mouseMoved", "none"), ("mousePressed", "left"), ("mouseReleased", "left")] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": button, "clickCount": 1});
            self.ask("Input.dispatchMouseEvent", &event);
        }
    }

    /// Strikes a key.
    pub(crate) fn key(&mut self, key: &str, code: &str, number: u32) {
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number});
            self.ask("Input.dispatchKeyEvent", &event);
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}
