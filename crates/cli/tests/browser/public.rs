//! The public walks through a demo in which much is private, and reads every byte that it can get. Spec site.md 1, 11.3.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::demo::Demo;
use crate::driver::Browser;
use crate::person::{path, press, shows, sign_in, tick, type_in};
use crate::study::Study;

/// A request that a demo makes at its start, and one of its history.
const SUCCEEDS: u32 = 19_022;
const SEED: u32 = 4382;

/// What is private wherever it stands, beside what [`keep_secrets`] finds out.
const PRIVATE: &[&str] = &[
    // E-mail addresses, typed in below; `@` alone is looked for in the browser.
    "robin.private@example.org",
    // People with a role and no public request: no list of people, no list of members.
    "Carol Collaborator",
    "Chris Checker",
    "Pat Publisher",
    "Drew Deployer",
    "Sasha Service",
    "Sidney Support",
    "Ash Authority",
    "Ollie Operator",
    "Alex Auditor",
    "Ariel Administrator",
    // Roles, and why they were given.
    "ProjectDeveloper",
    "everybody in a demo has one role",
    // What a job wrote: into its log, into a file, as the name of one, and what it read.
    "a-line-of-the-log",
    "a-line-of-an-output",
    "name-of-an-output",
    "[REDACTED]",
    // What a project tells its members and staff, and an alert for staff.
    "a note for members",
    "an alert for staff",
    "an alert for those who signed in",
    // What settings show of tokens, sessions and passwords, and what belongs to a session.
    "name-of-a-token",
    "name=csrf",
    "Chrome",
    "argon2",
];

/// Fills the site with what only some may know; gives the secrets that the site itself made.
async fn keep_secrets(browser: &Browser, demo: &Demo, study: &Study) -> Vec<String> {
    let code = |css: &'static str| async move {
        let text = format!("return document.querySelector('{css}').textContent");
        browser.page.execute(&text, vec![]).await.unwrap().as_str().unwrap().trim().to_owned()
    };
    let mut secrets = Vec::new();
    sign_in(browser, demo, "Robin Researcher").await;
    browser.page.goto(&demo.at("/settings/")).await.unwrap();
    type_in(browser, "email", "Robin.Private@example.org").await;
    press(browser, "Save").await;
    shows(browser, "are saved").await;
    type_in(browser, "name", "name-of-a-token").await;
    tick(browser, "[name=scopes]").await;
    press(browser, "Make token").await;
    shows(browser, "This is your new token").await;
    let token = code("#token").await;
    // What the settings show of it from now on is no more public than the whole.
    secrets.push(token[..12].to_owned());
    secrets.push(token);

    browser.page.goto(&demo.at("/stand-in-studies/edit/")).await.unwrap();
    type_in(browser, "note", "a note for members").await;
    press(browser, "Save").await;
    shows(browser, "Workspaces").await;
    browser.page.goto(&demo.at("/stand-in-studies/new-workspace/")).await.unwrap();
    type_in(browser, "name", "private-facts").await;
    type_in(browser, "repo", &study.url()).await;
    press(browser, "Make workspace").await;
    shows(browser, "Run jobs").await;
    press(browser, "Run jobs").await;
    tick(browser, "input[name=backend][value=emis]").await;
    tick(browser, "input[name=action][value=make_safe]").await;
    tick(browser, "input[name=notify]").await;
    press(browser, "Send request").await;
    shows(browser, "2 / 2 (100%) complete").await;
    shows(browser, "Succeeded").await;
    let cookies = browser.page.get_all_cookies().await.unwrap();
    secrets.extend(cookies.iter().map(|cookie| cookie.value().to_owned()));

    browser.page.delete_all_cookies().await.unwrap();
    sign_in(browser, demo, "Stevie Staff").await;
    for (words, audience) in
        [("an alert for staff", "staff"), ("an alert for those who signed in", "signed_in"), ("for all", "everyone")]
    {
        browser.page.goto(&demo.at("/staff/alerts/")).await.unwrap();
        type_in(browser, "title", words).await;
        type_in(browser, "message", words).await;
        tick(browser, &format!("[name=audience] [value={audience}], [name=audience][value={audience}]")).await;
        let choose = "const all = document.querySelector('select[name=audience]'); if (all) all.value = arguments[0]";
        browser.page.execute(choose, vec![audience.into()]).await.unwrap();
        press(browser, "Show it").await;
        shows(browser, words).await;
    }
    browser.page.goto(&demo.at("/staff/backends/tpp/")).await.unwrap();
    tick(browser, "form[action$='/code/'] button").await;
    shows(browser, "The code for one enrolment").await;
    let lines = browser.text().await;
    let at = lines.lines().position(|line| line.contains("The code for one enrolment")).unwrap();
    secrets.push(lines.lines().skip(at + 1).find(|line| !line.trim().is_empty()).unwrap().trim().to_owned());
    let cookies = browser.page.get_all_cookies().await.unwrap();
    secrets.extend(cookies.iter().map(|cookie| cookie.value().to_owned()));
    browser.page.delete_all_cookies().await.unwrap();
    assert!(secrets.iter().all(|secret| secret.len() >= 8), "{secrets:?}");
    secrets
}

/// The whole answer, head and body, of somebody without a cookie. A stream is read for a second.
async fn answer(demo: &Demo, path: &str) -> Vec<u8> {
    let host = demo.address.strip_prefix("http://").unwrap();
    let mut to = TcpStream::connect(host).await.unwrap();
    let ask = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: */*\r\n\r\n");
    to.write_all(ask.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    // Only streams have no end; what else takes longer is looked at as far as it came, and must have come.
    let _ = tokio::time::timeout(Duration::from_secs(if path.contains("/events") { 1 } else { 60 }), async {
        to.read_to_end(&mut all).await.unwrap();
    })
    .await;
    all
}

/// Addresses of this site that an answer names.
fn links(from: &str, body: &str) -> Vec<String> {
    let base = from.split('?').next().unwrap();
    let place = |href: &str| {
        let href = href.split('#').next().unwrap().replace("&amp;", "&");
        match href.chars().next()? {
            '/' if !href.starts_with("//") => Some(href),
            '?' => Some(format!("{base}{href}")),
            _ if href.contains("://") || href.starts_with("data:") => None,
            _ => {
                let mut parts: Vec<&str> = base.split('/').collect();
                parts.pop();
                for step in href.split('/') {
                    match step {
                        ".." => {
                            parts.pop();
                        }
                        "." => {}
                        step => parts.push(step),
                    }
                }
                Some(parts.join("/"))
            }
        }
    };
    let starts = ["href=\"", "src=\"", "data-live=\"", "action=\""];
    let quoted = starts.iter().flat_map(|start| body.split(start).skip(1).filter_map(|rest| rest.split('"').next()));
    quoted.filter_map(place).collect()
}

/// Everything that nobody's browser would find from the first page, and a program's ways beside it.
async fn everything(demo: &Demo) -> Vec<(String, Vec<u8>)> {
    let mut waiting: Vec<String> = ["/", "/event-log.csv", "/event-log.json", "/api/v1/openapi.json", "/robots.txt"]
        .iter()
        .chain(&["/api/v1/job-requests", "/api/v1/projects", "/api/v1/orgs", "/api/v1/backends", "/health/ready"])
        .chain(&["/api/v1/workspaces/private-facts", "/api/v1/workspaces/private-facts/actions?backend=emis"])
        .chain(&["/api/v2/workspaces/private-facts/statuses/", "/status/tpp/", "/status/tpp/db-availability/"])
        .chain(&["/settings/", "/staff/", "/staff/users/", "/staff/audit/", "/stand-in-studies/edit/"])
        .chain(&["/users/collaborator/", "/users/checker/", "/stand-in-studies/private-facts/edit/"])
        .map(|path| (*path).to_owned())
        .collect();
    let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
    while let Some(path) = waiting.pop() {
        // Signing in is by picking a person here, which exists in a demo only; filters of the log repeat one another.
        if path.starts_with("/login/") || path.matches('&').count() > 1 || !seen.insert(path.clone()) {
            continue;
        }
        // The demo's limits are those of production: 20 pages a second.
        tokio::time::sleep(Duration::from_millis(if path.starts_with("/event-log") { 550 } else { 50 })).await;
        let bytes = answer(demo, &path).await;
        let text = String::from_utf8_lossy(&bytes);
        assert!(bytes.starts_with(b"HTTP/1."), "{path} is not answered: {text}");
        assert!(!text.starts_with("HTTP/1.0 429") && !text.starts_with("HTTP/1.0 5"), "{path}: {text}");
        if let Some(to) = text.lines().find_map(|line| line.strip_prefix("location: ")) {
            waiting.push(to.to_owned());
        }
        if text.contains("text/html") {
            waiting.extend(links(&path, &text));
            // The same as JSON, and the stream of the page.
            if let Some(number) = path.trim_end_matches('/').rsplit('/').next().and_then(|n| n.parse::<u32>().ok()) {
                waiting.push(format!("/api/v1/job-requests/{number}"));
                waiting.push(format!("{path}events"));
            }
        }
        all.push((path, bytes));
    }
    all
}

#[tokio::test]
async fn the_public_reads_what_ran_and_nothing_private() {
    let (demo, browser) = (Demo::start(), Browser::start().await);
    let study = Study::new("ons-cis-short-data-report");
    let writes = "    print('a-line-of-the-log')\n    \
        pathlib.Path('output/safe/name-of-an-output.csv').write_text('name\\na-line-of-an-output\\n')\n";
    study.before("analysis/make_safe.py", "    return 0\n", writes);
    // The script itself is public code, in a repository of its own.
    study.commit("Write what nobody may see");
    let secrets = keep_secrets(&browser, &demo, &study).await;

    // As a person.
    browser.page.goto(&demo.at("/")).await.unwrap();
    press(&browser, "Event log").await;
    type_in(&browser, "q", "pincer").await;
    press(&browser, "Search").await;
    shows(&browser, "pincer-measures").await;
    press(&browser, &SEED.to_string()).await;
    // What the page of the seed says.
    for words in
        ["Job request: 4382", "Bennett Institute", "qsvx2ydt4f6km7zs", "45:28:32", "cd9f692", "Succeeded", "TPP"]
    {
        shows(&browser, words).await;
    }
    browser.page.goto(&demo.at(&format!("/job-requests/{SUCCEEDS}/"))).await.unwrap();
    shows(&browser, "Robin Researcher").await;
    for private in ["Run again", "Cancel", "Sign out", "@", "Tell me", "otif"] {
        let text = browser.text().await;
        assert!(!text.contains(private), "the public sees `{private}` in:\n{text}");
    }
    browser.page.goto(&demo.at("/stand-in-studies/private-facts/")).await.unwrap();
    shows(&browser, "make_safe").await;
    assert!(!browser.text().await.contains("Run jobs"));
    browser.page.goto(&demo.at("/staff/")).await.unwrap();
    shows(&browser, "Pick a person").await;
    assert_eq!(path(&browser).await, "/login/");

    // As a program: every byte.
    let all = everything(&demo).await;
    let mut found = Vec::new();
    for (path, bytes) in &all {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        for private in PRIVATE.iter().map(|text| (*text).to_owned()).chain(secrets.iter().cloned()) {
            // The code of a public repository may be read here, whatever stands in it.
            if text.contains(&private.to_lowercase()) && !path.contains("/code/") {
                found.push(format!("{path}: {private}"));
            }
        }
    }
    assert!(found.is_empty(), "{} private facts:\n{}", found.len(), found.join("\n"));
    // It did look: pages, the log as CSV, the API, a stream, and what is public of the same request.
    let has = |end: &str| all.iter().any(|(path, _)| path.ends_with(end));
    assert!(all.len() > 80 && has("/event-log.csv") && has("/events") && has("/api/v1/projects"), "{}", all.len());
    let page = all.iter().filter(|(path, _)| path.starts_with("/stand-in-studies/private-facts/"));
    let texts: Vec<String> = page.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    for public in ["Robin Researcher", "make_safe", "output/safe/*.csv", "for all"] {
        assert!(texts.iter().any(|text| text.contains(public)), "{public}");
    }
    // Nor does the log of the server hold a secret.
    let log = demo.log();
    for secret in secrets.iter().map(String::as_str).chain(["robin.private@example.org"]) {
        assert!(!log.to_lowercase().contains(&secret.to_lowercase()), "the log holds {secret}");
    }
}
