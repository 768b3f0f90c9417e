//! How large a workbook is once it is unfolded, found out without keeping any of it.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::limits;
use crate::rulebook::problem::ProblemCode;

/// How an encrypted workbook and those of the time before XLSX begin.
const COMPOUND: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];

/// Read at a time.
const BLOCK_BYTES: usize = 64 * 1024;

/// Why it is not even opened.
pub(super) type Refusal = (ProblemCode, String);

/// Inflates every part, up to the limit. The sizes that an archive claims are not believed.
pub(super) fn weigh(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.starts_with(COMPOUND) {
        let message = "this workbook has a password, or is of the time before XLSX: save it as .xlsx without a password";
        return Err((ProblemCode::Syntax, message.to_owned()));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    if archive.len() > limits::WORKBOOK_PARTS {
        let message = format!("a workbook has at most {} parts", limits::WORKBOOK_PARTS);
        return Err((ProblemCode::TooMany, message));
    }
    let mut left = limits::WORKBOOK_BYTES;
    let mut block = vec![0; BLOCK_BYTES];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|_| damaged())?;
        let mut claims = Claims::default();
        let is_strings =
            part.name().map_err(|_| damaged())?.to_ascii_lowercase().ends_with("sharedstrings.xml");
        loop {
            let read = part.read(&mut block).map_err(|_| damaged())?;
            let Some(text) = block.get(..read).filter(|text| !text.is_empty()) else { break };
            left = left.checked_sub(read).ok_or_else(too_large)?;
            if is_strings {
                claims.read(text)?;
            }
        }
    }
    Ok(())
}

fn damaged() -> Refusal {
    (ProblemCode::Syntax, "this is not a workbook, or a damaged one: save it again as .xlsx".to_owned())
}

fn too_large() -> Refusal {
    let message = format!("a workbook has at most {} bytes once it is unpacked", limits::WORKBOOK_BYTES);
    (ProblemCode::TooLarge, message)
}

/// What the table of strings claims to hold. Its reader makes room for so many before it has seen one.
#[derive(Default)]
struct Claims {
    /// The end of the block before, where a claim may begin.
    tail: Vec<u8>,
}

const CLAIM: &[u8] = b"uniqueCount";

/// Name and number of a claim are at most so far apart, so that both are seen at once.
const APART_BYTES: usize = 64;

impl Claims {
    fn read(&mut self, block: &[u8]) -> Result<(), Refusal> {
        // Text of two bytes a letter would hide a claim; no spreadsheet writes it.
        if block.contains(&0) {
            return Err(damaged());
        }
        self.tail.extend(block);
        let found = self.tail.windows(CLAIM.len()).enumerate().filter(|(_, window)| *window == CLAIM);
        for (at, _) in found {
            let rest = self.tail.get(at + CLAIM.len()..).unwrap_or_default();
            let before = |byte: &&u8| byte.is_ascii_whitespace() || b"=\"'+".contains(byte);
            let before = rest.iter().take_while(before).count();
            if before > APART_BYTES {
                return Err(damaged());
            }
            let digits: String = rest
                .iter()
                .skip(before)
                .take_while(|byte| byte.is_ascii_digit())
                .take(32)
                .map(|&byte| char::from(byte))
                .collect();
            // A claim cut off by the block's end is seen whole in the next.
            if digits.parse::<usize>().is_ok_and(|claimed| claimed > limits::WORKBOOK_STRINGS)
                || digits.len() > 18
            {
                return Err(too_large());
            }
        }
        let keep = self.tail.len().saturating_sub(4 * APART_BYTES);
        self.tail.drain(..keep);
        Ok(())
    }
}
