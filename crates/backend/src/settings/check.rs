//! From the file's words to settings that can be used: what a value must be beyond its type, and what production refuses.
//! Spec jobs.md 20, 21, 23; protocol.md 1 (one address), 2, 7.2.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use jobs::reusable::{ORGANISATION, Origin};
use repositories::{AllowList, LocalRepos, Rewrites, Tokens};
use toml::Spanned;

use super::file;
use super::{Data, Environments, Folders, Grant, Limits, Profile, Repositories, Settings, Site, Workers};
use crate::orders::ActionRules;

/// A value that cannot be used, and where it stands.
pub(super) struct Wrong {
    pub(super) span: Option<Range<usize>>,
    pub(super) what: String,
}

fn wrong<T>(at: &Spanned<T>, what: impl Into<String>) -> Wrong {
    Wrong { span: Some(at.span()), what: what.into() }
}

pub(super) fn settings(file: file::File, folder: &Path) -> Result<Settings, Vec<Wrong>> {
    if file.profile == Profile::Production {
        let refused = production(&file);
        if !refused.is_empty() {
            return Err(refused);
        }
    }
    usable(file, folder).map_err(|wrong| vec![wrong])
}

fn usable(file: file::File, folder: &Path) -> Result<Settings, Wrong> {
    Ok(Settings {
        slug: file.slug,
        flavour: file.flavour,
        profile: file.profile,
        data: *file.data.get_ref(),
        data_version: file.data_version,
        environments: *file.environments.get_ref(),
        site: site(file.site, file.profile, folder)?,
        folders: folders(&file.folders, folder)?,
        actions: actions(file.actions.as_ref(), &file.repositories)?,
        repositories: repositories(file.repositories, folder)?,
        workers: workers(&file.workers)?,
        limits: limits(&file.limits)?,
        permissions: file.permissions.into_iter().map(grant).collect::<Result<_, _>>()?,
    })
}

/// What a production profile refuses, all of it at once, each in its own words: an operator must not have to guess.
fn production(file: &file::File) -> Vec<Wrong> {
    let data = match file.data.get_ref() {
        Data::Dummy => Some(wrong(
            &file.data,
            "`data = \"dummy\"` is refused in a production profile: outputs of invented data must not pass for real ones; \
             this version has no other data source, so only `profile = \"demo\"` can start",
        )),
    };
    let environments = match file.environments.get_ref() {
        Environments::Native => Some(wrong(
            &file.environments,
            "native environments are refused in a production profile: study code must run in containers, which this \
             version does not have yet",
        )),
    };
    let local = file.repositories.allow_local.as_ref().filter(|local| *local.get_ref()).map(|local| {
        let what = "local repositories are refused in a production profile: what runs must be public code; name patterns \
                    in `allow` instead";
        wrong(local, what)
    });
    [data, environments, local].into_iter().flatten().collect()
}

fn site(file: file::Site, profile: Profile, folder: &Path) -> Result<Site, Wrong> {
    let url: http::Uri = file
        .url
        .get_ref()
        .parse()
        .map_err(|_| wrong(&file.url, "`url` is no address; write it as \"https://jobs.example.org\""))?;
    let local = matches!(url.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme_str() {
        Some("https") => {}
        Some("http") if local && profile == Profile::Demo => {}
        _ => Err(wrong(&file.url, "`url` must begin with https://; http is for a demo on this machine alone"))?,
    }
    let authority = url.authority().map(|authority| authority.as_str()).unwrap_or_default();
    if authority.is_empty() || authority.contains('@') || !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err(wrong(&file.url, "`url` is scheme, host and port alone: no user, path or query"));
    }
    let address = |text: &Spanned<String>| {
        text.get_ref().parse().map_err(|_| {
            wrong(text, "`address` is an IP address, as \"192.0.2.7\" or \"2001:db8::7\"; its port is that of `url`")
        })
    };
    let proxy = |text: &Spanned<String>| {
        let proxy: Option<http::Uri> = text.get_ref().parse().ok();
        let good = |proxy: &http::Uri| matches!(proxy.scheme_str(), Some("http" | "https")) && proxy.host().is_some();
        proxy.filter(good).ok_or_else(|| wrong(text, "`proxy` is an address as \"http://proxy.example.org:3128\""))
    };
    let hours = match &file.offline_start_hours {
        None => 72,
        Some(hours) if (1..=24 * 365).contains(hours.get_ref()) => *hours.get_ref(),
        Some(hours) => Err(wrong(hours, "`offline_start_hours` is 1 to 8760"))?,
    };
    Ok(Site {
        address: file.address.as_ref().map(address).transpose()?,
        ca_file: file.ca_file.map(|path| folder.join(path)),
        proxy: file.proxy.as_ref().map(proxy).transpose()?,
        minimal_gauges: file.gauges == file::Gauges::Minimal,
        offline_start: hours * 3600,
        url,
    })
}

/// The three folders, none within another: a level of privacy must not lie in the other.
fn folders(file: &file::Folders, folder: &Path) -> Result<Folders, Wrong> {
    let all = [("state", &file.state), ("high", &file.high), ("medium", &file.medium)];
    let mut paths: Vec<PathBuf> = Vec::new();
    for (name, path) in all {
        let full = folder.join(path.get_ref());
        if path.get_ref().is_empty() || full.components().any(|part| part == Component::ParentDir) {
            return Err(wrong(path, format!("`{name}` is a folder without `..` in its path")));
        }
        if paths.iter().any(|other| full.starts_with(other) || other.starts_with(&full)) {
            return Err(wrong(
                path,
                format!("`{name}` lies in another one of the three folders, or holds it; they must be apart"),
            ));
        }
        paths.push(full);
    }
    let mut paths = paths.into_iter();
    let mut next = || paths.next().unwrap_or_default();
    Ok(Folders { state: next(), high: next(), medium: next() })
}

fn repositories(file: file::Repositories, folder: &Path) -> Result<Repositories, Wrong> {
    let local = file.allow_local.as_ref().is_some_and(|local| *local.get_ref());
    let kind = if local { LocalRepos::Allowed } else { LocalRepos::Refused };
    let allow = AllowList::new(file.allow.get_ref(), kind).map_err(|bad| wrong(&file.allow, bad.to_string()))?;
    let mut rules = Vec::new();
    for rule in &file.rewrite {
        let pair = (rule.get_ref().from.clone(), rule.get_ref().to.clone());
        // Each alone, so that the line is the one at fault.
        Rewrites::new([pair.clone()]).map_err(|bad| wrong(rule, bad.to_string()))?;
        rules.push(pair);
    }
    let rewrites = Rewrites::new(rules).map_err(|bad| wrong(&file.allow, bad.to_string()))?;
    let mut tokens = Tokens::none();
    for token in &file.token {
        let path = folder.join(&token.get_ref().file);
        tokens = tokens.with(&token.get_ref().host, path).map_err(|bad| wrong(token, bad.to_string()))?;
    }
    Ok(Repositories { allow, local, rewrites, tokens, ca_file: file.ca_file.map(|path| folder.join(path)) })
}

/// Folders of this machine count where they do for studies.
fn actions(file: Option<&file::Actions>, code: &file::Repositories) -> Result<ActionRules, Wrong> {
    let Some(file) = file else { return Ok(ActionRules::default()) };
    let local = code.allow_local.as_ref().is_some_and(|local| *local.get_ref());
    let local = if local { LocalRepos::Allowed } else { LocalRepos::Refused };
    let organisation = file.org.as_deref().unwrap_or(ORGANISATION);
    let origin =
        Origin::new(file.url.get_ref(), organisation, local).map_err(|bad| wrong(&file.url, bad.to_string()))?;
    let name = |name: &Spanned<String>| match pipeline::reusable::name_rule(name.get_ref()) {
        None => Ok(name.get_ref().clone()),
        Some(rule) => Err(wrong(name, format!("`allow` has names of reusable actions: {rule}"))),
    };
    let names = file.allow.as_ref().map(|names| names.iter().map(name).collect()).transpose()?;
    Ok(ActionRules { origin: Some(origin), names })
}

fn workers(file: &file::Workers) -> Result<Workers, Wrong> {
    let max = within(&file.max, "max", 10, 1..=10_000)?;
    let db = within(&file.db, "db", max.min(10), 0..=10_000)?;
    match &file.db {
        Some(at) if db > max => Err(wrong(at, "`db` is a part of `max` and cannot be more")),
        _ => Ok(Workers { max, db }),
    }
}

fn limits(file: &file::Limits) -> Result<Limits, Wrong> {
    Ok(Limits {
        cpus: within(&file.cpus, "cpus", 2, 1..=10_000)?,
        memory_mb: within(&file.memory_mb, "memory_mb", 4096, 64..=100_000_000)?,
        run_time: within(&file.run_time_hours, "run_time_hours", 7 * 24, 1..=87_600)? * 3600,
        request_check: within(&file.request_check_hours, "request_check_hours", 24, 1..=8760)? * 3600,
    })
}

fn within<T>(value: &Option<Spanned<T>>, name: &str, absent: T, bounds: std::ops::RangeInclusive<T>) -> Result<T, Wrong>
where
    T: Copy + PartialOrd + std::fmt::Display,
{
    match value {
        None => Ok(absent),
        Some(value) if bounds.contains(value.get_ref()) => Ok(*value.get_ref()),
        Some(value) => Err(wrong(value, format!("`{name}` is {} to {}", bounds.start(), bounds.end()))),
    }
}

fn grant(file: file::Grant) -> Result<Grant, Wrong> {
    let moment = |text: &Spanned<String>| {
        let found: Result<jiff::Timestamp, _> = text.get_ref().parse();
        found
            .ok()
            .and_then(|found| protocol::text::time::Moment::from_microseconds(found.as_microsecond()).ok())
            .ok_or_else(|| wrong(text, "`ends_at` is a moment as \"2027-12-31T00:00:00Z\""))
    };
    Ok(Grant {
        project: file.project,
        kind: file.kind,
        code: file.code,
        ends_at: file.ends_at.as_ref().map(moment).transpose()?,
    })
}
