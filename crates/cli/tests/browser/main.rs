//! Pages in a real browser, of the built program: what a person sees, does and is told.
//! Spec site.md 14, 15, 20; needs chromium, its driver and the checker that `scripts/test` fetches.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

mod demo;
#[path = "../../../site/tests/browser/driver.rs"]
mod driver;
mod looks;
mod person;
mod public;
mod study;
mod walks;

use driver::{Browser, Scheme};

#[tokio::test]
async fn the_checker_finds_what_it_must() {
    let browser = Browser::start().await;
    browser.page.goto("data:text/html,<html><body><img src=x><div id=w>wide</div></body></html>").await.unwrap();
    browser.look(320, Scheme::Dark).await;
    let dark = "return matchMedia('(prefers-color-scheme: dark)').matches && innerWidth === 320";
    assert_eq!(browser.page.execute(dark, vec![]).await.unwrap(), true);
    let found = browser.violations().await;
    assert!(found.iter().any(|line| line.starts_with("image-alt")), "{found:?}");
    browser.page.execute("document.getElementById('w').style.width = '900px'", vec![]).await.unwrap();
    assert!(browser.violations().await.iter().any(|line| line.starts_with("reflow")));
    assert!(browser.text().await.contains("wide"));
}
