//! The only source of randomness.

use std::sync::{Arc, Mutex, PoisonError};

/// Random bytes: the operating system's, or a seed's.
#[derive(Clone)]
pub struct Entropy(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<fastrand::Rng>>),
}

impl Entropy {
    /// The operating system's.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A seed's: the same seed gives the same bytes.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)))))
    }

    /// Random bytes. Where the operating system has none to give (it never was seen), falls back to a
    /// generator seeded per process rather than stopping intake.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => {
                if getrandom::fill(&mut bytes).is_err() {
                    fastrand::fill(&mut bytes);
                }
            }
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut bytes),
        }
        bytes
    }

    /// A random number.
    pub fn u64(&self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// A duration between two, in milliseconds.
    pub fn between_ms(&self, from: u64, to: u64) -> std::time::Duration {
        std::time::Duration::from_millis(from + self.u64() % (to - from).max(1))
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}
