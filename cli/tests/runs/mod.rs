//! Runs: what they read, how much they take, how they are stopped.

mod inputs;
mod resources;
mod stopped;
