//! One run of a handler, which may end at one of its calls.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::{Faults, lock};

tokio::task_local! {
    pub(super) static CURRENT: Arc<Invocation>;
}

/// Before or after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The call is never made.
    Before,
    /// The call is made, and its answer read by nobody.
    After,
}

/// One run of a handler, which may end at one of its calls.
#[derive(Debug)]
pub(crate) struct Invocation {
    dies_at: Option<(usize, Side)>,
    calls: Mutex<Vec<String>>,
    died: AtomicBool,
    bell: Notify,
}

impl Invocation {
    /// One that dies at its `n`th call (1 is the first), if it comes so far.
    pub(crate) fn new(dies_at: Option<(usize, Side)>) -> Arc<Self> {
        Arc::new(Self { dies_at, calls: Mutex::default(), died: AtomicBool::new(false), bell: Notify::new() })
    }

    /// Runs a handler; `None` when it died.
    pub(crate) async fn run<T>(self: &Arc<Self>, handler: impl Future<Output = T>) -> Option<T> {
        let this = Arc::clone(self);
        CURRENT
            .scope(Arc::clone(self), async move {
                tokio::select! {
                    biased;
                    done = handler => Some(done),
                    () = this.bell.notified() => None,
                }
            })
            .await
    }

    /// The calls it made, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        lock(&self.calls).clone()
    }

    /// Whether it died.
    pub(crate) fn died(&self) -> bool {
        self.died.load(Ordering::Relaxed)
    }

    pub(super) fn arrives(&self, call: &str) -> Option<Side> {
        let mut calls = lock(&self.calls);
        calls.push(call.to_owned());
        self.dies_at.filter(|(at, _)| *at == calls.len()).map(|(_, side)| side)
    }

    pub(super) async fn die(&self) {
        self.died.store(true, Ordering::Relaxed);
        self.bell.notify_one();
        std::future::pending::<()>().await;
    }
}

impl Faults {
    /// A run of a handler, that dies now and then.
    pub(crate) fn invocation(&self) -> Arc<Invocation> {
        let mut state = lock(&self.state);
        let dies = state.rng.u32(..1000) < state.weather.crashes;
        let at = state.rng.usize(1..16);
        let side = if state.rng.bool() { Side::Before } else { Side::After };
        Invocation::new(dies.then_some((at, side)))
    }
}
