//! Epochs: how a chain begins, and how a new one continues it.
//! Spec protocol.md 4.3, 7.1, 7.4.

use protocol::fact::FactBody;
use protocol::fact::backend::{Continues, DataKind, Flavour, OpenReason, Opened};
use protocol::fact::envelope::Head;
use protocol::text::names::ProgramVersion;
use protocol::text::time::Moment;
use protocol::text::whole::{Epoch, Seq};

use super::{Log, LogError, Told, Turn};

/// What the first fact of an epoch says of the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// When.
    pub at: Moment,
    /// Whose data.
    pub data_kind: DataKind,
    /// Beside which records.
    pub flavour: Flavour,
    /// Of this program.
    pub version: ProgramVersion,
}

/// Where a new epoch continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContinueAt {
    /// At the last fact that this backend knows: it was restored, and told nothing since.
    Head,
    /// At the last fact that site and backend both have: their histories part behind it.
    Common(Seq),
    /// The site's open epoch is one that this backend knows nothing of.
    Nowhere {
        /// The site's open epoch.
        site: Epoch,
    },
}

impl Log {
    /// Opens the first epoch if none is open.
    ///
    /// # Errors
    /// It cannot be stored.
    pub async fn begin(&self, beginning: &Beginning) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        if turn.change.standing.head != Head::start() {
            return Ok(());
        }
        let epoch = turn.change.standing.epoch;
        let opened = self.opening(&turn, beginning, epoch, None, OpenReason::First);
        self.append(&mut turn, "epoch", vec![(beginning.at, opened.into())])?;
        self.store(turn).await
    }

    /// Opens a new epoch, by the operator's will alone. What was told behind the place where it continues is told again in
    /// it: the site will never take that in the old one.
    ///
    /// # Errors
    /// No epoch was opened before, there is no such place, or it cannot be stored.
    pub async fn new_epoch(
        &self,
        beginning: &Beginning,
        reason: OpenReason,
        from: ContinueAt,
    ) -> Result<Epoch, LogError> {
        let mut turn = self.turn().await?;
        if turn.change.standing.head == Head::start() {
            return Err(LogError::NotBegun);
        }
        let epoch = turn.change.standing.epoch;
        let (next, seq) = match from {
            ContinueAt::Head => (epoch.next(), Some(turn.change.standing.head.seq)),
            ContinueAt::Common(seq) => (epoch.next(), Some(seq)),
            ContinueAt::Nowhere { site } => (site.max(epoch).next(), None),
        };
        let continues = match seq {
            None => None,
            Some(seq) => {
                let hash = self.hash_at(epoch, seq).await?;
                let hash = hash.ok_or(LogError::NoPlace { epoch, seq })?;
                Some(Continues { epoch, seq, hash })
            }
        };
        turn.change.standing.epoch = next;
        turn.change.standing.head = Head::start();
        let opened = self.opening(&turn, beginning, next, continues, reason);
        let mut facts = vec![(beginning.at, opened.into())];
        facts.extend(self.told_behind(epoch, seq.unwrap_or(Seq::LEAST)).await?);
        self.append(&mut turn, "epoch", facts)?;
        self.store(turn).await?;
        Ok(next)
    }

    /// Where a closed epoch ends for the site: where the next one continues. None of an open one, or if the next one
    /// continues nowhere.
    pub(crate) async fn ending(&self, epoch: Epoch) -> Result<Option<Head>, LogError> {
        let first = self.facts(epoch.next(), Seq::LEAST.next(), 1).await?;
        let content = first.first().and_then(|fact| fact.content().ok());
        let Some(FactBody::Opened(Opened { continues: Some(place), .. })) = content.map(|content| content.body) else {
            return Ok(None);
        };
        Ok((place.epoch == epoch).then_some(Head { seq: place.seq, hash: place.hash }))
    }

    /// What was told behind a place; not how its epoch began or by which keys it was signed, which is of that epoch alone.
    async fn told_behind(&self, epoch: Epoch, seq: Seq) -> Result<Vec<Told>, LogError> {
        let mut all = Vec::new();
        let mut from = seq.next();
        loop {
            let facts = self.facts(epoch, from, 500).await?;
            let Some(last) = facts.last() else { return Ok(all) };
            from = last.seq.next();
            for fact in &facts {
                let content = fact.content().map_err(|bad| LogError::damaged(bad.to_string()))?;
                if !matches!(content.body, FactBody::Opened(_) | FactBody::Key(_)) {
                    all.push((content.at, content.body));
                }
            }
        }
    }

    fn opening(
        &self,
        turn: &Turn<'_>,
        beginning: &Beginning,
        epoch: Epoch,
        continues: Option<Continues>,
        reason: OpenReason,
    ) -> Opened {
        Opened {
            epoch,
            continues,
            reason,
            data_kind: beginning.data_kind,
            flavour: Some(beginning.flavour),
            version: beginning.version.clone(),
            public_key: self.signer(turn).public().text(),
        }
    }
}
