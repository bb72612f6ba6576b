//! The npy format: NumPy arrays of floats, integers and booleans, either byte order, C or Fortran order.
//!
//! `npyz` decodes the elements, `npy_header` reads what stands before them. Values are read until the data end, whatever
//! the header declares, so memory is bounded by the file.

use std::io::{self, BufRead, Read};

use npyz::half::f16;
use npyz::{DType, Deserialize, NpyFile, Order, TypeChar};

use super::npy_header::admit;
use super::{Format, Header, HeaderRow, Loaded};
use crate::data::array::{Array, index_of};
use crate::data::error::ReadErrorKind;
use crate::data::file_place::{Place, shorten};
use crate::data::option::Options;
use crate::data::values::{Values, zeros};

pub(super) static NPY: Format = Format {
    name: "npy",
    doc: "A NumPy array of floats, integers or booleans, of rank 0 to 4.",
    options: &[],
    shape_hint: WHOLE_ARRAY,
    is_text: false,
    #[cfg(test)]
    sample: || tests::npy("<f8", false, "(4,)", &[0; 32]),
    rank: |_| None,
    header,
    gaps: None,
    read: |reader, options| read(reader, options).map(Loaded::from),
};

/// What helps where an array is not of the declared shape.
pub(super) const WHOLE_ARRAY: &str = "declare every axis of the array, or let `_` take its size from the file";

fn header(mut reader: Box<dyn BufRead>, _: Options<'_>) -> Result<Header, ReadErrorKind> {
    read_header(&mut reader)
}

fn read(reader: Box<dyn BufRead>, _: Options<'_>) -> Result<Array, ReadErrorKind> {
    read_array(reader)
}

/// The shape of the array that `reader` starts with.
pub(super) fn read_header(reader: &mut dyn Read) -> Result<Header, ReadErrorKind> {
    let (_, shape) = admit(reader)?;
    Ok(Header {
        shape: shape.into_iter().map(Some).collect(),
        names: Vec::new(),
        header_row: HeaderRow::Absent,
        index_column: false,
    })
}

/// The array that `reader` starts with. Reads on to the end, so that checksums behind the data are verified.
pub(super) fn read_array(mut reader: impl Read) -> Result<Array, ReadErrorKind> {
    let (header, shape) = admit(&mut reader)?;
    let order = header.order();
    let file = NpyFile::with_header(header, reader.by_ref());
    let values = match element(&file.dtype()) {
        Some((TypeChar::Float, 8)) => values::<f64>(file, &shape, Some),
        Some((TypeChar::Float, 4)) => values::<f32>(file, &shape, |v| Some(v.into())),
        Some((TypeChar::Float, 2)) => values::<f16>(file, &shape, |v| Some(v.into())),
        Some((TypeChar::Bool, _)) => values::<bool>(file, &shape, |v| Some(v.into())),
        Some((TypeChar::Int, 8)) => values::<i64>(file, &shape, |v| exact(v as f64, v.unsigned_abs())),
        Some((TypeChar::Int, 4)) => values::<i32>(file, &shape, |v| Some(v.into())),
        Some((TypeChar::Int, 2)) => values::<i16>(file, &shape, |v| Some(v.into())),
        Some((TypeChar::Int, 1)) => values::<i8>(file, &shape, |v| Some(v.into())),
        Some((TypeChar::Uint, 8)) => values::<u64>(file, &shape, |v| exact(v as f64, v)),
        Some((TypeChar::Uint, 4)) => values::<u32>(file, &shape, |v| Some(v.into())),
        Some((TypeChar::Uint, 2)) => values::<u16>(file, &shape, |v| Some(v.into())),
        Some((TypeChar::Uint, 1)) => values::<u8>(file, &shape, |v| Some(v.into())),
        _ => Err(ReadErrorKind::UnsupportedType { found: shorten(file.dtype().descr().as_bytes()) }),
    }?;
    let rest = io::copy(&mut reader, &mut io::sink())?;
    if rest > 0 {
        return Err(ReadErrorKind::TooLong { declared: values.len() as u64, rest });
    }
    let values = match order {
        Order::C => values,
        Order::Fortran => row_major(&values, &shape)?,
    };
    Ok(Array::new(shape, values))
}

/// The kind and size in bytes of a plain element.
fn element(dtype: &DType) -> Option<(TypeChar, u64)> {
    match dtype {
        DType::Plain(element) => Some((element.type_char(), element.size_field())),
        _ => None,
    }
}

/// `value`, the nearest f64 to an integer of this magnitude, if it is that integer.
fn exact(value: f64, magnitude: u64) -> Option<f64> {
    // 2^64 as f64 would saturate back to u64::MAX and seem exact.
    (value.abs() < 18_446_744_073_709_551_616.0 && value.abs() as u64 == magnitude).then_some(value)
}

/// All elements in the order stored, each finite.
fn values<T: Deserialize + Copy + ToString>(
    file: NpyFile<impl Read>,
    shape: &[usize],
    convert: fn(T) -> Option<f64>,
) -> Result<Vec<f64>, ReadErrorKind> {
    let order = file.order();
    let place = |position: usize| {
        let index = match order {
            Order::C => index_of(position, shape),
            Order::Fortran => {
                let reversed: Vec<usize> = shape.iter().rev().copied().collect();
                index_of(position, &reversed).into_iter().rev().collect()
            }
        };
        Place::Entry { index: index.into_iter().map(|i| i + 1).collect() }
    };
    let found = shorten(file.dtype().descr().as_bytes());
    let boolean = matches!(element(&file.dtype()), Some((TypeChar::Bool, _)));
    let declared = file.len();
    let elements = file.data::<T>().map_err(|_| ReadErrorKind::UnsupportedType { found })?;
    let mut values = Values::new(1);
    for element in elements {
        let element = element.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ReadErrorKind::TooShort { declared, found: values.len() as u64 },
            // The source's own failures carry a cause of ours; of the elements only booleans can be wrong.
            io::ErrorKind::InvalidData if boolean && ReadErrorKind::of_source(&error).is_none() => {
                ReadErrorKind::NotABoolean { place: place(values.len()) }
            }
            _ => error.into(),
        })?;
        match convert(element) {
            Some(value) if value.is_finite() => values.push(Some(value))?,
            Some(value) => {
                return Err(ReadErrorKind::NotFinite { place: place(values.len()), text: value.to_string() });
            }
            None => {
                return Err(ReadErrorKind::NotExact { place: place(values.len()), text: element.to_string() });
            }
        }
    }
    Ok(values.filled().map_or_else(|_| Vec::new(), |(values, _)| values))
}

/// Reorders values whose first index varies fastest.
fn row_major(stored: &[f64], shape: &[usize]) -> Result<Vec<f64>, ReadErrorKind> {
    let mut strides = vec![1; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut index = vec![0; shape.len()];
    let mut position = 0;
    let mut values = zeros(stored.len())?;
    for value in &mut values {
        *value = stored[position];
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            position += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            position -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    Ok(values)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An npy file of version 1.0 with this header text.
    pub(in crate::data::format) fn raw(text: &str, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(text.len()).expect("short header");
        [b"\x93NUMPY\x01\x00".as_slice(), &length.to_le_bytes(), text.as_bytes(), data].concat()
    }

    /// An npy file with this element type, order and shape.
    pub(in crate::data::format) fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let fortran = if fortran { "True" } else { "False" };
        raw(&format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n"), data)
    }

    pub(in crate::data::format) fn le(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    pub(in crate::data::format) fn array(bytes: Vec<u8>) -> Result<Array, ReadErrorKind> {
        read_array(bytes.as_slice())
    }

    #[test]
    fn bytes_behind_the_array_are_an_error() {
        let long = array(npy("<f8", false, "(2,)", &le(&[1., 2., 3.])));
        assert_eq!(long, Err(ReadErrorKind::TooLong { declared: 2, rest: 8 }));
    }

    #[test]
    fn c_and_fortran_order_give_the_same_array() {
        let c = array(npy("<f8", false, "(2, 3)", &le(&[1., 2., 3., 4., 5., 6.])));
        let fortran = array(npy("<f8", true, "(2, 3)", &le(&[1., 4., 2., 5., 3., 6.])));
        assert_eq!(c, Ok(Array::new(vec![2, 3], vec![1., 2., 3., 4., 5., 6.])));
        assert_eq!(c, fortran);
    }

    #[test]
    fn fortran_order_of_rank_three() {
        let shape = [2, 3, 4];
        let stored: Vec<f64> = (0..24).map(f64::from).collect();
        let values = array(npy("<f8", true, "(2, 3, 4)", &le(&stored))).expect("valid");
        assert_eq!(values.shape, shape);
        assert_eq!(values.get(&[1, 2, 3]), Some(23.));
        assert_eq!(values.get(&[1, 0, 2]), Some(1. + 2. * 6.));
    }

    #[test]
    fn element_types_and_byte_orders() {
        let cases: [(&str, &[u8], f64); 13] = [
            ("<f2", &[0x00, 0xc1], -2.5),
            (">f2", &[0x3c, 0x01], 1.0009765625),
            (">f8", &(-2.5f64).to_be_bytes(), -2.5),
            ("<f4", &0.5f32.to_le_bytes(), 0.5),
            (">f4", &0.5f32.to_be_bytes(), 0.5),
            ("|b1", &[1], 1.),
            ("|i1", &[0xff], -1.),
            ("|u1", &[0xff], 255.),
            (">i2", &[0xff, 0xfe], -2.),
            ("<u2", &[1, 2], 513.),
            (">u4", &[0, 0, 1, 0], 256.),
            ("<i8", &(-7i64).to_le_bytes(), -7.),
            (">u8", &9u64.to_be_bytes(), 9.),
        ];
        for (descr, data, value) in cases {
            assert_eq!(array(npy(descr, false, "(1,)", data)), Ok(Array::from(vec![value])), "{descr}");
        }
        assert_eq!(array(npy("<f8", false, "()", &le(&[3.]))), Ok(Array::scalar(3.)));
        assert_eq!(array(npy("<f8", false, "(0, 3)", &[])).map(|a| a.shape), Ok(vec![0, 3]));
    }

    #[test]
    fn unsupported_elements_are_named() {
        for descr in ["<c16", "<U4", "<f16", "|O", "<M8[ns]"] {
            let result = array(npy(descr, false, "(1,)", &[0; 16]));
            let named = matches!(&result, Err(ReadErrorKind::UnsupportedType { found }) if found.contains(descr));
            assert!(named, "{descr}: {result:?}");
        }
        let record =
            array(raw("{'descr': [('a', '<f8'), ('b', '<f8')], 'fortran_order': False, 'shape': (1,), }", &[0; 16]));
        assert!(matches!(record, Err(ReadErrorKind::UnsupportedType { .. })), "{record:?}");
    }

    #[test]
    fn values_that_are_not_numbers_are_placed() {
        let nan = array(npy("<f8", true, "(2, 3)", &le(&[1., 4., 2., f64::NAN, 3., 6.])));
        let place = Place::Entry { index: vec![2, 2] };
        assert_eq!(nan, Err(ReadErrorKind::NotFinite { place, text: "NaN".into() }));
        let big = (1i64 << 53) + 1;
        let place = Place::Entry { index: vec![1] };
        let result = array(npy("<i8", false, "(1,)", &big.to_le_bytes()));
        assert_eq!(result, Err(ReadErrorKind::NotExact { place, text: big.to_string() }));
        let place = Place::Entry { index: vec![3] };
        assert_eq!(array(npy("|b1", false, "(3,)", &[0, 1, 32])), Err(ReadErrorKind::NotABoolean { place }));
        assert!(matches!(array(npy("<u8", false, "(1,)", &[0xff; 8])), Err(ReadErrorKind::NotExact { .. })));
    }
}
