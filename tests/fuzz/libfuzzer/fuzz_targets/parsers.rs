//! Bytes to every other parser.
#![no_main]

use leadyard_fuzz::parsers::parsers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| parsers(data));
