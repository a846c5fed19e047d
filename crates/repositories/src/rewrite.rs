//! Where to fetch from instead: a proxy inside the secure environment, or a mirror on the same machine.
//! Spec jobs.md 20: checks are on the original address; only the fetch goes elsewhere.

use crate::url::{Https, Place, RepoUrl};

/// The rewrite table. A rule replaces the beginning of an address, by whole segments; the rule with the longest beginning
/// wins. A target folder gets the rest of the path, and `.git` if only that exists.
#[derive(Debug, Clone, Default)]
pub struct Rewrites {
    rules: Vec<(Https, Place)>,
}

/// Not a rule of the rewrite table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rewrite of {from:?} to {to:?} cannot be used: {why}")]
pub struct BadRewrite {
    from: String,
    to: String,
    why: String,
}

impl Rewrites {
    /// Reads the rules of a setting: beginnings of https addresses, and what stands in their place (an https address or an
    /// absolute folder). A rule for a whole host is written `https://host`.
    ///
    /// # Errors
    /// The first rule that is none.
    pub fn new<T: AsRef<str>>(rules: impl IntoIterator<Item = (T, T)>) -> Result<Self, BadRewrite> {
        let rules = rules.into_iter().map(|(from, to)| {
            let (from, to) = (from.as_ref(), to.as_ref());
            let bad = |why: String| BadRewrite { from: from.to_owned(), to: to.to_owned(), why };
            let Place::Https(begins) = beginning(from).map_err(bad)? else {
                return Err(bad("only https addresses are rewritten".to_owned()));
            };
            Ok((begins, beginning(to).map_err(bad)?))
        });
        Ok(Self { rules: rules.collect::<Result<_, _>>()? })
    }

    /// Where to fetch an address from.
    pub(crate) fn of(&self, url: &RepoUrl) -> Place {
        let Place::Https(https) = &url.0 else { return url.0.clone() };
        let fits = |from: &Https| {
            from.host == https.host && from.port == https.port && https.segments.starts_with(&from.segments)
        };
        let best = self.rules.iter().filter(|(from, _)| fits(from)).max_by_key(|(from, _)| from.segments.len());
        let Some((from, to)) = best else { return url.0.clone() };
        let rest = &https.segments[from.segments.len()..];
        match to {
            Place::Https(to) => {
                let segments = to.segments.iter().chain(rest).cloned().collect();
                Place::Https(Https { host: to.host.clone(), port: to.port, segments })
            }
            Place::Local(to) => {
                let plain = rest.iter().fold(to.clone(), |path, segment| path.join(segment));
                let mut bare = plain.clone().into_os_string();
                bare.push(".git");
                Place::Local(if !plain.exists() && std::path::Path::new(&bare).exists() { bare.into() } else { plain })
            }
        }
    }
}

/// An address or only its host.
fn beginning(text: &str) -> Result<Place, String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let host_only = text.strip_prefix("https://").is_some_and(|rest| !rest.contains('/'));
    let whole = if host_only { format!("{text}/x") } else { text.to_owned() };
    let RepoUrl(mut place) = whole.parse::<RepoUrl>().map_err(|e| e.to_string())?;
    if let (Place::Https(https), true) = (&mut place, host_only) {
        https.segments.clear();
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_wins_and_only_whole_segments_count() {
        let rules = [
            ("https://code.example.org", "https://proxy.inside:8443/code"),
            ("https://code.example.org/interactive", "/srv/site/repositories"),
            ("https://code.example.org/interactive/one", "https://one.inside/here"),
        ];
        let rewrites = Rewrites::new(rules).unwrap();
        for (from, to) in [
            ("https://code.example.org/a/b", "https://proxy.inside:8443/code/a/b"),
            ("https://code.example.org/interactive/two", "/srv/site/repositories/two"),
            ("https://code.example.org/interactive/one", "https://one.inside/here"),
            ("https://code.example.org/interactive-x/two", "https://proxy.inside:8443/code/interactive-x/two"),
            ("https://other.org/a", "https://other.org/a"),
            ("/srv/a", "/srv/a"),
        ] {
            assert_eq!(RepoUrl(rewrites.of(&from.parse().unwrap())).to_string(), to, "{from}");
        }
        for (from, to) in [("/srv", "https://h/a"), ("https://h", "http://p"), ("h", "https://p"), ("https://h", "rel")]
        {
            assert!(Rewrites::new([(from, to)]).is_err(), "{from} {to}");
        }
    }
}
