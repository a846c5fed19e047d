//! A site in a folder of its own, its router called in this process, and a browser that keeps a cookie.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use site::access::rate::{Rate, Rates};
use site::access::{Place, Role, TokenScope};
use site::people::{By, accounts, backends, orgs, projects, roles, tokens, workspaces};
use site::settings::Chosen;
use site::{Opened, Settings, Site};
use tower::ServiceExt;

pub const HOST: &str = "127.0.0.1:8000";
pub const ORIGIN: &str = "http://127.0.0.1:8000";
pub const PASSWORD: &str = "violet harbour tuesday pebble";

pub struct World {
    pub site: Opened,
    pub router: Router,
    peers: AtomicU32,
    _folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The `name=value` of the cookie that was set.
    pub fn cookie(&self) -> &str {
        self.header("set-cookie").split(';').next().unwrap()
    }
}

/// A browser, or a program with a token.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    pub cookie: String,
    pub csrf: String,
    pub token: String,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let chosen = Chosen { data: Some(folder.path().join("data")), ..Chosen::default() };
        let mut settings = Settings::read(None, chosen).unwrap();
        settings.personas = true;
        settings.local_repositories = true;
        // Tests ask more often than people.
        let many = Rate { per_second: 10_000.0, burst: 100_000.0 };
        settings.rates = Rates { pages: many, searches: many, tokens: many, sign_in_tries: 100_000 };
        change(&mut settings);
        let site = Site::open(settings).await.unwrap();
        Self { router: site::router(site.clone()), site, peers: AtomicU32::new(0), _folder: folder }
    }

    /// Does something as the operator, in a change of its own.
    pub async fn operate<T>(&self, act: impl AsyncFnOnce(&mut site::store::Change, &By) -> T) -> T {
        let mut change = self.site.store.change().await.unwrap();
        let done = act(&mut change, &By::operator()).await;
        change.commit().await.unwrap();
        done
    }

    pub async fn account(&self, username: &str) -> i64 {
        self.operate(async |change, by| {
            let new = accounts::New { username, fullname: username, email: "", kind: accounts::Kind::Human };
            accounts::add(change, by, new).await.unwrap()
        })
        .await
    }

    pub async fn alone(&self) {
        self.operate(async |change, by| roles::set_two_people(change, by, false).await.unwrap()).await;
    }

    pub async fn role(&self, account: i64, role: Role, place: Place) -> i64 {
        let granted = self
            .operate(async |change, by| {
                let new = roles::New { account, role, place, reason: "test", expires_at: None };
                roles::grant(change, by, new).await.unwrap()
            })
            .await;
        match granted {
            roles::Granted::Counts(id) | roles::Granted::Waits(id) => id,
        }
    }

    pub async fn org(&self, slug: &str) -> i64 {
        self.operate(async |change, by| {
            orgs::add(change, by, orgs::Org { slug, name: slug, description: "" }).await.unwrap()
        })
        .await
    }

    pub async fn project(&self, slug: &str) -> i64 {
        self.operate(async |change, by| {
            let project = projects::Project { number: "", name: slug, slug, category: "internal", lead: None };
            projects::add(change, by, project).await.unwrap()
        })
        .await
    }

    pub async fn workspace(&self, project: i64, name: &str) -> i64 {
        self.operate(async |change, by| {
            let new = workspaces::New { name, repo: "/srv/study", branch: "main", purpose: "" };
            workspaces::add(change, by, &self.site.settings, project, new).await.unwrap()
        })
        .await
    }

    pub async fn backend(&self, slug: &str) -> i64 {
        self.operate(async |change, by| {
            let new = backends::New { slug, name: slug, flavour: "tpp", data_kind: "synthetic" };
            backends::add(change, by, new).await.unwrap()
        })
        .await
    }

    pub async fn token(&self, account: i64, scopes: &[TokenScope], projects: &[i64]) -> Browser {
        let token = self
            .operate(async |change, by| {
                tokens::make(change, by, account, tokens::New { name: "t", scopes, days: 1, projects }).await.unwrap()
            })
            .await;
        Browser { token: token.reveal().to_owned(), ..Browser::default() }
    }

    /// Signs in by picking the person.
    pub async fn sign_in(&self, username: &str) -> Browser {
        let answer = self.post(&Browser::default(), "/login/persona/", &[("username", username)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let cookie = answer.cookie().to_owned();
        let csrf = self.csrf_of(&cookie).await;
        Browser { cookie, csrf, token: String::new() }
    }

    pub async fn csrf_of(&self, cookie: &str) -> String {
        let browser = Browser { cookie: cookie.to_owned(), ..Browser::default() };
        let page = self.get(&browser, "/settings/").await.text;
        let at = page.find("name=csrf value=\"").expect("a page of somebody who signed in") + 17;
        page[at..].split('"').next().unwrap().to_owned()
    }

    pub async fn get(&self, browser: &Browser, path: &str) -> Answer {
        self.ask(browser, Method::GET, path, Body::empty(), &[]).await
    }

    /// Sends a form as a page of the site does.
    pub async fn post(&self, browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrf", &browser.csrf).extend_pairs(fields);
        self.send(browser, path, body.finish(), &[("origin", ORIGIN), ("sec-fetch-site", "same-origin")]).await
    }

    pub async fn send(&self, browser: &Browser, path: &str, body: String, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.ask(browser, Method::POST, path, Body::from(body), &all).await
    }

    pub async fn ask(
        &self,
        browser: &Browser,
        method: Method,
        path: &str,
        body: Body,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (parts, body) = self.answer(browser, method, path, body, headers).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// Status and headers only: a stream of events does not end.
    pub async fn head(
        &self,
        browser: &Browser,
        method: Method,
        path: &str,
        body: Body,
        headers: &[(&str, &str)],
    ) -> Answer {
        let parts = self.answer(browser, method, path, body, headers).await.into_parts().0;
        Answer { status: parts.status, headers: parts.headers, text: String::new() }
    }

    async fn answer(
        &self,
        browser: &Browser,
        method: Method,
        path: &str,
        body: Body,
        headers: &[(&str, &str)],
    ) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(header::HOST, HOST);
        }
        if !browser.cookie.is_empty() {
            request = request.header(header::COOKIE, &browser.cookie);
        }
        if !browser.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", browser.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut peer: SocketAddr = "192.0.2.7:4000".parse().unwrap();
        if path.starts_with("/backend/") {
            // Whoever tries backends' calls without a token is stopped soon; here everybody comes from elsewhere.
            let next = self.peers.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            peer.set_ip([10, next[1], next[2], next[3]].into());
        }
        let request = request.extension(ConnectInfo(peer)).body(body).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }
}
