//! The npz format: a zip archive of npy files. Only the archive is handled here, the arrays by `npy`.
//!
//! A zip directory stands at the end of the file, so the packed bytes are held in memory; entries are unpacked as read.

use blo_grammar::diagnostic::did_you_mean;
use std::io::{BufRead, Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Format, Header, Loaded, npy};
use crate::data::array::Array;
use crate::data::error::ReadErrorKind;
use crate::data::file_place::shorten;
use crate::data::option::{OptionEntry, OptionValue, Options};
use crate::data::unpack::{Expanding, recognize};

const OPTIONS: &[OptionEntry] = &[OptionEntry {
    name: "key",
    doc: "The array's name in the archive; may be left out if it holds only one.",
    words: &[],
}];

pub(super) static NPZ: Format = Format {
    name: "npz",
    doc: "One array of a NumPy archive.",
    options: OPTIONS,
    shape_hint: npy::WHOLE_ARRAY,
    is_text: false,
    #[cfg(test)]
    sample: || tests::archive(&[("x", &[1.0])]),
    rank: |_| None,
    header,
    gaps: None,
    read: |reader, options| read(reader, options).map(Loaded::from),
};

fn header(reader: Box<dyn BufRead>, options: Options<'_>) -> Result<Header, ReadErrorKind> {
    with_entry(reader, options, |mut entry, names| Ok(Header { names, ..npy::read_header(&mut entry)? }))
}

fn read(reader: Box<dyn BufRead>, options: Options<'_>) -> Result<Array, ReadErrorKind> {
    with_entry(reader, options, |entry, _| npy::read_array(entry))
}

/// Hands the chosen entry's unpacked bytes, and the names of all entries, to `parse`.
fn with_entry<T>(
    mut reader: Box<dyn BufRead>,
    options: Options<'_>,
    parse: impl FnOnce(&mut dyn Read, Vec<String>) -> Result<T, ReadErrorKind>,
) -> Result<T, ReadErrorKind> {
    let key = match options.get("key") {
        None => None,
        Some(OptionValue::Text(key)) => Some(key.strip_suffix(".npy").unwrap_or(key)),
        Some(other) => return Err(other.rejected("key", "the name of an array").into()),
    };
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Err(ReadErrorKind::EmptyFile);
    }
    let (length, is_zip) = (bytes.len() as u64, bytes.starts_with(b"PK"));
    let found = recognize(&bytes).filter(|_| !is_zip);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| match found {
        Some(found) => ReadErrorKind::NotThisFormat { format: "npz", found: found.to_owned() },
        // The directory of a zip archive stands at its end.
        None if is_zip => ReadErrorKind::TruncatedArchive { bytes: length },
        None => ReadErrorKind::NotThisFormat { format: "npz", found: said(&error) },
    })?;
    let names: Vec<String> = (0..archive.len())
        .filter_map(|i| archive.name_for_index(i))
        .map(|name| name.trim_end_matches(".npy").to_owned())
        .collect();
    let position = match key {
        Some(key) => names.iter().position(|name| name == key).ok_or_else(|| ReadErrorKind::UnknownKey {
            name: key.to_owned(),
            near: did_you_mean(key, names.iter().map(String::as_str)).map(str::to_owned),
            available: names.clone(),
        })?,
        None if names.is_empty() => return Err(ReadErrorKind::EmptyFile),
        None if names.len() == 1 => 0,
        None => return Err(ReadErrorKind::KeyNeeded { available: names }),
    };
    let name = names[position].clone();
    let damaged =
        |reason: String| ReadErrorKind::Damaged { reason: format!("array `{}`: {reason}", shorten(name.as_bytes())) };
    let entry = archive.by_index(position).map_err(|error| damaged(said(&error)))?;
    let packed = entry.compressed_size();
    let mut entry = Expanding::new(entry, packed, options.expansion);
    parse(&mut entry, names).map_err(|kind| match kind {
        // The archive is in memory: what fails here is the unpacking.
        ReadErrorKind::Io { reason } => damaged(reason),
        other => other,
    })
}

/// What is wrong with an archive, in words of its own where the crate has only a kind.
fn said(error: &ZipError) -> String {
    match error {
        ZipError::Io(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => "the archive ends too early".into(),
        ZipError::Io(cause) => cause.to_string(),
        ZipError::InvalidArchive(why) => why.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    /// An archive of columns.
    pub(in crate::data::format) fn archive(arrays: &[(&str, &[f64])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, values) in arrays {
            let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            let npy = npy::tests::npy("<f8", false, &format!("({},)", values.len()), &data);
            writer.start_file(format!("{name}.npy"), SimpleFileOptions::default()).expect("memory");
            writer.write_all(&npy).expect("memory");
        }
        writer.finish().expect("memory").into_inner()
    }

    fn key(name: &str) -> Vec<(String, OptionValue)> {
        vec![("key".to_owned(), OptionValue::Text(name.to_owned()))]
    }

    fn parse(bytes: Vec<u8>, given: &[(String, OptionValue)]) -> Result<Array, ReadErrorKind> {
        read(Box::new(Cursor::new(bytes)), Options::check("npz", OPTIONS, given)?)
    }

    #[test]
    fn an_array_is_found_by_its_key_or_by_being_alone() {
        let two = archive(&[("weights", &[1., 2.]), ("bias", &[3.])]);
        assert_eq!(parse(two.clone(), &key("bias")), Ok(Array::from(vec![3.])));
        assert_eq!(parse(two.clone(), &key("weights.npy")), Ok(Array::from(vec![1., 2.])));
        let available = vec!["weights".to_owned(), "bias".to_owned()];
        assert_eq!(parse(two, &[]), Err(ReadErrorKind::KeyNeeded { available }));
        assert_eq!(parse(archive(&[("x", &[7.])]), &[]), Ok(Array::from(vec![7.])));
    }

    #[test]
    fn a_wrong_key_names_its_neighbors() {
        let error = parse(archive(&[("weights", &[1.]), ("bias", &[3.])]), &key("wieghts")).expect_err("no such key");
        assert_eq!(error.to_string(), "no array is called `wieghts`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `weights`?"));
    }

    #[test]
    fn the_header_lists_the_arrays() {
        let given = key("bias");
        let options = Options::check("npz", OPTIONS, &given).expect("known");
        let bytes = archive(&[("weights", &[1., 2.]), ("bias", &[3.])]);
        let header = header(Box::new(Cursor::new(bytes)), options).expect("valid");
        assert_eq!((header.shape, header.names), (vec![Some(1)], vec!["weights".to_owned(), "bias".to_owned()]));
    }

    #[test]
    fn a_cut_archive_says_so() {
        let whole = archive(&[("x", &[1.0; 50]), ("y", &[2.0])]);
        for end in [4, 60, whole.len() / 2, whole.len() - 1] {
            let error = parse(whole[..end].to_vec(), &key("x")).expect_err("cut");
            assert_eq!(error, ReadErrorKind::TruncatedArchive { bytes: end as u64 });
        }
    }

    #[test]
    fn other_files_and_damage_are_told_apart() {
        let npy = npy::tests::npy("<f8", false, "()", &[0; 8]);
        let error = parse(npy, &[]).expect_err("not an archive");
        assert_eq!(error.to_string(), "not npz data: this is an npy file");
        let mut bytes = archive(&[("x", &[1.0; 50])]);
        // Inside the packed data: 30 bytes of local header, 5 of name.
        bytes[45] ^= 0xff;
        let result = parse(bytes, &[]);
        assert!(
            matches!(result, Err(ReadErrorKind::Damaged { .. } | ReadErrorKind::NotThisFormat { .. })),
            "{result:?}"
        );
    }
}
