//! A real browser: Debian's chromium through its WebDriver, with size and colour scheme as wanted, and the checker of
//! accessibility. What is missing is named, with the command that brings it.

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
        });
        let Value::Object(options) = options else { unreachable!() };
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let page = builder.capabilities(options).connect(&format!("http://127.0.0.1:{port}")).await.unwrap();
        Self { page, driver, profile }
    }

    async fn cdp(&self, command: &'static str, parameters: Value) {
        self.page.issue_cmd(Cdp { command, parameters }).await.unwrap();
    }

    /// A window of this width, in this scheme.
    pub(crate) async fn look(&self, width: u32, scheme: Scheme) {
        let screen = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", screen).await;
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.cdp("Emulation.setEmulatedMedia", media).await;
    }

    /// What the checker of accessibility finds on the page: a line for each rule that is broken, with the places.
    pub(crate) async fn violations(&self) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/axe/axe.min.js");
        let axe = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; scripts/test fetches it", path.display()));
        self.page.execute(&axe, vec![]).await.unwrap();
        let run = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then(r => done(r.violations.map(v =>
                v.id + ': ' + v.help + ' -- ' + v.nodes.map(n => n.html).join(' | '))), e => done(['axe: ' + e]));";
        let found = self.page.execute_async(run, vec![]).await.unwrap();
        let mut found: Vec<String> = serde_json::from_value(found).unwrap();
        // Nothing may stick out sideways: a page scrolls in one direction (WCAG 1.4.10).
        let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        let wide = self.page.execute(wide, vec![]).await.unwrap();
        if wide.as_i64().is_none_or(|pixels| pixels > 0) {
            found.push(format!("reflow: the page is {wide} px wider than the window"));
        }
        found
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
