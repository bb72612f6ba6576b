//! Arrays of what the local run did beside its stages: what its control wrote into the iterate (parameters, which stay until
//! they are written again, and parts of the state, which it set anew after some iterations), and the numbers of lower steps.

use super::Values;
use super::fields::Course;
use super::kept::{Input, Kept};
use super::record::Written;

/// What the control wrote into an input.
pub(super) struct Held {
    /// The input.
    pub(super) input: usize,
    /// The field of its values; with `which`, one after the other.
    pub(super) values: String,
    /// The field that says for each iteration which of them holds; -1 for none.
    pub(super) which: Option<String>,
}

/// Where a number of a lower step comes from.
pub(super) enum StepNumber {
    /// The steps of a run share it.
    Shared(Course),
    /// A field with a number per round of lower steps.
    PerRound(String),
    /// A field with a number per step, in every run.
    PerStep(String),
    /// A field with a row per run, or per round where rounds differ, and a number per step in it.
    PerRunAndStep(String),
}

/// How often the lower steps run, from warm starts.
pub(super) struct Rounds {
    /// The field with their count, per run; where they differ, with the first one of each run and the end of the last one.
    pub(super) field: String,
    /// Their numbers differ within a run.
    pub(super) differ: bool,
}

impl Kept<'_> {
    /// The parameters of the iteration that are used.
    pub(super) fn parameters(&mut self, used: &[usize]) -> Vec<Held> {
        let source = self.source;
        let mut found = Vec::new();
        for parameter in source.iteration.parameters.iter().filter(|p| used.contains(&p.input)) {
            let input = parameter.input;
            let name = self.argument(input);
            let written: Vec<&Written> = source.record.written.iter().filter(|w| w.input == input).collect();
            let shape = self.fields.lengths(&source.inputs()[input].shape.clone());
            let length = shape.iter().product();
            let mut versions = vec![vec![0.0; length]];
            let mut which = vec![0_i64; source.record.numbers.len()];
            for written in written {
                if *versions.last().expect("there is one") != written.values {
                    versions.push(written.values.clone());
                }
                let last = versions.len() as i64 - 1;
                which.iter_mut().skip(written.after as usize).for_each(|w| *w = last);
            }
            // the one before the control wrote any
            if which.iter().all(|w| *w > 0) {
                versions.remove(0);
                which.iter_mut().for_each(|w| *w -= 1);
            }
            found.push(self.versions(input, &name, shape, versions, which));
        }
        found
    }

    fn versions(
        &mut self,
        input: usize,
        name: &str,
        shape: Vec<usize>,
        versions: Vec<Vec<f64>>,
        which: Vec<i64>,
    ) -> Held {
        let doc = "recorded: set by the control of the local run";
        if let [only] = versions.as_slice() {
            let values = Values::Real(only.clone());
            let values = self.fields.array(&format!("recorded {name}"), shape, values, false, doc);
            return Held { input, values, which: None };
        }
        let shape = [vec![versions.len()], shape].concat();
        let count = which.len();
        let values = Values::Real(versions.concat());
        let values = self.fields.array(&format!("recorded {name}"), shape, values, false, doc);
        let doc = "recorded: which of them holds in an iteration";
        let which = self.fields.array(&format!("which {name}"), vec![count], Values::Index(which), false, doc);
        Held { input, values, which: Some(which) }
    }

    /// The parts of the state that the control set after some iterations.
    pub(super) fn overrides(&mut self) -> Vec<Held> {
        let source = self.source;
        let (record, last) = (source.record, source.record.len());
        let mut found = Vec::new();
        for state in &source.iteration.state {
            let input = state.input;
            let later = record.written.iter().filter(|w| w.input == input && w.after > 0 && w.after <= last);
            let later: Vec<&Written> = later.collect();
            if later.is_empty() {
                continue;
            }
            let name = self.argument(input);
            let lengths = self.fields.lengths(&state.shape);
            let shape = [vec![later.len()], lengths].concat();
            let mut which = vec![-1_i64; record.numbers.len()];
            later.iter().enumerate().for_each(|(i, w)| which[w.after as usize - 1] = i as i64);
            let values = Values::Real(later.iter().flat_map(|w| w.values.iter().copied()).collect());
            let doc = "recorded: set by the control of the local run";
            let values = self.fields.array(&format!("recorded {name}"), shape, values, false, doc);
            let doc = "recorded: which of them is set after an iteration; -1 for none";
            let count = which.len();
            let which = self.fields.array(&format!("which {name}"), vec![count], Values::Index(which), false, doc);
            found.push(Held { input, values, which: Some(which) });
        }
        found
    }

    /// What an input that is not data is called.
    fn argument(&self, input: usize) -> String {
        match &self.inputs[input] {
            Input::Argument(name) => name.clone(),
            Input::Data(_) => unreachable!("the control writes no data"),
        }
    }

    /// True where all rounds of lower steps of a run have the same numbers.
    pub(super) fn is_steady(&self) -> bool {
        self.source.record.lower.iter().all(|run| run.rounds.iter().all(|round| *round == run.rounds[0]))
    }

    /// The numbers in a column of those of the lower steps.
    pub(super) fn step_number(&mut self, column: usize, name: &str) -> StepNumber {
        let (steady, runs) = (self.is_steady(), &self.source.record.lower);
        let rounds = runs.iter().flat_map(|run| if steady { &run.rounds[..1] } else { &run.rounds });
        let table: Vec<Vec<f64>> = rounds.map(|round| round.iter().map(|row| row[column]).collect()).collect();
        let same_in_steps = table.iter().all(|row| row.iter().all(|v| v.to_bits() == row[0].to_bits()));
        let same_in_runs = table.iter().all(|row| *row == table[0]);
        let first = table.iter().map(|row| row[0]);
        if same_in_steps && (steady || same_in_runs) {
            StepNumber::Shared(Course::of(first))
        } else if same_in_steps {
            let doc = "recorded: chosen in every round of the local run";
            StepNumber::PerRound(self.fields.recorded(name, first.collect(), doc))
        } else if same_in_runs {
            let doc = "a number per lower step";
            let (shape, values) = (vec![table[0].len()], Values::Real(table[0].clone()));
            StepNumber::PerStep(self.fields.array(&format!("{name} of steps"), shape, values, false, doc))
        } else {
            let shape = vec![table.len(), table[0].len()];
            let doc = "recorded: a number per lower step";
            let values = Values::Real(table.concat());
            StepNumber::PerRunAndStep(self.fields.array(&format!("recorded {name}"), shape, values, false, doc))
        }
    }

    /// The rounds of lower steps from warm starts, where there are several.
    pub(super) fn rounds(&mut self) -> Option<Rounds> {
        let runs = &self.source.record.lower;
        let counts: Vec<i64> = runs.iter().map(|run| run.rounds.len() as i64).collect();
        if counts.iter().all(|count| *count <= 1) {
            return None;
        }
        let differ = !self.is_steady();
        let (numbers, doc) = if differ {
            let ends = counts.iter().scan(0, |end, count| {
                *end += count;
                Some(*end)
            });
            let doc = "recorded: where the rounds of lower steps of an iteration begin";
            (std::iter::once(0).chain(ends).collect(), doc)
        } else {
            (counts, "recorded: rounds of lower steps")
        };
        let field = self.fields.array("recorded rounds", vec![numbers.len()], Values::Index(numbers), false, doc);
        Some(Rounds { field, differ })
    }
}
