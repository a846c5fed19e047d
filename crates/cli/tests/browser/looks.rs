//! Every page, light and dark, on a phone and on a wide screen: the checker of accessibility finds nothing.
//! Spec site.md 15. A page that is not in the list is not looked at: add it.

use fantoccini::Locator;

use crate::demo::Demo;
use crate::driver::{Browser, Scheme};

const PUBLIC: &[&str] = &[
    "/",
    "/event-log/",
    "/event-log/?status=failed&q=run_all",
    "/event-log/?q=nothing-has-this-name",
    "/status/",
    "/organisations/",
    "/orgs/northfield/",
    "/users/researcher/",
    "/stand-in-studies/",
    "/stand-in-studies/logs/",
    "/stand-in-studies/try-slow-report/",
    // Succeeded, running, failed; old records with and without jobs.
    "/job-requests/19022/",
    "/job-requests/19023/",
    "/job-requests/19024/",
    "/job-requests/4382/",
    "/job-requests/325/",
    "/job-requests/19021/",
    "/pincer-measures/pincer-measures/4382/project.yaml?view=1",
    "/pincer-measures/pincer-measures/4382/project.yaml?view=actions",
    "/pincer-measures/pincer-measures/4382/project.yaml?view=graph",
    "/api/",
    "/login/",
    "/there-is-no-such-page/",
];

const RESEARCHER: &[&str] = &[
    "/",
    "/settings/",
    "/stand-in-studies/new-workspace/",
    "/stand-in-studies/try-slow-report/edit/",
    "/stand-in-studies/try-ons-cis-short-data-report/run-jobs/",
    "/stand-in-studies/try-pincer-measures/run-jobs/",
    "/job-requests/19023/",
    "/stand-in-studies/try-slow-report/19023/cancel/",
    "/staff/",
];

const STAFF: &[&str] = &[
    "/staff/",
    "/staff/users/",
    "/staff/orgs/",
    "/staff/projects/",
    "/staff/workspaces/",
    "/staff/backends/",
    "/staff/requests/",
    "/staff/alerts/",
];

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
async fn the_checker_finds_nothing_on_any_page() {
    let (demo, browser) = (Demo::start(), Browser::start().await);
    let mut found = Vec::new();
    look(&browser, &demo, "public", PUBLIC, &mut found).await;
    be(&browser, &demo, "Robin Researcher").await;
    look(&browser, &demo, "researcher", RESEARCHER, &mut found).await;
    be(&browser, &demo, "Stevie Staff").await;
    look(&browser, &demo, "staff", STAFF, &mut found).await;
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}
