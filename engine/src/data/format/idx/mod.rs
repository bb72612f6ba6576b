//! The IDX format of MNIST and its relatives: a big-endian header of extents, then the elements. Bytes, which nearly
//! all such files hold, stay bytes until they are scaled; other element types become numbers at once.
//!
//! The header is two zero bytes, the element type, the number of axes, then an extent of four bytes per axis (LeCun,
//! Cortes and Burges, "The MNIST database"). Nothing is allocated on its word alone.

use std::io::{BufRead, Read};

use super::{Format, Header, HeaderRow, Loaded, given};
use crate::data::array::{Array, Bytes, MAX_RANK, Stored, index_of, volume};
use crate::data::error::ReadErrorKind;
use crate::data::file_place::Place;
use crate::data::option::{OptionEntry, OptionError, OptionValue, Options};
use crate::data::unpack::{peek, recognize};
use crate::limits::CLASSES;

mod turned;

const OPTIONS: &[OptionEntry] = &[
    OptionEntry { name: "classes", doc: "The elements are labels 0 to classes - 1.", words: &[] },
    OptionEntry { name: "flatten", doc: "Whether all axes after the first become one.", words: &[] },
    OptionEntry { name: "scale", doc: "What every element is multiplied by; default 1.", words: &[] },
    OptionEntry {
        name: "turns",
        doc: "Square images count as items so often, each time turned by a quarter more; a label becomes as many classes, \
              label c of the file the classes turns*c to turns*c + turns - 1.",
        words: &[],
    },
];

/// Bytes that are reserved on the header's word alone; later as many as have been read.
const RESERVED: usize = 1 << 20;

/// The type of the elements.
#[derive(Clone, Copy)]
struct Element {
    bytes: usize,
    value: fn(&[u8]) -> f64,
}

pub(super) static IDX: Format = Format {
    name: "idx",
    doc: "Bytes or numbers in the format of MNIST, of rank 1 to 4.",
    options: OPTIONS,
    shape_hint: "rows come first; images become rows of a matrix with `flatten = true`",
    is_text: false,
    #[cfg(test)]
    sample: || tests::idx(8, &[2, 2], &[1, 2, 3, 4]),
    rank: |options| match (given(options, "classes"), options.iter().find(|(name, _)| name == "flatten")) {
        (true, _) => Some(1),
        (false, Some((_, OptionValue::Boolean(true)))) => Some(2),
        _ => None,
    },
    header,
    gaps: None,
    read: |reader, options| read(reader, options).map(Loaded::from),
};

fn header(reader: Box<dyn BufRead>, options: Options<'_>) -> Result<Header, ReadErrorKind> {
    let asked = Asked::from_options(options)?;
    let (start, mut reader) = peek(reader, 6)?;
    let (_, shape) = admit(&mut reader, &start)?;
    asked.admits(&shape)?;
    let shape = asked.shape(shape).into_iter().map(Some).collect();
    Ok(Header { shape, names: Vec::new(), header_row: HeaderRow::Absent, index_column: false })
}

fn read(reader: Box<dyn BufRead>, options: Options<'_>) -> Result<Stored, ReadErrorKind> {
    let asked = Asked::from_options(options)?;
    let (start, mut reader) = peek(reader, 6)?;
    let (element, stored) = admit(&mut reader, &start)?;
    asked.admits(&stored)?;
    let too_large = || ReadErrorKind::TooLarge { shape: stored.iter().map(|n| *n as u64).collect() };
    let count = volume(&stored).ok_or_else(too_large)?;
    volume(&asked.shape(stored.clone())).ok_or_else(too_large)?;
    let length = count.checked_mul(element.bytes).ok_or_else(too_large)?;
    let bytes = promised(&mut reader, length)?;
    if bytes.len() < length {
        return Err(ReadErrorKind::TooShort { declared: count as u64, found: (bytes.len() / element.bytes) as u64 });
    }
    // Reading on to the end verifies the checksum behind the data.
    let rest = std::io::copy(&mut reader, &mut std::io::sink())?;
    if rest > 0 {
        return Err(ReadErrorKind::TooLong { declared: count as u64, rest });
    }
    let place = |i: usize| Place::Entry { index: index_of(i, &stored).iter().map(|k| k + 1).collect() };
    if let Some(classes) = asked.classes {
        let classes = classes / asked.turns;
        let outside = |v: &f64| !(*v >= 0.0 && *v < classes as f64 && v.fract() == 0.0);
        let values = bytes.chunks_exact(element.bytes).map(element.value).enumerate();
        if let Some((i, label)) = values.into_iter().find(|(_, v)| outside(v)) {
            return Err(ReadErrorKind::LabelOutOfRange { place: place(i), label: label.to_string(), classes });
        }
    }
    let shape = asked.shape(stored.clone());
    // A file whose own elements are finite is not to blame for a scale with which they are not.
    let mut elements = bytes.chunks_exact(element.bytes).map(element.value);
    if elements.any(|v| v.is_finite() && !(v * asked.scale).is_finite()) {
        let expected = "a number with which all elements stay finite";
        return Err(OptionValue::Number(asked.scale).rejected("scale", expected).into());
    }
    if asked.turns > 1 && asked.classes.is_some() {
        let labels: Vec<f64> = bytes.chunks_exact(element.bytes).map(element.value).collect();
        return Ok(Array::new(shape, turned::labels(&labels, asked.turns)).into());
    }
    let bytes = turned::images(bytes, element.bytes, &stored, asked.turns);
    if element.bytes == 1 && (element.value)(&[255]) == 255.0 {
        return Ok(Stored::Bytes(Bytes { shape, bytes, scale: asked.scale }));
    }
    let values: Vec<f64> = bytes.chunks_exact(element.bytes).map(|b| (element.value)(b) * asked.scale).collect();
    match values.iter().position(|v| !v.is_finite()) {
        Some(i) => Err(ReadErrorKind::NotFinite { place: place(i), text: values[i].to_string() }),
        None => Ok(Array::new(shape, values).into()),
    }
}

/// The next `length` bytes, or fewer where the file ends: a header that promises gigabytes costs what the file has.
fn promised(reader: &mut dyn Read, length: usize) -> Result<Vec<u8>, ReadErrorKind> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let part = (length - bytes.len()).min(bytes.len().max(RESERVED));
        let megabytes = ((bytes.len() + part) >> 20) as u64;
        bytes.try_reserve_exact(part).map_err(|_| ReadErrorKind::NoMemory { megabytes })?;
        if reader.take(part as u64).read_to_end(&mut bytes)? < part {
            break;
        }
    }
    Ok(bytes)
}

/// The element type and the extents that the header declares; `known` are bytes that `reader` starts with.
fn admit(reader: &mut dyn Read, known: &[u8]) -> Result<(Element, Vec<usize>), ReadErrorKind> {
    let mut start = Vec::new();
    reader.take(4).read_to_end(&mut start)?;
    let [zero, also_zero, code, axes] = match start.as_slice() {
        [] => return Err(ReadErrorKind::EmptyFile),
        [a, b, c, d] => [*a, *b, *c, *d],
        _ => return Err(not_idx("it is shorter than a header".to_owned())),
    };
    let magic = start.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
    if (zero, also_zero) != (0, 0) {
        return Err(not_idx(match recognize(known) {
            Some(found) => found.to_owned(),
            None => format!("the first bytes are {magic}, expected 00 00, the element type and the number of axes"),
        }));
    }
    let element = element(code).ok_or_else(|| {
        not_idx(format!("byte 3 of {magic} is not an element type; expected 08, 09, 0b, 0c, 0d or 0e"))
    })?;
    if axes == 0 {
        return Err(not_idx(format!("byte 4 of {magic} says that it has no axes")));
    }
    let mut extents = Vec::new();
    reader.take(4 * u64::from(axes)).read_to_end(&mut extents)?;
    if extents.len() < 4 * axes as usize {
        return Err(not_idx(format!("the header is cut short at byte {}", 4 + extents.len())));
    }
    let extent = |b: &[u8]| b.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    let shape: Vec<u64> = extents.chunks_exact(4).map(extent).collect();
    if shape.len() > MAX_RANK {
        return Err(ReadErrorKind::RankTooHigh { shape });
    }
    let sizes: Vec<usize> = shape.iter().filter_map(|n| usize::try_from(*n).ok()).collect();
    if sizes.len() < shape.len() || volume(&sizes).is_none() {
        return Err(ReadErrorKind::TooLarge { shape });
    }
    Ok((element, sizes))
}

fn element(code: u8) -> Option<Element> {
    /// The bytes of an element; every caller cuts them to length.
    fn whole<const N: usize>(b: &[u8]) -> [u8; N] {
        std::array::from_fn(|i| b[i])
    }
    let (bytes, value): (usize, fn(&[u8]) -> f64) = match code {
        0x08 => (1, |b| f64::from(b[0])),
        0x09 => (1, |b| f64::from(i8::from_be_bytes(whole(b)))),
        0x0b => (2, |b| f64::from(i16::from_be_bytes(whole(b)))),
        0x0c => (4, |b| f64::from(i32::from_be_bytes(whole(b)))),
        0x0d => (4, |b| f64::from(f32::from_be_bytes(whole(b)))),
        0x0e => (8, |b| f64::from_be_bytes(whole(b))),
        _ => return None,
    };
    Some(Element { bytes, value })
}

fn not_idx(found: String) -> ReadErrorKind {
    ReadErrorKind::NotThisFormat { format: "IDX", found }
}

/// What the options ask for.
struct Asked {
    classes: Option<usize>,
    flatten: bool,
    scale: f64,
    turns: usize,
}

impl Asked {
    fn from_options(options: Options<'_>) -> Result<Asked, OptionError> {
        const COUNT: &str = "a whole number from 1 to 1000000";
        let classes = match options.get("classes") {
            None => None,
            Some(OptionValue::Number(v)) => match OptionValue::whole(*v) {
                Some(n) if (1..=CLASSES.value).contains(&n) => Some(n as usize),
                _ => return Err(OptionValue::Number(*v).rejected("classes", COUNT)),
            },
            Some(other) => return Err(other.rejected("classes", COUNT)),
        };
        if classes.is_some() && options.get("scale").is_some() {
            return Err(OptionError::Conflict { first: "classes", second: "scale" });
        }
        let turns = match options.number("turns")? {
            None => 1,
            Some(v) => match OptionValue::whole(v) {
                Some(n @ 1..=4) if classes.is_none_or(|classes| classes % n as usize == 0) => n as usize,
                Some(1..=4) => return Err(OptionValue::Number(v).rejected("turns", "a divisor of `classes`")),
                _ => return Err(OptionValue::Number(v).rejected("turns", "a whole number from 1 to 4")),
            },
        };
        let flatten = options.boolean("flatten")?.unwrap_or(false);
        Ok(Asked { classes, flatten, scale: options.number("scale")?.unwrap_or(1.0), turns })
    }

    /// Whether items of a file with these extents can be turned as asked.
    fn admits(&self, stored: &[usize]) -> Result<(), OptionError> {
        let can_turn = match (self.classes, stored) {
            (Some(_), _) => true,
            (None, [_, height, width, ..]) => height == width,
            (None, _) => false,
        };
        match self.turns == 1 || can_turn {
            true => Ok(()),
            false => Err(OptionValue::Number(self.turns as f64).rejected("turns", "1, or square images, or `classes`")),
        }
    }

    /// The extents of the array that is returned.
    fn shape(&self, mut stored: Vec<usize>) -> Vec<usize> {
        stored[0] = stored[0].saturating_mul(self.turns);
        // The volume has been checked, so the product of the trailing extents fits unless there are no rows.
        if self.flatten && stored.len() > 1 {
            vec![stored[0], stored[1..].iter().copied().fold(1, usize::saturating_mul)]
        } else {
            stored
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An IDX file with these extents and data.
    pub(in crate::data::format) fn idx(code: u8, extents: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, code, extents.len() as u8];
        bytes.extend(extents.iter().flat_map(|n| n.to_be_bytes()));
        bytes.extend(data);
        bytes
    }

    fn read_with(bytes: Vec<u8>, options: &[(String, OptionValue)]) -> Result<Stored, ReadErrorKind> {
        let options = Options::check("idx", OPTIONS, options)?;
        let known = header(Box::new(std::io::Cursor::new(bytes.clone())), options);
        let stored = read(Box::new(std::io::Cursor::new(bytes)), options)?;
        let shape: Vec<usize> = known?.shape.into_iter().flatten().collect();
        assert_eq!(shape, stored.shape(), "the header tells the shape");
        Ok(stored)
    }

    fn option(name: &str, value: OptionValue) -> (String, OptionValue) {
        (name.to_owned(), value)
    }

    #[test]
    fn bytes_stay_bytes_until_they_are_scaled() {
        let options = [option("scale", OptionValue::Number(0.5)), option("flatten", OptionValue::Boolean(true))];
        let stored = read_with(idx(8, &[2, 2, 2], &[0, 1, 2, 3, 4, 5, 6, 255]), &options).expect("valid");
        assert!(matches!(&stored, Stored::Bytes(b) if b.shape == [2, 4] && b.bytes[7] == 255));
        assert_eq!(stored.into_array().values[6..], [3.0, 127.5]);
    }

    #[test]
    fn turned_images_are_items_and_classes_of_their_own() {
        let turns = |n: f64| option("turns", OptionValue::Number(n));
        let images = idx(8, &[2, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8]);
        let stored = read_with(images.clone(), &[turns(2.0)]).expect("square").into_array();
        assert_eq!(stored.shape, [4, 2, 2]);
        assert_eq!(stored.values, [1., 2., 3., 4., 5., 6., 7., 8., 2., 4., 1., 3., 6., 8., 5., 7.]);
        let labels = [turns(2.0), option("classes", OptionValue::Number(6.0))];
        let stored = read_with(idx(8, &[2], &[0, 2]), &labels).expect("three classes").into_array();
        assert_eq!(stored.values, [0., 4., 1., 5.]);
        let said = |bytes: Vec<u8>, options: &[_]| read_with(bytes, options).expect_err("refused").to_string();
        assert!(said(idx(8, &[1], &[3]), &labels).contains("3 classes have the labels 0..2"));
        assert!(said(images.clone(), &[turns(5.0)]).contains("from 1 to 4"));
        assert!(said(idx(8, &[1, 1, 2], &[1, 2]), &[turns(4.0)]).contains("square images"));
        assert!(said(idx(8, &[1], &[3]), &[turns(4.0), labels[1].clone()]).contains("a divisor of `classes`"));
    }

    #[test]
    fn every_element_type_is_big_endian() {
        let cases: [(u8, &[u8], f64); 6] = [
            (8, &[200], 200.),
            (9, &[0xff], -1.),
            (0x0b, &[0xff, 0xfe], -2.),
            (0x0c, &[0, 0, 1, 0], 256.),
            (0x0d, &0.5f32.to_be_bytes(), 0.5),
            (0x0e, &(-2.5f64).to_be_bytes(), -2.5),
        ];
        for (code, data, value) in cases {
            let array = read_with(idx(code, &[1], data), &[]).map(Stored::into_array);
            assert_eq!(array, Ok(Array::from(vec![value])), "{code:02x}");
        }
    }

    #[test]
    fn what_is_not_idx_is_told_with_its_bytes() {
        let said = |bytes: &[u8]| read_with(bytes.to_vec(), &[]).expect_err("not idx").to_string();
        assert!(said(b"1,2,3").contains("the first bytes are 31 2c 32 2c"), "{}", said(b"1,2,3"));
        assert!(said(&[0, 0, 7, 1, 0, 0, 0, 0]).contains("byte 3 of 00 00 07 01"));
        assert!(said(&[0, 0, 8, 0]).contains("no axes"));
        assert!(said(&[0, 0, 8, 2, 0, 0, 0, 1, 0]).contains("cut short at byte 9"));
        assert!(said(b"\x93NUMPY\x01\x00").contains("npy"));
    }

    #[test]
    fn counts_must_be_those_of_the_header() {
        let short = read_with(idx(8, &[2, 3], &[1, 2, 3, 4]), &[]);
        assert_eq!(short, Err(ReadErrorKind::TooShort { declared: 6, found: 4 }));
        let long = read_with(idx(8, &[2], &[1, 2, 3]), &[]);
        assert_eq!(long, Err(ReadErrorKind::TooLong { declared: 2, rest: 1 }));
        let huge = read_with(idx(8, &[u32::MAX, u32::MAX, u32::MAX], &[]), &[]);
        assert!(matches!(huge, Err(ReadErrorKind::TooLarge { .. })), "{huge:?}");
        let empty = read_with(idx(8, &[0, 28], &[]), &[]).map(Stored::into_array);
        assert_eq!(empty, Ok(Array::new(vec![0, 28], vec![])));
    }

    #[test]
    fn labels_lie_among_the_classes() {
        let ten = [option("classes", OptionValue::Number(10.0))];
        assert!(read_with(idx(8, &[3], &[0, 9, 1]), &ten).is_ok());
        let error = read_with(idx(8, &[3], &[0, 10, 1]), &ten).expect_err("10 is not a label");
        assert_eq!(error.to_string(), "entry [2]: 10 is not a label; 10 classes have the labels 0..9");
        let scaled = [ten[0].clone(), option("scale", OptionValue::Number(0.5))];
        assert!(matches!(read_with(idx(8, &[1], &[0]), &scaled), Err(ReadErrorKind::Option(_))));
    }
}
