//! Looking at a file before SQLite may write to it: someone else's file is refused, not adopted.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

/// Why a file was refused. It was left as it was found.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file could not be looked at.
    #[error("{path} could not be read")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Not an SQLite database, or a damaged one.
    #[error("{path} is damaged or not a database; it was left as it is")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said, when it said something.
        #[source]
        source: Option<rusqlite::Error>,
    },
    /// A sound database of something else.
    #[error("{path} is a database of another program; it was left as it is")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another process has the file open.
    #[error("{path} is in use by another process")]
    InUse {
        /// The file.
        path: PathBuf,
    },
}

impl FileError {
    /// Tells a file in use from a damaged one.
    pub(super) fn of(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Self::InUse { path }
            }
            _ => Self::Damaged { path, source: Some(source) },
        }
    }
}

/// Refuses `path` unless it is missing, empty, or a database for which the query `ours` yields 1.
pub(super) fn refuse_unless_ours(path: &Path, ours: &str) -> Result<(), FileError> {
    let bytes = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => 0,
        Err(source) => return Err(FileError::Io { path: path.to_owned(), source }),
    };
    if bytes == 0 {
        // SQLite deletes the log of an empty database, and with it the last writes.
        return match log_bytes(path) {
            0 => Ok(()),
            _ => Err(FileError::Damaged { path: path.to_owned(), source: None }),
        };
    }
    let look = || -> rusqlite::Result<(i64, i64, bool)> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = match untouched(path) {
            Some(uri) => Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?,
            None => Connection::open_with_flags(path, flags)?,
        };
        let size = conn.query_row(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            [],
            |row| row.get(0),
        )?;
        let objects = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((size, objects, conn.query_row(ours, [], |row| row.get(0))?))
    };
    let (size, objects, is_ours) = look().map_err(|source| FileError::of(path, source))?;
    // Pages may stand in the log alone; without a log, the file must hold them all.
    if log_bytes(path) == 0 && size > bytes as i64 {
        return Err(FileError::Damaged { path: path.to_owned(), source: None });
    }
    // A database without a single object is one whose making was cut short.
    if objects > 0 && !is_ours {
        return Err(FileError::Foreign { path: path.to_owned() });
    }
    Ok(())
}

/// The address under which a database that was closed in good order is read as it stands. Read by its
/// path, it would be left with an empty log and a shared-memory file beside it.
fn untouched(path: &Path) -> Option<String> {
    let closed = ["-wal", "-journal"].iter().all(|end| !beside(path, end).exists());
    let path = path.to_str().filter(|_| closed)?;
    Some(format!("file:{}?immutable=1", path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")))
}

/// The length of the database's write-ahead log, 0 without one.
fn log_bytes(path: &Path) -> u64 {
    std::fs::metadata(beside(path, "-wal")).map_or(0, |metadata| metadata.len())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
