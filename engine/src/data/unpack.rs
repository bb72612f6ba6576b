//! Unpacks gzip, recognized by its magic bytes and not by the file's name, and names data of a foreign format.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

const BUFFER: usize = 1 << 16;

/// Why a gzip stream does not unpack; travels inside an [`io::Error`] through the readers above.
#[derive(Debug, thiserror::Error)]
pub(super) enum GzipError {
    /// The stream ends too early.
    #[error("the gzip stream ends early, after {bytes} unpacked bytes")]
    Truncated {
        /// Bytes that could be unpacked.
        bytes: u64,
    },
    /// A block or checksum is wrong.
    #[error("{reason}")]
    Damaged {
        /// The decoder's words.
        reason: String,
    },
}

/// The bytes of a file, unpacked if it is gzipped; several gzip members are one stream.
pub(super) fn unpack(raw: Box<dyn Read>) -> io::Result<Box<dyn BufRead>> {
    let (magic, raw) = peek(raw, 2)?;
    let raw = BufReader::with_capacity(BUFFER, raw);
    if magic == [0x1f, 0x8b] {
        let gunzip = Gunzip { decoder: MultiGzDecoder::new(raw), bytes: 0 };
        Ok(Box::new(BufReader::with_capacity(BUFFER, gunzip)))
    } else {
        Ok(Box::new(raw))
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
        [b'P', b'K', 3 | 5, 4 | 6, ..] => Some("this is a zip archive (npz?)"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("this is UTF-16 text; save it as UTF-8"),
        [0, 0, 8..=14, 1..=4, ..] => Some("this is an IDX file"),
        _ => None,
    }
}

struct Gunzip<R> {
    decoder: MultiGzDecoder<R>,
    bytes: u64,
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.decoder.read(buffer) {
            Ok(n) => {
                self.bytes += n as u64;
                Ok(n)
            }
            Err(error) => {
                let cause = match error.kind() {
                    io::ErrorKind::UnexpectedEof => GzipError::Truncated { bytes: self.bytes },
                    // flate2 reports wrong blocks and checksums under either kind, depending on where they are.
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                        GzipError::Damaged { reason: error.to_string() }
                    }
                    _ => return Err(error),
                };
                Err(io::Error::new(io::ErrorKind::InvalidData, cause))
            }
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
        unpack(Box::new(Cursor::new(bytes)))?.read_to_end(&mut out)?;
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
    fn a_wrong_checksum_is_damage() {
        let mut packed = gzip(b"some text, some text");
        let checksum = packed.len() - 8;
        packed[checksum] ^= 1;
        assert!(matches!(unpacked(packed), Err(ReadErrorKind::Damaged { .. })));
    }
}
