//! Stub of the table of sets.

/// Stub.
#[derive(Debug)]
pub struct Entry;
