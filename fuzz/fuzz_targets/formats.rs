//! Any bytes as a file of any format of the table, without options; the first byte chooses the format. A new format is
//! fuzzed here at once; one with options of its own may get a target of its own.

#![no_main]

use blo_engine::data::FORMATS;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let format = FORMATS[usize::from(*choice) % FORMATS.len()];
    let _ = blo_fuzz::reader::hold(format.name, bytes, &Vec::new());
});
