//! A new epoch of a backend: what it says of itself, and the yes of staff.
//! Spec protocol.md 7.1, 7.4. Facts of the new epoch wait at the backend until then.

use axum::response::Response;
use protocol::fact::backend::OpenReason;
use serde::Deserialize;
use serde_json::{Map, json};
use ui::html::Html;
use ui::time::At;

use super::backend::at;
use super::desk::{Desk, act, to};
use crate::access::{Backend, Form, Refusal};
use crate::line::{self, EpochError, Offered};
use crate::people::Fault;
use crate::store::ids::{AccountId, BackendId};
use crate::web::sheet::inline;
use crate::web::table::{Table, paragraph, pieces};

#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    /// The hash of the first fact that was shown.
    seen: String,
}

fn fault(error: EpochError) -> Fault {
    match error {
        EpochError::Store(error) => Fault::Store(error),
        other => Fault::Refused(Refusal::Conflict(other.to_string())),
    }
}

fn why(reason: OpenReason) -> &'static str {
    match reason {
        OpenReason::First => "it is the first",
        OpenReason::Restored => "the backend was restored to an older copy of its records",
        OpenReason::NewKey => "the backend has a new key, for the old one was lost",
    }
}

/// What is proposed, if anything is.
pub(super) async fn shown(desk: &Desk, backend: &Backend, base: &str) -> Result<Option<Html>, Refusal> {
    match line::offered(&desk.site, BackendId(backend.id)).await {
        Ok(None) => Ok(None),
        Ok(Some(offered)) => Ok(Some(offer(desk, backend, base, &offered))),
        Err(EpochError::Store(error)) => Err(error.into()),
        Err(bad) => {
            let text = format!(
                "What the backend proposes cannot be confirmed: {bad}. Its operator has to open another epoch."
            );
            Ok(Some(paragraph(&text)))
        }
    }
}

fn offer(desk: &Desk, backend: &Backend, base: &str, offered: &Offered) -> Html {
    let (now, opened) = (desk.site.clock.microseconds(), &offered.proposal.opened);
    let from = match &opened.continues {
        Some(place) => format!("fact {} of epoch {}", place.seq, place.epoch),
        None => "nowhere: it knows nothing of what it told before".to_owned(),
    };
    let lost = match offered.proposal.lost_by_backend {
        0 => "none".to_owned(),
        n => format!("{n}: they stay here, closed with the old epoch, and what they told stays"),
    };
    let mut table = Table::new("What the backend says", &["What", "Now"]);
    for (what, now_is) in [
        ("Epoch", Html::text(&opened.epoch.to_string())),
        ("Why", Html::text(why(opened.reason))),
        ("It continues at", Html::text(&from)),
        ("Facts that it has lost", Html::text(&lost)),
        ("Program", Html::text(opened.version.as_str())),
        ("The words of its key", Html::text(&offered.words.join(" "))),
        ("Proposed", At(offered.since).short(At(now))),
    ] {
        table.push(vec![Html::text(what), now_is]);
    }
    let ask = if offered.proposal.new_key {
        "The key is new. Have the backend's operator read out the six words, and confirm only if all six are the same."
    } else {
        "The key is the one that you know. Ask the backend's operator whether they opened this epoch, and why."
    };
    let hidden = [("seen", offered.hash.as_str().to_owned())];
    let word = "This is what the operator told me: confirm";
    let button = inline(&desk.viewer, &format!("{base}epoch/"), &hidden, (word, &backend.name), "");
    pieces([
        paragraph("Nothing that the backend tells counts here until you confirm. Its jobs go on."),
        table.shown(""),
        paragraph(ask),
        button,
    ])
}

pub(super) async fn confirm(desk: Desk, backend: Backend, Form(typed): Form<Typed>) -> Result<Response, Refusal> {
    let seen = typed.seen.parse().map_err(|_| Refusal::Invalid("This names no epoch.".to_owned()))?;
    act!(desk, change, by, async {
        let person = by.account().map(AccountId);
        let id = BackendId(backend.id);
        let found = line::confirm_epoch(change, &desk.site, id, &seen, person).await.map_err(fault)?;
        let after = Map::from_iter([
            ("epoch".to_owned(), json!(found.opened.epoch)),
            ("reason".to_owned(), json!(found.opened.reason)),
            ("new_key".to_owned(), json!(found.new_key)),
            ("lost_by_backend".to_owned(), json!(found.lost_by_backend)),
        ]);
        crate::audit::record(change, by.act("backend_epoch_confirmed").on("backend", backend.id).after(after)).await?;
        Ok::<_, crate::people::Fault>(())
    })?;
    Ok(to(&at(&backend)))
}
