//! `/etc` of a run over the host's programs: fixed files, and of the host's only what programs need.
//! Never its users, keys, resolver or service settings (spec sandbox.md 5, 7).

use super::HOST_NAME;

/// Entries of the host's `/etc` that are shown, read-only; a trailing `*` stands for any ending.
/// Data of programs and libraries only: nothing of users, passwords, keys, mail, network or services.
const FROM_HOST: &[&str] = &[
    "ImageMagick-*",
    "OpenCL",
    "R",
    "alternatives",
    "bash.bashrc",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "dictionaries-common",
    "fonts",
    "ghostscript",
    "glvnd",
    "groff",
    "inputrc",
    "ipython",
    "java*",
    "jupyter",
    "jvm*",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "lsb-release",
    "magic",
    "magic.mime",
    "mailcap",
    "mime.types",
    "os-release",
    "paperspecs",
    "papersize",
    "perl",
    "pki/ca-trust",
    "pki/tls/certs",
    "pki/tls/cert.pem",
    "protocols",
    "python*",
    "redhat-release",
    "rpc",
    "services",
    "sgml",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "texmf",
    "timezone",
    "xml",
];

/// Files that are always ours, whatever the host, an overlay or an image has.
pub(super) fn fixed() -> Vec<(&'static str, String)> {
    vec![
        (
            "passwd",
            "root:x:0:0:root:/:/usr/sbin/nologin\n\
             job:x:10000:10000:job:/tmp:/bin/sh\n\
             nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
                .to_owned(),
        ),
        ("group", "root:x:0:\njob:x:10000:\nnogroup:x:65534:\n".to_owned()),
        ("hosts", format!("127.0.0.1 localhost {HOST_NAME}\n::1 localhost ip6-localhost ip6-loopback\n")),
        ("hostname", format!("{HOST_NAME}\n")),
        ("resolv.conf", "# no network, no resolver\n".to_owned()),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files\nnetworks: files\nprotocols: files\nservices: files\n"
                .to_owned(),
        ),
    ]
}

/// Whether an overlay may show its own `/etc/{name}`.
pub(super) fn allowed_from_overlay(name: &str) -> bool {
    let secret = ["passwd", "group", "shadow", "gshadow", "sudoers", "ssh", "mtab"];
    !secret.iter().any(|prefix| name.starts_with(prefix)) && !fixed().iter().any(|(fixed, _)| *fixed == name)
}

/// Names below `/etc` to show of the host, given those at its top.
pub(super) fn shown(top: &[String]) -> Vec<String> {
    let mut shown = Vec::new();
    for pattern in FROM_HOST {
        if let Some(prefix) = pattern.strip_suffix('*') {
            shown.extend(top.iter().filter(|name| name.starts_with(prefix)).cloned());
        } else {
            let first = pattern.split('/').next().unwrap_or(pattern);
            if top.iter().any(|name| name == first) {
                shown.push((*pattern).to_owned());
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_shows_programs_data_and_no_secrets() {
        let top = ["R", "java-17-openjdk", "passwd", "shadow", "ssh", "ssl", "python3.11", "cron.d"].map(str::to_owned);
        let mut shown = shown(&top);
        shown.sort();
        assert_eq!(
            shown,
            ["R", "java-17-openjdk", "python3.11", "ssl/cert.pem", "ssl/certs", "ssl/openssl.cnf"].map(str::to_owned)
        );
    }

    #[test]
    fn an_overlay_cannot_bring_its_own_users() {
        for name in ["passwd", "passwd-", "shadow", "sudoers.d", "hosts", "resolv.conf"] {
            assert!(!allowed_from_overlay(name), "{name}");
        }
        assert!(allowed_from_overlay("R"));
    }
}
