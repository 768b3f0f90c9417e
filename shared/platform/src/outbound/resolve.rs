//! Names to addresses that may be dialled.
//!
//! The client connects to the addresses given here and resolves nothing itself, so a name that answers
//! differently a moment later (DNS rebinding) gains nothing. Addresses written in the URL itself never
//! come here: `check_url` has judged them.

use std::net::SocketAddr;

use leadyard_domain::delivery::{Reach, is_localhost_name};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The system's resolver, and of its answers only those that may be dialled.
pub(super) struct Vetting {
    pub(super) allow_loopback: bool,
}

/// Why a name leads nowhere. Says nothing of the name: it may carry a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ResolveError {
    #[error("the host's name has no address")]
    NoAddress,
    #[error("the host's name leads to addresses that are not the public internet's")]
    NotAllowed,
}

impl Resolve for Vetting {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_loopback = self.allow_loopback;
        Box::pin(async move {
            // Port 0 stands for the URL's.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|_| ResolveError::NoAddress)?;
            let allowed = vet(found.collect(), is_localhost_name(name.as_str()), allow_loopback)?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Those that may be dialled. One bad address among good ones is left out rather than fatal: a dealer
/// whose DNS also lists a private address still gets its leads, over a public one.
///
/// Plain HTTP is allowed to a localhost name, so that name must lead to this machine and nowhere else.
pub(super) fn vet(
    found: Vec<SocketAddr>,
    localhost: bool,
    allow_loopback: bool,
) -> Result<Vec<SocketAddr>, ResolveError> {
    if found.is_empty() {
        return Err(ResolveError::NoAddress);
    }
    let allowed: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| {
            let reach = Reach::of(address.ip());
            reach.is_allowed(allow_loopback) && (!localhost || reach == Reach::Loopback)
        })
        .collect();
    if allowed.is_empty() { Err(ResolveError::NotAllowed) } else { Ok(allowed) }
}
