//! What runs beside the stages: K lower steps at x, and the derivative of F at their end in x and, where it is asked for,
//! in their start. The loops are here and in `sweeps`; a step and its products are the engine's own Functions.

use std::collections::HashMap;

use blo_engine::graph::Function;

use super::block::{Block, Type, Value};
use super::body::{Called, Slices, define, function_text};
use super::program::{Scope, Writer};
use crate::export::fields::Course;
use crate::export::kept::{Input, Refused};
use crate::export::names::Names;
use crate::export::recorded::StepNumber;
use crate::hypergradient::outline::Outline;
use crate::method::{Composition, StepsStart};

/// The function as it is called: with x, the start of the lower steps, fields of the data, and k.
pub(super) struct Beside {
    name: String,
    fields: Vec<String>,
    /// It reads recorded numbers.
    by_run: bool,
    results: Vec<Type>,
}

/// What loops read: values by input of the lower step.
#[derive(Default)]
pub(super) struct Outer {
    inputs: Vec<usize>,
    pub(super) values: Vec<Value>,
    /// A row with an entry per lower step.
    rows: Vec<bool>,
}

impl Outer {
    fn add(&mut self, input: usize, value: Value, row: bool) {
        if !self.inputs.contains(&input) {
            self.inputs.push(input);
            self.values.push(value);
            self.rows.push(row);
        }
    }

    /// The values in step j, as a loop has them.
    pub(super) fn at(&self, block: &mut Block, given: &[Value], j: &Value) -> HashMap<usize, Value> {
        let mut found = HashMap::new();
        for ((input, value), row) in self.inputs.iter().zip(given).zip(&self.rows) {
            let value = if *row { block.at(value, j) } else { value.clone() };
            found.insert(*input, value);
        }
        found
    }
}

/// The function under construction.
pub(super) struct Inside<'c> {
    pub(super) composition: &'c Composition,
    pub(super) scope: Scope,
    pub(super) outer: Outer,
    pub(super) step: Called,
    /// Inputs of the variables.
    pub(super) x: Vec<usize>,
    pub(super) y: Vec<usize>,
    /// The start of the lower steps.
    pub(super) start: Vec<Value>,
    /// K.
    pub(super) steps: Value,
    /// Rounds of lower steps.
    rounds: Option<Value>,
    /// F.
    pub(super) objective: Called,
}

/// What the sweeps give: y at the end, the derivative in x, and in the start.
pub(super) struct Swept {
    pub(super) end: Vec<Value>,
    pub(super) gradient: Vec<Value>,
    pub(super) of_start: Vec<Value>,
}

impl Writer<'_> {
    /// Writes the function and what it calls. `objective` is F.
    ///
    /// # Errors
    /// When an operation is refused.
    pub(super) fn hypergradient(&mut self, composition: &Composition, objective: &Called) -> Result<Beside, Refused> {
        if !self.kept.is_steady() {
            return Err(Refused {
                what: "lower steps whose sizes differ between rounds".to_owned(),
                why: "state their size: `--set s_l=0.1`, or use `--format python`".to_owned(),
                node: None,
            });
        }
        let step = self.part("lower step", "One lower step.", &composition.lower.function)?;
        let mut inside = self.inside(composition, step, objective);
        let outline = composition.outline.as_ref().expect("others were refused");
        let swept = match outline {
            Outline::Reverse(reverse) => self.reverse(reverse, &mut inside)?,
            Outline::Forward { ends, push } => self.forward((ends, push), &mut inside)?,
            Outline::System(system) => self.system(system, &mut inside)?,
        };
        let mut results = [swept.end, swept.gradient].concat();
        if composition.start == StepsStart::Auxiliary {
            results.extend(swept.of_start);
        }
        let name = self.module.name("hypergradient of K steps");
        let scope = inside.scope;
        let fields: Vec<String> =
            self.kept.fields.data.iter().map(|f| f.name.clone()).filter(|f| scope.fields.contains_key(f)).collect();
        let x = inside.x.iter().map(|input| &scope.values[input]);
        let values = x.chain(&inside.start).chain(fields.iter().map(|f| &scope.fields[f])).chain(&scope.k);
        let listed: Vec<String> = values.map(|v| format!("{}: {}", v.name, v.ty)).collect();
        let doc = "The end of the lower steps from y, and the derivative of F there.";
        let head = format!("private @{name}({})", listed.join(", "));
        self.module.functions.push(function_text(&head, doc, &scope.block, &results));
        let results = results.into_iter().map(|r| r.ty).collect();
        Ok(Beside { name, fields, by_run: scope.k.is_some(), results })
    }

    /// Calls it and takes over what it gives.
    pub(super) fn call_beside(&mut self, beside: &Beside, scope: &mut Scope, k: &Value) {
        let composition = self.kept.source.composition.expect("only with one");
        let iteration = self.iteration();
        let problem = self.kept.source.problem;
        let (x, y) = (problem.upper().variables.len(), problem.lower().variables.len());
        let inputs: Vec<usize> = iteration.state.iter().map(|s| s.input).collect();
        let mut arguments: Vec<Value> = inputs[..x].iter().map(|input| scope.values[input].clone()).collect();
        match composition.start {
            StepsStart::Warm => arguments.extend(inputs[x..x + y].iter().map(|input| scope.values[input].clone())),
            StepsStart::Fixed => {
                for variable in x..x + y {
                    let field = self.kept.start_of(variable);
                    arguments.push(self.field(scope, &field));
                }
            }
            StepsStart::Auxiliary => {
                arguments.extend(inputs[x + y..x + 2 * y].iter().map(|input| scope.values[input].clone()));
            }
        }
        for field in &beside.fields {
            arguments.push(self.field(scope, field));
        }
        arguments.extend(beside.by_run.then(|| k.clone()));
        let results = scope.block.call(&beside.name, &arguments, &beside.results);
        let parameters = iteration.parameters.iter().map(|p| p.input);
        scope.values.extend(inputs[x..x + y].iter().copied().chain(parameters).zip(results));
    }

    /// A function over the formals and inputs of its own.
    pub(super) fn part(&mut self, name: &str, doc: &str, function: &Function) -> Result<Called, Refused> {
        let name = self.module.name(name);
        let inputs = self.part_names(function);
        define(&mut self.module, (&name, doc), function, &inputs, Slices { lead: &[], leads: &[] })
    }

    pub(super) fn part_names(&self, function: &Function) -> Vec<String> {
        let formals = self.kept.source.problem.formals.len();
        let mut names = Names::of_fields();
        let name = |(i, formal): (usize, &blo_engine::graph::Formal)| match self.kept.inputs.get(i) {
            Some(Input::Argument(name) | Input::Data(name)) if i < formals => names.fresh(name),
            _ => names.fresh(&formal.name),
        };
        function.inputs.iter().enumerate().map(name).collect()
    }

    /// The arguments, and the numbers of the steps.
    fn inside<'c>(&mut self, composition: &'c Composition, step: Called, objective: &Called) -> Inside<'c> {
        let problem = self.kept.source.problem;
        let x: Vec<usize> = problem.upper().variables.iter().map(|v| v.formal).collect();
        let y: Vec<usize> = problem.lower().variables.iter().map(|v| v.formal).collect();
        let mut scope = self.bare_scope();
        let names = self.argument_names(self.kept.inputs.len());
        let shapes: HashMap<usize, Vec<usize>> =
            self.kept.state.iter().map(|(input, field)| (*input, field.shape.clone())).collect();
        let mut start = Vec::new();
        for input in x.iter().chain(&y) {
            let ty = scope.block.real_type(&shapes[input]);
            let value = scope.block.argument(&names[*input], ty);
            if x.contains(input) {
                scope.values.insert(*input, value);
            } else {
                start.push(value);
            }
        }
        let steps = scope.block.whole(composition.steps as i64);
        let steps = scope.block.rename(steps, "K", "");
        let rounds = self.kept.rounds().map(|rounds| self.of_run(&mut scope, &rounds.field));
        let mut outer = Outer::default();
        for (column, input) in composition.lower.scalars.iter().enumerate() {
            let name = names_of_step(&composition.lower.function, *input);
            let (value, row) = match self.kept.step_number(column, &name) {
                StepNumber::Shared(Course::Constant(value)) => (scope.block.real(value, &[]), false),
                StepNumber::Shared(Course::Varies(values)) => {
                    let doc = "recorded: chosen in every iteration of the local run";
                    let field = self.kept.fields.recorded(&name, values, doc);
                    (self.of_run(&mut scope, &field), false)
                }
                StepNumber::PerStep(field) => (self.field(&mut scope, &field), true),
                StepNumber::PerRound(field) => (self.of_run(&mut scope, &field), false),
                StepNumber::PerRunAndStep(field) => (self.of_run(&mut scope, &field), true),
            };
            let value = scope.block.rename(value, &name, "");
            outer.add(*input, value, row);
        }
        Inside { composition, scope, outer, step, x, y, start, steps, rounds, objective: objective.clone() }
    }

    /// The entry of a recorded array for this run of the steps: the first one is that of the start.
    fn of_run(&self, scope: &mut Scope, field: &str) -> Value {
        let values = self.field(scope, field);
        if scope.k.is_none() {
            let ty = scope.block.whole_type(&[]);
            scope.k = Some(scope.block.argument("k", ty));
        }
        let k = scope.k.clone().expect("it is there now");
        let block = &mut scope.block;
        let most = block.whole(self.kept.source.record.len() as i64);
        let i = block.binary("minimum", &k, &most);
        block.at(&values, &i)
    }

    /// Makes the values there that a function reads beside the state of the steps and `others`.
    pub(super) fn provide(&self, inside: &mut Inside<'_>, called: &Called, others: &[usize]) {
        let formals = self.kept.source.problem.formals.len();
        for input in called.inputs.iter().filter(|i| **i < formals) {
            if !inside.composition.lower.state.contains(input) && !others.contains(input) {
                let value = self.input(&mut inside.scope, *input);
                inside.outer.add(*input, value, false);
            }
        }
    }

    /// F with its gradients at y: `F_x` and `F_y`.
    pub(super) fn gradients_at(
        &mut self,
        ends: &Function,
        inside: &mut Inside<'_>,
        y: &[Value],
    ) -> Result<(Vec<Value>, Vec<Value>), Refused> {
        let outputs: Vec<usize> = (1..ends.outputs().len()).collect();
        let called = self.part("F gradients", "The partial gradients of F.", &ends.select(&outputs))?;
        let mut results = self.call_at(inside, &called, y, &HashMap::new());
        let of_y = results.split_off(inside.x.len());
        Ok((results, of_y))
    }

    /// A call outside of the loops, at y, with further values by input.
    pub(super) fn call_at(
        &self,
        inside: &mut Inside<'_>,
        called: &Called,
        y: &[Value],
        more: &HashMap<usize, Value>,
    ) -> Vec<Value> {
        let mut values = more.clone();
        for input in &called.inputs {
            if let Some(place) = inside.y.iter().position(|i| i == input) {
                values.insert(*input, y[place].clone());
            } else if !values.contains_key(input) {
                values.insert(*input, self.input(&mut inside.scope, *input));
            }
        }
        called.call(&mut inside.scope.block, &|input| values[&input].clone())
    }

    /// The state that the lower steps start from: y, and as many copies as the dynamics remembers. From a warm start the
    /// steps run again until they have settled, as often as they did in the local run.
    pub(super) fn first_state(&self, inside: &mut Inside<'_>) -> Vec<Value> {
        let step = inside.step.clone();
        self.provide(inside, &step, &[]);
        let count = inside.composition.lower.state.len();
        let spread = |y: &[Value]| (0..count).map(|i| y[i % y.len()].clone()).collect::<Vec<_>>();
        let Some(rounds) = &inside.rounds else { return spread(&inside.start) };
        let (outer, state) = (&inside.outer, &inside.composition.lower.state);
        let block = &mut inside.scope.block;
        let one = block.whole(1);
        let again = block.binary("subtract", rounds, &one);
        let fixed = [outer.values.clone(), vec![inside.steps.clone()]].concat();
        let start = inside.start.clone();
        let settled = block.count(&again, &start, &fixed, |block, _, values| {
            let (y, given) = values.split_at(start.len());
            let (given, steps) = given.split_at(outer.values.len());
            let ends = block.count(&steps[0], &spread(y), given, |block, j, values| {
                let (now, given) = values.split_at(count);
                next_state(block, &step, (outer, given), state, now, j)
            });
            ends[..start.len()].to_vec()
        });
        spread(&settled)
    }
}

/// The state after lower step j.
pub(super) fn next_state(
    block: &mut Block,
    step: &Called,
    (outer, given): (&Outer, &[Value]),
    state: &[usize],
    now: &[Value],
    j: &Value,
) -> Vec<Value> {
    let mut values = outer.at(block, given, j);
    values.extend(state.iter().copied().zip(now.iter().cloned()));
    step.call(block, &|input| values[&input].clone())
}

/// What an input of the lower step is called.
fn names_of_step(step: &Function, input: usize) -> String {
    Names::new().fresh(&step.inputs[input].name)
}
