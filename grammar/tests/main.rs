//! The tests of the grammar as its users see it, in one program: each of them links the crate.

mod errors;
mod format;
mod robust;
mod tree;
