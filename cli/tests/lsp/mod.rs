//! `blo lsp`: the protocol with the real command, and half-typed programs.

mod prefixes;
mod session;
