//! Any bytes as IDX; the first byte chooses the options. Bytes that are read must be those of the file.

#![no_main]

use blo_engine::data::OptionValue::{Boolean, Number};
use blo_fuzz::reader::{hold, option};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let mut options = vec![];
    let scaled = choice & 1 == 1;
    if scaled {
        options.push(option("scale", Number(0.5)));
    }
    if choice & 2 == 2 {
        options.push(option("flatten", Boolean(true)));
    }
    if choice & 12 == 12 {
        options.push(option("classes", Number(10.0)));
    }
    if let Ok(array) = hold("idx", bytes, &options)
        && let [0, 0, 8, axes, rest @ ..] = bytes
    {
        let stored = &rest[4 * usize::from(*axes)..];
        let factor = if scaled { 0.5 } else { 1.0 };
        assert!(array.values.iter().copied().eq(stored.iter().map(|b| f64::from(*b) * factor)));
    }
});
