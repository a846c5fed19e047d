//! What staff ask a backend's operator for: to pause, to open again. The backend shows it to the operator and does nothing.
//! Spec protocol.md 3.3 (`pause_wish`).

use axum::response::Response;
use protocol::directive::DirectiveBody;
use protocol::directive::body::{PauseWish, Wish, WishReason};
use serde::Deserialize;
use serde_json::{Map, json};
use ui::form::{Field, Kind};
use ui::html::Html;

use super::backend::at;
use super::desk::{Desk, act, to};
use crate::access::{Backend, Form, Refusal};
use crate::line;
use crate::people::Fault;
use crate::store::StoreError;
use crate::store::ids::BackendId;
use crate::web::sheet::Sheet;
use crate::web::table::{paragraph, pieces};

#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    /// `pause` or `open`.
    wish: String,
    /// A word of the closed set: no free text goes down the line.
    reason: String,
}

fn words(reason: WishReason) -> &'static str {
    match reason {
        WishReason::Maintenance => "Work on the site",
        WishReason::Incident => "Something went wrong",
        WishReason::DataOwner => "A data owner asked",
        WishReason::Resolved => "What led to an earlier wish is over",
    }
}

fn code(value: impl serde::Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

pub(super) fn sheet(desk: &Desk, base: &str) -> Html {
    let wishes = [(code(Wish::Pause), "Start nothing new"), (code(Wish::Open), "Start again")];
    let wishes = wishes.into_iter().map(|(code, words)| (code, words.to_owned())).collect();
    let reasons = WishReason::ALL.iter().map(|reason| (code(reason), words(*reason).to_owned())).collect();
    let fields = [
        Field::line("wish", "What").kind(Kind::Choice(wishes)).required(),
        Field::line("reason", "Why").kind(Kind::Choice(reasons)).required(),
    ];
    pieces([
        paragraph("The backend shows it to its operator, who decides."),
        Sheet::new(&desk.viewer, format!("{base}wish/"), "Ask the operator").fields(&fields, &[]).shown(),
    ])
}

pub(super) async fn wish(desk: Desk, backend: Backend, Form(typed): Form<Typed>) -> Result<Response, Refusal> {
    let unknown = |_| Refusal::Invalid("This is none of the wishes and reasons there are.".to_owned());
    let wish: Wish = serde_json::from_value(json!(typed.wish)).map_err(unknown)?;
    let reason: WishReason = serde_json::from_value(json!(typed.reason)).map_err(unknown)?;
    let username = desk.viewer.signed_in()?.username.clone();
    let sent = act!(desk, change, by, async {
        let damaged = |why: &dyn std::fmt::Display| Fault::Store(StoreError::Damaged(format!("a wish: {why}")));
        let body = PauseWish { wish, by: username.parse().map_err(|why| damaged(&why))?, reason };
        let sent = line::send(change, &desk.site, BackendId(backend.id), &DirectiveBody::PauseWish(body)).await;
        let after = Map::from_iter([("wish".to_owned(), json!(wish)), ("reason".to_owned(), json!(reason))]);
        crate::audit::record(change, by.act("backend_wish_sent").on("backend", backend.id).after(after)).await?;
        sent.map_err(|why| damaged(&why))
    })?;
    desk.site.line.wake(&sent);
    Ok(to(&at(&backend)))
}
