//! Every page is HTML without a fault: as a parser of browsers reads it, and as the standard says what may stand where.
//! Spec site.md 15, 20.3. And every route and form is visited at all.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use scraper::{ElementRef, Html, Selector};
use site::Opened;
use tower::ServiceExt;

use super::gallery;
use super::visits::{self, Visit};

/// Routes that answer with something other than a page, and what it is.
const NO_PAGE: &[(&str, &str)] = &[
    ("GET /health/live", "text"),
    ("GET /health/ready", "text"),
    ("GET /static/{file}", "a file"),
    ("GET /event-log.csv", "CSV"),
    ("GET /event-log.json", "JSON"),
    ("GET /job-requests/{number}/", "goes on to the request"),
    ("GET /jobs/{job}/", "goes on to the job"),
    ("GET /events", "a stream"),
    ("GET /status/events", "a stream"),
    ("GET /event-log/events", "a stream"),
    ("GET /orgs/{slug}/logs/events", "a stream"),
    ("GET /users/{name}/logs/events", "a stream"),
    ("GET /{project}/logs/events", "a stream"),
    ("GET /{project}/{workspace}/logs/events", "a stream"),
    ("GET /{project}/{workspace}/events", "a stream"),
    ("GET /{project}/{workspace}/{number}/events", "a stream"),
    ("GET /{project}/{workspace}/events", "a stream"),
    ("GET /{project}/{workspace}/logs/events", "a stream"),
    ("GET /{project}/logs/events", "a stream"),
    ("GET /orgs/{slug}/logs/events", "a stream"),
    ("GET /users/{name}/logs/events", "a stream"),
    ("GET /event-log/events", "a stream"),
    ("GET /status/events", "a stream"),
    ("GET /events", "a stream"),
    ("GET /events", "a stream"),
    ("GET /status/events", "a stream"),
    ("GET /status/{backend}/", "text"),
    ("GET /status/{backend}/db-availability/", "text"),
    ("GET /staff/audit/export/", "a file"),
];

/// Forms of one button, or sent by the command line's link: no field of theirs can be wrong, they go on to a page that is
/// visited by itself.
const NO_FIELDS: &[&str] = &[
    "POST /logout/",
    "POST /welcome/",
    "POST /staff/users/{username}/clear/",
    "POST /staff/users/{username}/disable/",
    "POST /staff/users/{username}/enable/",
    "POST /staff/roles/{grant}/approve/",
    "POST /staff/roles/{grant}/revoke/",
    "POST /staff/permissions/{grant}/approve/",
    "POST /staff/permissions/{grant}/revoke/",
    "POST /staff/backends/{backend}/confirm/",
    "POST /staff/backends/{backend}/revoke/",
    "POST /staff/backends/{backend}/epoch/",
    "POST /staff/alerts/{alert}/end/",
];

#[test]
fn every_route_is_visited() {
    let table = include_str!("../access/matrix.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let table: Vec<(&str, &str)> = table
        .map(|line| (line.split_whitespace().next().unwrap(), line.split_whitespace().nth(1).unwrap()))
        .filter(|(_, route)| !route.starts_with("/api/v") && !route.starts_with("/backend/"))
        .collect();
    let of = |method: &str| -> Vec<&str> { table.iter().filter(|(m, _)| *m == method).map(|(_, r)| *r).collect() };
    let (gets, posts) = (of("GET"), of("POST"));
    let mut seen = BTreeSet::new();
    for visit in visits::all() {
        assert!(gallery::SITES.contains(&visit.site), "{}", visit.line);
        assert!(gallery::PEOPLE.iter().any(|(letter, _)| *letter == visit.who), "{}", visit.line);
        // A page that nothing answers for, or whom it refuses, is no visit of a route.
        if let (Some(route), 200 | 422) = (visits::route_of(&visit.path, &gets), visit.status) {
            seen.insert(format!("GET {route}"));
        }
        if let Some((action, _)) = &visit.send {
            let route = visits::route_of(action, &posts).unwrap_or_else(|| panic!("no form is sent there: {action}"));
            seen.insert(format!("POST {route}"));
        }
    }
    // A link to choose a password is printed for a terminal; an answer that is refused shows the same page.
    seen.insert("GET /welcome/".to_owned());
    let known: BTreeSet<&str> = NO_PAGE.iter().map(|(route, _)| *route).chain(NO_FIELDS.iter().copied()).collect();
    let missing: Vec<String> = table
        .iter()
        .map(|(method, route)| format!("{method} {route}"))
        .filter(|route| !seen.contains(route) && !known.contains(route.as_str()))
        .collect();
    assert!(missing.is_empty(), "write a line into visits.txt for each of:\n{}", missing.join("\n"));
    let twice: Vec<&&str> = known.iter().filter(|route| seen.contains(**route)).collect();
    assert!(twice.is_empty(), "visited, so they have a page: {twice:?}");
}

/// What a browser would send: the form's own fields, and those of the visit in place of them.
fn filled(html: &Html, path: &str, action: &str, fields: &[(&'static str, String)]) -> Option<String> {
    let folder = path.rsplit_once('/').unwrap().0;
    let leads = |to: &str| if to.starts_with('/') { to == action } else { format!("{folder}/{to}") == action };
    let form = html.select(&css("form[method=post]")).find(|form| form.value().attr("action").is_some_and(leads))?;
    let mut all: Vec<(String, String)> = Vec::new();
    for field in form.select(&css("input, select, textarea")) {
        let value = field.value();
        let Some(name) = value.attr("name").map(str::to_owned) else { continue };
        let kept = match (value.name(), value.attr("type")) {
            ("input", Some("checkbox" | "radio")) if value.attr("checked").is_none() => continue,
            ("input", _) => value.attr("value").unwrap_or("on").to_owned(),
            ("select", _) => {
                let chosen = field.select(&css("option[selected]")).next();
                let chosen = chosen.or_else(|| field.select(&css("option")).next());
                chosen.and_then(|option| option.value().attr("value")).unwrap_or_default().to_owned()
            }
            _ => field.text().collect(),
        };
        all.push((name, kept));
    }
    all.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish())
}

fn css(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

/// Somebody with a cookie, or nobody.
pub(crate) struct Caller {
    pub(crate) site: Opened,
    pub(crate) cookie: Option<String>,
}

impl Caller {
    async fn ask(&self, request: http::request::Builder, body: String) -> (StatusCode, String, String) {
        let mut request = request.header(header::HOST, "127.0.0.1").header(header::ORIGIN, "http://127.0.0.1");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let answer = site::router(self.site.clone()).oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = answer.status();
        let to = answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, to, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The page that a visit ends on.
    pub(crate) async fn visit(&self, visit: &Visit) -> (StatusCode, String) {
        let (mut status, mut to, mut body) = self.ask(Request::get(&visit.path), String::new()).await;
        if let Some((action, fields)) = &visit.send {
            let Some(form) = filled(&Html::parse_document(&body), &visit.path, action, fields) else {
                return (status, format!("a page without a form that is sent to {action}"));
            };
            let request = Request::post(*action).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            (status, to, body) = self.ask(request, form).await;
        }
        while status.is_redirection() {
            (status, to, body) = self.ask(Request::get(&to), String::new()).await;
        }
        (status, body)
    }
}

const BLOCKS: &[&str] = &[
    "div",
    "p",
    "ul",
    "ol",
    "dl",
    "li",
    "dt",
    "dd",
    "table",
    "section",
    "form",
    "fieldset",
    "h1",
    "h2",
    "h3",
    "h4",
    "details",
    "nav",
    "header",
    "footer",
    "main",
    "pre",
    "blockquote",
    "article",
    "aside",
    "hr",
];
/// What may hold only text and what stands in a line of it.
const LINES: &[&str] = &[
    "p", "h1", "h2", "h3", "h4", "span", "code", "small", "b", "strong", "em", "i", "label", "button", "summary",
    "legend", "pre", "time",
];

/// What is wrong with a page.
fn faults(text: &str) -> Vec<String> {
    let html = Html::parse_document(text);
    let mut faults: Vec<String> = html.errors.iter().map(|error| format!("parser: {error}")).collect();
    let mut ids = BTreeMap::new();
    let mut level = 0;
    let all: Vec<ElementRef<'_>> = html.select(&css("*")).collect();
    for element in &all {
        let value = element.value();
        let name = value.name();
        if let Some(id) = value.attr("id") {
            *ids.entry(id).or_insert(0) += 1;
            if id.is_empty() || id.contains(char::is_whitespace) {
                faults.push(format!("the id “{id}” is no id"));
            }
        }
        for (attribute, text) in value.attrs() {
            if attribute == "style" || attribute.starts_with("on") {
                faults.push(format!("<{name} {attribute}={text}>"));
            }
        }
        if let Some(depth) = name.strip_prefix('h').and_then(|depth| depth.parse::<u32>().ok()) {
            if depth > level + 1 {
                faults.push(format!("<{name}> comes after <h{level}>: {}", element.text().collect::<String>()));
            }
            level = depth;
        }
        let up = element.ancestors().filter_map(ElementRef::wrap);
        let up: Vec<&str> = up.map(|up| up.value().name()).collect();
        let parent = up.first().copied().unwrap_or_default();
        if BLOCKS.contains(&name) && up.iter().any(|up| LINES.contains(up)) && !is_heading_of(name, parent) {
            faults.push(format!("<{name}> stands in <{}>", up.join("> in <")));
        }
        let right = match name {
            "li" => ["ul", "ol", "menu"].contains(&parent),
            "dt" | "dd" => ["dl", "div"].contains(&parent),
            "caption" | "thead" | "tbody" => parent == "table",
            "option" => ["select", "optgroup", "datalist"].contains(&parent),
            "legend" => parent == "fieldset",
            "summary" => parent == "details",
            "a" | "button" | "input" | "select" | "textarea" | "details" => {
                !up.iter().any(|up| ["a", "button"].contains(up))
            }
            _ => true,
        };
        let right = right
            && match parent {
                "ul" | "ol" => name == "li",
                "dl" => ["dt", "dd", "div"].contains(&name),
                "select" => ["option", "optgroup"].contains(&name),
                _ => true,
            };
        if !right {
            faults.push(format!("<{name}> stands in <{parent}>"));
        }
        if ["input", "select", "textarea"].contains(&name) && value.attr("type") != Some("hidden") {
            let id = value.attr("id");
            let by_id =
                html.select(&css("label")).any(|l| l.value().attr("for").is_some() && l.value().attr("for") == id);
            if !by_id && !up.contains(&"label") && value.attr("aria-label").is_none() {
                faults.push(format!("<{name} name={}> has no label", value.attr("name").unwrap_or_default()));
            }
        }
    }
    faults.extend(ids.iter().filter(|(_, n)| **n > 1).map(|(id, n)| format!("the id {id} is there {n} times")));
    for element in &all {
        for attribute in ["for", "aria-describedby", "aria-labelledby", "form"] {
            let named = element.value().attr(attribute).unwrap_or_default().split_whitespace();
            faults.extend(named.filter(|id| !ids.contains_key(id)).map(|id| format!("{attribute}={id} leads nowhere")));
        }
        if let Some(id) = element.value().attr("href").and_then(|href| href.strip_prefix('#'))
            && element.value().name() == "a"
            && !ids.contains_key(id)
        {
            faults.push(format!("#{id} leads nowhere"));
        }
    }
    let count = |what: &str| html.select(&css(what)).count();
    for (what, wanted) in [("h1", 1), ("main", 1), ("head > title", 1), ("html[lang]", 1), ("a.skip", 1)] {
        if count(what) != wanted {
            faults.push(format!("{what} is there {} times", count(what)));
        }
    }
    for table in html.select(&css("table")) {
        if table.select(&css("caption")).count() != 1 {
            faults.push("a table has no caption".to_owned());
        }
        faults.extend(table.select(&css("th:not([scope])")).map(|_| "a heading of a table has no scope".to_owned()));
    }
    faults
}

/// A heading may stand in the line that opens a part.
fn is_heading_of(name: &str, parent: &str) -> bool {
    parent == "summary" && name.starts_with('h')
}

#[test]
fn the_checks_find_what_they_must() {
    let page = |main: &str| {
        format!(
            "<!doctype html><html lang=en><head><title>t</title></head><body><a class=skip href=#m>s</a><main id=m><h1>h</h1>{main}</main></body></html>"
        )
    };
    assert_eq!(faults(&page("")), Vec::<String>::new());
    for (wrong, says) in [
        ("<p>a</p></div>", "parser"),
        ("<b><i>x</b></i>", "parser"),
        ("<table><div>x</div></table>", "parser"),
        ("<input name=x>", "no label"),
        ("<h3>x</h3>", "comes after"),
        ("<p id=m></p>", "2 times"),
        ("<span><div></div></span>", "<div> stands in <span"),
        ("<ul><p>x</p></ul>", "<p> stands in <ul>"),
        ("<table><tr><td>x</table>", "caption"),
        ("<a href=#x>x</a>", "leads nowhere"),
        ("<i class=x onclick=y>x</i>", "onclick"),
    ] {
        let found = faults(&page(wrong));
        assert!(found.iter().any(|line| line.contains(says)), "{wrong}: {found:?}");
    }
}

#[tokio::test]
async fn every_page_is_html_without_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut callers = BTreeMap::new();
    for name in gallery::SITES {
        let site = gallery::open(name, folder.path()).await;
        for (letter, account) in gallery::PEOPLE {
            let cookie = match account {
                Some(account) if name != "broken" => Some(gallery::cookie(&site, account).await),
                _ => None,
            };
            callers.insert((name, letter), Caller { site: site.clone(), cookie });
        }
    }
    let mut found = Vec::new();
    for visit in visits::all() {
        let (status, html) = callers[&(visit.site, visit.who)].visit(&visit).await;
        if status.as_u16() != visit.status {
            found.push(format!("{}: {status}", visit.line));
        }
        if html.starts_with("<!doctype html>") {
            found.extend(faults(&html).into_iter().map(|fault| format!("{}: {fault}", visit.line)));
        } else {
            found.push(format!("{}: no page but {}", visit.line, &html[..html.len().min(60)]));
        }
    }
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}
