//! What a run begins with: texts, problems and data files.

pub mod checked;
pub mod file;
pub mod mend;
pub mod source;
pub mod tried;
