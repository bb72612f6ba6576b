//! Any bytes as npy.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = blo_fuzz::reader::hold("npy", bytes, &Vec::new());
});
