//! `cloister site backend`. Spec site.md 10; protocol.md 2.

use std::error::Error;

use serde_json::json;
use site::people::lists::{self, Kind};
use site::people::{backends, operate};
use site::store::ids::BackendId;
use site::{Site, line};

use super::args::Backend;
use super::out::Out;

pub(super) async fn backend(site: &Site, command: &Backend, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    let named = async |slug: &String| lists::named(&site.store, Kind::Backend, slug).await;
    match command {
        Backend::List => super::place::backends(site, out).await?,
        Backend::Add { slug, name, flavour, data_kind } => {
            let new = backends::New { slug, name, flavour, data_kind };
            operate(site, async |change, by| backends::add(change, by, new).await).await?;
            let words =
                format!("the backend {slug} is added; give its operator a code: cloister site backend code {slug}");
            out.said(&words, &json!({"slug": slug}));
        }
        Backend::Code { slug } => {
            let id = named(slug).await?;
            let code = operate(site, async |change, by| backends::make_code(change, site, by, id).await).await?;
            let words = format!(
                "The code for one enrolment, within an hour:\n  {}\nAt the backend: cloister backend enrol SETTINGS",
                code.reveal()
            );
            out.said(&words, &json!({"slug": slug, "code": code.reveal()}));
        }
        Backend::Words { slug } => {
            let words = line::fingerprint(site, BackendId(named(slug).await?)).await?;
            out.said(&words.join(" "), &json!({"slug": slug, "words": words}));
        }
        Backend::Confirm { slug, words } => {
            let id = named(slug).await?;
            let ours = line::fingerprint(site, BackendId(id)).await?;
            let theirs: Vec<String> =
                words.iter().flat_map(|word| word.split_whitespace()).map(str::to_lowercase).collect();
            if theirs != ours {
                let why = format!(
                    "error: these are not the words of the key that enrolled for {slug}; somebody may stand between. Nothing is confirmed: make a new code and enrol again."
                );
                return Err(why.into());
            }
            operate(site, async |change, by| backends::confirm(change, site, by, id).await).await?;
            out.said(
                &format!("the key of {slug} is confirmed: it gets orders, its facts count"),
                &json!({"slug": slug}),
            );
        }
        Backend::Rotate { slug } => {
            let id = named(slug).await?;
            let sent = operate(site, async |change, by| backends::rotate(change, site, by, id).await).await?;
            site.line.wake(&sent);
            out.said(
                &format!("{slug} is sent a new token; the old one counts for a day more at most"),
                &json!({"slug": slug}),
            );
        }
        Backend::Revoke { slug, reason } => {
            let id = named(slug).await?;
            operate(site, async |change, by| backends::revoke_tokens(change, by, id, reason).await).await?;
            out.said(&format!("no token of {slug} counts: it has to enrol again"), &json!({"slug": slug}));
        }
        Backend::Member { slug, username, remove } => {
            let (id, account) = (named(slug).await?, lists::account(&site.store, username).await?);
            operate(site, async |change, by| backends::set_member(change, by, id, account, !remove).await).await?;
            let words = if *remove { "may no longer" } else { "may" };
            let value = json!({"slug": slug, "username": username, "member": !remove});
            out.said(&format!("{username} {words} ask {slug} for runs"), &value);
        }
        Backend::Use { slug, state, reason } => {
            let (id, on) = (named(slug).await?, state == "on");
            operate(site, async |change, by| backends::set_active(change, by, id, on, reason).await).await?;
            let words = if on { "is in use" } else { "is out of use: its calls are refused" };
            out.said(&format!("{slug} {words}"), &json!({"slug": slug, "active": on}));
        }
        Backend::Alert { slug, seconds } => {
            let id = named(slug).await?;
            operate(site, async |change, by| backends::set_alert(change, by, id, *seconds).await).await?;
            let words = format!("{slug} counts as missing after {seconds} seconds without contact");
            out.said(&words, &json!({"slug": slug, "alert_after": seconds}));
        }
    }
    Ok(())
}
