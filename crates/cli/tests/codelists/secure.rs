//! TLS is verified, proxies are used, and no password of one is ever shown. Spec cli.md 12.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::rig::{Rig, ran};

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const SERVER: &str = "
import http.server, ssl
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Type', 'text/csv'); self.end_headers()
        self.wfile.write(b'code\\n1\\n')
    def log_message(self, *args): pass
server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('leaf.pem', 'leaf.key')
server.socket = context.wrap_socket(server.socket, server_side=True)
open('port.new', 'w').write(str(server.server_port))
import os; os.rename('port.new', 'port')
server.serve_forever()
";

/// A site over TLS whose certificate is vouched for by `ca.pem` in this folder.
fn site(folder: &Path) -> (Server, String) {
    let openssl = |words: &str| {
        let done = Command::new("openssl").args(words.split(' ')).current_dir(folder).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let fresh = "-newkey rsa:2048 -nodes -days 2";
    openssl(&format!("req -x509 {fresh} -keyout ca.key -out ca.pem -subj /CN=test-ca"));
    openssl("req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=localhost");
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl("x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 2 -extfile names");
    let python = Command::new("python3").args(["-c", SERVER]).current_dir(folder).stdin(Stdio::null()).spawn().unwrap();
    let server = Server(python);
    while !folder.join("port").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let port = std::fs::read_to_string(folder.join("port")).unwrap();
    (server, format!("https://localhost:{port}"))
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let rig = Rig::default();
    let keys = tempfile::tempdir().unwrap();
    let (_server, address) = site(keys.path());
    let mut command = rig.command(&["add", "org/tls/v1"]);
    let no = ran(command.env("CLOISTER_CODELISTS_URL", &address));
    assert_eq!(no.code, Some(1));
    assert!(no.err.contains("C401") && no.err.contains("certificate"), "{}", no.err);
    assert!(!rig.path("codelists").exists());
    let mut command = rig.command(&["add", "org/tls/v1"]);
    let yes = ran(command.env("CLOISTER_CODELISTS_URL", &address).env("SSL_CERT_FILE", keys.path().join("ca.pem")));
    assert_eq!(yes.code, Some(0), "the positive control: {}", yes.err);
    let wrong = address.replace("localhost", "127.0.0.1");
    let mut command = rig.command(&["add", "org/other/v1"]);
    let no = ran(command.env("CLOISTER_CODELISTS_URL", wrong).env("SSL_CERT_FILE", keys.path().join("ca.pem")));
    assert!(no.code == Some(1) && no.err.contains("certificate"), "another name: {}", no.err);
}

#[test]
fn a_proxy_is_asked_and_its_password_never_shown() {
    let rig = Rig::default();
    let proxy = rig.server.address.replace("http://", "http://me:secret@");
    for name in ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        let before = rig.server.asked().len();
        let mut command = rig.command(&["--debug", "add", "org/x/v1"]);
        command.env("CLOISTER_CODELISTS_URL", "https://nobody.invalid").env(name, &proxy);
        let no = ran(&mut command);
        assert_eq!(no.code, Some(1));
        assert!(!no.err.contains("secret") && !no.out.contains("secret"), "{}", no.err);
        let asked = rig.server.asked();
        assert!(asked.len() > before, "{name}: the proxy was not asked: {}", no.err);
        assert!(asked[before].line.starts_with("CONNECT nobody.invalid:443 "), "{}", asked[before].line);
    }
    let before = rig.server.asked().len();
    let mut command = rig.command(&["add", "org/x/v1"]);
    command.env("CLOISTER_CODELISTS_URL", "https://nobody.invalid").env("https_proxy", &proxy);
    ran(command.env("no_proxy", "nobody.invalid"));
    assert_eq!(rig.server.asked().len(), before, "no_proxy is honoured");
}
