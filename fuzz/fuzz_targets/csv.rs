//! Any bytes as csv; the first byte chooses among ways to select columns and classes.

#![no_main]

use blo_engine::data::OptionValue::{Boolean, Number, Numbers, Range, Text};
use blo_fuzz::reader::{hold, option, texts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let mut options = match choice % 8 {
        0 | 1 => vec![],
        2 => vec![option("column", Number(2.0))],
        3 => vec![option("column", Text("b".to_owned()))],
        4 => vec![option("columns", Range(1, 2))],
        5 => vec![option("columns", texts(&["a", "b"]))],
        6 => vec![option("column", Number(1.0)), option("classes", texts(&["R", "M"]))],
        _ => vec![option("columns", Numbers(vec![2.0, 1.0])), option("classes", Number(3.0))],
    };
    match choice >> 3 & 3 {
        1 => options.push(option("header", Boolean(true))),
        2 => options.push(option("header", Boolean(false))),
        _ => {}
    }
    let _ = hold("csv", bytes, &options);
});
