//! A program for JAX: one file that reads like the algorithm. `program` puts it together, `step` has the iteration,
//! `hypergradient` what runs beside it; `ops` and `tables` say what each operation is in JAX.

mod body;
mod code;
mod derived;
mod formula;
mod hypergradient;
mod ops;
mod program;
mod recorded;
mod step;
mod tables;

pub(super) use program::program;
