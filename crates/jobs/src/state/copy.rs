//! A private copy of a state file that a writer left open, so that reading it writes nothing beside it.
//! Spec cli.md 2: commands that only look change nothing in the project.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;

/// Only what is written anew between two looks makes a try fail: a log begins again after about 1,000 pages.
const TRIES: u32 = 50;

/// Bytes of the header of a write-ahead log; its two salts change whenever the log begins again.
const HEADER: u64 = 32;

/// A folder that nobody else can enter (mode 0700), removed when dropped.
#[derive(Debug)]
pub(super) struct PrivateCopy {
    folder: PathBuf,
}

/// The write-ahead log that belongs to a state file.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Opens a regular file; a link or a pipe is refused, and never waited for.
fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// The header of the log; `None` if there is no log or nothing in it.
fn header(log: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match open(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut bytes = Vec::new();
    file.take(HEADER).read_to_end(&mut bytes)?;
    Ok((!bytes.is_empty()).then_some(bytes))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut to = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
    io::copy(&mut open(from)?, &mut to)?;
    Ok(())
}

impl PrivateCopy {
    /// Copies the state file and its log; `None` if all of it is in the file, which can be read where it is.
    ///
    /// A writer may go on meanwhile. What it moves from the log into the file stays in the log until the log begins
    /// again; so the file copied first and the log after it are whole together, if the log has not begun again between.
    ///
    /// # Errors
    /// Something cannot be read or written, or the writer never pauses.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        Self::made(path, || {})
    }

    /// `between` is called after each copy of the file and before that of its log.
    fn made(path: &Path, mut between: impl FnMut()) -> io::Result<Option<Self>> {
        let log = log_of(path);
        let mut made: Option<Self> = None;
        for _ in 0..TRIES {
            let Some(before) = header(&log)? else { return Ok(None) };
            let to = match made.take() {
                Some(to) => to,
                None => Self::new()?,
            };
            copy(path, &to.file())?;
            between();
            match copy(&log, &log_of(&to.file())) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            if header(&log)?.as_ref() == Some(&before) && header(&log_of(&to.file()))? == Some(before) {
                return Ok(Some(to));
            }
            made = Some(to);
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(io::Error::other("it is being written without a pause; try again when the run is over"))
    }

    fn new() -> io::Result<Self> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("cloister-state-{}", data_encoding::HEXLOWER.encode(&random));
        let folder = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self { folder })
    }

    /// The copy of the state file.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join("state.sqlite")
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        // Nothing can be done about it here, and nobody else can read what is left.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{Connection, SqliteConnection};

    use super::*;

    const FILL: &str = "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES ('first')";
    const BEGIN_AGAIN: &str = "PRAGMA wal_checkpoint(RESTART); INSERT INTO t VALUES ('second')";
    const CLOSE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

    /// Runs statements by a connection that stays open, and so leaves the log; `made` is sync, so on a thread.
    fn write(path: &Path, sql: &'static str) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let work = async move {
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection
        };
        let thread =
            std::thread::spawn(|| tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work));
        thread.join().unwrap()
    }

    async fn rows(path: &Path) -> Vec<String> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query_scalar("SELECT x FROM t ORDER BY rowid").fetch_all(&mut connection).await.unwrap()
    }

    #[tokio::test]
    async fn a_log_that_begins_again_between_is_copied_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let mut open = vec![write(&path, FILL)];
        let mut times = 0;
        let copy = PrivateCopy::made(&path, || {
            times += 1;
            if times == 1 {
                open.push(write(&path, BEGIN_AGAIN));
            }
        });
        let copy = copy.unwrap().unwrap();
        assert_eq!(times, 2);
        assert_eq!(rows(&copy.file()).await, ["first", "second"]);
        let folder = copy.folder.clone();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        drop(copy);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn a_log_that_is_emptied_between_leaves_nothing_to_copy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let mut open = vec![write(&path, FILL)];
        let copy = PrivateCopy::made(&path, || open.push(write(&path, CLOSE))).unwrap();
        assert!(copy.is_none(), "all is in the file");
    }
}
