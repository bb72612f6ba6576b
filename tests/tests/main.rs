//! The tests that run whole problems, in one program: each of them links the engine.

mod answers;
mod api;
mod automatic;
mod endings;
mod hypergradients;
mod layers;
mod precisions;
mod programs;
mod real_data;
mod reference;
mod scale;
mod sensitivity;
mod values;
mod versions;
