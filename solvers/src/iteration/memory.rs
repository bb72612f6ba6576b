//! What a control or a stage has learnt, as the bytes of a checkpoint: one binary format for all of them.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes the bytes of a value behind those that are there; reals keep their bits. Room that is there is used.
pub(crate) fn pack<T: Serialize>(value: &T, to: &mut Vec<u8>) {
    let written = postcard::to_extend(value, std::mem::take(to));
    *to = written.expect("numbers and lists of them have a binary form");
}

/// The value that was packed.
pub(crate) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> T {
    try_unpack(bytes).expect("a checkpoint of the same run holds what this method packed")
}

/// The value that was packed; `None` where the bytes are of something else.
pub(crate) fn try_unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}
