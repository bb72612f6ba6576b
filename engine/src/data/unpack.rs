//! Unpacks gzip, recognized by its magic bytes and not by the file's name, and names data of a foreign format.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use flate2::bufread::GzDecoder;

use super::error::ReadErrorKind;

const BUFFER: usize = 1 << 16;

/// Up to this many unpacked bytes (64 MiB) nobody asks how far a file expands.
const UNASKED: u64 = 64 << 20;

/// The bytes of a file, unpacked if it is gzipped; several gzip members are one stream. A packed file may become
/// `expansion` times as large.
pub(super) fn unpack(raw: Box<dyn Read>, expansion: u64) -> io::Result<Box<dyn BufRead>> {
    let (magic, raw) = peek(raw, 2)?;
    if magic != [0x1f, 0x8b] {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, raw)));
    }
    let packed = Rc::new(Cell::new(0));
    let raw = BufReader::with_capacity(BUFFER, Counted { reader: raw, bytes: packed.clone() });
    let members = Members { decoder: Some(GzDecoder::new(raw)), bytes: 0 };
    let bounded = Expanding { reader: members, packed, unpacked: 0, most: expansion };
    Ok(Box::new(BufReader::with_capacity(BUFFER, bounded)))
}

/// A reader of unpacked bytes that fails where they are too many for the packed ones.
pub(super) struct Expanding<R> {
    reader: R,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
    most: u64,
}

impl<R> Expanding<R> {
    /// What becomes of so many packed bytes.
    pub(super) fn new(reader: R, packed: u64, expansion: u64) -> Self {
        Expanding { reader, packed: Rc::new(Cell::new(packed)), unpacked: 0, most: expansion }
    }
}

impl<R: Read> Read for Expanding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.unpacked += n as u64;
        let packed = self.packed.get().max(1);
        if self.unpacked > UNASKED && self.unpacked / packed >= self.most {
            return Err(ReadErrorKind::Expands { unpacked: self.unpacked, packed }.into());
        }
        Ok(n)
    }
}

/// Counts what is read.
struct Counted<R> {
    reader: R,
    bytes: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.bytes.set(self.bytes.get() + n as u64);
        Ok(n)
    }
}

/// A reader whose first bytes have been looked at.
pub(super) type Peeked<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// The first `n` bytes, fewer where the data end before, and a reader that still starts with them.
pub(super) fn peek<R: Read>(mut reader: R, n: usize) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut start = Vec::with_capacity(n);
    reader.by_ref().take(n as u64).read_to_end(&mut start)?;
    Ok((start.clone(), Cursor::new(start).chain(reader)))
}

/// What data starting with these bytes are, where that is certain.
pub(super) fn recognize(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Some("this is an npy file"),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => Some("this is a zip archive, such as an npz file or a spreadsheet"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Some("this is an old spreadsheet; save it as csv"),
        [0x89, b'H', b'D', b'F', ..] => Some("this is an HDF5 file; save the array as npy"),
        [b'P', b'A', b'R', b'1', ..] => Some("this is a Parquet file; save it as csv"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("this is UTF-16 text; save it as UTF-8"),
        [1..=127, 0, 1..=127, 0, 1..=127, 0] | [0, 1..=127, 0, 1..=127, 0, 1..=127] => {
            Some("this is UTF-16 text; save it as UTF-8")
        }
        [0, 0, 8..=14, 1..=4, ..] => Some("this is an IDX file"),
        [0, ..] => Some("this is not text: it starts with a zero byte"),
        _ => None,
    }
}

/// The members of a gzip stream, one after the other.
struct Members<R> {
    /// `None` after the last member.
    decoder: Option<GzDecoder<R>>,
    bytes: u64,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            match decoder.read(buffer) {
                Ok(0) if !buffer.is_empty() => self.next_member()?,
                Ok(n) => {
                    self.bytes += n as u64;
                    return Ok(n);
                }
                Err(error) => {
                    let kind = match error.kind() {
                        io::ErrorKind::UnexpectedEof => ReadErrorKind::TruncatedGzip { bytes: self.bytes },
                        // flate2 reports wrong blocks and checksums under either kind, depending on where they are.
                        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                            ReadErrorKind::Damaged { reason: error.to_string() }
                        }
                        _ => return Err(error),
                    };
                    return Err(kind.into());
                }
            }
        }
        Ok(0)
    }
}

impl<R: BufRead> Members<R> {
    /// Goes on to the next member, or finds the end. Zeros may follow the last one, as `gzip` has it: tapes end so.
    fn next_member(&mut self) -> io::Result<()> {
        let Some(decoder) = self.decoder.take() else { return Ok(()) };
        let mut raw = decoder.into_inner();
        match raw.fill_buf()? {
            [] => return Ok(()),
            // The second byte may lie behind the buffer.
            [0x1f] | [0x1f, 0x8b, ..] => {
                self.decoder = Some(GzDecoder::new(raw));
                return Ok(());
            }
            _ => {}
        }
        loop {
            let rest = raw.fill_buf()?;
            let length = rest.len();
            if rest.iter().any(|byte| *byte != 0) {
                return Err(ReadErrorKind::AfterGzip { bytes: self.bytes }.into());
            }
            if length == 0 {
                return Ok(());
            }
            raw.consume(length);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;
    use crate::data::ReadErrorKind;

    /// `bytes` as one gzip member.
    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, ReadErrorKind> {
        let mut out = Vec::new();
        unpack(Box::new(Cursor::new(bytes)), 200)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn plain_gzipped_and_concatenated_data_come_out() {
        assert_eq!(unpacked(b"plain".to_vec()), Ok(b"plain".to_vec()));
        assert_eq!(unpacked(gzip(b"packed")), Ok(b"packed".to_vec()));
        assert_eq!(unpacked([gzip(b"one "), gzip(b"two")].concat()), Ok(b"one two".to_vec()));
        assert_eq!(unpacked(Vec::new()), Ok(Vec::new()));
    }

    #[test]
    fn a_cut_at_any_byte_is_noticed() {
        let packed = gzip(b"1,2,3\n4,5,6\n7,8,9\n");
        for end in 2..packed.len() {
            let result = unpacked(packed[..end].to_vec());
            assert!(matches!(result, Err(ReadErrorKind::TruncatedGzip { .. })), "cut at {end}: {result:?}");
        }
    }

    #[test]
    fn zeros_may_follow_and_nothing_else() {
        assert_eq!(unpacked([gzip(b"text"), vec![0; 512]].concat()), Ok(b"text".to_vec()));
        for rest in [&b"x"[..], b"\x1f\x1f", b"\0\0\0x", b"1,2,3\n"] {
            let result = unpacked([gzip(b"text"), rest.to_vec()].concat());
            assert_eq!(result, Err(ReadErrorKind::AfterGzip { bytes: 4 }), "{rest:?}");
        }
        let cut = unpacked([gzip(b"text"), vec![0x1f, 0x8b, 8]].concat());
        assert_eq!(cut, Err(ReadErrorKind::TruncatedGzip { bytes: 4 }));
    }

    #[test]
    fn a_file_that_expands_without_end_is_refused() {
        let packed = gzip(&vec![b'1'; UNASKED as usize + (1 << 20)]);
        assert!(matches!(unpacked(packed.clone()), Err(ReadErrorKind::Expands { .. })));
        let mut reader = unpack(Box::new(Cursor::new(packed)), 2000).unwrap();
        assert!(io::copy(&mut reader, &mut io::sink()).is_ok());
    }

    #[test]
    fn a_wrong_checksum_is_damage() {
        let mut packed = gzip(b"some text, some text");
        let checksum = packed.len() - 8;
        packed[checksum] ^= 1;
        assert!(matches!(unpacked(packed), Err(ReadErrorKind::Damaged { .. })));
    }
}
