//! A researcher's whole walk through a demo, over a study of their own. Spec site.md 3-7, 14; issue C.

use crate::demo::Demo;
use crate::driver::Browser;
use crate::person::{path, press, shows, sign_in, tick, type_in};
use crate::study::Study;

/// Tells in `window.seen` every state that the page shows of its request, in order, from now on.
const WATCH: &str = "window.seen = [];
    const look = () => {
        const now = document.querySelector('#facts dd .s').textContent.trim();
        if (window.seen.at(-1) !== now) window.seen.push(now);
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });";

async fn seen(browser: &Browser) -> Vec<String> {
    let seen = browser.page.execute("return window.seen || ['(the page was loaded again)']", vec![]).await.unwrap();
    serde_json::from_value(seen).unwrap()
}

/// Asks for these actions by the form, looks at what is expected first, and watches the page of the new request.
async fn ask(browser: &Browser, form: &str, actions: &[&str], preview: &str) {
    browser.page.goto(form).await.unwrap();
    tick(browser, "input[name=backend][value=emis]").await;
    for action in actions {
        tick(browser, &format!("input[name=action][value={action}]")).await;
    }
    press(browser, "Preview").await;
    shows(browser, preview).await;
    press(browser, "Send request").await;
    shows(browser, "Job request: ").await;
    browser.page.execute(WATCH, vec![]).await.unwrap();
}

/// The server's own log: the page was loaded once and followed by one stream of events, whatever happened meanwhile.
async fn was_loaded_once(browser: &Browser, demo: &Demo) {
    let page = path(browser).await;
    assert_eq!(demo.answered(&page), ["GET 200"], "{page}");
    assert_eq!(demo.answered(&format!("{page}events")), ["GET 200"], "{page}events");
}

#[tokio::test]
async fn a_researcher_makes_a_workspace_asks_watches_understands_asks_again_and_cancels() {
    let (demo, browser) = (Demo::start(), Browser::start().await);
    let study = Study::new("ons-cis-short-data-report");
    // Long enough for a page to be told of it.
    study.before("analysis/make_safe.py", "    return 0\n", "    import time; time.sleep(3)\n");
    // This workspace has no waiver, as the demo's own has.
    let declared = "-- AllowedPatientsWithTypeOneDissent: all of them are invented\n";
    study.before("analysis/visit_num.sql", "SELECT\n", declared);
    study.commit("Take some time");
    sign_in(&browser, &demo, "Robin Researcher").await;

    // A workspace. What cannot be is said at its field, and what was typed is kept.
    browser.page.goto(&demo.at("/stand-in-studies/")).await.unwrap();
    press(&browser, "New workspace").await;
    type_in(&browser, "name", "my study").await;
    type_in(&browser, "repo", &study.url()).await;
    type_in(&browser, "purpose", "How often people answered").await;
    press(&browser, "Make workspace").await;
    shows(&browser, "A workspace name has 1 to 100 letters").await;
    let kept = "return document.querySelector('[name=repo]').value";
    assert_eq!(browser.page.execute(kept, vec![]).await.unwrap(), study.url());
    type_in(&browser, "name", "my-study").await;
    press(&browser, "Make workspace").await;
    shows(&browser, "No action of this workspace has run yet").await;
    assert_eq!(path(&browser).await, "/stand-in-studies/my-study/");

    // The whole study. Its last action needs a library that this machine's Python has not.
    press(&browser, "Run jobs").await;
    let form = demo.at(&path(&browser).await);
    ask(&browser, &form, &["run_all"], "3 jobs on EMIS").await;
    shows(&browser, "3 / 3 (100%) complete").await;
    shows(&browser, "This page is final").await;
    let states = seen(&browser).await;
    assert_eq!(states.last().unwrap(), "Failed", "{states:?}");
    assert!(states.contains(&"Running".to_owned()), "{states:?}");
    was_loaded_once(&browser, &demo).await;
    let first = path(&browser).await;

    // Why?
    press(&browser, "render_report").await;
    for words in ["The action's program stopped with an error", "metadata/render_report.log", "on the review site"] {
        shows(&browser, words).await;
    }

    // The script is mended and committed; what failed is asked for again, and nothing else runs.
    study.write("analysis/render_report.py", "open('output/report.html', 'w').write('<p>All is well</p>')\n");
    study.commit("Do without a template");
    browser.page.goto(&demo.at(&first)).await.unwrap();
    press(&browser, "Run what failed").await;
    let ticked = "return [...document.querySelectorAll('input[name=action]:checked')].map(e => e.value).join()";
    shows(&browser, "Filled in from request").await;
    assert_eq!(browser.page.execute(ticked, vec![]).await.unwrap(), "render_report");
    press(&browser, "Preview").await;
    shows(&browser, "One job on EMIS").await;
    press(&browser, "Send request").await;
    shows(&browser, "Job request: ").await;
    browser.page.execute(WATCH, vec![]).await.unwrap();
    shows(&browser, "1 / 1 (100%) complete").await;
    shows(&browser, "This page is final").await;
    assert_eq!(seen(&browser).await.last().unwrap(), "Succeeded");
    was_loaded_once(&browser, &demo).await;
    assert_ne!(path(&browser).await, first);
    // The failed one says that this happened.
    browser.page.goto(&demo.at(&first)).await.unwrap();
    shows(&browser, "were run again by job request").await;

    // Something that takes long, which is not waited for.
    study.write("analysis/render_report.py", "import time; time.sleep(600)\n");
    study.commit("Take ten minutes");
    ask(&browser, &form, &["render_report"], "One job on EMIS").await;
    shows(&browser, "so far").await;
    let (third, before) = (path(&browser).await, seen(&browser).await);
    assert_eq!(before.last().unwrap(), "Running");
    press(&browser, "Cancel").await;
    shows(&browser, "Cancel these actions").await;
    type_in(&browser, "reason", "It takes too long").await;
    press(&browser, "Cancel these actions").await;
    for words in ["Cancelled", "1 / 1 (100%) complete", "Robin Researcher", "It takes too long"] {
        shows(&browser, words).await;
    }
    assert_eq!(path(&browser).await, third);
    assert!(demo.end(), "a demo leaves nothing behind");
}
