//! Pages of a demo, light and dark, on a phone and on a wide screen: the checker of accessibility finds nothing on real
//! history and on what runs. Spec site.md 15. Every page in every state is looked at in `crates/site/tests/browser`.

use fantoccini::Locator;

use crate::demo::Demo;
use crate::driver::{Browser, Scheme};

const PUBLIC: &[&str] = &[
    "/",
    "/event-log/?q=pincer",
    "/status/",
    "/stand-in-studies/try-slow-report/",
    // Succeeded, running, failed; old records with and without jobs.
    "/job-requests/19022/",
    "/job-requests/19023/",
    "/job-requests/19024/",
    "/job-requests/4382/",
    "/job-requests/325/",
    "/pincer-measures/pincer-measures/4382/project.yaml?view=1",
    "/pincer-measures/pincer-measures/4382/project.yaml?view=graph",
    // A person is picked here.
    "/login/",
];

const RESEARCHER: &[&str] =
    &["/stand-in-studies/try-pincer-measures/run-jobs/", "/stand-in-studies/try-slow-report/19023/cancel/"];

async fn look(browser: &Browser, demo: &Demo, who: &str, pages: &[&str], found: &mut Vec<String>) {
    for path in pages {
        browser.page.goto(&demo.at(path)).await.unwrap();
        for scheme in [Scheme::Light, Scheme::Dark] {
            for width in [320, 1280] {
                browser.look(width, scheme).await;
                let wrong = browser.violations().await;
                found.extend(wrong.into_iter().map(|line| format!("{who} {path} {scheme:?} {width}: {line}")));
            }
        }
    }
}

async fn be(browser: &Browser, demo: &Demo, name: &str) {
    browser.page.delete_all_cookies().await.unwrap();
    browser.page.goto(&demo.at("/login/")).await.unwrap();
    let path = format!("//button[normalize-space(.)='{name}']");
    browser.page.find(Locator::XPath(&path)).await.unwrap().click().await.unwrap();
}

#[tokio::test]
async fn the_checker_finds_nothing_in_a_demo() {
    let (demo, browser) = (Demo::start(), Browser::start().await);
    let mut found = Vec::new();
    look(&browser, &demo, "public", PUBLIC, &mut found).await;
    be(&browser, &demo, "Robin Researcher").await;
    look(&browser, &demo, "researcher", RESEARCHER, &mut found).await;
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}
