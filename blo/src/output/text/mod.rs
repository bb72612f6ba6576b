//! Text on a page: broken into lines that fit, without control characters that a terminal would obey.

pub mod markdown;
pub mod page;
pub mod visible;
