//! The data readers on any bytes: what is said of a file must be true and located, and memory must follow the bytes that
//! are there, not those that a header promises.

use std::io::{Read, Write};

use blo_engine::data::{Array, Format, Memory, OptionValue, Place, ReadError, ReadErrorKind, format};

use crate::memory::peak;

/// Options, as a target writes them.
pub type Given = Vec<(String, OptionValue)>;

/// The name every file has here.
const NAME: &str = "the file.x";

/// Reads `bytes` as the format with these options, plain and gzipped, and judges what comes of it.
pub fn hold(name: &str, bytes: &[u8], options: &Given) -> Result<Array, ReadError> {
    let entry = format(name).expect("a format of the table");
    let files = Memory::new().with(NAME, bytes);
    let header = entry.header(&files, NAME, options);
    let (result, most) = peak(|| entry.read(&files, NAME, options));
    let unpacked = unpacked(name, bytes);
    let allowed = allowed(name, unpacked, result.as_ref().ok());
    assert!(most <= allowed, "{name}: {most} bytes of memory for {unpacked} of data, {result:?}");
    match &result {
        Ok(array) => {
            assert!(array.values.iter().all(|v| v.is_finite()));
            assert_eq!(array.values.len(), array.shape.iter().product::<usize>());
            let shape = header.expect("what can be read has a header").shape;
            assert_eq!(shape.len(), array.rank());
            for (known, extent) in shape.iter().zip(&array.shape) {
                assert!(known.is_none_or(|known| known == *extent), "{shape:?} of {:?}", array.shape);
            }
        }
        Err(error) => located(entry, error, bytes),
    }
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        let packed = Memory::new().with(NAME, gzip(bytes));
        assert_eq!(entry.read(&packed, NAME, options), result, "gzipped");
    }
    result
}

/// What may be held at most: some buffers, and a multiple of the data that are really there. A cell of a table takes
/// two bytes at least and becomes a number and, in a header, a name; vectors grow by doubling.
fn allowed(name: &str, unpacked: usize, read: Option<&Array>) -> usize {
    // The `zip` crate reserves for as many entries as the end of an archive claims, which are 65,535 at most of 208 bytes.
    let buffers: usize = if name == "npz" { 20 << 20 } else { 4 << 20 };
    // A dense array of sparse rows may be large, up to 2^20 numbers or 10^4 per entry of the file.
    let dense = match (name, read) {
        ("libsvm", Some(array)) => {
            assert!(array.values.len() <= (1 << 20).max(10_000 * unpacked), "{:?}", array.shape);
            16 * array.values.len()
        }
        _ => 0,
    };
    buffers + 256 * unpacked + dense
}

/// How many bytes there are once all is unpacked.
fn unpacked(name: &str, bytes: &[u8]) -> usize {
    let mut plain = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        // What a damaged stream gives before the damage counts.
        let _ = flate2::bufread::MultiGzDecoder::new(bytes).read_to_end(&mut plain);
    }
    let plain = if plain.is_empty() { bytes } else { &plain };
    let mut total = plain.len();
    if name == "npz"
        && let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(plain))
    {
        for i in 0..archive.len() {
            let Ok(mut entry) = archive.by_index(i) else { continue };
            let mut count = Counter(0);
            let _ = std::io::copy(&mut entry, &mut count);
            total += count.0;
        }
    }
    total
}

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// `bytes` as one gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// The error names the file, and the place where there is one.
fn located(format: &Format, error: &ReadError, bytes: &[u8]) {
    use ReadErrorKind::*;
    let said = error.to_string();
    assert!(said.starts_with(NAME), "{said}");
    assert!(said.len() < 4000, "a message of {} bytes", said.len());
    assert!(!said.contains('\n'), "{said:?}");
    if let Some(hint) = error.kind.hint() {
        assert!(!hint.is_empty() && !hint.contains('\n'), "{hint:?}");
    }
    let lines = (!bytes.starts_with(&[0x1f, 0x8b])).then(|| bytes.split(|b| *b == b'\n').count() as u64);
    let on_a_line = |line: u64| assert!(line >= 1 && lines.is_none_or(|n| line <= n), "{said}");
    match &*error.kind {
        NonUtf8 { place, .. }
        | NotANumber { place, .. }
        | NotFinite { place, .. }
        | Missing { place, .. }
        | NotExact { place, .. }
        | NotABoolean { place }
        | UnknownClass { place, .. }
        | LabelOutOfRange { place, .. }
        | NotAFeature { place, .. }
        | IndexZero { place, .. }
        | IndexOrder { place, .. }
        | IndexTooLarge { place, .. } => match place {
            Place::Cell { line, row, column, .. } => {
                on_a_line(*line);
                assert!(format.is_text, "{said}");
                assert!(*column >= 1 && *row <= *line, "{said}");
                assert!(said.contains(&format!("line {line}")) && said.contains(&format!("column {column}")), "{said}");
            }
            Place::Entry { index } => {
                assert!(!format.is_text, "{said}");
                assert!(index.iter().all(|i| *i >= 1), "{said}");
            }
        },
        Ragged { line, .. } | BlankLine { line } | UnclosedQuote { line } => on_a_line(*line),
        NotFound { .. } => panic!("the file is there: {said}"),
        Io { .. } => panic!("memory does not fail: {said}"),
        _ => {}
    }
}

/// An option.
pub fn option(name: &str, value: OptionValue) -> (String, OptionValue) {
    (name.to_owned(), value)
}

/// A list of texts.
pub fn texts(texts: &[&str]) -> OptionValue {
    OptionValue::Texts(texts.iter().map(|t| (*t).to_owned()).collect())
}
