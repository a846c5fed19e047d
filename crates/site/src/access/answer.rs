//! Makes the answer of a refusal: a page for people, problem+json for programs, signing in and back for nobody.
//! Spec site.md 2.3 (old addresses), 11.2, 11.3, 13.

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{Html as Page, IntoResponse, Redirect, Response};
use ui::html::Html;

use super::guard::is_api;
use super::{Refusal, RequestId, Viewer, redirects};
use crate::{Opened, Settings, web};

/// What is kept of a request to answer it after its handler has gone.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    query: Option<String>,
    /// The page that a form was on, if it was one of ours.
    referer: Option<String>,
}

impl Asked {
    pub(super) fn of(request: &Request, settings: &Settings) -> Self {
        let referer = request.headers().get(header::REFERER).and_then(|value| value.to_str().ok());
        let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let ours = |address: &str| {
            let rest = address.strip_prefix(&settings.origin).or(address.strip_prefix(&format!("http://{host}")));
            rest.and_then(local).map(str::to_owned)
        };
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().map(str::to_owned),
            referer: referer.and_then(ours),
        }
    }

    /// Where to come back to after signing in.
    fn back(&self) -> String {
        let own = || match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        };
        let back = if self.method == Method::GET { Some(own()) } else { self.referer.clone() };
        back.filter(|path| local(path).is_some()).unwrap_or_else(|| "/".to_owned())
    }
}

/// A path of this site, as `next=` may be: nothing that a browser could take for another host.
pub fn local(path: &str) -> Option<&str> {
    let mut bytes = path.bytes();
    let rooted = bytes.next() == Some(b'/') && !matches!(bytes.next(), Some(b'/' | b'\\'));
    // Browsers drop tabs and line ends inside an address, and read `\` as `/`.
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (rooted && plain && path.len() <= 2_000).then_some(path)
}

/// Where signing in begins, to come back to a path of this site.
pub fn sign_in(back: &str) -> String {
    let mut query = ::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", back);
    format!("/login/?{}", query.finish())
}

#[derive(Template)]
#[template(path = "access/refusal.html")]
struct Refused<'a> {
    text: &'a str,
    typed: &'a [(String, String)],
    id: &'a str,
    path: &'a str,
    is_missing: bool,
    retry: bool,
}

pub(super) async fn draw(
    site: &Opened,
    viewer: Option<&Viewer>,
    asked: &Asked,
    refusal: Refusal,
    id: &RequestId,
) -> Response {
    let is_api = is_api(&asked.path);
    match refusal {
        Refusal::SignIn if !is_api => return Redirect::to(&sign_in(&asked.back())).into_response(),
        Refusal::Hidden if !is_api && asked.method == Method::GET => {
            if let Some(now) = redirects::find(site, &asked.path, asked.query.as_deref()).await {
                return Redirect::permanent(&now).into_response();
            }
        }
        _ => {}
    }
    let status = refusal.status();
    let mut answer = if is_api {
        problem(&refusal, status, id)
    } else {
        let nobody = Viewer::Anonymous;
        page(site, viewer.unwrap_or(&nobody), asked, &refusal, status, id)
    };
    if let Refusal::TooMany(seconds) = refusal {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    if is_api && matches!(refusal, Refusal::SignIn) {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Sign in",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests",
        StatusCode::SERVICE_UNAVAILABLE => "Not now",
        StatusCode::CONFLICT => "Not as it was",
        StatusCode::UNPROCESSABLE_ENTITY => "That does not fit",
        _ => "Not understood",
    }
}

fn page(
    site: &Opened,
    viewer: &Viewer,
    asked: &Asked,
    refusal: &Refusal,
    status: StatusCode,
    id: &RequestId,
) -> Response {
    let none: &[(String, String)] = &[];
    let main = Html::of(&Refused {
        text: &refusal.to_string(),
        typed: if let Refusal::Forged(typed) = refusal { typed } else { none },
        id: &id.0,
        path: asked.referer.as_deref().unwrap_or("/"),
        is_missing: status == StatusCode::NOT_FOUND,
        retry: status == StatusCode::SERVICE_UNAVAILABLE,
    });
    let heading = title(status).to_owned();
    let page = ui::page::Page { title: heading.clone(), heading, ..Default::default() };
    (status, Page(web::paper(site, viewer, page, &main))).into_response()
}

fn problem(refusal: &Refusal, status: StatusCode, id: &RequestId) -> Response {
    let body = serde_json::json!({
        "type": format!("about:blank#{}", refusal.code()),
        "title": title(status),
        "status": status.as_u16(),
        "detail": refusal.to_string(),
        "errors": [],
        "request_id": id.0,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_come_back_to() {
        for good in ["/", "/staff/", "/northfield/winter-chest/812/?a=b&c=//d", "/a%2F%2Fb"] {
            assert_eq!(local(good), Some(good));
        }
        let long = format!("/{}", "a".repeat(2_000));
        for bad in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a b",
            "/é",
            "javascript:x",
            "/\n/x",
            &long,
        ] {
            assert_eq!(local(bad), None, "{bad:?}");
        }
    }
}
