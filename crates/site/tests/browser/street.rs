//! The sites of the gallery, each behind a port, and a browser that goes to them.

use std::collections::BTreeMap;

use crate::driver::Browser;
use crate::gallery;
use crate::visits::Visit;

/// Told by every page: refusals of its policy, and whether a script of somebody else ran.
const TOLD: &str = "window.refused = [];
    addEventListener('securitypolicyviolation', e => refused.push(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample));
    window.pwned = () => { window.wasPwned = true; };";

/// Sites that listen.
pub(crate) struct Street {
    pub(crate) browser: Browser,
    addresses: BTreeMap<&'static str, String>,
    cookies: BTreeMap<(&'static str, &'static str), String>,
    _folder: tempfile::TempDir,
}

impl Street {
    /// Opens those of these names; `then` is done to each before it listens.
    pub(crate) async fn open(names: &[&'static str], then: impl AsyncFn(&site::Opened)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut addresses, mut cookies) = (BTreeMap::new(), BTreeMap::new());
        for name in names {
            let site = gallery::open(name, folder.path()).await;
            for (letter, account) in gallery::PEOPLE {
                if let (Some(account), true) = (account, *name != "broken") {
                    cookies.insert((*name, letter), gallery::cookie(&site, account).await);
                }
            }
            then(&site).await;
            let (ready, is_ready) = tokio::sync::oneshot::channel();
            let ready = |address| ready.send(address).unwrap();
            tokio::spawn(site::serve(site, ready, std::future::pending()));
            addresses.insert(*name, format!("http://{}", is_ready.await.unwrap()));
        }
        let browser = Browser::start().await;
        browser.before_every_page(TOLD).await;
        Self { browser, addresses, cookies, _folder: folder }
    }

    /// The address of a path.
    pub(crate) fn at(&self, site: &str, path: &str) -> String {
        format!("{}{path}", self.addresses[site])
    }

    /// Opens a page as somebody.
    pub(crate) async fn open_as(&self, site: &'static str, who: &'static str, path: &str) {
        let cookie = self.cookies.get(&(site, who)).map(String::as_str);
        self.browser.be(&self.addresses[site], cookie).await;
        self.browser.page.goto(&self.at(site, path)).await.unwrap();
    }

    /// Goes where a visit goes; gives the status of the page that it ends on.
    pub(crate) async fn visit(&self, visit: &Visit) -> u64 {
        self.open_as(visit.site, visit.who, &visit.path).await;
        if let Some((action, fields)) = &visit.send {
            self.browser.send(action, fields).await;
        }
        let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.browser.page.execute(status, vec![]).await.unwrap().as_u64().unwrap()
    }

    /// What the page, or the browser, complained of.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let told = "return [...window.refused, ...(window.wasPwned ? ['a script of the text ran'] : [])]";
        let told = self.browser.page.execute(told, vec![]).await.unwrap();
        let mut all: Vec<String> = serde_json::from_value(told).unwrap();
        // A page of an error is one, and the browser says so; a stream that the next page cuts off too. Not every browser
        // has every feature that is forbidden. It also guesses what a field is for (`[DOM]`).
        let known = ["the server responded with a status of", "/events", "Unrecognized feature", "[DOM]"];
        let known = |line: &String| known.iter().any(|words| line.contains(words));
        all.extend(self.browser.complaints().await.into_iter().filter(|line| !known(line)));
        all
    }
}
