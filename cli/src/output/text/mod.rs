//! Text on a page: broken into lines that fit, without control characters that a terminal would obey.

pub(crate) mod markdown;
pub(crate) mod page;
pub(crate) mod visible;
