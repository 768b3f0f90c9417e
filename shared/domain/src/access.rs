//! Page keys, secrets and tokens: minted from one master key and checked without a store, so that
//! intake can trust a page while the table is away.
//!
//! Each is `prefix_` + base64url(payload) + `.` + base64url(MAC): the payload says in the clear what it
//! is good for, the MAC (HMAC-SHA256, 128 bits) says that we minted it. Every prefix has a key of its
//! own (HKDF-SHA256, RFC 5869), so that a page key can never pass for a secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::Invalid;
use crate::ids::{AssignmentId, CompanyId, DealerId, EnquiryId, LeadId, SourceId, VisitorId};
use crate::lead::Answer;
use crate::limits;

/// The one secret of an installation: 32 bytes. Never printed.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// From its bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From 64 hexadecimal digits, as it stands in a secret store.
    pub fn from_hex(text: &str) -> Result<Self, Invalid> {
        let rule = || Invalid::new("the master key is 64 hexadecimal digits");
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return Err(rule());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| rule())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| rule())?;
        }
        Ok(Self(bytes))
    }

    /// The bytes, for derivations elsewhere in this crate's terms (webhook secrets).
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key for one purpose: HKDF-SHA256 without salt, the purpose as info.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        // 32 bytes is within HKDF's limit of 255 hashes, its only error.
        let _ = hkdf::Hkdf::<Sha256>::new(None, &self.0).expand(purpose.as_bytes(), &mut key);
        key
    }

    /// Mints a credential.
    pub fn mint<C: Credential>(&self, credential: &C) -> String {
        let payload = postcard::to_stdvec(credential).unwrap_or_default();
        let mac = self.mac(C::PREFIX, &payload);
        format!("{}_{}.{}", C::PREFIX, URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(mac))
    }

    /// Reads a credential that we minted; `None` for anything else.
    pub fn verify<C: Credential>(&self, text: &str) -> Option<C> {
        if text.len() > MOST_BYTES {
            return None;
        }
        let (payload, mac) = text.strip_prefix(C::PREFIX)?.strip_prefix('_')?.split_once('.')?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let ours = self.mac(C::PREFIX, &payload);
        if !bool::from(ours.as_slice().ct_eq(&mac)) {
            return None;
        }
        postcard::from_bytes(&payload).ok()
    }

    fn mac(&self, prefix: &str, payload: &[u8]) -> [u8; 16] {
        let key = self.derive(&format!("leadyard/access/v1/{prefix}"));
        let mut short = [0; 16];
        short.copy_from_slice(&keyed(&key, payload)[..16]);
        short
    }
}

/// The longest credential: a page key with eight origins.
const MOST_BYTES: usize = 2_048;

/// Something the master key can vouch for.
pub trait Credential: Serialize + DeserializeOwned {
    /// What it begins with, an underscore apart.
    const PREFIX: &'static str;
}

/// Stands in a public page, in the path of its posts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageKey {
    /// The company.
    pub company: CompanyId,
    /// The source.
    pub source: SourceId,
    /// Raised in `sources.toml` to make older keys worthless.
    pub generation: u32,
    /// Pages that may use it from a browser; empty means any.
    pub origins: Vec<String>,
}

/// Server to server, only ever as a bearer token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSecret {
    /// The company.
    pub company: CompanyId,
    /// The source.
    pub source: SourceId,
    /// As in [`PageKey`].
    pub generation: u32,
}

/// Answers for a dealer about one assignment: the link in a letter. Whoever has the letter has it, and it does
/// nothing else; no person stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerLink {
    /// The lead.
    pub lead: LeadId,
    /// Its cycle.
    pub cycle: u32,
    /// The seat.
    pub assignment: AssignmentId,
    /// What it says.
    pub answer: Answer,
    /// Until when it answers, Unix seconds.
    pub until_s: i64,
}

words! {
    /// What somebody of the desk may do in a company; each may what those before it may.
    pub enum Role as "a role" {
        /// Reads, and sees people masked.
        Reader = "reader",
        /// Works at the desk: leads, quarantine, returns, pauses of dealers.
        Desk = "desk",
        /// Answers for it: the rulebook, switches, tokens, people, money.
        Manager = "manager",
    }
}

/// The lead desk's: the installation's own, made from the master key. Whoever has it is a manager of its companies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskToken {
    /// Who, as the change log names them.
    pub staff: String,
    /// The companies they were given.
    pub companies: Vec<CompanyId>,
}

/// One dealer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealerToken {
    /// The company.
    pub company: CompanyId,
    /// The dealer.
    pub dealer: DealerId,
    /// Raised to make older tokens worthless.
    pub generation: u32,
}

/// A browser's, minted by intake: what a page may name in its interactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitorToken {
    /// The company it visits.
    pub company: CompanyId,
    /// The visitor.
    pub visitor: VisitorId,
}

words! {
    /// An ad platform that posts to us by itself.
    pub enum Platform as "an ad platform" {
        /// Google Ads lead forms.
        Google = "google",
        /// Meta lead ads.
        Meta = "meta",
    }
}

/// What an ad platform proves itself with: Google sends it with every lead, Meta when it subscribes. The operator
/// pastes it into the platform's own pages, where it may have 50 characters at most. Never printed.
#[derive(Clone)]
pub struct PlatformKey(String);

impl PlatformKey {
    /// That of a source.
    pub fn of(master: &MasterKey, platform: Platform, source: &SourceSecret) -> Self {
        let key = master.derive(&format!("leadyard/access/v1/{platform}"));
        let payload = postcard::to_stdvec(source).unwrap_or_default();
        Self(URL_SAFE_NO_PAD.encode(&keyed(&key, &payload)[..24]))
    }

    /// The key itself, to be shown to whoever sets the platform up.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this is it, in a time that does not depend on where it differs.
    pub fn is(&self, sent: &str) -> bool {
        self.0.as_bytes().ct_eq(sent.as_bytes()).into()
    }
}

impl std::fmt::Debug for PlatformKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlatformKey(…)")
    }
}

impl MasterKey {
    /// The id of the enquiry that a platform's lead becomes: the same lead is the same enquiry, however often it is
    /// sent, and nobody who knows the platform's id knows ours. It says nothing of when it arrived.
    pub fn platform_enquiry(
        &self,
        platform: Platform,
        company: &CompanyId,
        source: &SourceId,
        lead_id: &str,
    ) -> EnquiryId {
        let key = self.derive("leadyard/platform/v1");
        let payload = postcard::to_stdvec(&(platform.as_str(), company, source, lead_id)).unwrap_or_default();
        let mut ten = [0; 10];
        ten.copy_from_slice(&keyed(&key, &payload)[..10]);
        EnquiryId::mint(jiff::Timestamp::UNIX_EPOCH, ten)
    }
}

/// What stands for mailboxes where somebody is looked for who signs in: keyed, so that whoever reads the table learns no
/// address from it.
#[derive(Clone)]
pub struct Mailboxes([u8; 32]);

impl std::fmt::Debug for Mailboxes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailboxes(…)")
    }
}

impl MasterKey {
    /// How this installation knows mailboxes.
    pub fn mailboxes(&self) -> Mailboxes {
        Mailboxes(self.derive("leadyard/access/v1/mailbox"))
    }
}

impl Mailboxes {
    /// That of an address, in whatever case it was written: 128 bits as base64url.
    pub fn of(&self, address: &str) -> String {
        URL_SAFE_NO_PAD.encode(&keyed(&self.0, address.trim().to_lowercase().as_bytes())[..16])
    }
}

/// A token that a manager made in the console, for a program: `api_company.id.secret`. What it may do stands in the table
/// beside a hash of its secret, so that it can be taken away.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Whose leads it is for.
    pub company: CompanyId,
    /// What it is called in the list of them.
    pub id: String,
    secret: String,
}

impl std::fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiToken")
            .field("company", &self.company)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl ApiToken {
    /// A new one, of this randomness.
    pub fn mint(company: CompanyId, id: [u8; 6], secret: [u8; 24]) -> Self {
        Self { company, id: URL_SAFE_NO_PAD.encode(id), secret: URL_SAFE_NO_PAD.encode(secret) }
    }

    /// What somebody sent as one; whether it is good is asked of the table.
    pub fn read(text: &str) -> Option<Self> {
        const ID: usize = 8;
        const SECRET: usize = 32;
        let text =
            text.strip_prefix("api_").filter(|text| text.len() <= limits::SLUG_BYTES + ID + SECRET + 2)?;
        // A company's id may have dots of its own.
        let (text, secret) = text.rsplit_once('.').filter(|(_, secret)| secret.len() == SECRET)?;
        let (company, id) = text.rsplit_once('.').filter(|(_, id)| id.len() == ID)?;
        Some(Self { company: CompanyId::new(company).ok()?, id: id.to_owned(), secret: secret.to_owned() })
    }

    /// The token itself: shown once, to whoever made it.
    pub fn reveal(&self) -> String {
        format!("api_{}.{}.{}", self.company, self.id, self.secret)
    }

    /// What is kept of it. Its secret has 192 random bits: no salt is needed.
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.reveal()))
    }

    /// Whether this hash is its own, in a time that does not depend on where it differs.
    pub fn is(&self, hash: &str) -> bool {
        self.hash().as_bytes().ct_eq(hash.as_bytes()).into()
    }
}

/// HMAC-SHA256.
fn keyed(key: &[u8], payload: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length.
    Hmac::<Sha256>::new_from_slice(key).map_or([0; 32], |mut mac| {
        mac.update(payload);
        mac.finalize().into_bytes().into()
    })
}

/// In a link of a company's mail: whoever has it may have its person get no more mail, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsubscribeToken {
    /// Whose lead.
    pub company: CompanyId,
    /// The lead.
    pub lead: LeadId,
}

impl Credential for PageKey {
    const PREFIX: &'static str = "pk";
}
impl Credential for SourceSecret {
    const PREFIX: &'static str = "sk";
}
impl Credential for AnswerLink {
    const PREFIX: &'static str = "answer";
}
impl Credential for DeskToken {
    const PREFIX: &'static str = "desk";
}
impl Credential for DealerToken {
    const PREFIX: &'static str = "dealer";
}
impl Credential for VisitorToken {
    const PREFIX: &'static str = "v";
}
impl Credential for UnsubscribeToken {
    const PREFIX: &'static str = "u";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> MasterKey {
        MasterKey::new([7; 32])
    }

    fn secret() -> SourceSecret {
        SourceSecret {
            company: CompanyId::new("acme").unwrap(),
            source: SourceId::new("web").unwrap(),
            generation: 1,
        }
    }

    #[test]
    fn what_we_minted_is_read_and_nothing_else() {
        let text = key().mint(&secret());
        assert_eq!(key().verify::<SourceSecret>(&text), Some(secret()));
        assert_eq!(MasterKey::new([8; 32]).verify::<SourceSecret>(&text), None);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(bytes).unwrap();
            // The last character of base64 may carry unused bits; a strict decoder refuses those.
            assert_eq!(key().verify::<SourceSecret>(&tampered), None, "at {at}");
        }
    }

    #[test]
    fn a_page_key_never_passes_for_a_secret() {
        // The same payload bytes under another prefix.
        let text = key().mint(&secret()).replacen("sk_", "pk_", 1);
        assert_eq!(key().verify::<PageKey>(&text), None);
        assert!(key().mint(&secret()).bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
    }

    #[test]
    fn a_platform_s_key_is_one_source_s_one_platform_s_and_short_enough() {
        let of = |platform, source: &SourceSecret| PlatformKey::of(&key(), platform, source);
        let google = of(Platform::Google, &secret());
        assert!(google.is(google.reveal()) && google.reveal().len() <= 50);
        assert!(!google.is("") && !google.is(&google.reveal()[1..]));
        let others = [
            of(Platform::Meta, &secret()),
            of(Platform::Google, &SourceSecret { generation: 2, ..secret() }),
            of(Platform::Google, &SourceSecret { source: SourceId::new("other").unwrap(), ..secret() }),
            PlatformKey::of(&MasterKey::new([8; 32]), Platform::Google, &secret()),
        ];
        assert!(others.iter().all(|other| !google.is(other.reveal())));
        assert_eq!(format!("{google:?}"), "PlatformKey(…)");
    }

    #[test]
    fn a_token_of_the_console_is_read_as_it_was_shown() {
        let company = CompanyId::new("acme.east-1").unwrap();
        let token = ApiToken::mint(company, [1; 6], [2; 24]);
        let text = token.reveal();
        assert_eq!(ApiToken::read(&text), Some(token.clone()));
        let other = ApiToken::mint(token.company.clone(), [1; 6], [3; 24]);
        assert!(token.is(&token.hash()) && !other.is(&token.hash()));
        assert!(!format!("{token:?}").contains(&text[text.len() - 32..]));
        for bad in ["", "api_", "api_acme", &text[4..], &text[..text.len() - 1], "api_A.AQEBAQEB.x"] {
            assert_eq!(ApiToken::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_mailbox_is_the_same_in_whatever_case_and_another_in_another_installation() {
        let mailboxes = key().mailboxes();
        assert_eq!(mailboxes.of("Maria@Acme.example "), mailboxes.of("maria@acme.example"));
        assert_ne!(mailboxes.of("maria@acme.example"), mailboxes.of("mario@acme.example"));
        assert_ne!(mailboxes.of("a@b.example"), MasterKey::new([8; 32]).mailboxes().of("a@b.example"));
    }

    #[test]
    fn a_master_key_is_64_hexadecimal_digits() {
        assert!(MasterKey::from_hex(&"0f".repeat(32)).is_ok());
        assert!(MasterKey::from_hex("0f").is_err() && MasterKey::from_hex(&"zz".repeat(32)).is_err());
        assert_eq!(format!("{:?}", key()), "MasterKey(…)");
    }
}
