//! The compiled stages of an iteration and the state that they share. A part of the state lives in the program of the
//! stage that writes it, where a step swaps buffers instead of copying; other stages take copies before they run.

use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::iteration::control::{Iterate, NextState};
use crate::iteration::counts::Counts;
use crate::iteration::external::External;
use crate::iteration::{Clock, Context, Iteration, Repeat, Rows, Work};

/// The stages of a run.
pub(crate) struct Stages<T: Scalar> {
    stages: Vec<Running<T>>,
    /// Per part of the state, its input.
    inputs: Vec<usize>,
    /// Per part, the stage that holds it.
    home: Vec<usize>,
    /// The stages before the last have run for the iteration that is under way.
    ready: bool,
    /// Of all stages, one after the other.
    signals: Vec<f64>,
    /// Runs of each stage.
    runs: Vec<u64>,
}

struct Running<T: Scalar> {
    body: Body<T>,
    repeat: Repeat,
    /// See [`Stage::begins`].
    begins: Vec<(usize, usize)>,
    /// Parts that other stages hold and this one reads.
    borrowed: Vec<usize>,
    /// Where its signals are among all.
    signals: std::ops::Range<usize>,
    /// Number of parts that it writes.
    writes: usize,
}

enum Body<T: Scalar> {
    Graph(Box<BoundProgram<T>>),
    /// The parts that it holds are beside it; `None` only while it runs.
    External(Option<Box<dyn External>>, Vec<(usize, Vec<T>)>),
}

impl<T: Scalar> Stages<T> {
    /// Compiles.
    ///
    /// # Errors
    /// When a program cannot be allocated.
    pub(crate) fn new(
        iteration: &Iteration,
        context: &Context<'_>,
        lengths: &[usize],
    ) -> Result<Stages<T>, Box<Diagnostic>> {
        let last = iteration.stages.len() - 1;
        let mut home = vec![last; iteration.state.len()];
        for (s, stage) in iteration.stages.iter().enumerate() {
            stage.writes.iter().for_each(|part| home[*part] = s);
        }
        let mut signals = 0;
        let mut stages = Vec::new();
        for (s, stage) in iteration.stages.iter().enumerate() {
            let body = match &stage.work {
                Work::Graph(_) => Body::Graph(Box::new(BoundProgram::of_stage(iteration, stage, context)?)),
                Work::External(make) => {
                    let held = (0..home.len()).filter(|part| home[*part] == s);
                    let held = held.map(|part| (part, vec![T::default(); lengths[part]])).collect();
                    Body::External(Some(make(context)?), held)
                }
            };
            let reads = |part: &usize| stage.function().is_some_and(|f| f.depends_on(iteration.state[*part].input));
            let borrowed = (0..home.len()).filter(|part| home[*part] != s && reads(part)).collect();
            let first = signals;
            signals += stage.signals();
            stages.push(Running {
                body,
                repeat: stage.repeat,
                begins: stage.begins.clone(),
                borrowed,
                signals: first..signals,
                writes: stage.writes.len(),
            });
        }
        Ok(Stages {
            runs: vec![0; stages.len()],
            stages,
            inputs: iteration.state.iter().map(|s| s.input).collect(),
            home,
            ready: false,
            signals: vec![0.0; signals],
        })
    }

    /// A part of the state.
    pub(crate) fn part(&self, part: usize) -> &[T] {
        match &self.stages[self.home[part]].body {
            Body::Graph(program) => program.input(self.inputs[part]),
            Body::External(_, held) => &held.iter().find(|(p, _)| *p == part).expect("it lives here").1,
        }
    }

    /// A part of the state, to be written.
    pub(crate) fn part_mut(&mut self, part: usize) -> &mut [T] {
        match &mut self.stages[self.home[part]].body {
            Body::Graph(program) => program.input_mut(self.inputs[part]),
            Body::External(_, held) => &mut held.iter_mut().find(|(p, _)| *p == part).expect("it lives here").1,
        }
    }

    /// Signals of all stages in the last run of each.
    pub(crate) fn signals(&self) -> &[f64] {
        &self.signals
    }

    /// The stages before the last, unless they have run for this iteration.
    pub(crate) fn prepare(&mut self, k: u64, iteration: &Iteration, numbers: &[f64], stop: &mut dyn FnMut() -> bool) {
        let last = self.stages.len() - 1;
        if !self.ready {
            (0..last).for_each(|s| self.run(s, k, iteration, numbers, stop));
            self.begin(last);
            self.ready = true;
        }
    }

    /// The last stage, up to its outputs: they are not the state yet.
    pub(crate) fn try_last(&mut self, k: u64, iteration: &Iteration, numbers: &[f64], stop: &mut dyn FnMut() -> bool) {
        let last = self.stages.len() - 1;
        let is_graph_once = matches!(&self.stages[last], Running { body: Body::Graph(_), repeat: Repeat::Once, .. });
        if is_graph_once {
            set_numbers(&mut self.stages[last].body, iteration, numbers);
            self.step(last);
        } else {
            self.run(last, k, iteration, numbers, stop);
        }
    }

    /// Makes the outputs of the last stage the state.
    pub(crate) fn accept(&mut self) {
        let last = self.stages.last_mut().expect("a method has a stage");
        if let (Body::Graph(program), Repeat::Once) = (&mut last.body, last.repeat) {
            program.accept();
        }
        self.ready = false;
    }

    /// One stage with all its repetitions, outputs taken as state.
    fn run(&mut self, s: usize, k: u64, iteration: &Iteration, numbers: &[f64], stop: &mut dyn FnMut() -> bool) {
        if s + 1 < self.stages.len() {
            self.begin(s);
        }
        if let Body::External(external, _) = &mut self.stages[s].body {
            let mut external = external.take().expect("it does not run yet");
            external.run(k, &mut Whole { stages: self }, stop);
            self.runs[s] += 1;
            if let Body::External(slot, _) = &mut self.stages[s].body {
                *slot = Some(external);
            }
            return;
        }
        let (most, asks) = match self.stages[s].repeat {
            Repeat::Once => (1, false),
            Repeat::Times(n) => (n, false),
            Repeat::While { most } => (most, true),
        };
        set_numbers(&mut self.stages[s].body, iteration, numbers);
        if let Running { body: Body::Graph(program), repeat: Repeat::Times(_) | Repeat::While { .. }, .. } =
            &mut self.stages[s]
        {
            program.refresh();
        }
        for t in 1..=most {
            set_run_clocks(&mut self.stages[s].body, iteration, t);
            self.step(s);
            if let Body::Graph(program) = &mut self.stages[s].body {
                if program.is_stopped() {
                    return;
                }
                program.accept();
            }
            let asked = self.signals.get(self.stages[s].signals.start).copied();
            if asks && asked.is_none_or(|more| more.is_nan() || more <= 0.0) {
                break;
            }
        }
    }

    /// One run of a graph, up to its outputs and signals.
    fn step(&mut self, s: usize) {
        let Running { body: Body::Graph(program), signals, writes, .. } = &mut self.stages[s] else { return };
        program.run();
        for (i, signal) in self.signals[signals.clone()].iter_mut().enumerate() {
            *signal = program.scalar(*writes + i);
        }
        self.runs[s] += 1;
    }

    /// Copies into a stage what it reads of others and where its parts begin.
    fn begin(&mut self, s: usize) {
        for i in 0..self.stages[s].begins.len() {
            let (part, from) = self.stages[s].begins[i];
            let values = self.part(from).to_vec();
            self.part_mut(part).copy_from_slice(&values);
        }
        let (before, rest) = self.stages.split_at_mut(s);
        let (stage, after) = rest.split_first_mut().expect("a stage of this run");
        let Body::Graph(program) = &mut stage.body else { return };
        for part in &stage.borrowed {
            let (input, home) = (self.inputs[*part], self.home[*part]);
            let owner = if home < s { &before[home] } else { &after[home - s - 1] };
            let values = match &owner.body {
                Body::Graph(owner) => owner.input(input),
                Body::External(_, held) => &held.iter().find(|(p, _)| p == part).expect("it lives there").1,
            };
            program.set(input, values);
        }
    }

    /// Other tasks, in every stage.
    ///
    /// # Errors
    /// When a position is outside of what a program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        for stage in &mut self.stages {
            match &mut stage.body {
                Body::Graph(program) => program.select(rows)?,
                Body::External(external, _) => external.as_mut().map_or(Ok(()), |e| e.select(rows))?,
            }
        }
        Ok(())
    }

    /// Sets a parameter in every stage.
    pub(crate) fn set_parameter(&mut self, input: usize, values: &[f64]) {
        for stage in &mut self.stages {
            if let Body::Graph(program) = &mut stage.body
                && program.has_input(input)
            {
                program.input_mut(input).iter_mut().zip(values).for_each(|(slot, v)| *slot = T::from_f64(*v));
            }
        }
    }

    /// A parameter's values.
    pub(crate) fn parameter(&self, input: usize) -> &[T] {
        let holds = self.stages.iter().find_map(|stage| match &stage.body {
            Body::Graph(program) if program.has_input(input) => Some(program.input(input)),
            _ => None,
        });
        holds.unwrap_or(&[])
    }

    /// The part of the state that is an input, if it is one.
    pub(crate) fn part_of(&self, input: usize) -> Option<usize> {
        self.inputs.iter().position(|i| *i == input)
    }

    /// Evaluations of the stages: those of graphs by how often each ran beyond `k` iterations of one run each.
    pub(crate) fn counts(&self, iteration: &Iteration) -> Counts {
        let each = iteration.stages.iter().zip(&self.stages).zip(&self.runs);
        each.fold(Counts::default(), |sum, ((stage, running), runs)| match &running.body {
            Body::Graph(_) => sum.plus(stage.counts.times(*runs)),
            Body::External(external, _) => external.as_ref().map_or(sum, |e| sum.plus(e.counts())),
        })
    }

    /// What lies between two iterations beside the state, for a checkpoint.
    pub(crate) fn save(&self, to: &mut Memory) {
        to.ready = self.ready;
        to.runs.clone_from(&self.runs);
        to.external.resize_with(self.stages.len(), Vec::new);
        for (stage, to) in self.stages.iter().zip(&mut to.external) {
            to.clear();
            if let Body::External(Some(external), _) = &stage.body {
                external.save(to);
            }
        }
    }

    /// Goes back to what [`Stages::save`] wrote; the state is set apart.
    pub(crate) fn recall(&mut self, memory: &Memory) {
        self.ready = memory.ready;
        self.runs.clone_from(&memory.runs);
        for (stage, saved) in self.stages.iter_mut().zip(&memory.external) {
            if let Body::External(Some(external), _) = &mut stage.body {
                external.load(saved);
            }
        }
        if self.ready {
            self.begin(self.stages.len() - 1);
        }
    }
}

/// What the stages have learnt beside the state.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Memory {
    ready: bool,
    runs: Vec<u64>,
    external: Vec<Vec<u8>>,
}

/// Writes the numbers of an iteration.
fn set_numbers<T: Scalar>(body: &mut Body<T>, iteration: &Iteration, numbers: &[f64]) {
    let Body::Graph(program) = body else { return };
    for (scalar, value) in iteration.scalars.iter().zip(numbers) {
        if program.has_input(scalar.input) {
            program.set_scalar(scalar.input, *value);
        }
    }
}

/// Writes the numbers that follow the runs of a stage.
fn set_run_clocks<T: Scalar>(body: &mut Body<T>, iteration: &Iteration, t: u64) {
    let Body::Graph(program) = body else { return };
    for scalar in iteration.scalars.iter().filter(|s| s.clock == Clock::Run) {
        if let Some(schedule) = scalar.stated.as_ref().filter(|_| program.has_input(scalar.input)) {
            program.set_scalar(scalar.input, schedule.at(t));
        }
    }
}

impl<T: Scalar> NextState for Stages<T> {
    fn read(&self, part: usize, to: &mut [f64]) {
        let Some(Running { body: Body::Graph(program), .. }) = self.stages.last() else { return };
        to.iter_mut().zip(program.output(part)).for_each(|(to, v)| *to = v.to_f64());
    }
}

/// The whole state as an external stage sees it.
struct Whole<'s, T: Scalar> {
    stages: &'s mut Stages<T>,
}

impl<T: Scalar> Iterate for Whole<'_, T> {
    fn read(&self, input: usize, to: &mut [f64]) {
        read(self.stages, input, to);
    }

    fn write(&mut self, input: usize, values: &[f64]) {
        write(self.stages, input, values);
    }

    fn len(&self, input: usize) -> usize {
        length(self.stages, input)
    }
}

/// Copies an input out: a part of the state, or a parameter.
pub(crate) fn read<T: Scalar>(stages: &Stages<T>, input: usize, to: &mut [f64]) {
    let values = match stages.part_of(input) {
        Some(part) => stages.part(part),
        None => stages.parameter(input),
    };
    to.iter_mut().zip(values).for_each(|(to, v)| *to = v.to_f64());
}

/// Replaces an input.
pub(crate) fn write<T: Scalar>(stages: &mut Stages<T>, input: usize, values: &[f64]) {
    match stages.part_of(input) {
        Some(part) => {
            stages.part_mut(part).iter_mut().zip(values).for_each(|(slot, v)| *slot = T::from_f64(*v));
        }
        None => stages.set_parameter(input, values),
    }
}

/// Number of entries of an input.
pub(crate) fn length<T: Scalar>(stages: &Stages<T>, input: usize) -> usize {
    stages.part_of(input).map_or_else(|| stages.parameter(input).len(), |part| stages.part(part).len())
}

#[cfg(test)]
mod tests {
    use blo_engine::model::problem::LevelId;

    use super::*;
    use crate::fixture::{data, problem};
    use crate::formula::problem_graph::{Block, ProblemGraph, StartsAt};
    use crate::formula::report::{self, Stationarity};
    use crate::iteration::Stage;
    use crate::method::resolve::resolve;
    use crate::options::request::Request;
    use crate::options::run_options::RunOptions;

    const PROBLEM: &str = "upper { var x  minimize x^2 }  lower { var y[2]  minimize normsq(y - x) }";

    /// z begins at y and is halved, as often as `repeat` says; its signal is what its first entry has above 1/10. Then x
    /// becomes the sum of z.
    fn stages(repeat: Repeat) -> (Stages<f64>, Iteration) {
        let problem = problem(PROBLEM);
        let data = data(&problem);
        let mut p = ProblemGraph::new(&problem);
        let (x, y) = (p.x(), p.y());
        let z = p.state("z", LevelId::LOWER, StartsAt::Variables);
        let half = Block { name: "z/2".to_string(), nodes: vec![p.graph.scale(0.5, z.nodes[0])] };
        let limit = p.graph.constant(0.1);
        let largest = p.largest(half.nodes[0]);
        let above = p.graph.sub(largest, limit);
        let begins = vec![(p.part_of(z.nodes[0]), p.part_of(y.nodes[0]))];
        let inner = Stage { repeat, begins, ..p.stage("halve", &[(&z, &half)], &[above]) };
        let sum = Block { name: "x+".to_string(), nodes: vec![p.graph.sum_all(z.nodes[0])] };
        let outer = p.stage("sum", &[(&x, &sum)], &[]);
        let report = report::standard(&mut p, &x, &y, Stationarity::default());
        let iteration = p.iteration(vec![inner, outer], report);
        let options = RunOptions::of(&resolve(&problem, &Request::automatic("meha")).unwrap());
        let context = Context { problem: &problem, data: &data, options: &options };
        let mut stages = Stages::new(&iteration, &context, &[1, 2, 2]).unwrap();
        stages.part_mut(1).copy_from_slice(&[1.0, 0.5]);
        (stages, iteration)
    }

    fn iterate(stages: &mut Stages<f64>, iteration: &Iteration, k: u64) {
        stages.prepare(k, iteration, &[], &mut || false);
        stages.try_last(k, iteration, &[], &mut || false);
    }

    #[test]
    fn a_stage_repeats_from_where_it_begins() {
        let (mut stages, iteration) = stages(Repeat::Times(3));
        for k in 1..=2 {
            iterate(&mut stages, &iteration, k);
            stages.accept();
            // Each time from y, not from where it ended.
            assert_eq!((stages.part(2), stages.part(0)), ([0.125, 0.0625].as_slice(), [0.1875].as_slice()));
        }
        assert_eq!(stages.runs, [6, 2]);
    }

    #[test]
    fn a_stage_runs_while_its_signal_asks_for_more() {
        let (mut free, iteration) = stages(Repeat::While { most: 100 });
        iterate(&mut free, &iteration, 1);
        assert_eq!((free.part(2)[0], free.runs[0]), (0.0625, 4));
        let (mut bounded, iteration) = stages(Repeat::While { most: 2 });
        iterate(&mut bounded, &iteration, 1);
        assert_eq!((bounded.part(2)[0], bounded.runs[0]), (0.25, 2));
    }

    #[test]
    fn a_rejected_last_stage_runs_again_alone() {
        let (mut stages, iteration) = stages(Repeat::Times(3));
        iterate(&mut stages, &iteration, 1);
        iterate(&mut stages, &iteration, 1);
        assert_eq!((stages.part(0)[0], stages.runs.as_slice()), (0.0, [3, 2].as_slice()));
        let mut remembered = Memory::default();
        stages.save(&mut remembered);
        stages.accept();
        assert_eq!(stages.part(0)[0], 0.1875);
        let mut now = remembered.clone();
        stages.save(&mut now);
        assert!(now != remembered);
    }
}
