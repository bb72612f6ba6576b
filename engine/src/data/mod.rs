//! Arrays: where they come from and an independent way to compute with them.

pub mod oracle;
