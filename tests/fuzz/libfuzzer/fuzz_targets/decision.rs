//! Bytes to a rulebook and its decisions.
#![no_main]

use leadyard_fuzz::decision::{Tally, decision};

libfuzzer_sys::fuzz_target!(|data: &[u8]| decision(data, &mut Tally::default()));
