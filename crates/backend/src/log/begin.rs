//! Epochs: how a chain begins, and how a new one continues it.
//! Spec protocol.md 4.3, 7.1, 7.4.

use protocol::fact::backend::{Continues, DataKind, Flavour, OpenReason, Opened};
use protocol::fact::envelope::Head;
use protocol::text::names::ProgramVersion;
use protocol::text::time::Moment;
use protocol::text::whole::Seq;

use super::{Log, LogError};

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
        let opened = self.opening(beginning, epoch, None, OpenReason::First);
        self.append(&mut turn.change, "epoch", vec![(beginning.at, opened.into())])?;
        self.store(turn).await
    }

    /// Opens the next epoch, by the operator's will alone. It continues at a place of this one: at the last fact, or, when
    /// the site holds another history, at the last one that both have.
    ///
    /// # Errors
    /// There is no such place, or it cannot be stored.
    pub async fn new_epoch(
        &self,
        beginning: &Beginning,
        reason: OpenReason,
        common: Option<Seq>,
    ) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        let epoch = turn.change.standing.epoch;
        let seq = common.unwrap_or(turn.change.standing.head.seq);
        let hash = self.hash_at(epoch, seq).await?;
        let hash = hash.ok_or_else(|| LogError::damaged(format!("there is no fact {seq} in epoch {epoch}")))?;
        let next = epoch.next();
        let continues = Some(Continues { epoch, seq, hash });
        turn.change.standing.epoch = next;
        turn.change.standing.head = Head::start();
        let opened = self.opening(beginning, next, continues, reason);
        self.append(&mut turn.change, "epoch", vec![(beginning.at, opened.into())])?;
        self.store(turn).await
    }

    fn opening(
        &self,
        beginning: &Beginning,
        epoch: protocol::text::whole::Epoch,
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
            public_key: self.who.key.public().text(),
        }
    }
}
