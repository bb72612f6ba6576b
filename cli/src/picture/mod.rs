//! Pictures of runs as svg: convergence curves, and the landscape of a problem with one number x and one number y. They are
//! drawn to be printed: legible in black and white, and at the width of a column. What stands in them is given; nothing
//! is read or written here.
//!
//! `canvas` draws with a pen, `axis` maps numbers to places, `panel` is a frame with axes, `curves` and `landscape` are the
//! pictures.

mod axis;
mod canvas;
mod contour;
pub(crate) mod curves;
pub(crate) mod landscape;
pub(crate) mod of_run;
mod panel;
mod style;
#[cfg(test)]
mod svg;

pub(crate) use self::axis::scale_of;
