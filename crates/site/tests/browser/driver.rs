//! A real browser: Debian's chromium through its WebDriver, with size and colour scheme as wanted, and the checker of
//! accessibility. What is missing is named, with the command that brings it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at its first surprise; each uses a part"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};

/// A browser with one window, and the driver that it belongs to.
pub(crate) struct Browser {
    pub(crate) page: Client,
    driver: Child,
    /// Of the browser; also what its processes are known by.
    profile: tempfile::TempDir,
}

/// The two colour schemes of every page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// A command of the browser's own debugging protocol.
#[derive(Debug)]
struct Cdp {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (http::Method::POST, Some(body.to_string()))
    }
}

/// The browser's own log.
#[derive(Debug)]
struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

/// What a person set in the system: a scheme, and no movement, for what moves is not yet where it will be.
fn features(scheme: &str) -> Value {
    json!([{ "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" }])
}

fn checker() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/axe/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; scripts/test fetches it", path.display()))
}

impl Browser {
    pub(crate) async fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver: {error}; scripts/prerequisites --tests --install brings it"));
        let port = BufReader::new(driver.stdout.take().unwrap())
            .lines()
            .map(|line| line.unwrap())
            .find_map(|line| {
                line.split("successfully on port ").nth(1).map(|rest| rest.trim_end_matches('.').to_owned())
            })
            .expect("the driver names its port");
        let profile = tempfile::tempdir().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", &folder];
        let options = json!({
            "goog:chromeOptions": { "args": words },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": 120_000 },
        });
        let Value::Object(options) = options else { unreachable!() };
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let page = builder.capabilities(options).connect(&format!("http://127.0.0.1:{port}")).await.unwrap();
        Self { page, driver, profile }
    }

    async fn cdp(&self, command: &'static str, parameters: Value) {
        self.page.issue_cmd(Cdp { command, parameters }).await.unwrap();
    }

    /// Has every page from here on run a script of ours before its own ones; it is not the page's, and no policy of the
    /// page keeps it away.
    pub(crate) async fn before_every_page(&self, script: &str) {
        self.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// The checker of accessibility, in every page from here on.
    pub(crate) async fn bring_checker(&self) {
        self.before_every_page(&checker()).await;
    }

    /// Is somebody with this cookie, or nobody.
    pub(crate) async fn be(&self, address: &str, cookie: Option<&str>) {
        self.cdp("Network.clearBrowserCookies", json!({})).await;
        if let Some((name, value)) = cookie.and_then(|cookie| cookie.split_once('=')) {
            self.cdp("Network.setCookie", json!({ "name": name, "value": value, "url": address })).await;
        }
    }

    /// Fills in the form of the open page that is sent to `action`, and sends it.
    pub(crate) async fn send(&self, action: &str, fields: &[(&str, String)]) {
        let send = "const [action, fields] = arguments;
            const form = [...document.querySelectorAll('form[method=post]')].find(f => new URL(f.action).pathname === action);
            const data = new FormData(form);
            for (const [name] of fields) data.delete(name);
            for (const [name, value] of fields) data.append(name, value);
            const copy = document.createElement('form');
            copy.method = 'post';
            copy.action = action;
            for (const [name, value] of data) {
                const field = document.createElement('textarea');
                [field.name, field.value] = [name, value];
                copy.append(field);
            }
            document.body.append(copy);
            copy.submit();";
        self.page.execute(send, vec![action.into(), json!(fields)]).await.unwrap();
    }

    /// Whether scripts of pages run from here on.
    pub(crate) async fn scripts(&self, run: bool) {
        self.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).await;
    }

    /// As paper shows it, or again as a screen does; the colours that somebody likes are dark ones.
    pub(crate) async fn paper(&self, on: bool) {
        self.cdp(
            "Emulation.setEmulatedMedia",
            json!({ "media": if on { "print" } else { "" }, "features": features("dark") }),
        )
        .await;
    }

    /// Presses a key as a keyboard does, with its text if it has one.
    pub(crate) async fn key(&self, key: &str) {
        let (code, number, text) = match key {
            "Tab" => ("Tab", 9, ""),
            "Enter" => ("Enter", 13, "\r"),
            " " => ("Space", 32, " "),
            other => (other, 0, other),
        };
        let mut event = json!({ "type": if text.is_empty() { "rawKeyDown" } else { "keyDown" }, "key": key, "code": code,
            "windowsVirtualKeyCode": number });
        if !text.is_empty() {
            event["text"] = text.into();
        }
        self.cdp("Input.dispatchKeyEvent", event).await;
        let up = json!({ "type": "keyUp", "key": key, "code": code, "windowsVirtualKeyCode": number });
        self.cdp("Input.dispatchKeyEvent", up).await;
    }

    /// An event of the keyboard as the browser's own protocol has it.
    pub(crate) async fn dispatch(&self, event: Value) {
        self.cdp("Input.dispatchKeyEvent", event).await;
    }

    /// What the browser itself complained of since it was asked last: errors of scripts, refusals of policies.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let found = self.page.issue_cmd(Log).await.unwrap();
        let lines = found.as_array().cloned().unwrap_or_default();
        lines.iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// A window of this width, in this scheme.
    pub(crate) async fn look(&self, width: u32, scheme: Scheme) {
        let screen = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", screen).await;
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        let media = json!({ "media": "", "features": features(value) });
        self.cdp("Emulation.setEmulatedMedia", media).await;
    }

    /// What the checker of accessibility finds on the page: a line for each rule that is broken, with the places.
    pub(crate) async fn violations(&self) -> Vec<String> {
        self.violations_of("").await
    }

    /// The same, of the rules that look at colours only: the others see no scheme.
    pub(crate) async fn violations_of_colour(&self) -> Vec<String> {
        self.violations_of("runOnly: ['color-contrast', 'link-in-text-block'],").await
    }

    async fn violations_of(&self, rules: &str) -> Vec<String> {
        if self.page.execute("return typeof axe === 'undefined'", vec![]).await.unwrap() == true {
            self.page.execute(&checker(), vec![]).await.unwrap();
        }
        let run = format!(
            "const done = arguments[arguments.length - 1];
            axe.run(document, {{ {rules} resultTypes: ['violations'] }}).then(r => done(r.violations.map(v =>
                v.id + ': ' + v.help + ' -- ' + v.nodes.map(n => n.html).join(' | '))), e => done(['axe: ' + e]));"
        );
        let found = self.page.execute_async(&run, vec![]).await.unwrap();
        let mut found: Vec<String> = serde_json::from_value(found).unwrap();
        found.extend(self.sticks_out().await);
        found
    }

    /// Nothing may stick out sideways: a page scrolls in one direction (WCAG 1.4.10).
    pub(crate) async fn sticks_out(&self) -> Option<String> {
        let wide = "const page = document.documentElement, wide = page.scrollWidth - page.clientWidth;
            const out = e => e.getBoundingClientRect().right > page.clientWidth + 1 && !e.closest('.wide, pre, svg');
            return [wide, wide > 0 ? [...document.querySelectorAll('body *')].filter(out).slice(-2).map(e => e.outerHTML.slice(0, 120)).join(' | ') : ''];";
        let wide = self.page.execute(wide, vec![]).await.unwrap();
        let is_wide = wide[0].as_i64().is_none_or(|pixels| pixels > 0);
        is_wide.then(|| format!("reflow: the page is {} px wider than the window: {}", wide[0], wide[1]))
    }

    /// The visible text of the page.
    pub(crate) async fn text(&self) -> String {
        let text = self.page.execute("return document.body.innerText", vec![]).await.unwrap();
        text.as_str().unwrap().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        // A browser outlives its driver.
        let folder = self.profile.path().display().to_string();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
            let pid = pid.and_then(rustix::process::Pid::from_raw);
            if let (Some(pid), true) = (pid, String::from_utf8_lossy(&words).contains(&folder)) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}
