//! Asking a site: TLS, proxies, redirects to https only, a few tries, limits of time and size.
//! Spec cli.md 7.2, 12.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use ureq::http::{Response, StatusCode, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::site::Source;

/// Redirects that are followed.
const MOST_REDIRECTS: usize = 5;

/// How to ask.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Version of the program, for the `User-Agent`.
    pub program: String,
    /// Whether this is a workflow on GitHub, which the site wants to know.
    pub ci: bool,
    /// The longest that one try may take, its body included.
    pub patience: Duration,
    /// Tries in all.
    pub tries: u32,
    /// How long to wait before the second try; doubled each time.
    pub pause: Duration,
    /// Downloads at the same time.
    pub parallel: usize,
}

impl Asking {
    /// As the spec has it: 30 s, 3 tries, 8 at a time.
    pub fn new(program: impl Into<String>, ci: bool) -> Self {
        let (patience, pause) = (Duration::from_secs(30), Duration::from_millis(500));
        Self { program: program.into(), ci, patience, tries: 3, pause, parallel: 8 }
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Without parameters, lower case.
    pub(crate) media: String,
    pub(crate) bytes: Vec<u8>,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) why: String,
    /// The site was never reached.
    pub(crate) unreached: bool,
    again: bool,
}

impl Failure {
    fn new(why: impl Into<String>, again: bool) -> Self {
        Self { why: why.into(), unreached: false, again }
    }

    fn unreached(why: impl Into<String>) -> Self {
        Self { why: why.into(), unreached: true, again: true }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a> {
    Get,
    /// Fields of a form. A redirect of it is not followed.
    Post(&'a [(&'a str, &'a str)]),
}

#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    asking: Asking,
}

impl Client {
    pub(crate) fn new(asking: &Asking) -> Self {
        let ci = if asking.ci { " (GitHub CI)" } else { "" };
        // The system's own certificates: organisations put those of their proxies there.
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .user_agent(format!("cloister/{}{ci}", asking.program))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(asking.patience))
            .tls_config(tls)
            .build();
        Self { agent: agent.into(), asking: asking.clone() }
    }

    /// Asks until an answer comes that another try would not change. An answer larger than `most` is a failure.
    pub(crate) fn ask(&self, source: &Source, what: Ask<'_>, most: u64) -> Result<Answer, Failure> {
        let mut pause = self.asking.pause;
        let mut tries = 1;
        loop {
            let result = self.once(source, what, most);
            let passing = |status: StatusCode| status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            let again = match &result {
                Ok(answer) => passing(answer.status),
                Err(failure) => failure.again,
            };
            if !again || tries >= self.asking.tries {
                return result;
            }
            std::thread::sleep(pause);
            pause = pause.saturating_mul(2);
            tries += 1;
        }
    }

    fn once(&self, source: &Source, what: Ask<'_>, most: u64) -> Result<Answer, Failure> {
        let (address, plain) = match source {
            Source::File(path) => return file(path, most),
            Source::Address { address, plain } => (address, plain.as_deref()),
        };
        let mut address = address.clone();
        for _ in 0..=MOST_REDIRECTS {
            let response = match what {
                Ask::Get => self.agent.get(&address).call(),
                Ask::Post(fields) => self.agent.post(&address).send_form(fields.iter().copied()),
            };
            let response = response.map_err(failure)?;
            let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            match (target, what) {
                (Some(target), Ask::Get) if response.status().is_redirection() => {
                    address = redirected(&address, target, plain)?;
                }
                _ => return read(response, most),
            }
        }
        Err(Failure::new("it is redirected more than 5 times", false))
    }
}

/// Where a redirect leads, if it may be followed.
fn redirected(from: &str, target: &str, plain: Option<&str>) -> Result<String, Failure> {
    let odd = || Failure::new(format!("it is redirected to `{}`", crate::text::shown(target)), false);
    let uri: Uri = from.parse().map_err(|_| odd())?;
    let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |a| a.as_str()));
    let target = target.split('#').next().unwrap_or_default();
    let whole = if target.contains("://") {
        target.to_owned()
    } else if let Some(rest) = target.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if target.starts_with('/') {
        format!("{scheme}://{host}{target}")
    } else {
        let folder = uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{host}{folder}/{target}")
    };
    let uri: Uri = whole.parse().map_err(|_| odd())?;
    let origin = format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |a| a.as_str()));
    if uri.scheme_str() == Some("https") || plain.is_some_and(|plain| plain.eq_ignore_ascii_case(&origin)) {
        return Ok(whole);
    }
    let why = format!("it is redirected to {}, which is not https", crate::text::shown(&whole));
    Err(Failure::new(why, false))
}

fn read(mut response: Response<Body>, most: u64) -> Result<Answer, Failure> {
    let status = response.status();
    let media = response.body().mime_type().unwrap_or_default().trim().to_ascii_lowercase();
    let too_large = || Failure::new(format!("it has more than {} MiB", most >> 20), false);
    if response.body().content_length().is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let reader = response.body_mut().with_config().limit(u64::MAX).reader();
    reader.take(most + 1).read_to_end(&mut bytes).map_err(|error| match ureq::Error::from(error) {
        ureq::Error::Io(error) => Failure::new(format!("the answer broke off: {error}"), true),
        other => failure(other),
    })?;
    if bytes.len() as u64 > most {
        return Err(too_large());
    }
    Ok(Answer { status, media, bytes })
}

/// A file of a mirror that is a folder. It is the user's own: links in it are followed.
fn file(path: &std::path::Path, most: u64) -> Result<Answer, Failure> {
    let told = |error: std::io::Error| Failure::new(error.to_string(), false);
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(told)?.take(most + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > most {
        return Err(Failure::new(format!("it has more than {} MiB", most >> 20), false));
    }
    Ok(Answer { status: StatusCode::OK, media: "text/csv".to_owned(), bytes })
}

/// What to tell of a failed call, and whether another try may help.
fn failure(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(_) => Failure::new("no whole answer in time", true),
        ureq::Error::HostNotFound => Failure::unreached("its host is not known"),
        ureq::Error::ConnectionFailed => Failure::unreached("no connection could be made"),
        // So come a certificate that nobody vouches for, and an answer that is no TLS.
        ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
            Failure::new(format!("no secure connection can be made: {error}"), false)
        }
        ureq::Error::Io(error) => {
            // A connection that breaks was there.
            let broke = matches!(
                error.kind(),
                ErrorKind::UnexpectedEof
                    | ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
            );
            let why = format!("the connection failed: {error}");
            if broke { Failure::new(why, true) } else { Failure::unreached(why) }
        }
        ureq::Error::Rustls(error) => Failure::new(format!("its certificate cannot be trusted: {error}"), false),
        ureq::Error::ConnectProxyFailed(_) => Failure::new("the proxy refused the connection", true),
        other => Failure::new(other.to_string(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_the_configured_plain_site_are_followed() {
        let https = "https://a.example/x/y";
        for (target, whole) in [
            ("https://b.example/z", Some("https://b.example/z")),
            ("/z?q", Some("https://a.example/z?q")),
            ("z", Some("https://a.example/x/z")),
            ("//b.example/z#frag", Some("https://b.example/z")),
            ("http://a.example/z", None),
            ("ftp://a.example/z", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(redirected(https, target, None).ok().as_deref(), whole, "{target}");
        }
        let (from, plain) = ("http://127.0.0.1:80/x", Some("http://127.0.0.1:80"));
        assert_eq!(redirected(from, "/y", plain).ok().as_deref(), Some("http://127.0.0.1:80/y"));
        assert!(redirected(from, "http://127.0.0.1:81/y", plain).is_err());
        assert!(redirected(from, "https://b.example/", plain).is_ok());
    }
}
