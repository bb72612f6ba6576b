//! Small problems solved to the end: the conditions of Karush, Kuhn and Tucker (KKT) of the lower level as rows of one
//! nonlinear program, with every end point judged by the lower level itself, cuts where the judgement fails, and a scan
//! over x. It knows no method: `kkt` and `auto` are built on it.

mod cuts;
pub(crate) mod feasibility;
mod kinks;
pub(crate) mod kkt;
mod nelder_mead;
mod refine;
pub(crate) mod search;
#[cfg(test)]
mod tests;
