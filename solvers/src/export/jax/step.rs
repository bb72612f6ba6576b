//! The iteration as the function `step`: the numbers of iteration k, then the stages, one after the other.

use super::body::Called;
use super::code::pattern;
use super::formula::formula;
use super::program::Writer;
use crate::export::fields::Course;
use crate::export::kept::{Input, Refused};
use crate::iteration::{Repeat, Scalar, Stage};
use crate::options::schedule::Schedule;

/// Lines of a Python function.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<String>);

impl Lines {
    pub(super) fn add(&mut self, depth: usize, line: impl AsRef<str>) {
        self.0.push(format!("{}{}", "    ".repeat(depth), line.as_ref()).trim_end().to_owned());
    }

    pub(super) fn text(&self) -> String {
        self.0.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// A stage as it is called: what it writes, and its function.
struct Staged {
    called: Called,
    /// Names of the parts that it writes and that its function returns, in order.
    results: Vec<String>,
    /// It also returns its first signal.
    signals: bool,
}

impl Writer<'_> {
    /// Writes the functions of all stages and `step`.
    pub(super) fn step(&mut self) -> Result<String, Refused> {
        let iteration = self.kept.source.iteration;
        let mut stages = Vec::new();
        for stage in &iteration.stages {
            stages.push(self.stage(stage)?);
        }
        let mut body = Lines::default();
        let used: Vec<usize> = stages.iter().flat_map(|s| s.called.inputs.iter().copied()).collect();
        for (place, scalar) in iteration.scalars.iter().enumerate().filter(|(_, s)| used.contains(&s.input)) {
            if let Some(line) = self.number(place, scalar) {
                body.add(1, line);
            }
        }
        if self.kept.source.composition.is_none() {
            self.parameters(&used, &mut body);
        }
        for (stage, staged) in iteration.stages.iter().zip(&stages) {
            self.run_stage(stage, staged, &mut body);
        }
        if self.kept.source.composition.is_some() {
            body.add(1, self.hypergradient_call("k"));
        } else {
            self.overrides(&mut body);
        }
        let mut lines = Lines::default();
        lines.add(0, "def step(state, data, k, config):");
        lines.add(1, format!("\"\"\"Iteration k = 1, 2, ... of {}.\"\"\"", self.kept.source.method()));
        lines.add(1, format!("{} = state", tuple_pattern(&self.kept.state_names())));
        if self.uses_i {
            lines.add(1, "i = jnp.minimum(k, RECORDED) - 1  # after the recorded iterations the last numbers stay");
        }
        if self.uses_k {
            lines.add(1, "k = jnp.asarray(k, float)");
        }
        let fields: Vec<String> = self.kept.state_names();
        Ok(format!("{}{}    return State({})\n", lines.text(), body.text(), fields.join(", ")))
    }

    /// The function of a stage: its outputs without those that leave a part as it is.
    fn stage(&mut self, stage: &Stage) -> Result<Staged, Refused> {
        let iteration = self.kept.source.iteration;
        let signals = matches!(stage.repeat, Repeat::While { .. });
        let (selected, changed) = self.kept.selected(stage);
        let name = self.module_name(&stage.name);
        let inputs: Vec<Input> = self.kept.inputs[..selected.inputs.len()].to_vec();
        let doc = match stage.repeat {
            Repeat::Once => String::new(),
            _ => format!("One run of the stage `{}`.", stage.name),
        };
        let called = self.define((&name, &doc), &selected, &inputs)?;
        let results = changed.iter().map(|part| self.name_of(iteration.state[*part].input)).collect();
        Ok(Staged { called, results, signals })
    }

    fn run_stage(&mut self, stage: &Stage, staged: &Staged, body: &mut Lines) {
        for (part, copied) in &stage.begins {
            let [to, from] = [part, copied].map(|p| self.name_of(self.kept.source.iteration.state[*p].input));
            body.add(1, format!("{to} = {from}"));
        }
        let call = staged.called.call(&|input| self.name_of(input));
        let results = staged.results.join(", ");
        let carry = pattern(&staged.results);
        let most = match stage.repeat {
            Repeat::Once => return body.add(1, format!("{results} = {call}")),
            Repeat::Times(n) => n,
            Repeat::While { most } => most,
        };
        let times = self.kept.fields.count(
            &format!("{} runs", stage.name),
            most,
            &format!("runs of the stage `{}`", stage.name),
        );
        let run = format!("{}_run", staged.called.name);
        let numbers = self.run_numbers(&staged.called.inputs);
        body.add(0, "");
        body.add(1, format!("def {run}(t, carry):"));
        if staged.signals {
            body.add(
                2,
                format!("{}, _ = carry", if staged.results.len() == 1 { results.clone() } else { carry.clone() }),
            );
        } else {
            body.add(2, format!("{results} = carry"));
        }
        for line in numbers {
            body.add(2, line);
        }
        if staged.signals {
            body.add(2, format!("{results}, more = {call}"));
            body.add(2, format!("return {carry}, more"));
            body.add(0, "");
            body.add(1, format!("def {run}_again(carry):"));
            body.add(2, "return (carry[0] <= config.".to_owned() + &times + ") & (carry[1][1] > 0)");
            body.add(0, "");
            body.add(1, format!("first = (1, ({carry}, jnp.ones(())))"));
            body.add(
                1,
                format!("_, ({carry}, _) = lax.while_loop({run}_again, lambda c: (c[0] + 1, {run}(*c)), first)"),
            );
        } else {
            body.add(2, format!("return {call}"));
            body.add(0, "");
            body.add(1, format!("{results} = lax.fori_loop(1, config.{times} + 1, {run}, {carry})"));
        }
    }

    /// Lines for the numbers that change from run to run of a stage.
    fn run_numbers(&mut self, inputs: &[usize]) -> Vec<String> {
        let scalars = self.kept.source.iteration.scalars.iter().filter(|s| inputs.contains(&s.input));
        let of_runs: Vec<&Scalar> = scalars.filter(|s| s.is_by_run()).collect();
        let mut lines = Vec::new();
        for scalar in of_runs {
            if let Some(Schedule::Expression(of)) = &scalar.stated {
                let code = formula(&mut self.functions, of, "jnp.asarray(t, float)");
                lines.push(format!("{} = {}", self.name_of(scalar.input), code.text));
            }
        }
        lines
    }

    /// The line for a number of the iteration; `None` where it changes from run to run of a stage.
    fn number(&mut self, place: usize, scalar: &Scalar) -> Option<String> {
        let name = self.name_of(scalar.input);
        if scalar.is_by_run() {
            return None;
        }
        let value = match &scalar.stated {
            Some(Schedule::Constant(value)) => format!("config.{}", self.kept.fields.setting(&scalar.name, *value, "")),
            Some(Schedule::Expression(of)) => {
                self.uses_k = true;
                formula(&mut self.functions, of, "k").text
            }
            None => {
                let course = self.kept.chosen(place);
                self.course(&scalar.name, course)
            }
        };
        Some(format!("{name} = {value}"))
    }

    /// A number that the local run chose: one of the configuration, or an array over the iterations.
    pub(super) fn course(&mut self, name: &str, course: Course) -> String {
        match course {
            Course::Constant(value) => {
                let doc = self.kept.origin(name);
                format!("config.{}", self.kept.fields.setting(name, value, doc))
            }
            Course::Varies(values) => {
                let doc = "recorded: chosen in every iteration of the local run";
                let field = self.kept.fields.recorded(name, values, doc);
                self.uses_i = true;
                format!("data.{field}[i]")
            }
        }
    }
}

/// Names on the left of a tuple.
pub(super) fn tuple_pattern(names: &[String]) -> String {
    match names {
        [one] => format!("({one},)"),
        _ => names.join(", "),
    }
}
