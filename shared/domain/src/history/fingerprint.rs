//! What makes the same row the same, however often it comes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{FileRow, PastLead};
use crate::enquiry::Fields;
use crate::ids::{AssignmentId, CompanyId, DecisionId, EnquiryId, SourceId};

/// The key that rows are hashed with, derived from the deployment's master secret. Changing it forgets what
/// was imported.
#[derive(Clone)]
pub struct HistoryKey([u8; 32]);

impl HistoryKey {
    /// From the derived bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for HistoryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HistoryKey(…)")
    }
}

/// HMAC-SHA256 (RFC 2104) over the company and what a row is known by: its `external_id` with the dealer it
/// was sold to (a shared lead is exported once for each), else all of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    hash: [u8; 32],
    named: bool,
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint(…)") // pseudonymous, still personal
    }
}

impl Fingerprint {
    /// Of a row as sent, and as it was read.
    pub fn of(key: &HistoryKey, company: &CompanyId, row: &Fields, past: &PastLead<'_>) -> Self {
        let mut known = Known::new(key);
        known.part(company.as_str());
        if let Some(external) = &past.external_id {
            let dealer = past.sale.as_ref().and_then(|sale| sale.dealer.as_ref());
            known.part("external");
            known.part(external);
            known.part(dealer.map_or("", |dealer| dealer.as_str()));
        } else {
            known.part("row");
            known.row(row);
        }
        Self { hash: known.hash(), named: past.external_id.is_some() }
    }

    /// Of a row of a file of enquiries: of one source, the same `external_id` is the same enquiry; else the same
    /// cells, or, where the sender says nothing of cells, the same names and values. The file's own name is no
    /// part of it: exports overlap, and are saved again under another.
    pub fn of_file_row(
        key: &HistoryKey,
        company: &CompanyId,
        source: &SourceId,
        row: &Fields,
        read: &FileRow<'_>,
    ) -> Self {
        let mut known = Known::new(key);
        for text in [company.as_str(), "enquiry", source.as_str()] {
            known.part(text);
        }
        match (&read.external_id, &read.key) {
            (Some(external), _) => {
                known.part("external");
                known.part(external);
            }
            (None, Some(cells)) => {
                known.part("cells");
                known.part(cells);
            }
            (None, None) => {
                known.part("row");
                known.row(row);
            }
        }
        Self { hash: known.hash(), named: false }
    }

    /// The id of an enquiry that is known by its row alone, whenever it is sent. It says nothing of when the
    /// enquiry arrived.
    pub fn enquiry_of_a_file(&self) -> EnquiryId {
        EnquiryId::mint(Timestamp::UNIX_EPOCH, self.ten("enquiry"))
    }

    /// Under which a row that names itself is remembered: its dates may be put right without its coming
    /// twice. 22 characters of base64url; `None` of one that is known by its content, and so by its id.
    pub fn mark(&self) -> Option<String> {
        self.named.then(|| URL_SAFE_NO_PAD.encode(&self.hash[..16]))
    }

    /// The id of the enquiry, which arrived then.
    pub fn enquiry(&self, at: Timestamp) -> EnquiryId {
        EnquiryId::mint(at, self.ten("enquiry"))
    }

    /// The id of the seat, given then.
    pub fn assignment(&self, at: Timestamp) -> AssignmentId {
        AssignmentId::mint(at, self.ten("assignment"))
    }

    /// The id of the decision, made then.
    pub fn decision(&self, at: Timestamp) -> DecisionId {
        DecisionId::mint(at, self.ten("decision"))
    }

    fn ten(&self, of: &str) -> [u8; 10] {
        let whole: [u8; 32] = Sha256::new().chain_update(of).chain_update(self.hash).finalize().into();
        whole.first_chunk().copied().unwrap_or_default()
    }
}

/// What something is known by, part by part.
struct Known(Hmac<Sha256>);

impl Known {
    fn new(key: &HistoryKey) -> Self {
        let mut block = [0; 64];
        for (padded, byte) in block.iter_mut().zip(key.0) {
            *padded = byte; // a key shorter than the block is padded with zeros
        }
        Self(<Hmac<Sha256> as KeyInit>::new(&block.into()))
    }

    fn part(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    /// Names and values in any order, blanks apart.
    fn row(&mut self, row: &Fields) {
        let mut said: Vec<(&str, &str)> =
            row.iter().map(|(name, value)| (name.trim(), value.trim())).collect();
        said.sort_unstable();
        for (name, value) in said.into_iter().filter(|(_, value)| !value.is_empty()) {
            self.part(name);
            self.part(value);
        }
    }

    fn hash(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}
