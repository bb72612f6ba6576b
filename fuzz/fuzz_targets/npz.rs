//! Any bytes as npz; the first byte says whether an array is asked for by name, and whether the bytes are an archive or
//! the one entry of a sound archive, which reaches the array inside without having to hit its checksum.

#![no_main]

use std::io::{Cursor, Write};

use blo_engine::data::OptionValue::Text;
use blo_fuzz::reader::{hold, option};
use libfuzzer_sys::fuzz_target;
use zip::CompressionMethod::{Deflated, Stored};
use zip::write::{SimpleFileOptions, ZipWriter};

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let options = if choice & 1 == 1 { vec![option("key", Text("x".to_owned()))] } else { vec![] };
    if choice & 2 == 0 {
        let _ = hold("npz", bytes, &options);
        return;
    }
    let method = if choice & 4 == 0 { Stored } else { Deflated };
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("x.npy", SimpleFileOptions::default().compression_method(method)).expect("memory");
    writer.write_all(bytes).expect("memory");
    let archive = writer.finish().expect("memory").into_inner();
    let inside = hold("npz", &archive, &options).map_err(|e| e.kind);
    let alone = hold("npy", bytes, &Vec::new()).map_err(|e| e.kind);
    // A gzipped npy is a file, but no entry of an archive.
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        assert_eq!(inside, alone);
    }
});
