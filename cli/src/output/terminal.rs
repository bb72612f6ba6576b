//! How wide the pages are that results and messages are written on.

use blo::output::text::page::PAGE;
use std::io;
use terminal_size::{Height, Width, terminal_size_of};

/// A terminal that claims less is not believed.
const NARROWEST: usize = 40;

/// The columns of standard output.
pub(crate) fn of_results() -> usize {
    columns(terminal_size_of(io::stdout()))
}

/// The columns of standard error.
pub(crate) fn of_messages() -> usize {
    columns(terminal_size_of(io::stderr()))
}

fn columns(size: Option<(Width, Height)>) -> usize {
    size.map_or(PAGE, |(width, _)| usize::from(width.0).max(NARROWEST))
}
