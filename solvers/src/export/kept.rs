//! What an export keeps, whatever it is written in: what each input of the iteration is, the state with its start, the
//! data, and the objectives. Names and the order of the arrays are those of every language.

use blo_engine::graph::{Elem, Function};
use blo_engine::model::Bound;
use blo_engine::model::problem::DataOrigin;
use blo_engine::shape::{Dim, Shape};
use blo_grammar::span::Span;

use super::fields::{Course, Field, Fields};
use super::names::Names;
use super::source::Source;
use super::{Array, Values};
use crate::formula::bound_program::BoundProgram;
use crate::iteration::{Repeat, Stage, Start};

/// Why a function cannot be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The operation.
    pub(super) what: String,
    /// Why, and what to do.
    pub(super) why: String,
    /// Where the file has it.
    pub(super) node: Option<Span>,
}

/// What an input is in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// An argument of that name.
    Argument(String),
    /// A field of the data.
    Data(String),
}

/// How a part of the state begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// As that field of the data.
    Array(String),
    /// At zero.
    Zero,
}

/// What is kept, under construction.
pub(super) struct Kept<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) fields: Fields<'a>,
    /// What each input of the iteration is.
    pub(super) inputs: Vec<Input>,
    /// Fields of the state with the inputs that they are.
    pub(super) state: Vec<(usize, Field)>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(source: &'a Source<'a>) -> Kept<'a> {
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
        let mut kept = Kept { source, fields, inputs, state: Vec::new() };
        kept.state = kept.state_fields();
        kept
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
            let Input::Argument(name) = self.inputs[input].clone() else { unreachable!("the state is not data") };
            (input, Field { name, shape: self.fields.lengths(&shape), rows, doc: doc.to_owned() })
        };
        parts.chain(beside).map(field).collect()
    }

    pub(super) fn state_names(&self) -> Vec<String> {
        self.state.iter().map(|(_, field)| field.name.clone()).collect()
    }

    /// F, f and g, as far as there are some, each with what it is.
    pub(super) fn objectives(&self) -> Vec<(&'static str, &'static str, &'a Function)> {
        let problem = self.source.problem;
        let functions = [
            ("F", "The upper objective, to be minimized.", Some(&problem.upper().objective)),
            ("f", "The smooth part of the lower objective, to be minimized.", Some(&problem.lower().objective)),
            ("g", "The proximal part of the lower objective.", problem.lower().regularizer.as_ref()),
        ];
        functions.into_iter().filter_map(|(name, doc, function)| Some((name, doc, function?))).collect()
    }

    /// The function of a stage without outputs that leave a part as it is, and the parts that the others write, in order.
    /// One that runs until its first signal has that signal behind them.
    pub(super) fn selected(&self, stage: &Stage) -> (Function, Vec<usize>) {
        let function = stage.function().expect("external stages were refused");
        let state = &self.source.iteration.state;
        let changes = |(output, part): &(usize, &usize)| {
            function.input_position(function.outputs()[*output]) != Some(state[**part].input)
        };
        let changed = stage.writes.iter().enumerate().filter(changes).map(|(output, part)| (output, *part));
        let (mut outputs, parts): (Vec<usize>, Vec<usize>) = changed.unzip();
        outputs.extend(matches!(stage.repeat, Repeat::While { .. }).then_some(stage.writes.len()));
        (function.select(&outputs), parts)
    }

    /// How each part of the state begins.
    pub(super) fn starts(&mut self) -> Vec<Begin> {
        let iteration = self.source.iteration;
        let first = |input: usize| self.source.record.written.iter().find(|w| w.after == 0 && w.input == input);
        let mut starts: Vec<Begin> = Vec::new();
        for (part, state) in iteration.state.iter().enumerate() {
            let set = first(state.input).filter(|_| self.source.composition.is_none());
            starts.push(match (state.start, set) {
                (_, Some(written)) => {
                    let doc = "set by the control at the start";
                    let wanted = format!("{} start", self.state[part].1.name);
                    let values = Values::Real(written.values.clone());
                    let rows = self.fields.is_by_rows(&state.shape);
                    let shape = self.fields.lengths(&state.shape);
                    Begin::Array(self.fields.array(&wanted, shape, values, rows, doc))
                }
                (Start::Zero, None) => Begin::Zero,
                (Start::Variable(variable), None) if variable != part => starts[variable].clone(),
                (Start::Variable(_), None) => Begin::Array(self.start_of(part)),
            });
        }
        starts
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

    /// The numbers that the local run chose for a scalar of the iteration.
    pub(super) fn chosen(&self, place: usize) -> Course {
        Course::of(self.source.record.numbers.iter().map(|row| row[place]))
    }

    /// What says of a number that did not change where it comes from.
    pub(super) fn origin(&self, name: &str) -> &'static str {
        if self.source.states(name) { "" } else { "recorded: chosen by the local run" }
    }

    /// The value of an objective at a point.
    pub(super) fn value(&self, function: &Function, point: &[Vec<f64>]) -> f64 {
        let Source { problem, data, .. } = self.source;
        let Ok(mut machine) = BoundProgram::<f64>::new(function, problem, data, 1) else { return f64::NAN };
        for (variable, values) in problem.variables().zip(point) {
            machine.set(variable.formal, values);
        }
        machine.run();
        machine.scalar(0)
    }

    /// All arrays, and no more of the rest.
    pub(super) fn into_arrays(self) -> Vec<Array> {
        self.fields.arrays
    }
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
