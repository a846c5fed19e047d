//! Applies facts to the tables: what they touch is read, `protocol::apply` decides, what changed is written.
//! Spec protocol.md 4.2, site.md 1 (4): the same code for facts that arrive and for `rebuild`.

use protocol::apply::book::{Book, Outcome, part};
use protocol::fact::FactBody;
use protocol::fact::envelope::{BadContent, Content};
use protocol::text::ids::RequestId;

use super::touched::{Named, Touched, request_of};
use super::{Changed, load, why, write};
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// A fact with its place in the site's log.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its epoch.
    pub epoch: i64,
    /// Its place in the epoch.
    pub seq: i64,
    /// Its place in the order of arrival over all backends.
    pub arrival: i64,
    /// When it came, by the site's clock.
    pub received_at: i64,
    /// What it says.
    pub content: Result<Content, BadContent>,
}

/// Applies facts of one backend, which follow each other in its chain. Gives for each why it changes nothing, if so.
///
/// # Errors
/// The database failed. What a fact says is never an error.
pub async fn project(
    change: &mut Change,
    backend: BackendId,
    events: &[Event],
) -> Result<(Vec<Option<&'static str>>, Changed), StoreError> {
    let Some(first) = events.first() else { return Ok((Vec::new(), Changed::default())) };
    let begun = load::begun(change, backend, first.epoch, first.seq).await?;
    let mut named = Named::default();
    begun.iter().for_each(|body| named.add(body));
    events.iter().filter_map(|event| event.content.as_ref().ok()).for_each(|content| named.add(&content.body));
    let mut book = load::book(change, backend, &named).await?;
    book.resume(begun);
    let (recovering,): (bool,) =
        sqlx::query_as("SELECT recovering FROM backend WHERE id = ?").bind(backend.0).fetch_one(&mut **change).await?;

    let (mut touched, mut changed, mut apart) = (Touched::default(), Changed::default(), Vec::new());
    let mut epoch = first.epoch;
    for event in events {
        if event.epoch != epoch {
            // Parts of one answer never span epochs.
            book.resume(Vec::new());
            epoch = event.epoch;
        }
        let content = match &event.content {
            Ok(content) => content,
            Err(bad) => {
                book.resume(Vec::new());
                apart.push(Some(why::of_content(*bad)));
                continue;
            }
        };
        let lost = if recovering { lost(change, &book, &content.body).await? } else { None };
        book.recovering = lost.is_some();
        if let Err(refused) = book.apply(content) {
            apart.push(Some(why::of_state(refused)));
            continue;
        }
        apart.push(None);
        touched.add(content.at, event.received_at, &content.body);
        touched.lost.extend(lost.filter(|request| book.requests.contains_key(request)));
        note_answer(&book, event, content, &mut touched);
        if write::of_backend(change, backend, event, content, &mut touched).await? {
            changed.backends.insert(backend);
        }
    }
    changed.requests = write::all(change, backend, &book, &touched).await?;
    changed.arrival = events.last().map(|event| event.arrival);
    Ok((apart, changed))
}

/// Notes when a request got its answer: with the fact after which it has one.
fn note_answer(book: &Book, event: &Event, content: &Content, touched: &mut Touched) {
    let Some(request) = request_of(&content.body) else { return };
    let answered = matches!(
        book.requests.get(request).map(|request| &request.outcome),
        Some(Outcome::Accepted(_) | Outcome::NothingToDo(_) | Outcome::Refused(_))
    );
    if answered {
        touched.answered.entry(request.clone()).or_insert((content.at, event.received_at));
    }
}

/// A request that this site lost and can make again: its workspace and person are known, its number is free.
async fn lost(change: &mut Change, book: &Book, body: &FactBody) -> Result<Option<RequestId>, StoreError> {
    let answer = match body {
        FactBody::Accepted(b) => &b.answer,
        FactBody::NothingToDo(b) => &b.answer,
        FactBody::Refused(b) => &b.answer,
        _ => return Ok(None),
    };
    // Parts after the first have no order: the first of them said whether it can be made.
    let begun = book.begun().first();
    let order = match (&answer.order, begun) {
        (Some(order), _) => order,
        (None, Some(FactBody::Accepted(b))) if part(body).is_some() => match &b.answer.order {
            Some(order) => order,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    if book.requests.contains_key(&answer.request) {
        return Ok(None);
    }
    let (fits,): (bool,) = sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM workspace WHERE name = ?)
            AND EXISTS (SELECT 1 FROM account WHERE username_key = lower(?))
            AND NOT EXISTS (SELECT 1 FROM job_request WHERE number = ? OR identifier = ?)",
    )
    .bind(order.workspace.as_str())
    .bind(order.requested_by.username.as_str())
    .bind(i64::try_from(order.number.get()).unwrap_or(i64::MAX))
    .bind(order.request.as_str())
    .fetch_one(&mut **change)
    .await?;
    Ok(fits.then(|| answer.request.clone()))
}
