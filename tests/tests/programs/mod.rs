//! Programs of the repository that say what is right: specs, what they expect, and problems of the literature.

mod expectations;
mod literature;
pub(crate) mod specs;
mod which_method;
