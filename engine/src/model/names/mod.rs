//! What names in an expression stand for: calls, subscripts, and the loop variables of comprehensions.

pub(super) mod calls;
pub(super) mod comprehension;
pub(super) mod index;
mod scope;
