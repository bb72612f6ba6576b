//! The step of a method as StableHLO text: one module that needs no Python. `program` puts it together, `step` has the
//! iteration, `hypergradient`, `sweeps` and `system` what runs beside it; `ops` and `tables` say what each operation is,
//! `map` what a function on slices is; `block` writes operations.

mod block;
mod body;
mod formula;
mod hypergradient;
mod map;
mod ops;
mod program;
mod step;
mod sweeps;
mod system;
mod tables;

pub(super) use program::program;
