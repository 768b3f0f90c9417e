//! Bytes to a partner's file and to a platform's signature.
#![no_main]

use leadyard_fuzz::files::files;

libfuzzer_sys::fuzz_target!(|data: &[u8]| files(data));
