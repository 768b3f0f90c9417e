//! The demo dealer: a receiver on this machine that checks signatures and shows what it got.
//!
//! | route | does |
//! |---|---|
//! | `POST /demo/dealer/{dealer}` | takes a webhook: 204, or 401 when the signature or its time is wrong |
//! | `GET /demo/dealer` | shows the newest messages, with or without a script |
//! | `GET /demo/dealer/received.json?after=N` | what changed after change number `N` |
//! | `POST /demo/behave` | form fields `dealer` and `behave`: how that dealer answers from now on |
//! | `GET /demo/dealer.js` | the page's script |
//!
//! Every dealer has an address of its own, since every dealer has a secret of its own. For trying things
//! out a dealer can be told to [`Behave`] badly: by the form on the page until it is told otherwise, or by
//! `?behave=500` in the address, which comes before the form and is how a rulebook names a dealer that never
//! works. What is received is kept in memory, the newest [`KEPT`] messages, and is gone with the process.
//!
//! Signatures are those of Standard Webhooks 1.0.0. A message that comes again (the same `webhook-id`) is
//! counted, not shown twice. `lead.withdrawn` strikes the lead through, `lead.erased` erases the person
//! here as any dealer has to, and both also when they overtake the message they are about.
//!
//! | module | holds |
//! |---|---|
//! | `receiving` | a webhook is verified, read and answered |
//! | `book` | what was received, and what one message makes of another |
//! | `behave` | how a dealer answers, and who tells it to |
//! | `page` | what is shown of it |

mod receiving;
mod book;
mod behave;
mod page;

pub use behave::Behave;
pub use book::{Counts, Received};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use jiff::Timestamp;

use behave::set_behave;
use book::Book;
use page::{page, received, script};
use receiving::receive;

/// How many messages are kept.
pub const KEPT: usize = 500;
/// A message's body, in bytes; Leadyard sends at most 20,000.
const BODY_BYTES: usize = 64 * 1024;
/// How many dealers may behave in their own way; beyond that, telling another has no effect.
const BEHAVIOURS: usize = 10_000;
/// A dealer's id in a path, in bytes.
const DEALER_BYTES: usize = 48;
/// What is shown of a text that a message brings, in characters.
const SHOWN_CHARS: usize = 120;
/// How far the clocks of sender and receiver may differ, in seconds (Standard Webhooks).
const TOLERANCE_S: i64 = 5 * 60;
/// How long a dealer hangs that was told to.
const HANG: Duration = Duration::from_secs(30);

/// A dealer's webhook secrets as `whsec_…`, the newest first; none if there is no such dealer.
pub type Secrets = Arc<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// The time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything the demo dealers know. Clones share it.
#[derive(Clone)]
pub struct DemoDealers {
    secrets: Secrets,
    clock: Clock,
    book: Arc<Mutex<Book>>,
}

impl DemoDealers {
    /// Dealers that have received nothing yet, and behave.
    pub fn new(secrets: Secrets, clock: Clock) -> Self {
        Self { secrets, clock, book: Arc::default() }
    }

    /// What is kept, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.book().messages.iter().cloned().collect()
    }

    /// How many there have been, of all dealers.
    pub fn counts(&self) -> Counts {
        self.book().counts
    }

    /// How many there have been of one dealer.
    pub fn counts_of(&self, dealer: &str) -> Counts {
        self.book().per_dealer.get(dealer).copied().unwrap_or_default()
    }

    /// Nothing in the book breaks by a panic elsewhere: each change is made in one go.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The demo dealers' routes, all below `/demo`.
pub fn router(state: DemoDealers) -> Router {
    Router::new()
        .route("/demo/dealer", get(page))
        .route("/demo/dealer.js", get(script))
        .route("/demo/dealer/received.json", get(received))
        .route("/demo/dealer/{dealer}", post(receive))
        .route("/demo/behave", post(set_behave))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(state)
}

#[cfg(test)]
mod tests;
