//! The list of visits, read; and whether it leaves out a route.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at its first surprise; each uses a part"
)]

use crate::world::identifier;

/// One line of the list.
#[derive(Debug)]
pub struct Visit {
    pub site: &'static str,
    pub who: &'static str,
    pub status: u16,
    pub path: String,
    /// The action of a form on that page, and what is put into its fields.
    pub send: Option<(&'static str, Vec<(&'static str, String)>)>,
    pub line: &'static str,
}

/// All of them, in order.
pub fn all() -> Vec<Visit> {
    let lines = include_str!("visits.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(visit).collect()
}

fn visit(line: &'static str) -> Visit {
    let (opened, sent) = line.split_once(" > ").map_or((line, None), |(opened, sent)| (opened, Some(sent)));
    let words: Vec<&str> = opened.split(' ').collect();
    let path = match words[3..] {
        ["JOB", request, job] => {
            let (request, job) = (request.parse().unwrap(), job.parse().unwrap());
            format!("/{}/{request}/{}/", workspace(request), identifier(request, Some(job)))
        }
        [path] => path.to_owned(),
        _ => panic!("{line}"),
    };
    let send = sent.map(|sent| {
        let (action, fields) = sent.split_once(' ').unwrap_or((sent, ""));
        let fields = fields.split('&').filter_map(|field| field.split_once('='));
        (action, fields.map(|(name, value)| (name, value.replace("LONG", &"long ".repeat(2_000)))).collect())
    });
    Visit { site: words[0], who: words[1], status: words[2].parse().unwrap(), path, send, line }
}

fn workspace(request: i64) -> &'static str {
    if (112..=114).contains(&request) { "small-studies/small" } else { "hazardous-prescribing/pincer-measures" }
}

/// Whether a path is one of a route: `{name}` stands for one part, `{*name}` for all that follow.
pub fn is_of(path: &str, route: &str) -> bool {
    let path = path.split('?').next().unwrap();
    if let Some((before, _)) = route.split_once("{*") {
        let parts = before.matches('/').count();
        let cut = path.match_indices('/').nth(parts - 1).map(|(at, _)| at + 1);
        return cut.is_some_and(|at| path.len() > at && is_of(&path[..at], before));
    }
    let (path, route): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), route.split('/').collect());
    path.len() == route.len()
        && path.iter().zip(route).all(|(part, of)| if of.starts_with('{') { !part.is_empty() } else { *part == of })
}

/// The route that answers for a path: the one with the longest beginning that is fixed.
pub fn route_of<'a>(path: &str, routes: &[&'a str]) -> Option<&'a str> {
    let fits = routes.iter().filter(|route| is_of(path, route));
    fits.max_by_key(|route| route.split('/').map(|part| i32::from(!part.starts_with('{'))).collect::<Vec<_>>()).copied()
}
