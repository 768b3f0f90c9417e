//! What dealers give us in confidence (the key of their API), or sources (the secret of their app at Meta), so that it
//! can be kept: sealed.
//!
//! `XChaCha20-Poly1305` under a key of its own for each company, giver and name, derived from the master secret: what
//! was sealed for one opens for no other. A nonce is drawn each time; at 24 bytes, two are never the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::ids::{CompanyId, DealerId, SourceId};
use crate::limits;

/// The bytes of a nonce.
const NONCE_BYTES: usize = 24;

/// A secret that was given to us, as it is kept: base64 of nonce and what was sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// Who gives secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver<'a> {
    /// A dealer, for the templates of its channels; by names of its own: see [`super::check_secret_name`].
    Dealer(&'a DealerId),
    /// A source, for its platform; by the names of [`SourceGives`].
    Source(&'a SourceId),
}

words! {
    /// What a source may give.
    pub enum SourceGives as "a source's secret" {
        /// The secret of its own app at Meta, which its notices are signed with.
        MetaAppSecret = "meta_app_secret",
    }
}

/// Whose secret it is.
#[derive(Clone, Copy)]
pub struct Owner<'a> {
    /// Whose dealer or source.
    pub company: &'a CompanyId,
    /// Who gave it.
    pub giver: Giver<'a>,
    /// What it is called.
    pub name: &'a str,
}

/// Checks a secret: 1 to [`limits::SECRET_BYTES`] characters of ASCII that can be printed, spaces among them, none
/// at its ends: it may have to stand in a header.
pub fn check_secret(secret: &str) -> Result<(), Invalid> {
    let printed = secret.bytes().all(|b| (b' '..=b'~').contains(&b));
    if printed && secret.trim() == secret && (1..=limits::SECRET_BYTES).contains(&secret.len()) {
        Ok(())
    } else {
        Err(Invalid::new("a secret is 1 to 1024 printable ASCII characters, without spaces around it"))
    }
}

/// What is never shown of a secret, the longest first: itself, itself in base64, and what it says where it is the
/// credentials of Basic authentication (RFC 7617), base64 of user and password.
pub fn never_shown(secret: &str) -> Vec<String> {
    let credentials = secret.strip_prefix("Basic ").unwrap_or(secret);
    let said = STANDARD.decode(credentials).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let mut all = vec![secret.to_owned(), STANDARD.encode(secret), credentials.to_owned()];
    if let Some((user, password)) = said.as_deref().and_then(|said| said.split_once(':')) {
        all.extend([format!("{user}:{password}"), password.to_owned()]);
    }
    all.sort_by_key(|one| std::cmp::Reverse(one.len()));
    all.dedup();
    all
}

impl Sealed {
    /// Seals a secret, with a nonce that was drawn for it.
    pub fn seal(
        master: &[u8; 32],
        owner: Owner<'_>,
        nonce: [u8; NONCE_BYTES],
        secret: &str,
    ) -> Result<Self, Invalid> {
        check_secret(secret)?;
        let sealed = cipher(master, owner)?
            .encrypt(&XNonce::from(nonce), secret.as_bytes())
            .map_err(|_| Invalid::new("a secret could not be sealed"))?;
        Ok(Self(STANDARD.encode([&nonce[..], &sealed].concat())))
    }

    /// The secret; only for whom it was sealed, under the same master secret.
    pub fn open(&self, master: &[u8; 32], owner: Owner<'_>) -> Result<String, Invalid> {
        let broken = || Invalid::new("a secret that is kept cannot be opened");
        let bytes = STANDARD.decode(&self.0).map_err(|_| broken())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
        let secret = cipher(master, owner)?.decrypt(&XNonce::from(*nonce), sealed).map_err(|_| broken())?;
        String::from_utf8(secret).map_err(|_| broken())
    }
}

/// The key is 32 bytes of HKDF-SHA256 without salt, with `leadyard/given/v1`, company, dealer and name as info; of a
/// source with `leadyard/given/source/v1`, company, source and name.
fn cipher(master: &[u8; 32], owner: Owner<'_>) -> Result<XChaCha20Poly1305, Invalid> {
    // No slug or name holds a zero byte, so no two share an info.
    let mut info = Vec::with_capacity(160);
    let (label, giver) = match owner.giver {
        Giver::Dealer(dealer) => ("leadyard/given/v1", dealer.as_str()),
        Giver::Source(source) => ("leadyard/given/source/v1", source.as_str()),
    };
    for part in [label, owner.company.as_str(), giver, owner.name] {
        info.extend_from_slice(part.as_bytes());
        info.push(0);
    }
    let mut key = [0; 32];
    hkdf::Hkdf::<sha2::Sha256>::new(None, master)
        .expand(&info, &mut key)
        .map_err(|_| Invalid::new("HKDF-SHA256 gives at most 8160 bytes"))?;
    Ok(XChaCha20Poly1305::new(&key.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_for_whom_it_was_sealed_and_for_nobody_else() {
        let (acme, bravo): (CompanyId, CompanyId) = ("acme".parse().unwrap(), "bravo".parse().unwrap());
        let (hudson, ridge): (DealerId, DealerId) = ("hudson".parse().unwrap(), "ridge".parse().unwrap());
        let source: SourceId = "hudson".parse().unwrap();
        let own = Owner { company: &acme, giver: Giver::Dealer(&hudson), name: "api_key" };
        let sealed = Sealed::seal(&[7; 32], own, [1; 24], "s3cr3t key").unwrap();
        assert_eq!(sealed.open(&[7; 32], own).unwrap(), "s3cr3t key");
        let stored = serde_json::to_string(&sealed).unwrap();
        assert!(!stored.contains("s3cr3t") && !format!("{sealed:?}").contains(sealed.0.as_str()));
        assert_eq!(serde_json::from_str::<Sealed>(&stored).unwrap(), sealed);
        for other in [
            Owner { company: &bravo, ..own },
            Owner { giver: Giver::Dealer(&ridge), ..own },
            Owner { giver: Giver::Source(&source), ..own },
            Owner { name: "other", ..own },
        ] {
            assert!(sealed.open(&[7; 32], other).is_err());
        }
        assert!(sealed.open(&[8; 32], own).is_err());
        let mut changed = STANDARD.decode(&sealed.0).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        assert!(Sealed(STANDARD.encode(changed)).open(&[7; 32], own).is_err());
        assert!(Sealed(String::new()).open(&[7; 32], own).is_err());
        // Sealed anew, it is another.
        assert_ne!(Sealed::seal(&[7; 32], own, [2; 24], "s3cr3t key").unwrap(), sealed);
    }

    #[test]
    fn what_is_kept_opens_in_every_later_version() {
        let (company, dealer) = ("acme".parse().unwrap(), "hudson".parse().unwrap());
        let own = Owner { company: &company, giver: Giver::Dealer(&dealer), name: "api_key" };
        // Computed by another implementation, of the documents: RFC 5869, RFC 8439, draft-irtf-cfrg-xchacha.
        let sealed = Sealed::seal(&[7; 32], own, [0; 24], "x").unwrap();
        assert_eq!(sealed.0, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKXwH/7PE7zQ7FDAcjlY0gTU=");
    }

    #[test]
    fn of_credentials_the_password_is_not_shown_either() {
        assert_eq!(never_shown("k3y"), ["azN5", "k3y"]);
        for secret in ["YWRhOnMzY3JldCE=", "Basic YWRhOnMzY3JldCE="] {
            let hidden = never_shown(secret);
            for one in [secret, "YWRhOnMzY3JldCE=", "ada:s3cret!", "s3cret!"] {
                assert!(hidden.iter().any(|hidden| hidden == one), "{one} of {secret}");
            }
        }
    }

    #[test]
    fn a_secret_can_stand_in_a_header() {
        for bad in ["", " a", "a ", "a\nb", "\u{e9}", &"x".repeat(1_025)] {
            assert!(check_secret(bad).is_err(), "{bad:?}");
        }
        assert!(check_secret("Basic YTpi==").is_ok());
    }
}
