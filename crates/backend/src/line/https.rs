//! The real way out: TLS to one address, perhaps through a CONNECT proxy. No redirects, no other host, limited answers.
//! Spec protocol.md 1 (1), 2, 7.2.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use protocol::limits::ROSTER;
use reqwest::{Certificate, Client, Proxy, redirect, tls};

use super::transport::{Answer, Transport, Unreachable};
use crate::settings::Site;

const CONNECT: Duration = Duration::from_secs(10);

/// A client for one site.
#[derive(Debug)]
pub struct Https {
    client: Client,
    site: Uri,
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NoClient {
    /// The certificates.
    #[error("{path}: {what}; `ca_file` names a file of certificates in PEM form")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Anything else.
    #[error("no TLS client can be made: {0}; set `ca_file` if this system has no certificates of its own")]
    Tls(String),
}

impl Https {
    /// A client for the site of the settings.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn new(site: &Site) -> Result<Self, NoClient> {
        // Fails only if the process has a provider already, which is then used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .connect_timeout(CONNECT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .tls_version_min(tls::Version::TLS_1_2)
            .https_only(site.url.scheme_str() == Some("https"));
        if let Some(path) = &site.ca_file {
            let failed = |what: String| NoClient::CaFile { path: path.clone(), what };
            let pem = std::fs::read(path).map_err(|bad| failed(bad.to_string()))?;
            let found = Certificate::from_pem_bundle(&pem).map_err(|bad| failed(bad.to_string()))?;
            if found.is_empty() {
                return Err(failed("it holds no certificate".to_owned()));
            }
            client = client.tls_certs_only(found);
        }
        if let (Some(address), Some(host)) = (site.address, site.url.host()) {
            client = client.resolve(host, SocketAddr::new(address, 0));
        }
        if let Some(proxy) = &site.proxy {
            let proxy = Proxy::all(proxy.to_string()).map_err(|bad| NoClient::Tls(bad.to_string()))?;
            client = client.proxy(proxy);
        }
        let client = client.build().map_err(|bad| NoClient::Tls(bad.to_string()))?;
        Ok(Self { client, site: site.url.clone() })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unreachable> {
        let theirs = (request.uri().scheme(), request.uri().authority());
        if theirs != (self.site.scheme(), self.site.authority()) {
            return Err(Unreachable("a call to another address than the site's is never made".to_owned()));
        }
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let mut answer = self.client.execute(request).await.map_err(unreachable)?;
        let mut whole = Response::builder().status(answer.status());
        if let Some(headers) = whole.headers_mut() {
            std::mem::swap(headers, answer.headers_mut());
        }
        let mut body = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            // Counted after decompression: a small answer must not become a large one.
            if body.len() + piece.len() > ROSTER.bytes {
                return Err(Unreachable(format!("its answer is longer than {} bytes", ROSTER.bytes)));
            }
            body.extend_from_slice(&piece);
        }
        whole.body(body.freeze()).map_err(|bad| Unreachable(bad.to_string()))
    }
}

impl Transport for Https {
    fn call(&self, request: Request<Bytes>) -> Answer<'_> {
        Box::pin(self.send(request))
    }
}

/// The whole chain of causes: "error sending request" alone helps nobody.
fn unreachable(error: reqwest::Error) -> Unreachable {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        words.push_str(&format!(": {next}"));
        cause = next.source();
    }
    Unreachable(words)
}
