//! Any bytes as a program. Half of the mutations work on words, so that much of what is tried parses.

#![no_main]

use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| blo_fuzz::program::hold(bytes));

fn put(text: &str, data: &mut [u8], max: usize) -> usize {
    let mut end = text.len().min(max).min(data.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    data[..end].copy_from_slice(&text.as_bytes()[..end]);
    end
}

fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
    match std::str::from_utf8(&data[..size]) {
        Ok(text) if seed % 4 != 0 => {
            let new = blo_fuzz::mutate::program(text, "", seed);
            put(&new, data, max)
        }
        _ => fuzzer_mutate(data, size, max),
    }
});

fuzz_crossover!(|one: &[u8], two: &[u8], out: &mut [u8], seed: u32| {
    let (one, two) = (String::from_utf8_lossy(one), String::from_utf8_lossy(two));
    let new = blo_fuzz::mutate::program(&one, &two, seed);
    let max = out.len();
    put(&new, out, max)
});
