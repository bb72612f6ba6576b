//! What an editor asks about a text: pure functions from a [`Syntax`] and a place to an answer. `blo lsp` speaks the
//! protocol around them; a web page may call them too. Hidden from the pages of the crate: this surface is unstable.
//!
//! There are two halves. [`Syntax`] is made of every version of a text at once: words, tree, names. [`Judged`] is what the
//! check says of one version; it takes longer, so a thread makes it, and an answer may have to do without.
//! Places are bytes. [`Lines`] turns them into lines and characters.

mod completion;
mod data_files;
mod document;
mod fixes;
mod formatting;
mod hover;
mod judged;
mod names;
mod rename;
mod semantic;
mod signature;
mod symbols;
mod tables;

pub use completion::{Completion, CompletionKind, complete};
pub use document::{Encoding, Lines, Position, Syntax};
pub use fixes::{QuickFix, all_safe, quick_fixes};
pub use formatting::formatted;
pub use hover::{Hover, hover};
pub use judged::{Judged, message};
pub use names::{Occurrence, Side, Symbol, SymbolKind};
pub use rename::{Refused, declaration, occurrences, renamable, rename};
pub use semantic::{Coloured, MODIFIERS, TYPES, semantic_tokens};
pub use signature::{Signature, signature};
pub use symbols::{Outlined, outline};

#[cfg(test)]
mod tests;
