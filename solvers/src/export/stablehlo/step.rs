//! The iteration as the function `main`: the numbers of iteration k, then the stages, one after the other.

use super::block::{Element, Value};
use super::body::{Called, Slices, define};
use super::formula::formula;
use super::hypergradient::Beside;
use super::program::{Scope, Writer};
use crate::export::fields::Course;
use crate::export::kept::Refused;
use crate::iteration::{Repeat, Scalar, Stage};
use crate::options::schedule::Schedule;

/// A stage as it is called: what it writes, and its function.
struct Staged {
    called: Called,
    /// Inputs that are the parts which it writes and its function returns, in order; its first signal may follow.
    parts: Vec<usize>,
}

impl Writer<'_> {
    /// Writes the functions of all stages and `main`.
    ///
    /// # Errors
    /// When an operation is refused.
    pub(super) fn step(&mut self, beside: Option<&Beside>) -> Result<(), Refused> {
        let iteration = self.iteration();
        let mut stages = Vec::new();
        for stage in &iteration.stages {
            stages.push(self.stage(stage)?);
        }
        let mut scope = self.main_scope();
        let used: Vec<usize> = stages.iter().flat_map(|s| s.called.inputs.iter().copied()).collect();
        for (place, scalar) in iteration.scalars.iter().enumerate().filter(|(_, s)| used.contains(&s.input)) {
            if !scalar.is_by_run() {
                let value = self.number(&mut scope, place, scalar);
                let value = scope.block.rename(value, &scalar.name, "");
                scope.values.insert(scalar.input, value);
            }
        }
        if beside.is_none() {
            for held in self.kept.parameters(&used) {
                let values = self.field(&mut scope, &held.values);
                let value = match &held.which {
                    None => values,
                    Some(which) => {
                        let which = self.recorded(&mut scope, which);
                        scope.block.at(&values, &which)
                    }
                };
                scope.values.insert(held.input, value);
            }
        }
        for (stage, staged) in iteration.stages.iter().zip(&stages) {
            self.run_stage(stage, staged, &mut scope);
        }
        match beside {
            Some(beside) => {
                let k = scope.k.clone().expect("`main` has k");
                self.call_beside(beside, &mut scope, &k);
            }
            None => self.overrides(&mut scope),
        }
        let results = self.kept.state.iter().map(|(input, _)| scope.values[input].clone()).collect();
        let doc = format!("Iteration k = 1, 2, ... of {}.", self.kept.source.method());
        self.publish("main", &doc, scope, results);
        Ok(())
    }

    /// The function of a stage: its outputs without those that leave a part as it is.
    fn stage(&mut self, stage: &Stage) -> Result<Staged, Refused> {
        let iteration = self.iteration();
        let (selected, changed) = self.kept.selected(stage);
        let name = self.module.name(&stage.name);
        let inputs = self.argument_names(selected.inputs.len());
        let doc = match stage.repeat {
            Repeat::Once => String::new(),
            _ => format!("One run of the stage `{}`.", stage.name),
        };
        let slices = Slices { lead: &[], leads: &[] };
        let called = define(&mut self.module, (&name, &doc), &selected, &inputs, slices)?;
        let parts = changed.iter().map(|part| iteration.state[*part].input).collect();
        Ok(Staged { called, parts })
    }

    fn run_stage(&mut self, stage: &Stage, staged: &Staged, scope: &mut Scope) {
        let state = &self.iteration().state;
        for (part, copied) in &stage.begins {
            let value = scope.values[&state[*copied].input].clone();
            scope.values.insert(state[*part].input, value);
        }
        let results = match stage.repeat {
            Repeat::Once => {
                let arguments: Vec<Value> = staged.called.inputs.iter().map(|i| self.input(scope, *i)).collect();
                scope.block.call(&staged.called.name, &arguments, &staged.called.results)
            }
            Repeat::Times(most) => self.repeated(staged, most, false, scope),
            Repeat::While { most } => self.repeated(staged, most, true, scope),
        };
        scope.values.extend(staged.parts.iter().copied().zip(results));
    }

    /// A stage that runs so often, or while its signal asks for more.
    fn repeated(&mut self, staged: &Staged, most: u64, asks: bool, scope: &mut Scope) -> Vec<Value> {
        let scalars = &self.iteration().scalars;
        let of_runs: Vec<&Scalar> =
            scalars.iter().filter(|s| s.is_by_run() && staged.called.inputs.contains(&s.input)).collect();
        let other = |i: &&usize| !staged.parts.contains(i) && !of_runs.iter().any(|s| s.input == **i);
        let given: Vec<usize> = staged.called.inputs.iter().filter(other).copied().collect();
        let fixed: Vec<Value> = given.iter().map(|i| self.input(scope, *i)).collect();
        let block = &mut scope.block;
        let first = block.whole(1);
        let mut carried = vec![first];
        carried.extend(staged.parts.iter().map(|input| scope.values[input].clone()));
        if asks {
            carried.push(block.real(1.0, &[]));
        }
        let width = carried.len();
        let results = block.repeat(
            (&carried, &fixed),
            |block, inside| {
                let last = block.whole(i64::try_from(most).unwrap_or(i64::MAX));
                let more = block.compare("LE", &inside[0], &last);
                if !asks {
                    return more;
                }
                let zero = block.real(0.0, &[]);
                let asked = block.compare("GT", &inside[width - 1], &zero);
                block.both(&more, &asked)
            },
            |block, inside| {
                let t = block.converted(&inside[0], block.width.real);
                let mut numbers = Vec::new();
                for scalar in &of_runs {
                    let Some(Schedule::Expression(of)) = &scalar.stated else { unreachable!("it is by run") };
                    numbers.push((scalar.input, formula(block, of, &t)));
                }
                let find = |input: usize| {
                    let part = staged.parts.iter().position(|p| *p == input).map(|i| &inside[1 + i]);
                    let number = numbers.iter().find(|(i, _)| *i == input).map(|(_, value)| value);
                    let given = given.iter().position(|g| *g == input).map(|i| &inside[width + i]);
                    part.or(number).or(given).expect("every input has a value").clone()
                };
                let mut next = staged.called.call(block, &find);
                let one = block.whole(1);
                next.insert(0, block.binary("add", &inside[0], &one));
                next
            },
        );
        results[1..=staged.parts.len()].to_vec()
    }

    /// A number of the iteration.
    fn number(&mut self, scope: &mut Scope, place: usize, scalar: &Scalar) -> Value {
        match &scalar.stated {
            Some(Schedule::Constant(value)) => scope.block.real(*value, &[]),
            Some(Schedule::Expression(of)) => {
                let k = self.real_k(scope);
                formula(&mut scope.block, of, &k)
            }
            None => match self.kept.chosen(place) {
                Course::Constant(value) => scope.block.real(value, &[]),
                Course::Varies(values) => {
                    let doc = "recorded: chosen in every iteration of the local run";
                    let field = self.kept.fields.recorded(&scalar.name, values, doc);
                    self.recorded(scope, &field)
                }
            },
        }
    }

    /// The number of the iteration as a number.
    fn real_k(&self, scope: &mut Scope) -> Value {
        let k = scope.k.clone().expect("`main` has k");
        let real: Element = self.module.width.real;
        scope.block.converted(&k, real)
    }

    /// The entry of a recorded array for this iteration; after the recorded iterations the last one.
    fn recorded(&self, scope: &mut Scope, field: &str) -> Value {
        let values = self.field(scope, field);
        let k = scope.k.clone().expect("`main` has k");
        let block = &mut scope.block;
        let most = block.whole(self.kept.source.record.len() as i64);
        let last = block.binary("minimum", &k, &most);
        let one = block.whole(1);
        let i = block.binary("subtract", &last, &one);
        block.at(&values, &i)
    }

    /// Sets parts of the state where the control of the local run did.
    fn overrides(&mut self, scope: &mut Scope) {
        for held in self.kept.overrides() {
            let values = self.field(scope, &held.values);
            let which = held.which.expect("an override says when it holds");
            let which = self.recorded(scope, &which);
            let k = scope.k.clone().expect("`main` has k");
            let block = &mut scope.block;
            let most = block.whole(self.kept.source.record.len() as i64);
            let within = block.compare("LE", &k, &most);
            let zero = block.whole(0);
            let some = block.compare("GE", &which, &zero);
            let holds = block.both(&within, &some);
            let set = block.at(&values, &which);
            let before = scope.values[&held.input].clone();
            let value = scope.block.select(&holds, &set, &before);
            scope.values.insert(held.input, value);
        }
    }
}
