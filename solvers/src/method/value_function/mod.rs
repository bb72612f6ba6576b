//! Methods on the value function of the lower level: `F + penalty * (f(x, y) - min f(x, .))` and its relatives.

pub(super) mod bamm;
pub(super) mod bome;
pub(super) mod f2sa;
pub(super) mod penalty;
