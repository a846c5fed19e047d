//! What all public pages have in common: their answer with an ETag, the operators' messages, files that never change.
//! Spec site.md 3, 13 (ETag). Refusals and their pages are the room `access`'s.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use ui::html::Html;
use ui::page::{Notice, Page, Tone, but_when};
use ui::time::At;

use crate::access::{Refusal, Viewer};
use crate::store::read::Alert;
use crate::{Site, web};

/// Rows of a list on one page.
pub(super) const ROWS: u32 = 25;

/// The messages of the operators as notices.
pub(super) fn notices(alerts: &[Alert]) -> Vec<Notice> {
    alerts
        .iter()
        .map(|alert| {
            let tone = match alert.level.as_str() {
                "success" => Tone::Good,
                "warning" => Tone::Warning,
                "danger" => Tone::Bad,
                _ => Tone::Info,
            };
            Notice::text(tone, &format!("{}: {}", alert.title, alert.message))
        })
        .collect()
}

/// Answers with a page. Its `canonical` is a path; the site's own origin is put before it.
pub(crate) fn show(site: &Site, viewer: &Viewer, asked: &HeaderMap, mut page: Page, main: &Html) -> Response {
    if let Some(address) = &mut page.canonical {
        address.insert_str(0, &site.settings.origin);
    }
    page.made = Some(At(site.clock.microseconds()));
    let paper = web::paper(site, viewer, page, main);
    let (before, behind) = but_when(&paper);
    let tag = Sha256::new().chain_update(before).chain_update(behind).finalize();
    answer(asked, "text/html; charset=utf-8", &tag, paper.into_bytes())
}

/// Answers with a text and its ETag; with nothing but the ETag for a browser that has it.
pub(crate) fn tagged(asked: &HeaderMap, media_type: &'static str, body: impl Into<Vec<u8>>) -> Response {
    let body = body.into();
    answer(asked, media_type, &Sha256::digest(&body), body)
}

fn answer(asked: &HeaderMap, media_type: &'static str, tag: &[u8], body: Vec<u8>) -> Response {
    let tag = format!("W/\"{}\"", HEXLOWER.encode(tag.get(..12).unwrap_or(tag)));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let given = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|has| has.to_str().ok());
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let has = given.flat_map(|has| has.split(',')).any(|has| has.trim() == "*" || bare(has) == bare(&tag));
    // Quotes and hexadecimal digits always are a header's value.
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, value);
    }
    if has { (StatusCode::NOT_MODIFIED, headers).into_response() } else { (headers, body).into_response() }
}

/// Sends to where something is for ever.
pub(super) fn moved(to: &str) -> Result<Response, Refusal> {
    let to = HeaderValue::from_str(to).map_err(|_| Refusal::Hidden)?;
    Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, to)]).into_response())
}

/// A public number: a positive integer without sign or leading zero. Anything else names nothing.
pub(crate) fn number(text: &str) -> Result<i64, Refusal> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain).ok_or(Refusal::Hidden)
}

/// One of the files that pages load, by its name with hash: it never changes.
pub(super) async fn file(Path(name): Path<String>) -> Result<Response, Refusal> {
    let file = ui::assets::find(&name).ok_or(Refusal::Hidden)?;
    let headers =
        [(header::CONTENT_TYPE, file.media_type), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, file.bytes).into_response())
}
