//! A researcher and the public walk through a demo. Spec site.md 3-7, 14.

use std::time::Duration;

use fantoccini::Locator;

use crate::demo::Demo;
use crate::driver::Browser;

/// The requests that a demo makes at its start.
const SUCCEEDS: u32 = 19_022;
const TAKES_LONG: u32 = 19_023;
const FAILS: u32 = 19_024;

/// How long a person would wait for what takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

async fn press(browser: &Browser, words: &str) {
    let path = format!("//*[(self::a or self::button) and normalize-space(.)='{words}']");
    let found = browser.page.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
    let found = found.unwrap_or_else(|error| panic!("{words}: {error}"));
    let click = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' }); arguments[0].click()";
    browser.page.execute(click, vec![serde_json::to_value(&found).unwrap()]).await.unwrap();
}

async fn shows(browser: &Browser, words: &str) {
    let begun = std::time::Instant::now();
    loop {
        let text = browser.text().await;
        if text.contains(words) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "`{words}` is not shown in:\n{text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn sign_in(browser: &Browser, demo: &Demo, name: &str) {
    browser.page.goto(&demo.at("/login/")).await.unwrap();
    press(browser, name).await;
    shows(browser, "Sign out").await;
}

/// Clicks on what stands in the page, wherever the window is scrolled to.
async fn tick(browser: &Browser, css: &str) {
    browser.page.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await.unwrap();
    let click = "document.querySelector(arguments[0]).click()";
    browser.page.execute(click, vec![css.into()]).await.unwrap();
}

#[tokio::test]
async fn a_researcher_asks_watches_understands_asks_again_and_cancels() {
    let (demo, browser) = (Demo::start(), Browser::start().await);
    sign_in(&browser, &demo, "Robin Researcher").await;

    // A study that ran before: nothing would run, so it is forced.
    browser.page.goto(&demo.at("/stand-in-studies/try-ons-cis-short-data-report/run-jobs/")).await.unwrap();
    tick(&browser, "input[name=backend][value=emis]").await;
    tick(&browser, "input[name=action][value=run_all]").await;
    press(&browser, "Preview").await;
    shows(&browser, "What is expected to run").await;
    press(&browser, "Send request").await;
    shows(&browser, "Job request: ").await;
    // From here on the page changes by itself: it is never loaded again.
    browser.page.execute("window.sameDocument = true", vec![]).await.unwrap();
    shows(&browser, "3 / 3 (100%) complete").await;
    let same = browser.page.execute("return window.sameDocument === true", vec![]).await.unwrap();
    assert_eq!(same, true, "the page was loaded again");

    // Why did that one fail?
    browser.page.goto(&demo.at(&format!("/job-requests/{FAILS}/"))).await.unwrap();
    shows(&browser, "Failed").await;
    press(&browser, "make_safe").await;
    shows(&browser, "The action's program stopped with an error").await;
    shows(&browser, "metadata/make_safe.log").await;

    // The same again, from the form that the request fills in.
    browser.page.goto(&demo.at(&format!("/job-requests/{FAILS}/"))).await.unwrap();
    press(&browser, "Run what failed").await;
    let ticked = "return [...document.querySelectorAll('input[name=action]:checked')].map(e => e.value).join()";
    assert_eq!(browser.page.execute(ticked, vec![]).await.unwrap(), "make_safe,render_report");
    press(&browser, "Preview").await;
    press(&browser, "Send request").await;
    shows(&browser, "complete").await;

    // And the one that takes five minutes is not waited for.
    browser.page.goto(&demo.at(&format!("/job-requests/{TAKES_LONG}/"))).await.unwrap();
    shows(&browser, "Running").await;
    press(&browser, "Cancel").await;
    let confirm = "form[action$='/cancel/'] button";
    tick(&browser, confirm).await;
    shows(&browser, "Cancelled").await;
    assert!(demo.end(), "a demo leaves nothing behind");
}

#[tokio::test]
async fn the_public_reads_what_ran_and_nothing_private() {
    let (demo, browser) = (Demo::start(), Browser::start().await);
    browser.page.goto(&demo.at("/event-log/?q=pincer")).await.unwrap();
    shows(&browser, "pincer-measures").await;
    press(&browser, "4382").await;
    // What the page of the seed says.
    for words in
        ["Job request: 4382", "Bennett Institute", "qsvx2ydt4f6km7zs", "45:28:32", "cd9f692", "Succeeded", "TPP"]
    {
        shows(&browser, words).await;
    }
    browser.page.goto(&demo.at(&format!("/job-requests/{SUCCEEDS}/"))).await.unwrap();
    shows(&browser, "Robin Researcher").await;
    let text = browser.text().await;
    for private in ["Run again", "Cancel", "Sign out", "@"] {
        assert!(!text.contains(private), "the public sees `{private}` in:\n{text}");
    }
    browser.page.goto(&demo.at("/staff/")).await.unwrap();
    shows(&browser, "Pick a person").await;
}
