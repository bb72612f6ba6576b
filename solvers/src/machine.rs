//! A compiled function with its buffers: what the driver sets, runs and reads. Numbers cross this border as f64; the
//! working precision stays inside.

use blo_engine::data::oracle::{self, Tensor, Value};
use blo_engine::graph::{Elem, Function};
use blo_engine::model::shape::{SizeError, Sizes};
use blo_engine::model::{Bindings, Bound};

/// How often an input changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Varying,
    Invariant,
}

pub(crate) struct Machine {
    function: Function,
    sizes: Sizes,
    inputs: Vec<Value<f64>>,
    outputs: Vec<Tensor<f64>>,
}

impl Machine {
    pub(crate) fn new(function: &Function, sizes: &Sizes, roles: &[Role]) -> Result<Machine, SizeError> {
        assert_eq!(roles.len(), function.inputs.len());
        let mut inputs = Vec::new();
        for f in &function.inputs {
            let shape = f.shape.sizes(sizes)?;
            inputs.push(match f.elem {
                Elem::Real => Value::Real(Tensor::new(shape.clone(), vec![0.0; shape.iter().product()])),
                Elem::Index => Value::Index(vec![0; shape.iter().product()]),
            });
        }
        Ok(Machine { function: function.clone(), sizes: sizes.clone(), inputs, outputs: Vec::new() })
    }

    pub(crate) fn set(&mut self, input: usize, values: &[f64]) {
        if let Value::Real(t) = &mut self.inputs[input] {
            t.values.copy_from_slice(values);
        }
    }

    pub(crate) fn set_data(&mut self, first: usize, data: &Bindings) {
        for (i, v) in data.values.iter().enumerate() {
            match v {
                Bound::Real(a) => self.set(first + i, &a.values),
                Bound::Index(p) => self.inputs[first + i] = Value::Index(p.clone()),
            }
        }
    }

    pub(crate) fn prologue(&mut self) {}

    pub(crate) fn run(&mut self) {
        self.outputs = oracle::evaluate::<f64>(&self.function, &self.sizes, &self.inputs);
    }

    pub(crate) fn output(&self, i: usize) -> Vec<f64> {
        self.outputs[i].values.clone()
    }

    pub(crate) fn input(&self, i: usize) -> Vec<f64> {
        match &self.inputs[i] {
            Value::Real(t) => t.values.clone(),
            Value::Index(_) => Vec::new(),
        }
    }

    pub(crate) fn accept(&mut self, output: usize, input: usize) {
        let values = self.outputs[output].values.clone();
        self.set(input, &values);
    }
}
