//! A log on the disk: one SQLite file with a write-ahead log, flushed to the disk with every step.
//! Spec protocol.md 3.2 (1), 4.1, 7.3.

use std::path::Path;
use std::time::Duration;

use jobs::sqlite::{Writer, write_ahead};
use protocol::directive::inbox::Inbox;
use protocol::fact::envelope::Head;
use protocol::people::Roster;
use protocol::text::hashes::Sha256Hex;
use protocol::text::ids::{RequestId, Ulid};
use protocol::text::time::Moment;
use protocol::text::whole::{Cursor, Epoch, Seq};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Row, SqliteConnection};
use tokio::sync::Mutex;

use super::LogError;
use super::egress::Sent;
use super::shelf::{Change, Entry, Shelf, Soon, Standing, State};

/// Each brings the schema from the version before to its own, which is its position counted from 1.
const MIGRATIONS: &[&str] = &[include_str!("migrations/001.sql")];
const KNOWN: i64 = MIGRATIONS.len() as i64;
/// `CLBE`, so that the file is known as ours.
const APPLICATION_ID: i64 = 0x434c_4245;
const BUSY: Duration = Duration::from_secs(10);

/// A shelf on the disk. Steps and looks take turns on one connection: a step is one flush of the disk, a look is a row.
#[derive(Debug)]
pub struct Sqlite(Mutex<Writer>);

impl Sqlite {
    /// Opens the file, making it if it is not there, readable by its owner alone. Who opens it holds the folder's lock.
    ///
    /// # Errors
    /// It cannot be opened, is not ours, or is of a later program.
    pub async fn open(path: &Path) -> Result<Self, LogError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON");
        let private = || -> std::io::Result<()> {
            use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
            let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
            file.set_permissions(std::fs::Permissions::from_mode(0o600))
        };
        private().map_err(|source| LogError::Folder { path: path.to_owned(), source })?;
        let mut connection = Writer::open(options).await?;
        write_ahead(&mut connection, BUSY).await?;
        migrate(&mut connection, path).await?;
        Ok(Self(Mutex::new(connection)))
    }
}

impl Sqlite {
    /// Opens the file to look at it, beside a backend that may be running; nothing of it is changed.
    ///
    /// # Errors
    /// There is none, or it is not ours.
    pub async fn look(path: &Path) -> Result<Self, LogError> {
        let there = std::fs::metadata(path).map(drop);
        there.map_err(|source| LogError::Folder { path: path.to_owned(), source })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY)
            .pragma("query_only", "ON")
            .pragma("trusted_schema", "OFF");
        let mut connection = Writer::open(options).await?;
        let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
        let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
        if id != APPLICATION_ID || !(1..=KNOWN).contains(&found) {
            let what = "was not made by this version of a backend".to_owned();
            return Err(LogError::NotOurs { path: path.to_owned(), what });
        }
        Ok(Self(Mutex::new(connection)))
    }
}

async fn migrate(connection: &mut Writer, path: &Path) -> Result<(), LogError> {
    let mut tx = connection.begin().await?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *tx).await?;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *tx).await?;
    let items: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *tx).await?;
    let not_ours = |what: &str| LogError::NotOurs { path: path.to_owned(), what: what.to_owned() };
    if items > 0 && id != APPLICATION_ID {
        return Err(not_ours("was not made by a backend"));
    }
    if !(0..=KNOWN).contains(&found) {
        return Err(not_ours("is of a later program"));
    }
    for (done, migration) in (0..KNOWN).zip(MIGRATIONS).skip_while(|(done, _)| *done < found) {
        sqlx::raw_sql(*migration).execute(&mut *tx).await?;
        let stamp = format!("PRAGMA user_version = {}; PRAGMA application_id = {APPLICATION_ID};", done + 1);
        sqlx::raw_sql(sqlx::AssertSqlSafe(stamp)).execute(&mut *tx).await?;
    }
    Ok(tx.commit().await?)
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of a row as the number of its type.
fn number<T: TryFrom<u64>>(row: &SqliteRow, column: &str) -> Result<T, LogError> {
    let found: i64 = row.try_get(column)?;
    u64::try_from(found)
        .ok()
        .and_then(|found| T::try_from(found).ok())
        .ok_or_else(|| LogError::damaged(format!("`{column}` of a row is out of its bounds")))
}

/// A text of a row as the text of its type.
fn text<T: std::str::FromStr>(row: &SqliteRow, column: &str) -> Result<Option<T>, LogError> {
    let found: Option<String> = row.try_get(column)?;
    found
        .map(|found| found.parse().map_err(|_| LogError::damaged(format!("`{column}` of a row is not in its form"))))
        .transpose()
}

fn moment(row: &SqliteRow, column: &str) -> Result<Moment, LogError> {
    let found: i64 = row.try_get(column)?;
    Moment::from_microseconds(found).map_err(|_| LogError::damaged(format!("`{column}` of a row is no moment")))
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Repeated => "repeated",
        }
    }
}

fn entry(row: &SqliteRow) -> Result<Entry, LogError> {
    let state: String = row.try_get("state")?;
    let all = [State::Waiting, State::Applied, State::Rejected, State::Repeated];
    Ok(Entry {
        cursor: number(row, "cursor")?,
        id: text(row, "id")?,
        received_at: moment(row, "received_at")?,
        raw: row.try_get("raw")?,
        request: text(row, "request")?,
        state: all
            .into_iter()
            .find(|one| one.word() == state)
            .ok_or_else(|| LogError::damaged("the state of a directive is no word of ours"))?,
    })
}

async fn commit(connection: &mut Writer, change: Change) -> Result<(), LogError> {
    let mut tx = connection.begin().await?;
    let standing = &change.standing;
    if let Some(source) = &change.source {
        sqlx::query("INSERT INTO source (name, epoch, seq) VALUES (?, ?, ?)")
            .bind(source)
            .bind(whole(standing.epoch.get()))
            .bind(whole(standing.head.seq.get()))
            .execute(&mut *tx)
            .await?;
    }
    for fact in &change.facts {
        sqlx::query("INSERT INTO fact (epoch, seq, hash, text) VALUES (?, ?, ?, ?)")
            .bind(whole(fact.epoch.get()))
            .bind(whole(fact.seq.get()))
            .bind(fact.hash.as_str())
            .bind(fact.text())
            .execute(&mut *tx)
            .await?;
    }
    for one in &change.arrived {
        sqlx::query("INSERT INTO directive (cursor, id, received_at, raw, request, state) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(whole(one.cursor.get()))
            .bind(one.id.as_ref().map(Ulid::as_str))
            .bind(one.received_at.microseconds())
            .bind(one.raw.as_deref())
            .bind(one.request.as_ref().map(RequestId::as_str))
            .bind(one.state.word())
            .execute(&mut *tx)
            .await?;
    }
    for (cursor, state) in &change.done {
        sqlx::query("UPDATE directive SET state = ? WHERE cursor = ?")
            .bind(state.word())
            .bind(whole(cursor.get()))
            .execute(&mut *tx)
            .await?;
    }
    if let Some(roster) = &change.roster {
        let text = serde_json::to_string(&**roster).map_err(|bad| LogError::damaged(bad.to_string()))?;
        sqlx::query("INSERT OR REPLACE INTO roster (one, revision, text) VALUES (1, ?, ?)")
            .bind(whole(roster.revision.get()))
            .bind(text)
            .execute(&mut *tx)
            .await?;
    }
    if let Some(sent) = &change.sent {
        sqlx::query("INSERT INTO egress (seq, at, call, bytes, hash) VALUES (?, ?, ?, ?, ?)")
            .bind(whole(sent.seq))
            .bind(sent.at.microseconds())
            .bind(&sent.call)
            .bind(&sent.bytes)
            .bind(sent.hash.as_str())
            .execute(&mut *tx)
            .await?;
    }
    sqlx::query("UPDATE standing SET epoch = ?, cursor = ?, directive = ?, stopped = ?, heard = ?")
        .bind(whole(standing.epoch.get()))
        .bind(whole(standing.inbox.cursor.get()))
        .bind(standing.inbox.id.as_ref().map(Ulid::as_str))
        .bind(standing.inbox.stopped)
        .bind(standing.heard.map(Moment::microseconds))
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}

async fn standing(connection: &mut SqliteConnection) -> Result<Standing, LogError> {
    let row = sqlx::query("SELECT epoch, cursor, directive, stopped, heard FROM standing")
        .fetch_one(&mut *connection)
        .await?;
    let epoch: Epoch = number(&row, "epoch")?;
    let inbox =
        Inbox { cursor: number(&row, "cursor")?, id: text(&row, "directive")?, stopped: row.try_get("stopped")? };
    let none = || LogError::damaged("a row has no hash");
    let last = sqlx::query("SELECT seq, hash FROM fact WHERE epoch = ? ORDER BY seq DESC LIMIT 1")
        .bind(whole(epoch.get()))
        .fetch_optional(&mut *connection)
        .await?;
    let head = match &last {
        None => Head::start(),
        Some(row) => Head { seq: number(row, "seq")?, hash: text(row, "hash")?.ok_or_else(none)? },
    };
    let last = sqlx::query("SELECT seq, hash FROM egress ORDER BY seq DESC LIMIT 1").fetch_optional(connection).await?;
    let sent = match &last {
        None => (0, Sha256Hex::zero()),
        Some(row) => (number(row, "seq")?, text(row, "hash")?.ok_or_else(none)?),
    };
    let heard = row.try_get::<Option<i64>, _>("heard")?.map(|_| moment(&row, "heard")).transpose()?;
    Ok(Standing { epoch, head, inbox, sent, heard })
}

macro_rules! entries {
    ($rest:literal) => {
        concat!("SELECT cursor, id, received_at, raw, request, state FROM directive ", $rest)
    };
}

impl Shelf for Sqlite {
    fn standing(&self) -> Soon<'_, Standing> {
        Box::pin(async move { standing(&mut **self.0.lock().await).await })
    }

    fn commit(&self, change: Change) -> Soon<'_, ()> {
        Box::pin(async move { commit(&mut *self.0.lock().await, change).await })
    }

    fn knows<'a>(&'a self, source: &'a str) -> Soon<'a, bool> {
        Box::pin(async move {
            let query = sqlx::query_scalar("SELECT count(*) FROM source WHERE name = ?").bind(source);
            let found: i64 = query.fetch_one(&mut **self.0.lock().await).await?;
            Ok(found > 0)
        })
    }

    fn facts(&self, epoch: Epoch, from: Seq, most: usize) -> Soon<'_, Vec<String>> {
        Box::pin(async move {
            let query = "SELECT text FROM fact WHERE epoch = ? AND seq >= ? ORDER BY seq LIMIT ?";
            let query =
                sqlx::query_scalar(query).bind(whole(epoch.get())).bind(whole(from.get())).bind(whole(most as u64));
            Ok(query.fetch_all(&mut **self.0.lock().await).await?)
        })
    }

    fn hash_at(&self, epoch: Epoch, seq: Seq) -> Soon<'_, Option<Sha256Hex>> {
        Box::pin(async move {
            let query = sqlx::query("SELECT hash FROM fact WHERE epoch = ? AND seq = ?")
                .bind(whole(epoch.get()))
                .bind(whole(seq.get()));
            let row = query.fetch_optional(&mut **self.0.lock().await).await?;
            row.map(|row| text(&row, "hash")).transpose().map(Option::flatten)
        })
    }

    fn waiting(&self) -> Soon<'_, Vec<Entry>> {
        Box::pin(async move {
            let query = sqlx::query(entries!("WHERE state = 'waiting' ORDER BY cursor"));
            query.fetch_all(&mut **self.0.lock().await).await?.iter().map(entry).collect()
        })
    }

    fn at(&self, cursor: Cursor) -> Soon<'_, Option<Entry>> {
        Box::pin(async move {
            let query = sqlx::query(entries!("WHERE cursor = ?")).bind(whole(cursor.get()));
            query.fetch_optional(&mut **self.0.lock().await).await?.as_ref().map(entry).transpose()
        })
    }

    fn by_id<'a>(&'a self, id: &'a Ulid) -> Soon<'a, Option<Entry>> {
        Box::pin(async move {
            let query = entries!("WHERE id = ? AND state <> 'rejected' ORDER BY cursor LIMIT 1");
            let query = sqlx::query(query).bind(id.as_str());
            query.fetch_optional(&mut **self.0.lock().await).await?.as_ref().map(entry).transpose()
        })
    }

    fn orders<'a>(&'a self, request: &'a RequestId) -> Soon<'a, Vec<Entry>> {
        Box::pin(async move {
            let query = sqlx::query(entries!("WHERE request = ? ORDER BY cursor")).bind(request.as_str());
            query.fetch_all(&mut **self.0.lock().await).await?.iter().map(entry).collect()
        })
    }

    fn roster(&self) -> Soon<'_, Option<Roster>> {
        Box::pin(async move {
            let query = sqlx::query_scalar("SELECT text FROM roster");
            let found: Option<String> = query.fetch_optional(&mut **self.0.lock().await).await?;
            let damaged = |_| LogError::damaged("the roster is not as it was written");
            found.map(|found| protocol::message::from_bytes(found.as_bytes()).map_err(damaged)).transpose()
        })
    }

    fn sent(&self, from: u64, most: usize) -> Soon<'_, Vec<Sent>> {
        Box::pin(async move {
            let query =
                sqlx::query("SELECT seq, at, call, bytes, hash FROM egress WHERE seq >= ? ORDER BY seq LIMIT ?");
            let rows = query.bind(whole(from)).bind(whole(most as u64)).fetch_all(&mut **self.0.lock().await).await?;
            let one = |row: &SqliteRow| {
                Ok(Sent {
                    seq: number(row, "seq")?,
                    at: moment(row, "at")?,
                    call: row.try_get("call")?,
                    bytes: row.try_get("bytes")?,
                    hash: text(row, "hash")?.ok_or_else(|| LogError::damaged("a row has no hash"))?,
                })
            };
            rows.iter().map(one).collect()
        })
    }
}
