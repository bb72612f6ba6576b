//! What instructions have taken: plain data that programs fill in while a run is profiled. It knows no program; whoever
//! runs one registers its instructions and adds their times. The clock is the caller's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Seconds on a clock that never goes back.
pub type Clock = fn() -> f64;

/// An instruction of a program, with what it has taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// The part of the program that it is in.
    pub section: &'static str,
    /// What it computes.
    pub formula: String,
    /// The sizes of its first result.
    pub shape: Vec<usize>,
    /// Floating-point operations of a run.
    pub flops: u128,
    /// Bytes that a run reads and writes.
    pub bytes: u128,
    /// How often it ran.
    pub runs: u64,
    /// What all runs took, each with one reading of the clock.
    pub seconds: f64,
}

/// The instructions of a program, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timed {
    /// The program's name.
    pub program: String,
    /// Its instructions.
    pub instructions: Vec<Instruction>,
}

/// The record that a program writes to.
pub type Record = Arc<Mutex<Timed>>;

/// Collects the times of all programs that are made of the same data. Clones are one collection.
#[derive(Clone, Debug)]
pub struct Profiler {
    clock: Clock,
    records: Arc<Mutex<Vec<Record>>>,
}

impl Profiler {
    /// Nothing yet.
    pub fn new(clock: Clock) -> Profiler {
        Profiler { clock, records: Arc::default() }
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Takes a program in.
    pub fn register(&self, program: Timed) -> Record {
        let record = Arc::new(Mutex::new(program));
        lock(&self.records).push(record.clone());
        record
    }

    /// What has been taken since the last call, and forgets it: programs that have run, in the order in which they were
    /// made. Programs of one name and the same instructions are one.
    pub fn take(&self) -> Vec<Timed> {
        let mut all: Vec<Timed> = Vec::new();
        for record in lock(&self.records).iter() {
            let mut record = lock(record);
            if record.instructions.iter().all(|i| i.runs == 0) {
                continue;
            }
            match all.iter_mut().find(|timed| timed.is_alike(&record)) {
                Some(timed) => timed.add(&record),
                None => all.push(record.clone()),
            }
            record.instructions.iter_mut().for_each(|i| (i.runs, i.seconds) = (0, 0.0));
        }
        all
    }
}

impl Timed {
    fn is_alike(&self, other: &Timed) -> bool {
        let same = |(a, b): (&Instruction, &Instruction)| a.formula == b.formula && a.shape == b.shape;
        self.program == other.program
            && self.instructions.len() == other.instructions.len()
            && self.instructions.iter().zip(&other.instructions).all(same)
    }

    fn add(&mut self, other: &Timed) {
        for (i, more) in self.instructions.iter_mut().zip(&other.instructions) {
            (i.runs, i.seconds) = (i.runs + more.runs, i.seconds + more.seconds);
        }
    }
}

/// A panic of another thread leaves times that are still times.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(formula: &str) -> Timed {
        let instruction = Instruction {
            section: "body",
            formula: formula.to_owned(),
            shape: vec![2],
            flops: 2,
            bytes: 32,
            runs: 0,
            seconds: 0.0,
        };
        Timed { program: "p".to_owned(), instructions: vec![instruction] }
    }

    #[test]
    fn equal_programs_are_one_and_times_are_taken_once() {
        let profiler = Profiler::new(|| 0.0);
        let records = ["a", "a", "b", "c"].map(|formula| profiler.register(timed(formula)));
        for record in &records[..3] {
            let mut record = lock(record);
            (record.instructions[0].runs, record.instructions[0].seconds) = (2, 0.5);
        }
        let found = profiler.take();
        let found: Vec<(&str, u64, f64)> =
            found.iter().flat_map(|t| &t.instructions).map(|i| (i.formula.as_str(), i.runs, i.seconds)).collect();
        assert_eq!(found, [("a", 4, 1.0), ("b", 2, 0.5)]);
        assert!(profiler.take().is_empty());
    }
}
