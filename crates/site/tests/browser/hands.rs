//! What a keyboard alone reaches, what is left when scripts do not run, and what paper shows. Spec site.md 3, 15, 20.8.

use crate::driver::{Browser, Scheme};
use crate::street::Street;

/// How often Tab may be pressed on a page of the gallery.
const FAR: usize = 150;

async fn run(browser: &Browser, script: &str) -> serde_json::Value {
    browser.page.execute(script, vec![]).await.unwrap()
}

/// Presses Tab until the focus is on what this expression finds; whatever has the focus on the way must be seen to have it.
async fn tab_to(browser: &Browser, what: &str) {
    for _ in 0..FAR {
        browser.key("Tab").await;
        let now = run(
            browser,
            &format!(
                "const e = document.activeElement, of = e.closest('label') || e, box = of.getBoundingClientRect();
                const line = [e, of].map(e => getComputedStyle(e)).some(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2);
                return [e === document.body, line && box.width > 0 && box.bottom > 0 && box.top < innerHeight, e === ({what}), e.outerHTML.slice(0, 150)]"
            ),
        )
        .await;
        assert_eq!(now[0], false, "the focus went through the page and did not come to {what}");
        assert_eq!(now[1], true, "the focus is not seen on {}", now[3]);
        if now[2] == true {
            return;
        }
    }
    panic!("the focus does not come to {what}");
}

/// The link or button with these words, as an expression.
fn words(words: &str) -> String {
    format!("[...document.querySelectorAll('a, button, summary')].find(e => e.textContent.trim() === '{words}')")
}

async fn path(browser: &Browser) -> String {
    let url = browser.page.current_url().await.unwrap();
    format!("{}{}", url.path(), url.query().map(|query| format!("?{query}")).unwrap_or_default())
}

/// Presses a key that leads to another page, and waits for it.
async fn follow(browser: &Browser, key: &str) {
    run(browser, "window.before = true").await;
    browser.key(key).await;
    for _ in 0..200 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        if run(browser, "return window.before !== true && document.readyState === 'complete'").await == true {
            return;
        }
    }
    panic!("{key} leads nowhere from {}", path(browser).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyboard_is_enough_to_ask_to_cancel_and_to_filter() {
    let street = Street::open(&["full"], async |_| {}).await;
    let browser = &street.browser;
    browser.look(1280, Scheme::Light).await;
    street.open_as("full", "m", "/small-studies/small/run-jobs/").await;
    // The first stop leads past the header.
    tab_to(browser, &words("Skip to content")).await;
    browser.key("Enter").await;
    assert_eq!(run(browser, "return document.activeElement.id").await, "main");
    tab_to(browser, "document.querySelector('[name=backend]:checked') || document.querySelector('[name=backend]')")
        .await;
    browser.key(" ").await;
    tab_to(browser, "document.querySelector('[name=action][value=table]')").await;
    browser.key(" ").await;
    assert_eq!(run(browser, "return document.querySelector('[name=action][value=table]').checked").await, true);
    tab_to(browser, &words("Preview")).await;
    follow(browser, "Enter").await;
    assert!(browser.text().await.contains("What is expected to run"));
    assert_eq!(run(browser, "return document.querySelector('[name=action][value=table]').checked").await, true);
    tab_to(browser, &words("Send request")).await;
    follow(browser, "Enter").await;
    assert!(browser.text().await.contains("Job request: "), "{}", browser.text().await);

    // The new request is cancelled again.
    let request = path(browser).await;
    tab_to(browser, &words("Cancel")).await;
    follow(browser, "Enter").await;
    tab_to(browser, "document.querySelector('[name=reason]')").await;
    browser.key("n").await;
    tab_to(browser, &words("Cancel these actions")).await;
    follow(browser, "Enter").await;
    assert_eq!(path(browser).await, request);
    assert!(browser.text().await.to_lowercase().contains("cancel"));

    // Filters of the log are set, and taken away one by one.
    street.open_as("full", "-", "/event-log/").await;
    tab_to(browser, "document.querySelector('[name=q]')").await;
    for key in ["t", "a", "b", "l", "e"] {
        let event = serde_json::json!({ "type": "char", "text": key });
        browser.dispatch(event).await;
    }
    follow(browser, "Enter").await;
    assert!(path(browser).await.contains("q=table"), "{}", path(browser).await);
    tab_to(browser, "document.querySelector('a.chip, .chips a')").await;
    follow(browser, "Enter").await;
    assert!(!path(browser).await.contains("q=table"), "{}", path(browser).await);
}

/// Pages that change by themselves where scripts run.
const LIVE: &[&str] = &[
    "/hazardous-prescribing/pincer-measures/3/",
    "/hazardous-prescribing/pincer-measures/7/",
    "/hazardous-prescribing/pincer-measures/102/",
    "/hazardous-prescribing/pincer-measures/110/",
    "/small-studies/small/114/",
    "/odd-project/odd/9/",
    "/event-log/",
    "/status/",
    "/",
];

/// What a page says, but for times that pass while it is read and for what only a script can do.
async fn said(browser: &Browser) -> String {
    let text = browser.text().await;
    let time = |word: &str| word.len() >= 8 && word.matches(':').count() == 2;
    let lines = text.lines().map(|line| line.split(' ').filter(|word| !time(word)).collect::<Vec<_>>().join(" "));
    let only_script = ["Pause updates", "Updates by itself.", "Waiting for the connection."];
    let lines = lines.map(|line| only_script.iter().fold(line, |line, words| line.replace(words, "")));
    let lines = lines
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty() && !line.contains("ago") && !line.starts_with("As it was at"));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_whole_without_script_and_on_paper() {
    let street = Street::open(&["full"], async |_| {}).await;
    let browser = &street.browser;
    browser.look(1280, Scheme::Dark).await;
    for path in LIVE {
        street.open_as("full", "m", path).await;
        let with = said(browser).await;
        browser.scripts(false).await;
        street.open_as("full", "m", path).await;
        let without = said(browser).await;
        assert_eq!(with, without, "{path}");
        assert!(with.len() > 200, "{path}: {with}");
        browser.scripts(true).await;
    }
    // Forms need none either.
    browser.scripts(false).await;
    street.open_as("full", "m", "/small-studies/small/run-jobs/").await;
    for step in [
        "document.querySelector('[name=backend][value=emis]')",
        "document.querySelector('[name=action][value=run_all]')",
    ] {
        run(browser, &format!("{step}.click()")).await;
    }
    run(browser, &format!("{}.click()", words("Send request"))).await;
    for _ in 0..100 {
        if browser.text().await.contains("Job request: ") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(browser.text().await.contains("Job request: "), "{}", browser.text().await);
    browser.scripts(true).await;

    // Paper is white whatever the screen is, shows the whole pipeline's facts and no ways to go elsewhere.
    street.open_as("full", "m", "/small-studies/small/114/").await;
    browser.paper(true).await;
    let paper = run(
        browser,
        "const style = s => getComputedStyle(document.querySelector(s));
        const seen = s => [...document.querySelectorAll(s)].some(e => e.getClientRects().length > 0);
        return [style('body').backgroundColor, style('body').color, seen('.top nav'), seen('form'), seen('button'), seen('h1'), seen('#jobs')]",
    )
    .await;
    let white = ["rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"];
    assert!(white.contains(&paper[0].as_str().unwrap()), "{paper}");
    assert!(paper[1].as_str().unwrap().starts_with("rgb(") && paper[1] != paper[0], "{paper}");
    assert_eq!(
        paper.as_array().unwrap()[2..],
        [false, false, false, true, true],
        "navigation, forms, buttons, heading, jobs"
    );
}
