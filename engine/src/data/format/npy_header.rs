//! The header of an npy file, read without trusting it.
//!
//! `npyz` parses the header, but its parser recurses and it multiplies the extents unchecked. So the text is examined
//! first: deep brackets, extents whose product overflows and a length of gigabytes must be errors, not panics.

use std::io::Read;

use npyz::NpyHeader;

use crate::data::array::{MAX_RANK, volume};
use crate::data::error::ReadErrorKind;
use crate::data::unpack::recognize;

/// The longest header text we accept; NumPy itself refuses more than 10 000 bytes.
const MAX_HEADER: u32 = 1 << 16;
/// The deepest bracket we accept; a plain array needs 2.
const MAX_DEPTH: usize = 8;

/// Reads the header and admits it: an array of rank <= 4 whose size is representable.
pub(super) fn admit(reader: &mut dyn Read) -> Result<(NpyHeader, Vec<usize>), ReadErrorKind> {
    let mut bytes = Vec::new();
    reader.take(8).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Err(ReadErrorKind::EmptyFile);
    }
    if !bytes.starts_with(b"\x93NUMPY") || bytes.len() < 8 {
        return Err(not_npy(recognize(&bytes).unwrap_or("the magic bytes are missing")));
    }
    let length_bytes = if bytes[6] == 1 { 2 } else { 4 };
    reader.take(length_bytes).read_to_end(&mut bytes)?;
    let length = bytes[8..].iter().rev().fold(0u32, |length, &byte| length << 8 | u32::from(byte));
    if length > MAX_HEADER {
        return Err(not_npy("the header is too long"));
    }
    let start = bytes.len();
    reader.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() - start < length as usize {
        return Err(not_npy("the header is cut short"));
    }
    examine(&bytes[start..])?;
    let header = NpyHeader::from_reader(bytes.as_slice()).map_err(|error| not_npy(&said(&error.to_string())))?;
    if header.shape().len() > MAX_RANK {
        return Err(ReadErrorKind::RankTooHigh { shape: header.shape().to_vec() });
    }
    let shape: Option<Vec<usize>> = header.shape().iter().map(|&extent| usize::try_from(extent).ok()).collect();
    match shape.filter(|shape| volume(shape).is_some()) {
        Some(shape) => Ok((header, shape)),
        None => Err(ReadErrorKind::TooLarge { shape: header.shape().to_vec() }),
    }
}

/// Refuses header texts on which `npyz` would overflow: its parser recurses, and it multiplies the extents unchecked.
///
/// The product of *every* decimal number of the text bounds the product of the extents from above, provided that
/// integers are written in plain decimal, as NumPy does. Real arrays stay far below: their byte count fits in 63 bits.
fn examine(text: &[u8]) -> Result<(), ReadErrorKind> {
    let (mut depth, mut product) = (0usize, 1u64);
    let mut numbers = Vec::new();
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'\\' | b'+' => return Err(not_npy("the header is not that of a plain array")),
            b'0'..=b'9' => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let start = text.len() - rest.len() - 1;
                rest = &rest[digits..];
                if rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.')) {
                    return Err(not_npy("the header is not that of a plain array"));
                }
                let number = std::str::from_utf8(&text[start..=start + digits]).ok().and_then(|text| text.parse().ok());
                let number = number.unwrap_or(u64::MAX);
                numbers.push(number);
                match product.checked_mul(number.max(1)) {
                    Some(larger) => product = larger,
                    None => return Err(ReadErrorKind::TooLarge { shape: numbers }),
                }
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(not_npy("the header is nested too deeply"));
        }
    }
    Ok(())
}

/// The parser's words, where they are words: of a syntax error it draws a picture of several lines.
fn said(error: &str) -> String {
    if error.contains(['\n', '\r']) {
        return "the header is not a dictionary of `descr`, `fortran_order` and `shape`".to_owned();
    }
    error.chars().take(200).flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

fn not_npy(found: &str) -> ReadErrorKind {
    ReadErrorKind::NotThisFormat { format: "npy", found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::format::npy::tests::{array, le, npy, raw};

    #[test]
    fn declared_shapes_are_not_trusted() {
        let short = array(npy("<f8", false, "(1000000000, 1000)", &le(&[1., 2.])));
        assert_eq!(short, Err(ReadErrorKind::TooShort { declared: 1_000_000_000_000, found: 2 }));
        let huge = array(npy("<f8", false, "(9223372036854775807, 4)", &[]));
        assert!(matches!(huge, Err(ReadErrorKind::TooLarge { .. })), "{huge:?}");
        let hexadecimal = array(npy("<f8", false, "(0xffffffffffffffff, 0xff)", &[]));
        assert!(matches!(hexadecimal, Err(ReadErrorKind::NotThisFormat { .. })), "{hexadecimal:?}");
        let rank = array(npy("<f8", false, "(1, 1, 1, 1, 1)", &le(&[1.])));
        assert_eq!(rank, Err(ReadErrorKind::RankTooHigh { shape: vec![1; 5] }));
    }

    #[test]
    fn a_broken_dictionary_is_told_in_one_line() {
        for text in
            ["{'descr': '|u1', 'fortran_orse,2 'shape': (5,), }", "{", "{'descr': '\n', }", "{'descr': '<f8', }"]
        {
            let error = array(raw(text, &[1, 2])).expect_err("no header");
            assert!(matches!(error, ReadErrorKind::NotThisFormat { format: "npy", .. }), "{error:?}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }

    #[test]
    fn what_is_not_npy_is_told() {
        let nested = raw(&"(".repeat(60_000), &[]);
        let long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec();
        for bytes in [b"1,2,3\n".to_vec(), b"\x93NUM".to_vec(), b"PK\x03\x04abcd".to_vec(), nested, long] {
            let result = array(bytes);
            assert!(matches!(result, Err(ReadErrorKind::NotThisFormat { format: "npy", .. })), "{result:?}");
        }
    }
}
