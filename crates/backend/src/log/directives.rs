//! The line of directives: stored before it is acknowledged, verified again when it is read, handed to who applies it.
//! Spec protocol.md 3.2. What an entry comes to is decided by `protocol::directive::inbox` alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::directive::DirectiveBody;
use protocol::directive::envelope::{Directive, open, place};
use protocol::directive::inbox::{Arrived, Reader};
use protocol::fact::backend::{DirectiveRejected, RejectedCode};
use protocol::json::canonical;
use protocol::limits::DIRECTIVE;
use protocol::order::Order;
use protocol::text::ids::{RequestId, Ulid};
use protocol::text::time::Moment;
use protocol::text::whole::Cursor;
use serde_json::Value;

use super::shelf::{Entry, State};
use super::{Log, LogError, Turn};

/// What an answer to a poll came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// The last stored directive.
    pub cursor: Cursor,
    /// Something is missing behind it: ask again.
    pub ask_again: bool,
    /// The line holds another directive at a place already taken: the operator acts.
    pub stopped: bool,
}

/// Waiting directives that are as they were signed, and entries that are not.
type Sorted = (BTreeMap<Cursor, Arc<Directive>>, Vec<Entry>);

impl Log {
    /// Stores the answer to a poll that asked behind `after`, and tells the site of what is rejected.
    ///
    /// # Errors
    /// It cannot be stored: then nothing is, and the site is asked for the same again.
    pub async fn take_in(&self, after: Cursor, answer: &[Value], now: Moment) -> Result<Noted, LogError> {
        let mut turn = self.turn().await?;
        let mut known = BTreeMap::new();
        for cursor in answer.iter().filter_map(|whole| place(whole).0) {
            if cursor <= turn.change.standing.inbox.cursor {
                known.insert(cursor, self.shelf.at(cursor).await?.and_then(|entry| entry.id));
            }
        }
        let mut inbox = turn.change.standing.inbox.clone();
        let before = inbox.clone();
        let reader = Reader { me: &self.who.backend, keys: &self.who.site, now };
        let received = inbox.receive(after, answer, reader, |cursor| known.get(&cursor).cloned().flatten());
        let mut rejected = Vec::new();
        for (arrived, nth) in received.arrived.into_iter().zip(received.entries) {
            let raw = answer.get(nth).and_then(|whole| canonical(whole).ok());
            match arrived {
                Arrived::Apply(directive) => self.keep(&mut turn, *directive, raw, now).await?,
                Arrived::Reject(why) => {
                    if why.code != RejectedCode::CursorConflict {
                        let (cursor, id) = (why.cursor, why.directive.clone());
                        let raw = raw.filter(|raw| raw.len() <= 64 * 1024);
                        let state = State::Rejected;
                        turn.change.arrived.push(Entry { cursor, id, received_at: now, raw, request: None, state });
                    }
                    tracing::warn!(cursor = why.cursor.get(), code = ?why.code, "a directive is not applied");
                    rejected.push((now, why.into()));
                }
            }
        }
        let noted = Noted { cursor: inbox.cursor, ask_again: received.ask_again, stopped: inbox.stopped };
        if inbox != before {
            turn.change.standing.inbox = inbox;
            self.append(&mut turn, "line", rejected)?;
            self.store(turn).await?;
        }
        Ok(noted)
    }

    /// Adds a directive that is right to a step; one whose id is known is only given its place.
    async fn keep(
        &self,
        turn: &mut Turn<'_>,
        directive: Directive,
        raw: Option<String>,
        now: Moment,
    ) -> Result<(), LogError> {
        let here = |entry: &Entry| entry.id.as_ref() == Some(&directive.id) && entry.state != State::Rejected;
        let repeated = turn.change.arrived.iter().any(here) || self.shelf.by_id(&directive.id).await?.is_some();
        let request = match &directive.body {
            DirectiveBody::JobRequest(order) => Some(order.request.clone()),
            _ => None,
        };
        let state = if repeated { State::Repeated } else { State::Waiting };
        let (cursor, id) = (directive.cursor, Some(directive.id.clone()));
        turn.change.arrived.push(Entry { cursor, id, received_at: now, raw, request, state });
        if !repeated {
            Arc::make_mut(&mut turn.waiting).insert(cursor, Arc::new(directive));
        }
        Ok(())
    }

    /// Directives that are for the desk, stored and not applied yet, in the order of the line: orders, cancels,
    /// permissions, the state of workspaces, files taken back. Those about the connection itself are not among them.
    ///
    /// # Errors
    /// The shelf cannot be read.
    pub async fn waiting(&self) -> Result<Vec<Arc<Directive>>, LogError> {
        Ok(self.turn().await?.waiting.values().filter(|one| is_for_the_desk(&one.body)).cloned().collect())
    }

    /// Directives that the line itself carries out.
    pub(crate) async fn errands(&self) -> Result<Vec<Arc<Directive>>, LogError> {
        Ok(self.turn().await?.waiting.values().filter(|one| !is_for_the_desk(&one.body)).cloned().collect())
    }

    /// The order under which a request was first sent, if that was before `cursor`: what `protocol::directive::due` asks.
    ///
    /// # Errors
    /// The shelf cannot be read, or what it holds is damaged.
    pub async fn order_before(&self, request: &RequestId, cursor: Cursor) -> Result<Option<Order>, LogError> {
        for entry in self.shelf.orders(request).await? {
            let counts = matches!(entry.state, State::Waiting | State::Applied) && entry.cursor < cursor;
            if counts && let DirectiveBody::JobRequest(order) = self.opened(&entry)?.body {
                return Ok(Some(order));
            }
        }
        Ok(None)
    }

    /// Lets the line go on after a conflict, once the operator has looked: what the site sends from the stored cursor on counts.
    ///
    /// # Errors
    /// It cannot be stored.
    pub async fn resume_line(&self) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        turn.change.standing.inbox.stopped = false;
        self.store(turn).await
    }

    /// A stored directive, verified as at the moment when it came.
    pub(super) fn opened(&self, entry: &Entry) -> Result<Directive, LogError> {
        let damaged = || LogError::damaged(format!("directive {} is not as the site signed it", entry.cursor));
        let raw = entry.raw.as_ref().ok_or_else(damaged)?;
        let value = protocol::json::read(raw.as_bytes(), &DIRECTIVE).map_err(|_| damaged())?;
        let directive = open(&value, &self.who.backend, &self.who.site, entry.received_at).map_err(|_| damaged())?;
        let same = directive.cursor == entry.cursor && Some(&directive.id) == entry.id.as_ref();
        if same { Ok(directive) } else { Err(damaged()) }
    }

    pub(super) async fn verified(&self) -> Result<Sorted, LogError> {
        let (mut good, mut bad) = (BTreeMap::new(), Vec::new());
        for entry in self.shelf.waiting().await? {
            match self.opened(&entry) {
                Ok(directive) => drop(good.insert(entry.cursor, Arc::new(directive))),
                Err(why) => {
                    tracing::error!(%why, "a stored directive is not applied");
                    bad.push(entry);
                }
            }
        }
        Ok((good, bad))
    }

    /// A directive that was changed on the disk since it came must not be applied, and must not hold up the others.
    pub(super) async fn reject_damaged(&self) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        let (_, bad) = self.verified().await?;
        if bad.is_empty() || turn.change.standing.head.seq.get() == 0 {
            return Ok(());
        }
        let mut facts = Vec::new();
        for entry in &bad {
            turn.change.done.push((entry.cursor, State::Rejected));
            let (cursor, code) = (entry.cursor, RejectedCode::BadSignature);
            let why = DirectiveRejected { cursor, directive: entry.id.clone(), code };
            facts.push((entry.received_at, why.into()));
        }
        self.append(&mut turn, "line", facts)?;
        self.store(turn).await
    }

    /// Marks directives of the line itself as carried out; they have no answer.
    pub(crate) async fn done(&self, directives: &[Ulid]) -> Result<(), LogError> {
        for directive in directives {
            let mut turn = self.turn().await?;
            if let Some(entry) = self.shelf.by_id(directive).await?
                && entry.state == State::Waiting
            {
                turn.change.done.push((entry.cursor, State::Applied));
                Arc::make_mut(&mut turn.waiting).remove(&entry.cursor);
                self.store(turn).await?;
            }
        }
        Ok(())
    }
}

fn is_for_the_desk(body: &DirectiveBody) -> bool {
    match body {
        DirectiveBody::JobRequest(_)
        | DirectiveBody::Cancel(_)
        | DirectiveBody::Permissions(_)
        | DirectiveBody::Workspace(_)
        | DirectiveBody::FileRevoked(_)
        | DirectiveBody::PauseWish(_)
        | DirectiveBody::Notice(_) => true,
        DirectiveBody::RightsChanged(_) | DirectiveBody::Resend(_) | DirectiveBody::Credential(_) => false,
    }
}
