//! What may go wrong between the SDK and the services, by a seed: a decorator of the SDK's HTTP client.
//!
//! Every call passes here, faults or not, and leaves a line in the trace; each takes some virtual time,
//! so that what runs side by side crosses. A handler's call may also be its last: see [`Invocation`].
//!
//! | module | holds |
//! |---|---|
//! | `client` | the decorated client: faults of a call |
//! | `call` | a call, as far as its faults depend on it, and what may be answered |
//! | `invocation` | a handler's run, and the call at which it dies |

mod client;
mod call;
mod invocation;

pub(crate) use invocation::{Invocation, Side};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The service did it; nobody was told.
    ReplyLost,
    /// The service did nothing and said so with a 500.
    Refused,
    /// Too much was asked.
    Throttled,
    /// Two writes of one item at once, one of them a transaction.
    Conflict,
    /// The reply took 20 to 200 ms, at times longer than the SDK waits.
    Delayed,
    /// The request came to the service after its sender had given up, and was done.
    DoneLate,
    /// An index answered as it had before.
    StaleIndex,
    /// An index lacked some of its entries.
    IndexBehind,
    /// The whole table was away for minutes.
    TableAway,
    /// A queue took nothing.
    QueueRefused,
    /// A queue took it; nobody was told.
    QueueReplyLost,
    /// A queue took a part of a batch.
    QueueTookPart,
    /// A handler died before a call.
    CrashBefore,
    /// A handler died after a call.
    CrashAfter,
    /// A worker's deletion of its messages was lost: they come again.
    DeleteLost,
    /// A queue delivered late.
    QueueLate,
    /// A queue delivered twice.
    QueueTwice,
    /// A queue delivered out of order.
    QueueReordered,
    /// A dealer's server answered 500, having kept the lead or not.
    DealerError,
    /// A dealer's server took it and never answered.
    DealerHung,
    /// A dealer's server refused the connection.
    DealerRefused,
    /// A dealer's endpoint was gone.
    DealerGone,
    /// A dealer's server took it; its answer was lost.
    DealerAnswerLost,
}

impl Fault {
    /// Every kind.
    pub(crate) const ALL: [Self; 23] = [
        Self::ReplyLost,
        Self::Refused,
        Self::Throttled,
        Self::Conflict,
        Self::Delayed,
        Self::DoneLate,
        Self::StaleIndex,
        Self::IndexBehind,
        Self::TableAway,
        Self::QueueRefused,
        Self::QueueReplyLost,
        Self::QueueTookPart,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::DeleteLost,
        Self::QueueLate,
        Self::QueueTwice,
        Self::QueueReordered,
        Self::DealerError,
        Self::DealerHung,
        Self::DealerRefused,
        Self::DealerGone,
        Self::DealerAnswerLost,
    ];
}

/// How often each kind occurred, in the order of [`Fault::ALL`].
pub(crate) type Counts = [u64; Fault::ALL.len()];

/// How bad the weather is, in thousandths of all calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// Faults of single calls.
    pub(crate) faults: u32,
    /// Handlers that die.
    pub(crate) crashes: u32,
    /// Dealers that do not answer 204.
    pub(crate) dealers: u32,
}

impl Weather {
    /// Nothing goes wrong.
    pub(crate) const FAIR: Self = Self { faults: 0, crashes: 0, dealers: 0 };
}

/// The faults of one world.
pub(crate) struct Faults {
    state: Mutex<State>,
    /// Rings when the table was written.
    pub(crate) wrote: Notify,
    /// Looks at items (`pk|sk`) that were just written together, and says what should not be.
    watch: OnceLock<Watch>,
}

/// Looks at items that were just written together.
type Watch = Box<dyn Fn(&[String]) -> Vec<String> + Send + Sync>;

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct State {
    rng: fastrand::Rng,
    weather: Weather,
    away_until: Option<Instant>,
    counts: Counts,
    hash: u64,
    calls: u64,
    keeps_trace: bool,
    trace: Vec<String>,
    started: Instant,
    /// Items being written now: how many by transactions, how many in all.
    in_flight: HashMap<String, (u32, u32)>,
    /// What an index answered last.
    answered: HashMap<String, Vec<u8>>,
    /// What the watch saw that should not be.
    seen: Vec<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faults {
    /// Faults by this seed.
    pub(crate) fn new(seed: u64, weather: Weather, keeps_trace: bool) -> Arc<Self> {
        let state = State {
            rng: fastrand::Rng::with_seed(seed),
            weather,
            away_until: None,
            counts: [0; Fault::ALL.len()],
            hash: 0xcbf2_9ce4_8422_2325,
            calls: 0,
            keeps_trace,
            trace: Vec::new(),
            started: Instant::now(),
            in_flight: HashMap::new(),
            answered: HashMap::new(),
            seen: Vec::new(),
        };
        Arc::new(Self { state: Mutex::new(state), wrote: Notify::new(), watch: OnceLock::new() })
    }

    /// Has all items looked at as soon as they are written; once.
    pub(crate) fn watch(&self, watch: impl Fn(&[String]) -> Vec<String> + Send + Sync + 'static) {
        let _ = self.watch.set(Box::new(watch));
    }

    /// What the watch saw that should not be.
    pub(crate) fn seen(&self) -> Vec<String> {
        lock(&self.state).seen.clone()
    }

    fn written(&self, keys: &[String]) {
        self.wrote.notify_one();
        if let Some(watch) = self.watch.get() {
            let seen = watch(keys);
            lock(&self.state).seen.extend(seen);
        }
    }

    /// Changes the weather.
    pub(crate) fn weather(&self, weather: Weather) {
        let mut state = lock(&self.state);
        state.weather = weather;
        if weather.faults == 0 {
            state.away_until = None;
        }
    }

    /// Takes the table away for so long.
    pub(crate) fn take_table_away(&self, for_: Duration) {
        lock(&self.state).away_until = Some(Instant::now() + for_);
    }

    /// It occurred.
    pub(crate) fn count(&self, fault: Fault) {
        lock(&self.state).counts[fault as usize] += 1;
    }

    /// How often each kind occurred.
    pub(crate) fn counts(&self) -> Counts {
        lock(&self.state).counts
    }

    /// A number below `n`.
    pub(crate) fn below(&self, n: u64) -> u64 {
        lock(&self.state).rng.u64(0..n.max(1))
    }

    /// Whether something of this chance (in thousandths) happens.
    pub(crate) fn happens(&self, of: impl Fn(&Weather) -> u32) -> bool {
        let mut state = lock(&self.state);
        let chance = of(&state.weather);
        state.rng.u32(..1000) < chance
    }

    /// A hash of every call so far, and how many there were.
    pub(crate) fn digest(&self) -> (u64, u64) {
        let state = lock(&self.state);
        (state.hash, state.calls)
    }

    /// The trace, if it was kept.
    pub(crate) fn trace(&self) -> Vec<String> {
        lock(&self.state).trace.clone()
    }

    /// Writes a line into the trace.
    pub(crate) fn note(&self, line: &str) {
        let mut state = lock(&self.state);
        let at = state.started.elapsed().as_millis();
        for byte in line.bytes().chain(at.to_le_bytes()) {
            state.hash = (state.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        state.calls += 1;
        if state.keeps_trace {
            state.trace.push(format!("{:>12.3} {line}", at as f64 / 1000.0));
        }
    }
}
