//! What a person does with a page: reads, presses, types, ticks, waits for what takes seconds.

use std::time::Duration;

use fantoccini::Locator;

use crate::demo::Demo;
use crate::driver::Browser;

/// How long a person would wait for what takes seconds on a machine with nothing else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Presses the link or button with these words.
pub(crate) async fn press(browser: &Browser, words: &str) {
    let path = format!("//*[(self::a or self::button) and normalize-space(.)='{words}']");
    let found = browser.page.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
    let found = found.unwrap_or_else(|error| panic!("{words}: {error}"));
    let click = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' }); arguments[0].click()";
    browser.page.execute(click, vec![serde_json::to_value(&found).unwrap()]).await.unwrap();
}

/// Waits until the page shows these words.
pub(crate) async fn shows(browser: &Browser, words: &str) {
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

pub(crate) async fn sign_in(browser: &Browser, demo: &Demo, name: &str) {
    browser.page.goto(&demo.at("/login/")).await.unwrap();
    press(browser, name).await;
    shows(browser, "Sign out").await;
}

/// Clicks on what stands in the page, wherever the window is scrolled to.
pub(crate) async fn tick(browser: &Browser, css: &str) {
    browser.page.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await.unwrap();
    let click = "document.querySelector(arguments[0]).click()";
    browser.page.execute(click, vec![css.into()]).await.unwrap();
}

/// Replaces what is in a field.
pub(crate) async fn type_in(browser: &Browser, field: &str, text: &str) {
    let css = format!("[name={field}]");
    let found = browser.page.wait().at_most(PATIENCE).for_element(Locator::Css(&css)).await.unwrap();
    found.clear().await.unwrap();
    found.send_keys(text).await.unwrap();
}

/// The path of the page that is open.
pub(crate) async fn path(browser: &Browser) -> String {
    browser.page.current_url().await.unwrap().path().to_owned()
}
