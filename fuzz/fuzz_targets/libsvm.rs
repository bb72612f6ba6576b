//! Any bytes as libsvm; the first byte chooses between features, targets and labels.

#![no_main]

use blo_engine::data::OptionValue::{Boolean, Number, Numbers};
use blo_fuzz::reader::{hold, option};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let options = match choice % 4 {
        0 => vec![],
        1 => vec![option("features", Number(9.0))],
        2 => vec![option("target", Boolean(true))],
        _ => vec![option("classes", Numbers(vec![-1.0, 1.0]))],
    };
    let _ = hold("libsvm", bytes, &options);
});
