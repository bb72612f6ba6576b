//! What fuzz targets hold the language and the data readers to. A target only chooses what to try; what must be true of
//! it stands here, so that a failing case can be repeated from a test.

pub mod memory;
pub mod mutate;
pub mod program;
pub mod reader;
