//! One call: its headers, its limits of time, and what an answer means. The only place where requests are made.
//! Spec protocol.md 2, 2.1, 7.2, 9 (b, c).

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use protocol::calls::{BASE, BOOT_HEADER, CallRefused, REQUEST_HEADER, VERSION_HEADER};
use protocol::directive::body::Token;
use protocol::enrol::Enrolled;
use protocol::message::{CannotSend, Message, from_bytes};
use protocol::text::ids::Ulid;

use super::ground::Ground;
use super::transport::{Transport, Unreachable};
use crate::log::LogError;

/// Seconds for an answer.
pub(super) const ANSWER: u64 = 30;
/// The longest that a site is believed when it says when to come again.
const LONGEST_WAIT: u64 = 3600;

/// A call without a good answer.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// No answer.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The answer is a refusal.
    #[error("the site refused: {:?} ({status})", refused.code)]
    Refused {
        /// The status.
        status: u16,
        /// The code, and what goes with it.
        refused: Box<CallRefused>,
        /// When to come again.
        wait: Option<Duration>,
    },
    /// The answer is none of the protocol's, as of a proxy.
    #[error("the answer is not one of a Cloister site (status {status})")]
    Unreadable {
        /// The status.
        status: u16,
        /// When to come again.
        wait: Option<Duration>,
    },
    /// The message may not leave: an alarm, never sent.
    #[error("a message was not sent, because it is not on the list of what may leave: {0}")]
    CannotSend(#[from] CannotSend),
    /// The record cannot be written: then nothing leaves.
    #[error(transparent)]
    Log(LogError),
}

/// Where a call goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Callee<'a> {
    pub(crate) transport: &'a dyn Transport,
    pub(crate) ground: &'a dyn Ground,
    pub(crate) site: &'a Uri,
}

/// Who calls, once enrolled.
pub(super) struct Caller<'a> {
    pub(super) token: &'a Token,
    pub(super) boot: &'a Ulid,
}

impl Callee<'_> {
    /// The one call without a token.
    pub(crate) async fn enrol(&self, body: String) -> Result<Enrolled, Failed> {
        let answer = self.call(Method::POST, "enrol", body.into(), None, ANSWER).await?;
        read(&answer)
    }

    /// Makes a call, with a limit in seconds for the whole of it. Any status of a Cloister site is an answer.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        caller: Option<Caller<'_>>,
        seconds: u64,
    ) -> Result<Response<Bytes>, Failed> {
        let request = self.request(method, path, body, caller).map_err(|bad| Unreachable(bad.to_string()))?;
        match tokio::time::timeout(Duration::from_secs(seconds), self.transport.call(request)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Unreachable(format!("no answer within {seconds} s")).into()),
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        caller: Option<Caller<'_>>,
    ) -> Result<Request<Bytes>, http::Error> {
        let scheme = self.site.scheme_str().unwrap_or("https");
        let authority = self.site.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::builder().method(method).uri(format!("{scheme}://{authority}{BASE}{path}"));
        let version = protocol::version::SPOKEN.last().map(ToString::to_string).unwrap_or_default();
        request = request.header(VERSION_HEADER, version);
        let milliseconds = u64::try_from(self.ground.now().microseconds() / 1000).unwrap_or(0);
        request = request.header(REQUEST_HEADER, Ulid::from_parts(milliseconds, self.ground.random()).as_str());
        if let Some(Caller { token, boot }) = caller {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value).header(BOOT_HEADER, boot.as_str());
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request.body(body)
    }
}

/// The message of a good answer, or why there is none.
pub(super) fn read<M: Message>(answer: &Response<Bytes>) -> Result<M, Failed> {
    let status = answer.status().as_u16();
    if !answer.status().is_success() {
        return Err(refusal(answer));
    }
    from_bytes(answer.body()).map_err(|_| Failed::Unreadable { status, wait: None })
}

/// What a bad status means. A code counts only with the status that belongs to it.
pub(super) fn refusal(answer: &Response<Bytes>) -> Failed {
    let status = answer.status().as_u16();
    let wait = wait(answer.headers());
    match from_bytes::<CallRefused>(answer.body()) {
        Ok(refused) if refused.code.status() == status => Failed::Refused { status, refused: Box::new(refused), wait },
        _ => Failed::Unreadable { status, wait },
    }
}

/// `Retry-After` in seconds or as a date, at most an hour.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            u64::try_from(at.as_second() - jiff::Timestamp::now().as_second()).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::calls::RefusalCode;

    fn answer(status: u16, after: Option<&str>, body: &str) -> Response<Bytes> {
        let mut answer = Response::builder().status(status);
        if let Some(after) = after {
            answer = answer.header(RETRY_AFTER, after);
        }
        answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_code_counts_only_with_its_status() {
        let body = r#"{"code":"gap","expected":7}"#;
        let Failed::Refused { refused, wait, .. } = refusal(&answer(409, Some(" 12 "), body)) else { panic!() };
        assert_eq!((refused.code, refused.expected.unwrap().get()), (RefusalCode::Gap, 7));
        assert_eq!(wait, Some(Duration::from_secs(12)));
        for (status, body) in [(500, body), (409, "<html>"), (409, r#"{"code":"other"}"#), (302, body)] {
            assert!(matches!(refusal(&answer(status, None, body)), Failed::Unreadable { .. }), "{status} {body}");
        }
    }

    #[test]
    fn a_site_cannot_send_us_away_for_ever() {
        let said = |text| wait(answer(503, Some(text), "").headers());
        assert_eq!(said("99999999999"), Some(Duration::from_secs(3600)));
        assert_eq!(said("Tue, 31 Dec 2999 23:59:59 GMT"), Some(Duration::from_secs(3600)));
        assert_eq!(said("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(said("-3"), None);
        assert_eq!(said("soon"), None);
    }
}
