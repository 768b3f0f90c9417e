//! Where a request came from, as a keyed hash: enough to tell that two came from one place, and nothing
//! else. An address is personal, and is neither stored nor logged.

use std::fmt;
use std::net::IpAddr;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::ids::CompanyId;

/// The first eight bytes of HMAC-SHA256 over company and address; of IPv6 the first 64 bits, which is what
/// one household is given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AddressHash([u8; 8]);

impl AddressHash {
    /// Of an address, under a key derived from the master secret. None for loopback: that is a proxy of
    /// our own, or a test.
    pub fn of(key: &[u8; 32], company: &CompanyId, address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        if address.is_loopback() || address.is_unspecified() {
            return None;
        }
        let mut mac: Hmac<Sha256> = KeyInit::new_from_slice(key).ok()?;
        mac.update(company.as_str().as_bytes());
        match address {
            IpAddr::V4(four) => {
                mac.update(&[0, 4]);
                mac.update(&four.octets());
            }
            IpAddr::V6(six) => {
                mac.update(&[0, 6]);
                mac.update(six.octets().get(..8)?);
            }
        }
        mac.finalize().into_bytes().get(..8)?.try_into().ok().map(Self)
    }

    /// The eight bytes.
    pub const fn bytes(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Debug for AddressHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressHash(…)")
    }
}
