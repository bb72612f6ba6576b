//! The whole program: what it keeps, the functions of the problem, the iteration, and what every program has: where arrays
//! lie on the devices, the loop, checkpoints, and the comparison with the local run.

use blo_engine::graph::Function;

use super::body::{Called, Functions};
use super::derived::Derived;
use super::step::Lines;
use crate::export::Array;
use crate::export::fields::{Amount, Field, Setting};
use crate::export::kept::{Begin, Input, Kept, Refused};
use crate::export::names::Names;
use crate::export::source::Source;

/// A program under construction.
pub(super) struct Writer<'a> {
    pub(super) kept: Kept<'a>,
    pub(super) functions: Functions,
    /// F, once it is written.
    pub(super) upper: Option<Called>,
    /// Fields of the data that the program computes.
    pub(super) derived: Vec<Derived>,
    /// Names of functions.
    module: Names,
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
    let others: Vec<&str> = [hypergradient.as_deref(), Some(&init), Some(&step)].into_iter().flatten().collect();
    let derivation = writer.derivation(&others);
    let (load, run) = (load(derivation.is_some()), RUN.to_owned());
    let parts = [Some(writer.functions.text(derivation)), hypergradient, Some(init), Some(step)];
    let text = [
        writer.head(),
        writer.kept(),
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n"),
        writer.places(),
        load,
        run,
        expected,
        CHECK.to_owned(),
    ];
    Ok((text.join("\n\n"), writer.kept.into_arrays()))
}

impl<'a> Writer<'a> {
    fn new(source: &'a Source<'a>) -> Writer<'a> {
        let mut kept = Kept::new(source);
        for own in ["dtype", "axis", "iterations"] {
            kept.fields.setting_names.fresh(own);
        }
        Writer {
            kept,
            functions: Functions::default(),
            upper: None,
            derived: Vec::new(),
            module: Names::new(),
            uses_i: false,
            uses_k: false,
        }
    }

    /// What an input of the iteration is called.
    pub(super) fn name_of(&self, input: usize) -> String {
        match &self.kept.inputs[input] {
            Input::Argument(name) => name.clone(),
            Input::Data(field) => format!("data.{field}"),
        }
    }

    /// A name for a function of the program.
    pub(super) fn module_name(&mut self, wanted: &str) -> String {
        self.module.fresh(&wanted.replace("_y' w", "_y_product").replace("_x' w", "_x_product").replace('\'', ""))
    }

    /// The functions of F, f and g, as far as there are some.
    fn objectives(&mut self) -> Result<Vec<(&'static str, Called, &'a Function)>, Refused> {
        let mut found = Vec::new();
        for (name, doc, function) in self.kept.objectives() {
            let inputs: Vec<Input> = self.kept.inputs[..function.inputs.len()].to_vec();
            let called = self.define((name, doc), function, &inputs)?;
            if name == "F" {
                self.upper = Some(called.clone());
            }
            found.push((name, called, function));
        }
        Ok(found)
    }

    /// `init`: the start.
    fn init(&mut self) -> String {
        let mut lines = Lines::default();
        lines.add(0, "def init(data, config):");
        lines.add(1, "\"\"\"The state before the first iteration.\"\"\"");
        let begins = self.kept.starts();
        let value = |(begin, (_, field)): (&Begin, &(usize, Field))| match begin {
            Begin::Array(array) => format!("data.{array}"),
            Begin::Zero => format!("jnp.zeros({})", super::code::tuple(&field.shape)),
        };
        let starts: Vec<String> = begins.iter().zip(&self.kept.state).map(value).collect();
        if self.kept.source.composition.is_some() {
            let pairs: Vec<(&str, &str)> = self
                .kept
                .state
                .iter()
                .zip(&starts)
                .map(|((_, field), start)| (field.name.as_str(), start.as_str()))
                .collect();
            for some in pairs.chunks(4) {
                let (names, values): (Vec<&str>, Vec<&str>) = some.iter().copied().unzip();
                lines.add(1, format!("{} = {}", names.join(", "), values.join(", ")));
            }
            lines.add(1, self.hypergradient_call("0"));
            lines.add(1, format!("return State({})", self.kept.state_names().join(", ")));
        } else {
            lines.add(1, format!("return State({})", starts.join(", ")));
        }
        lines.text()
    }

    /// What the local run came to: objectives, and of each variable its norm, its sum and its first entries.
    fn expected(&self, objectives: &[(&'static str, Called, &'a Function)]) -> String {
        let record = self.kept.source.record;
        let mut lines = Lines::default();
        lines.add(0, "# What the local run came to: objectives, and of every variable norm, sum and first entries.");
        lines.add(0, "EXPECTED = {");
        for (iterations, point) in [(1, &record.points[1]), (record.len(), &record.points[2])] {
            if iterations == 1 && record.len() == 1 && lines.text().contains("1: {") {
                continue;
            }
            lines.add(1, format!("{iterations}: {{"));
            for (name, _, function) in objectives {
                let value = self.kept.value(function, point);
                lines.add(2, format!("\"{name}\": [{}],", super::code::number(value)));
            }
            for (variable, values) in self.kept.source.problem.variables().zip(point) {
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

    /// The first lines: what this is, and imports.
    fn head(&self) -> String {
        let Source { problem, about, record, .. } = self.kept.source;
        let method = self.kept.source.method();
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
        for Setting { name, value, doc } in &self.kept.fields.settings {
            let (kind, value) = match value {
                Amount::Real(value) => ("float", super::code::number(*value)),
                Amount::Count(value) => ("int", value.to_string()),
            };
            lines.add(1, commented(&format!("{name}: {kind} = {value}"), doc));
        }
        let state = self.kept.state.iter().map(|(_, f)| f).collect::<Vec<_>>();
        for (class, fields) in [("State", state), ("Data", self.data())] {
            lines.add(0, "");
            lines.add(0, "");
            lines.add(0, format!("class {class}(NamedTuple):"));
            for field in fields {
                let shape: Vec<String> = field.shape.iter().map(usize::to_string).collect();
                let doc = format!("[{}] {}", shape.join(", "), field.doc);
                let later = if self.derived.iter().any(|d| d.field.name == field.name) { " = None" } else { "" };
                let later = if class == "Data" { later } else { "" };
                lines.add(1, commented(&format!("{}: jax.Array{later}", field.name), doc.trim_end()));
            }
            if self.data().is_empty() && class == "Data" {
                lines.add(1, "pass");
            }
        }
        lines.text()
    }

    /// The fields of the data: those that are read, and derived ones.
    fn data(&self) -> Vec<&Field> {
        self.kept.fields.data.iter().chain(self.derived.iter().map(|d| &d.field)).collect()
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
        let state = list(&self.kept.state.iter().map(|(_, f)| f).collect::<Vec<_>>());
        let data = list(&self.data());
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

const IMPORTS: &str = "import argparse
import os
import sys
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

/// What reads the data and puts arrays on the devices, and the start of a run.
fn load(derives: bool) -> String {
    let derived = if derives { "\n    data = place(jax.jit(derive)(data), of_data, mesh)" } else { "" };
    let none = if derives { "\n        if array is None:\n            return None" } else { "" };
    LOAD.replace("{derived}", derived).replace("{none}", none)
}

const LOAD: &str = "def load(config):
    \"\"\"The data, on the host.\"\"\"
    folder = os.path.dirname(os.path.abspath(__file__))
    arrays = np.load(os.path.join(folder, ARRAYS))
    real = lambda a: np.asarray(a, config.dtype if a.dtype.kind == \"f\" else \"int32\")
    return Data(**{name: real(arrays[name]) for name in arrays.files})


def place(arrays, where, mesh):
    \"\"\"Arrays on the devices; rows that do not divide among them lie on each.\"\"\"
    def put(name, array, spec):{none}
        if spec != P() and array.shape[0] % mesh.size:
            rows = f\"{array.shape[0]} rows do not divide among {mesh.size} devices\"
            print(f\"{name}: {rows}: each device has all\", file=sys.stderr)
            spec = P()
        return jax.device_put(array, NamedSharding(mesh, spec))

    return type(arrays)(*map(put, arrays._fields, arrays, where))


def begin(config):
    \"\"\"State and data at the start, on all devices there are.\"\"\"
    jax.config.update(\"jax_enable_x64\", config.dtype == \"float64\")
    jax.config.update(\"jax_default_matmul_precision\", \"highest\")
    mesh = jax.make_mesh((len(jax.devices()),), (config.axis,), axis_types=(AxisType.Auto,))
    of_state, of_data = specs(config)
    data = place(load(config), of_data, mesh){derived}
    return place(jax.jit(init, static_argnames=\"config\")(data, config), of_state, mesh), data
";

const RUN: &str = "@partial(jax.jit, static_argnames=\"config\", donate_argnums=0)
def advance(state, data, first, last, config):
    \"\"\"Iterations first, ..., last.\"\"\"
    return lax.fori_loop(first, last + 1, lambda k, s: step(s, data, k, config), state)


def run(n, config=Config(), resume=None):
    \"\"\"The state after iteration n, and the data; from the start, or from a checkpoint.\"\"\"
    state, data = begin(config)
    k, state = checkpoint(resume, 0, state, restore=True) if resume else (0, state)
    return advance(state, data, k + 1, n, config), data


def checkpoint(folder, k, state, restore=False):
    \"\"\"Saves the state after iteration k with Orbax, or restores one like it.\"\"\"
    import orbax.checkpoint as ocp
    folder, kept = os.path.abspath(folder), {\"iteration\": k, \"state\": state._asdict()}
    with ocp.StandardCheckpointer() as store:
        if restore:
            kept = store.restore(folder, kept)
        else:
            store.save(folder, kept, force=True)
    return kept[\"iteration\"], State(**kept[\"state\"])
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
            size = lambda values: np.max(np.abs(values))
            difference = size(np.array(found[name]) - right)
            # what falls by more digits than are compared is compared with what it has been
            floor = max(tolerance * size(values[name]) for values in EXPECTED.values())
            error = difference / max(size(right), floor) if difference else 0.0
            worst = max(worst, error if np.isfinite(error) else np.inf)
            print(f\"{n:6d} {name:12s} {found[name][0]: .12e}  relative error {error:.1e}\")
    print(\"agrees\" if worst <= tolerance else f\"DIFFERS: {worst:.1e} is above {tolerance:.0e}\")
    return worst <= tolerance


def main():
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument(\"-n\", type=int, help=\"iterations\")
    line.add_argument(\"--dtype\", default=\"float64\", choices=[\"float64\", \"float32\"])
    line.add_argument(\"--check\", action=\"store_true\", help=\"compare with the local run\")
    line.add_argument(\"--save\", help=\"folder for a checkpoint of the end\")
    line.add_argument(\"--resume\", help=\"folder of a checkpoint to go on from\")
    flags = line.parse_args()
    config = replace(Config(), dtype=flags.dtype)
    if flags.check:
        raise SystemExit(0 if check(config) else 1)
    n = config.iterations if flags.n is None else flags.n
    state, data = run(n, config, flags.resume)
    for name, value in objectives(state, data).items():
        print(f\"{name} = {float(value):.12e}\")
    if flags.save:
        checkpoint(flags.save, n, state)


if __name__ == \"__main__\":
    main()
";
