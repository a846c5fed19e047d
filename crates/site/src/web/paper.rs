//! The frame around the content of every page: what is the same on all of them, and who reads it.
//! Spec site.md 3 (rules for all pages).

use ui::html::Html;
use ui::page::{Account, Frame, Link, Page};

use crate::Site;
use crate::access::Viewer;

/// A whole page for this viewer.
pub(crate) fn paper(site: &Site, viewer: &Viewer, page: Page, main: &Html) -> String {
    let account = match viewer {
        Viewer::Person(person) => Account::Person {
            name: person.account.fullname.clone(),
            settings: "/settings/".to_owned(),
            sign_out: "/logout/".to_owned(),
            token: person.csrf.clone(),
        },
        Viewer::Anonymous | Viewer::Token(_) => Account::Nobody { sign_in: "/login/".to_owned() },
    };
    Page { account, ..page }.around(&frame(site, viewer), main)
}

fn frame(site: &Site, viewer: &Viewer) -> Frame {
    let link = |text: &str, href: &str, section| Link { text: text.to_owned(), href: href.to_owned(), section };
    let mut links = vec![
        link("Event log", "/event-log/", "log"),
        link("Organisations", "/organisations/", "organisations"),
        link("Status", "/status/", "status"),
    ];
    if let Some(area) = crate::staff::AREAS.iter().find(|area| area.is_open_to(viewer)) {
        links.push(link("Staff", area.path, "staff"));
    }
    Frame {
        site: site.settings.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: env!("CARGO_PKG_REPOSITORY").to_owned(),
        about: "Code goes to the data; every result is checked before it leaves; all that ran is public.".to_owned(),
        links,
        foot: vec![link("API", "/api/", "")],
    }
}
