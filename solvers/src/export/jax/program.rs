//! The whole program: what it keeps, the functions of the problem, the iteration, and what every program has: where arrays
//! lie on the devices, the loop, checkpoints, and the comparison with the local run.

use blo_engine::graph::{Elem, Function};
use blo_engine::model::Bound;
use blo_engine::model::problem::DataOrigin;
use blo_engine::shape::{Dim, Shape};

use super::body::{Called, Functions, Input, Refused, define};
use super::code::Names;
use super::fields::{Field, Fields, Setting};
use super::source::Source;
use super::step::Lines;
use crate::export::{Array, Values};
use crate::formula::bound_program::BoundProgram;
use crate::iteration::Start;

/// A program under construction.
pub(super) struct Writer<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) fields: Fields<'a>,
    pub(super) functions: Functions,
    /// What each input of the iteration is.
    pub(super) inputs: Vec<Input>,
    /// Names of functions.
    module: Names,
    /// Fields of the state with the inputs that they are.
    pub(super) state: Vec<(usize, Field)>,
    /// The step reads recorded numbers, and the number of the iteration.
    pub(super) uses_i: bool,
    pub(super) uses_k: bool,
}

/// The program and its arrays.
///
/// # Errors
/// When an operation is refused.
pub(in crate::export) fn program(source: &Source<'_>) -> Result<(String, Vec<Array>), Refused> {
    let mut writer = Writer::new(source);
    let objectives = writer.objectives()?;
    let hypergradient = match source.composition {
        Some(composition) => Some(writer.hypergradient(composition)?),
        None => None,
    };
    let step = writer.step()?;
    let init = writer.init();
    let expected = writer.expected(&objectives);
    let parts = [Some(writer.functions.text()), hypergradient, Some(init), Some(step)];
    let text = [
        writer.head(),
        writer.kept(),
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n"),
        writer.places(),
        RUN.to_owned(),
        expected,
        CHECK.to_owned(),
    ];
    Ok((text.join("\n\n"), writer.fields.arrays))
}

impl<'a> Writer<'a> {
    fn new(source: &'a Source<'a>) -> Writer<'a> {
        let formals = source.inputs();
        let variables = source.problem.variables().count();
        let used = used_data(source);
        let mut fields = Fields {
            sizes: &source.data.sizes,
            names: Names::of_fields(),
            data: Vec::new(),
            arrays: Vec::new(),
            settings: Vec::new(),
            setting_names: Names::of_fields(),
            rows: rows(source, &used),
        };
        fields.setting_names.fresh("dtype");
        fields.setting_names.fresh("axis");
        fields.setting_names.fresh("iterations");
        let mut names = Names::new();
        let mut inputs = Vec::new();
        for (i, formal) in formals.iter().enumerate() {
            let of_data = i.checked_sub(variables).and_then(|place| source.data.values.get(place));
            inputs.push(match of_data {
                Some(bound) if used[i] => {
                    let by_rows = fields.is_by_rows(&formal.shape);
                    let shape = fields.lengths(&formal.shape);
                    let values = match bound {
                        Bound::Real(numbers) => Values::Real(numbers.values().collect()),
                        Bound::Index(positions) => Values::Index(positions.iter().map(|p| *p as i64).collect()),
                    };
                    let doc = if formal.elem == Elem::Index { "positions" } else { "" };
                    Input::Data(fields.array(&formal.name, shape, values, by_rows, doc))
                }
                Some(_) => Input::Data(formal.name.clone()),
                None => Input::Argument(names.fresh(&formal.name)),
            });
        }
        let mut writer = Writer {
            source,
            fields,
            functions: Functions::default(),
            inputs,
            module: Names::new(),
            state: Vec::new(),
            uses_i: false,
            uses_k: false,
        };
        writer.state = writer.state_fields();
        writer
    }

    /// The parts of the state; with a hypergradient beside the stages, that too.
    fn state_fields(&self) -> Vec<(usize, Field)> {
        let iteration = self.source.iteration;
        let parts = iteration.state.iter().map(|s| (s.input, s.shape.clone(), ""));
        let beside = self.source.composition.map(|_| iteration.parameters.iter());
        let beside = beside
            .into_iter()
            .flatten()
            .map(|p| (p.input, self.source.inputs()[p.input].shape.clone(), "hypergradient"));
        let field = |(input, shape, doc): (usize, Shape, &str)| {
            let rows = self.fields.is_by_rows(&shape);
            (input, Field { name: self.name_of(input), shape: self.fields.lengths(&shape), rows, doc: doc.to_owned() })
        };
        parts.chain(beside).map(field).collect()
    }

    pub(super) fn state_names(&self) -> Vec<String> {
        self.state.iter().map(|(_, field)| field.name.clone()).collect()
    }

    /// What an input of the iteration is called.
    pub(super) fn name_of(&self, input: usize) -> String {
        match &self.inputs[input] {
            Input::Argument(name) => name.clone(),
            Input::Data(field) => format!("data.{field}"),
        }
    }

    /// A name for a function of the program.
    pub(super) fn module_name(&mut self, wanted: &str) -> String {
        self.module.fresh(&wanted.replace("_y' w", "_y_product").replace("_x' w", "_x_product").replace('\'', ""))
    }

    /// F, f and g, as far as there are some.
    fn objectives(&mut self) -> Result<Vec<(&'static str, Called, &'a Function)>, Refused> {
        let problem = self.source.problem;
        let functions = [
            ("F", "The upper objective, to be minimized.", Some(&problem.upper().objective)),
            ("f", "The smooth part of the lower objective, to be minimized.", Some(&problem.lower().objective)),
            ("g", "The proximal part of the lower objective.", problem.lower().regularizer.as_ref()),
        ];
        let mut found = Vec::new();
        for (name, doc, function) in functions {
            let Some(function) = function else { continue };
            let inputs: Vec<Input> = self.inputs[..function.inputs.len()].to_vec();
            let called = define(&mut self.functions, (name, doc), function, &inputs, self.fields.sizes)?;
            found.push((name, called, function));
        }
        Ok(found)
    }

    /// `init`: the start.
    fn init(&mut self) -> String {
        let iteration = self.source.iteration;
        let mut lines = Lines::default();
        lines.add(0, "def init(data, config):");
        lines.add(1, "\"\"\"The state before the first iteration.\"\"\"");
        let first = |input: usize| self.source.record.written.iter().find(|w| w.after == 0 && w.input == input);
        let mut starts: Vec<(String, String)> = Vec::new();
        for (part, state) in iteration.state.iter().enumerate() {
            let name = self.name_of(state.input);
            let shape = self.fields.lengths(&state.shape);
            let set = first(state.input).filter(|_| self.source.composition.is_none());
            let value = match (state.start, set) {
                (_, Some(written)) => {
                    let doc = "set by the control at the start";
                    let values = Values::Real(written.values.clone());
                    let rows = self.fields.is_by_rows(&state.shape);
                    format!("data.{}", self.fields.array(&format!("{name} start"), shape, values, rows, doc))
                }
                (Start::Zero, None) => format!("jnp.zeros({})", super::code::tuple(&shape)),
                (Start::Variable(variable), None) if variable != part => starts[variable].1.clone(),
                (Start::Variable(_), None) => format!("data.{}", self.start_of(part)),
            };
            starts.push((name, value));
        }
        if self.source.composition.is_some() {
            for (name, value) in &starts {
                lines.add(1, format!("{name} = {value}"));
            }
            lines.add(1, self.hypergradient_call("0"));
            lines.add(1, format!("return State({})", self.state_names().join(", ")));
        } else {
            let list: Vec<&str> = starts.iter().map(|(_, value)| value.as_str()).collect();
            lines.add(1, format!("return State({})", list.join(", ")));
        }
        lines.text()
    }

    /// The field of the data that holds the start of a variable.
    pub(super) fn start_of(&mut self, variable: usize) -> String {
        let state = &self.source.iteration.state[variable];
        let wanted = format!("{} start", state.name);
        let name = Names::of_fields().fresh(&wanted);
        if let Some(known) = self.fields.data.iter().find(|f| f.name == name) {
            return known.name.clone();
        }
        let shape = self.fields.lengths(&state.shape);
        let rows = self.fields.is_by_rows(&state.shape);
        let values = Values::Real(self.source.record.points[0][variable].clone());
        self.fields.array(&wanted, shape, values, rows, "start")
    }

    /// What the local run came to: objectives, and of each variable its norm, its sum and its first entries.
    fn expected(&self, objectives: &[(&'static str, Called, &'a Function)]) -> String {
        let record = self.source.record;
        let mut lines = Lines::default();
        lines.add(0, "# What the local run came to: objectives, and of every variable norm, sum and first entries.");
        lines.add(0, "EXPECTED = {");
        for (iterations, point) in [(1, &record.points[1]), (record.len(), &record.points[2])] {
            if iterations == 1 && record.len() == 1 && lines.text().contains("1: {") {
                continue;
            }
            lines.add(1, format!("{iterations}: {{"));
            for (name, _, function) in objectives {
                let value = self.value(function, point);
                lines.add(2, format!("\"{name}\": [{}],", super::code::number(value)));
            }
            for (variable, values) in self.source.problem.variables().zip(point) {
                let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
                let numbers = [norm, values.iter().sum()].into_iter().chain(values.iter().copied().take(3));
                let list: Vec<String> = numbers.map(super::code::number).collect();
                lines.add(2, format!("\"{}\": [{}],", self.name_of(variable.formal), list.join(", ")));
            }
            lines.add(1, "},");
        }
        lines.add(0, "}");
        let calls: Vec<String> = objectives
            .iter()
            .map(|(name, called, _)| format!("\"{name}\": {}", called.call(&|i| format!("state.{}", self.name_of(i)))))
            .collect();
        lines.add(0, "");
        lines.add(0, "");
        lines.add(0, "def objectives(state, data):");
        lines.add(1, format!("return {{{}}}", calls.join(", ")));
        lines.text()
    }

    fn value(&self, function: &Function, point: &[Vec<f64>]) -> f64 {
        let Source { problem, data, .. } = self.source;
        let Ok(mut machine) = BoundProgram::<f64>::new(function, problem, data, 1) else { return f64::NAN };
        for (variable, values) in problem.variables().zip(point) {
            machine.set(variable.formal, values);
        }
        machine.run();
        machine.scalar(0)
    }

    /// The first lines: what this is, and imports.
    fn head(&self) -> String {
        let Source { problem, about, record, .. } = self.source;
        let method = self.source.method();
        let taken_back = match record.rejected {
            0 => String::new(),
            n => format!("\nThe local run took {n} steps back; this program repeats the accepted ones."),
        };
        format!(
            "\"\"\"Problem {}, method {method}: made by `{}`.\n\nData, start values and recorded numbers are in {}.\n\
             The local run had {} iterations; `--check` compares this program with it.{taken_back}\n\"\"\"\n{IMPORTS}\n\
             RECORDED = {}  # iterations of the local run\nARRAYS = \"{}\"\n",
            problem.name,
            about.command,
            about.arrays,
            record.len(),
            record.len(),
            about.arrays,
        )
    }

    /// The classes of what is kept.
    fn kept(&self) -> String {
        let mut lines = Lines::default();
        lines.add(0, "@dataclass(frozen=True)");
        lines.add(0, "class Config:");
        lines.add(1, "dtype: str = \"float64\"");
        lines.add(1, "axis: str = \"rows\"  # the axis of the mesh that rows of data lie along");
        lines.add(1, "iterations: int = RECORDED");
        for Setting { name, kind, value, doc } in &self.fields.settings {
            lines.add(1, commented(&format!("{name}: {kind} = {value}"), doc));
        }
        for (class, fields) in [
            ("State", self.state.iter().map(|(_, f)| f).collect::<Vec<_>>()),
            ("Data", self.fields.data.iter().collect()),
        ] {
            lines.add(0, "");
            lines.add(0, "");
            lines.add(0, format!("class {class}(NamedTuple):"));
            for field in fields {
                let shape: Vec<String> = field.shape.iter().map(usize::to_string).collect();
                let doc = format!("[{}] {}", shape.join(", "), field.doc);
                lines.add(1, commented(&format!("{}: jax.Array", field.name), doc.trim_end()));
            }
            if self.fields.data.is_empty() && class == "Data" {
                lines.add(1, "pass");
            }
        }
        lines.text()
    }

    /// Where the arrays lie.
    fn places(&self) -> String {
        let mut lines = Lines::default();
        lines.add(0, "def specs(config):");
        lines.add(
            1,
            "\"\"\"Where arrays lie: rows of data, and what has an entry per row, are shared among the devices.\"\"\"",
        );
        lines.add(1, "rows, whole = P(config.axis), P()");
        let list = |fields: &[&Field]| {
            let one = |f: &&Field| format!("{}={}", f.name, if f.rows { "rows" } else { "whole" });
            fields.iter().map(one).collect::<Vec<_>>()
        };
        let state = list(&self.state.iter().map(|(_, f)| f).collect::<Vec<_>>());
        let data = list(&self.fields.data.iter().collect::<Vec<_>>());
        for (name, class, items) in [("state", "State", state), ("data", "Data", data)] {
            lines.add(1, format!("{name} = {class}("));
            for chunk in items.chunks(4) {
                lines.add(2, format!("{},", chunk.join(", ")));
            }
            lines.add(1, ")");
        }
        lines.add(1, "return state, data");
        lines.text()
    }
}

/// A line with a comment, if there is one.
fn commented(line: &str, doc: &str) -> String {
    if doc.is_empty() { line.to_owned() } else { format!("{line}  # {doc}") }
}

/// The first dimensions of arrays with data in rows: those of datasets, and of matrices.
fn rows(source: &Source<'_>, used: &[bool]) -> Vec<Dim> {
    let items = source.problem.data.iter().filter(|item| used[item.formal]);
    let of_rows = items.filter(|item| matches!(item.origin, DataOrigin::Column { .. }) || item.shape.0.len() >= 2);
    let mut found: Vec<Dim> = Vec::new();
    for item in of_rows {
        let shape = &source.problem.formals[item.formal].shape;
        if let Some(first) = shape.0.first().filter(|first| !found.contains(first)) {
            found.push(first.clone());
        }
    }
    found
}

/// Which inputs some function of the program reads.
fn used_data(source: &Source<'_>) -> Vec<bool> {
    let problem = source.problem;
    let mut used = vec![false; source.inputs().len()];
    let mut see = |function: &Function| {
        let reached = function.graph().reachable(function.outputs());
        for (input, used) in used.iter_mut().enumerate().take(function.inputs.len()) {
            *used |= reached[input];
        }
    };
    see(&problem.upper().objective);
    see(&problem.lower().objective);
    problem.lower().regularizer.iter().for_each(&mut see);
    source.iteration.stages.iter().filter_map(|s| s.function()).for_each(&mut see);
    used
}

const IMPORTS: &str = "import argparse
import os
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
";

const RUN: &str = "def load(config):
    \"\"\"The data, on the host.\"\"\"
    folder = os.path.dirname(os.path.abspath(__file__))
    arrays = np.load(os.path.join(folder, ARRAYS))
    real = lambda a: np.asarray(a, config.dtype if a.dtype.kind == \"f\" else \"int32\")
    return Data(*(real(arrays[name]) for name in Data._fields))


def place(arrays, where, mesh):
    \"\"\"Arrays on the devices; rows that do not divide among them lie on each.\"\"\"
    def put(array, spec):
        divides = spec == P() or array.shape[0] % mesh.size == 0
        return jax.device_put(array, NamedSharding(mesh, spec if divides else P()))

    return type(arrays)(*map(put, arrays, where))


@partial(jax.jit, static_argnames=\"config\", donate_argnums=0)
def advance(state, data, first, last, config):
    \"\"\"Iterations first, ..., last.\"\"\"
    return lax.fori_loop(first, last + 1, lambda k, s: step(s, data, k, config), state)


def begin(config):
    \"\"\"State and data at the start, on all devices there are.\"\"\"
    jax.config.update(\"jax_enable_x64\", config.dtype == \"float64\")
    jax.config.update(\"jax_default_matmul_precision\", \"highest\")
    mesh = jax.make_mesh((len(jax.devices()),), (config.axis,), axis_types=(AxisType.Auto,))
    of_state, of_data = specs(config)
    data = place(load(config), of_data, mesh)
    return place(jax.jit(init, static_argnames=\"config\")(data, config), of_state, mesh), data


def run(n, config=Config()):
    \"\"\"The state after n iterations, and the data.\"\"\"
    state, data = begin(config)
    return advance(state, data, 1, n, config), data


def checkpoint(folder, state, restore=False):
    \"\"\"Saves the state with Orbax, or restores one like it.\"\"\"
    import orbax.checkpoint as ocp
    with ocp.StandardCheckpointer() as store:
        folder = os.path.abspath(folder)
        if restore:
            return State(**store.restore(folder, state._asdict()))
        store.save(folder, state._asdict(), force=True)
    return state
";

const CHECK: &str = "def check(config=Config()):
    \"\"\"Compares objectives, one step and all steps with the local run.\"\"\"
    tolerance, worst = (1e-9 if config.dtype == \"float64\" else 1e-4), 0.0
    for n, expected in EXPECTED.items():
        state, data = run(n, config)
        found = {name: [float(value)] for name, value in objectives(state, data).items()}
        for name in expected.keys() - found.keys():
            values = np.asarray(getattr(state, name), \"float64\").ravel()
            found[name] = [np.linalg.norm(values), values.sum(), *values[:3]]
        for name, right in expected.items():
            difference = np.max(np.abs(np.array(found[name]) - right))
            error = difference / max(np.max(np.abs(right)), 1e-300) if difference else 0.0
            worst = max(worst, error)
            print(f\"{n:6d} {name:12s} {found[name][0]: .12e}  relative error {error:.1e}\")
    print(\"agrees\" if worst <= tolerance else f\"DIFFERS: {worst:.1e} is above {tolerance:.0e}\")
    return worst <= tolerance


def main():
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument(\"-n\", type=int, help=\"iterations\")
    line.add_argument(\"--dtype\", default=\"float64\", choices=[\"float64\", \"float32\"])
    line.add_argument(\"--check\", action=\"store_true\", help=\"compare with the local run\")
    line.add_argument(\"--save\", help=\"folder of a checkpoint of the end\")
    line.add_argument(\"--stablehlo\", action=\"store_true\", help=\"print the lowered step\")
    flags = line.parse_args()
    config = replace(Config(), dtype=flags.dtype)
    if flags.check:
        raise SystemExit(0 if check(config) else 1)
    if flags.stablehlo:
        state, data = begin(config)
        print(jax.jit(step, static_argnames=\"config\").lower(state, data, 1, config).as_text())
        return
    state, data = run(config.iterations if flags.n is None else flags.n, config)
    for name, value in objectives(state, data).items():
        print(f\"{name} = {float(value):.12e}\")
    if flags.save:
        checkpoint(flags.save, state)


if __name__ == \"__main__\":
    main()
";
