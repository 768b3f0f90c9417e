//! What reading may allocate: a multiple of the input, and a constant beside it. The most that is held at any moment
//! counts, whatever of it is given back before the end.
//!
//! The allocator counts for the whole process: while one input is read, nothing else may run.

use std::alloc::System;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAlloc, PeakMemAllocTrait as _};

#[global_allocator]
static COUNTED: &PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How much one kind of input may take.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Times the input's size.
    pub times: usize,
    /// Whatever the input's size, in bytes.
    pub spare_bytes: usize,
}

/// How many inputs of a kind were read, and what the worst of them took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worst {
    /// How many.
    pub reads: u64,
    /// How much, in bytes.
    pub peak_bytes: usize,
    /// Of an input of how many.
    pub input_bytes: usize,
    /// Share of what it might take, in percent.
    pub percent: usize,
}

static WORST: Mutex<BTreeMap<&'static str, Worst>> = Mutex::new(BTreeMap::new());

/// Reads an input within its bound. One that takes more is read a second time: what a library makes once for each
/// region of the world, when it first meets a number from there, and keeps, is no input's.
///
/// # Panics
/// When it takes more then as well.
pub fn bounded<T>(what: &'static str, input_bytes: usize, bound: Bound, read: impl Fn() -> T) -> T {
    let most = bound.times * input_bytes + bound.spare_bytes;
    let (mut found, mut peak_bytes) = counted(&read);
    if peak_bytes > most {
        drop(found);
        (found, peak_bytes) = counted(&read);
    }
    let percent = peak_bytes * 100 / most.max(1);
    let mut worst = WORST.lock().unwrap_or_else(PoisonError::into_inner);
    let known = worst.entry(what).or_default();
    known.reads += 1;
    if percent > known.percent {
        *known = Worst { peak_bytes, input_bytes, percent, ..*known };
    }
    drop(worst);
    assert!(peak_bytes <= most, "{what}: {peak_bytes} bytes for an input of {input_bytes}, at most {most}");
    found
}

/// What is read, and the most that was held meanwhile.
fn counted<T>(read: impl Fn() -> T) -> (T, usize) {
    COUNTED.reset_peak_memory();
    let found = read();
    (found, COUNTED.get_peak_memory())
}

/// The worst of every kind that was met so far.
pub fn worst() -> BTreeMap<&'static str, Worst> {
    WORST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
