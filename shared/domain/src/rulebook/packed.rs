//! A rulebook's files as one archive: what a browser downloads and sends back.
//!
//! Determinations. *The sizes that an archive claims are not believed*: no more is unfolded than a rulebook may have,
//! however many archives are sent at once. *A folder around the files is left out*, since that is what packing a folder
//! makes: a file is known by its name alone, and one that is there twice is refused as such.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::files::RulebookFiles;
use super::problem::{Position, ProblemCode, Problems, Severity};
use crate::error::Invalid;
use crate::limits;

/// Files by name.
pub type Named = Vec<(String, Vec<u8>)>;

/// Whether a file of this name is an archive of others.
pub fn is_archive(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("zip"))
}

/// The files of an archive. What they take is taken from `left`, the bytes that a rulebook may still have: archives
/// that are sent together have no more than one.
///
/// # Errors
/// When it is none, or holds more than that.
pub fn unpack(name: &str, bytes: &[u8], left: &mut usize) -> Result<Named, Problems> {
    let refused = |code: ProblemCode, message: String| {
        let mut problems = Problems::default();
        problems.note(name, Position::START, Severity::Error, code, message);
        problems
    };
    let damaged = || {
        refused(ProblemCode::Syntax, "this is not a .zip of a rulebook’s files, or a damaged one".to_owned())
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    if archive.len() > limits::ARCHIVE_FILES {
        let message = format!("a rulebook’s archive has at most {} files", limits::ARCHIVE_FILES);
        return Err(refused(ProblemCode::TooMany, message));
    }
    let mut files = Named::new();
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| damaged())?;
        let path = part.name().map_err(|_| damaged())?.replace('\\', "/");
        // What a Mac packs beside the files.
        if path.ends_with('/') || path.split('/').any(|folder| folder == "__MACOSX") {
            continue;
        }
        let mut content = Vec::new();
        let most = u64::try_from(*left).unwrap_or(u64::MAX).saturating_add(1);
        part.take(most).read_to_end(&mut content).map_err(|_| damaged())?;
        *left = left.checked_sub(content.len()).ok_or_else(|| {
            let message = format!("a rulebook has at most {} bytes in all its files", limits::RULEBOOK_BYTES);
            refused(ProblemCode::TooLarge, message)
        })?;
        files.push((path.rsplit('/').next().unwrap_or(&path).to_owned(), content));
    }
    Ok(files)
}

impl RulebookFiles {
    /// All of them as one archive.
    ///
    /// # Errors
    /// When they do not fit into one.
    pub fn packed(&self) -> Result<Vec<u8>, Invalid> {
        let failed = |_| Invalid::new("the files do not fit into an archive");
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in self.iter() {
            archive.start_file(name, SimpleFileOptions::default()).map_err(failed)?;
            let failed = |_| Invalid::new("the files do not fit into an archive");
            archive.write_all(bytes).map_err(failed)?;
        }
        Ok(archive.finish().map_err(failed)?.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(bytes: &[u8]) -> Result<Named, Problems> {
        unpack("rules.zip", bytes, &mut { limits::RULEBOOK_BYTES })
    }

    #[test]
    fn what_is_packed_is_unpacked_also_with_a_folder_around_it() {
        let named = [("areas.csv", "area,part\n"), ("company.toml", "id = \"acme\"\n")];
        let given = named.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        let files = RulebookFiles::new(given.clone()).unwrap();
        assert_eq!(unpacked(&files.packed().unwrap()).unwrap(), given);
        let foldered = named.map(|(name, text)| (format!("rules/{name}"), text.as_bytes().to_vec()));
        let beside = [("__MACOSX/._areas.csv".to_owned(), Vec::new())];
        let files = RulebookFiles::new(foldered.into_iter().chain(beside)).unwrap();
        assert_eq!(unpacked(&files.packed().unwrap()).unwrap(), given);
    }

    #[test]
    fn what_unfolds_to_more_than_a_rulebook_is_refused_and_so_is_what_is_no_archive() {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("areas.csv", SimpleFileOptions::default()).unwrap();
        archive.write_all(&vec![b'a'; limits::RULEBOOK_BYTES + 1]).unwrap();
        let bomb = archive.finish().unwrap().into_inner();
        assert!(bomb.len() < limits::RULEBOOK_BYTES / 100);
        let problems = unpacked(&bomb).unwrap_err();
        assert!(problems.to_string().contains("rules.zip:1:1: error: a rulebook has at most"), "{problems}");
        assert!(unpacked(b"area,part").unwrap_err().to_string().contains("damaged"));
        assert!(is_archive("Rules.ZIP") && !is_archive("rules.xlsx") && !is_archive("zip"));
    }

    #[test]
    fn archives_that_are_sent_together_unfold_to_no_more_than_one_may() {
        let half = limits::RULEBOOK_BYTES / 2 + 1;
        let files = RulebookFiles::new([("areas.csv", vec![b'a'; half])]).unwrap().packed().unwrap();
        let mut left = limits::RULEBOOK_BYTES;
        assert_eq!(unpack("one.zip", &files, &mut left).unwrap()[0].1.len(), half);
        assert_eq!(left, limits::RULEBOOK_BYTES - half);
        let problems = unpack("two.zip", &files, &mut left).unwrap_err();
        assert!(problems.to_string().contains("two.zip:1:1: error: a rulebook has at most"), "{problems}");
    }
}
