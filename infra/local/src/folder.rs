//! The data folder: what survives a restart. A folder that is damaged, or somebody else's, is refused
//! with a message and left as it was found.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use leadyard_domain::access::MasterKey;
use leadyard_platform::entropy::Entropy;

/// Why a folder was refused.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file could not be read or written.
    #[error("{path} could not be read or written")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There are data, but not the key they were made with.
    #[error(
        "{path} is missing or damaged, and without it the data beside it cannot be used; restore it, or choose another folder"
    )]
    Key {
        /// The key's file.
        path: PathBuf,
    },
}

/// The file that holds the master key, 64 hexadecimal digits.
const KEY_FILE: &str = "master.key";

/// The master key of a folder; a new one for a new folder.
///
/// # Errors
/// When there are data and no key, or a damaged one.
pub fn master_key(folder: &Path, entropy: &Entropy) -> Result<MasterKey, FolderError> {
    let path = folder.join(KEY_FILE);
    let io = |source| FolderError::Io { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) => MasterKey::from_hex(&text).map_err(|_| FolderError::Key { path: path.clone() }),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(error)),
        Err(_) if folder.join("table.sqlite").exists() => Err(FolderError::Key { path: path.clone() }),
        Err(_) => {
            std::fs::create_dir_all(folder).map_err(io)?;
            let bytes: [u8; 32] = entropy.bytes();
            write_secret(&path, &hex(&bytes)).map_err(io)?;
            Ok(MasterKey::new(bytes))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Written whole or not at all, readable by its owner alone.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let draft = path.with_extension("new");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_key_and_data_without_one_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = master_key(folder.path(), &Entropy::seeded(1)).unwrap();
        let again = master_key(folder.path(), &Entropy::seeded(2)).unwrap();
        assert_eq!(first.bytes(), again.bytes());
        std::fs::write(folder.path().join("table.sqlite"), b"data").unwrap();
        std::fs::remove_file(folder.path().join(KEY_FILE)).unwrap();
        assert!(matches!(master_key(folder.path(), &Entropy::seeded(3)), Err(FolderError::Key { .. })));
        assert_eq!(std::fs::read(folder.path().join("table.sqlite")).unwrap(), b"data");
    }
}
