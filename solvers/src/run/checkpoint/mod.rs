//! A run written down to go on later, with the same bits as if it had never stopped. Holds the state, what the control
//! and the driver remember, the rows so far, and what the run was a run of, so that another one cannot go on from it.
//! The solvers make and take bytes; files are the caller's.
//!
//! The format: magic, format number, length of the body, the body in postcard's wire format, checksum. Reals keep their
//! bits.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use blo_engine::model::problem::{ConstraintKind, Problem, Variable};
use blo_engine::model::{Bindings, Bound};

use serde::{Deserialize, Serialize};

use crate::iteration::memory;
use crate::options::settings::{Origin, Setting, Settings};
use crate::run::best_point::{Candidate, Incumbent};
use crate::run::rows::passes::PassesMemory;
use crate::run::stages::Memory;
use crate::run::state::MovedStart;
use crate::run::stop::Reference;
use crate::solution::trace::Row;

const MAGIC: &[u8; 8] = b"blo\x00ckpt";

/// Bytes before the body: magic, format, length.
const HEAD: usize = 20;

/// Options that only say how far a run goes, what is shown of it, or what happens after it: they may differ when it
/// goes on.
const FREE: [&str; 4] = ["max_iter", "max_time", "metric_every", "polish"];

/// A run at the end of an iteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What it is a run of.
    pub(crate) identity: Identity,
    pub(crate) iteration: u64,
    pub(crate) rejected: u64,
    pub(crate) next_check: u64,
    pub(crate) seconds: f64,
    pub(crate) start_size: f64,
    pub(crate) reference: Reference,
    pub(crate) scalars: Vec<f64>,
    pub(crate) control: Vec<u8>,
    pub(crate) stages: Memory,
    /// The best end point of earlier passes.
    pub(crate) best: Option<Arc<Candidate>>,
    /// The best point of all looks at which the lower level was solved.
    pub(crate) incumbent: Option<Arc<Incumbent>>,
    pub(crate) pass: u64,
    /// Starts that took the place of the problem's.
    pub(crate) moved: Vec<Arc<MovedStart>>,
    /// What was bound in the place of the file's start, by formal.
    pub(crate) start: Vec<(usize, Vec<f64>)>,
    /// One array per part of the state.
    pub(crate) state: Vec<Vec<f64>>,
    pub(crate) rows: Vec<Row>,
    /// Of a run in passes: what the passes remember; everything else is of the pass.
    pub(crate) passes: Option<Box<PassesMemory>>,
}

/// What decides the iterates: equal identities give equal bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    version: String,
    problem: u64,
    data: u64,
    method: String,
    /// Names and values as text.
    options: Vec<(String, String)>,
}

/// Bytes that are no checkpoint to go on from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Something else.
    #[error("this is not a checkpoint of blo")]
    NotOne,
    /// Another format.
    #[error("the checkpoint has format {0}, and this version of blo reads format {known}", known = Checkpoint::FORMAT)]
    Format(u32),
    /// The end is missing.
    #[error("the checkpoint is cut short: {found} of {expected} bytes")]
    CutShort {
        /// Bytes there are.
        found: usize,
        /// Bytes there should be.
        expected: usize,
    },
    /// Bytes have changed.
    #[error("the checkpoint is damaged: its checksum does not fit")]
    Damaged,
}

impl Checkpoint {
    /// Counts changes of the format. A file of another format is refused.
    pub const FORMAT: u32 = 9;

    /// Iterations done.
    pub fn iteration(&self) -> u64 {
        self.iteration + self.passes.as_ref().map_or(0, |passes| passes.iterations)
    }

    /// What was bound in the place of the file's start when the run began.
    pub(crate) fn began(&self) -> &[(usize, Vec<f64>)] {
        self.passes.as_ref().map_or(&self.start, |passes| &passes.began)
    }

    /// The checkpoint as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        memory::pack(self, &mut body);
        let mut bytes = Vec::with_capacity(HEAD + body.len() + 8);
        bytes.extend(MAGIC);
        bytes.extend(Self::FORMAT.to_le_bytes());
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(&body);
        let checksum = checksum(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes
    }

    /// The checkpoint that was written as these bytes.
    ///
    /// # Errors
    /// When they are not all of one, unchanged, in this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
        if !bytes.starts_with(MAGIC) {
            return Err(CheckpointError::NotOne);
        }
        let cut = |expected: usize| CheckpointError::CutShort { found: bytes.len(), expected };
        let (format, rest) = bytes[MAGIC.len()..].split_first_chunk().ok_or_else(|| cut(HEAD))?;
        let format = u32::from_le_bytes(*format);
        if format != Self::FORMAT {
            return Err(CheckpointError::Format(format));
        }
        let (length, _) = rest.split_first_chunk().ok_or_else(|| cut(HEAD))?;
        let expected = usize::try_from(u64::from_le_bytes(*length)).ok().and_then(|n| n.checked_add(HEAD + 8));
        let expected = expected.ok_or(CheckpointError::Damaged)?;
        if bytes.len() < expected {
            return Err(cut(expected));
        }
        let (content, sum) = bytes.split_at(expected - 8);
        if bytes.len() > expected || sum != checksum(content).to_le_bytes() {
            return Err(CheckpointError::Damaged);
        }
        memory::try_unpack(&content[HEAD..]).ok_or(CheckpointError::Damaged)
    }
}

impl Identity {
    pub(crate) fn of(problem: &Problem, data: &Bindings, settings: &Settings) -> Identity {
        // What a method has chosen by itself follows from the others; a longest wait that fits the limit may grow with it.
        let derived = |s: &Setting| s.origin == Origin::Automatic && s.entry.name != "threads";
        let options = settings.options.iter().filter(|s| !FREE.contains(&s.entry.name) && !derived(s));
        let text = |s: &Setting| s.value.as_ref().map_or_else(String::new, ToString::to_string);
        Identity {
            version: env!("CARGO_PKG_VERSION").to_string(),
            problem: of_problem(problem),
            data: of_data(data),
            method: settings.method.name.to_string(),
            options: options.map(|s| (s.entry.name.to_string(), text(s))).collect(),
        }
    }

    /// What makes the other a different run, in words.
    pub(crate) fn difference(&self, other: &Identity) -> Option<String> {
        if self.version != other.version {
            return Some(format!("it was written by blo {}, this is blo {}", self.version, other.version));
        }
        if self.problem != other.problem {
            return Some("it is of another problem, or of this one before it was changed".to_string());
        }
        if self.method != other.method {
            return Some(format!("it is of a run of `{}`, not of `{}`", self.method, other.method));
        }
        let pairs = self.options.iter().zip(&other.options);
        if let Some(((name, here), (_, there))) = pairs.into_iter().find(|(a, b)| a != b) {
            return Some(format!("it was run with `{name}` = {here}, now it is {there}"));
        }
        (self != other).then(|| "it was run on other params or data".to_string())
    }
}

/// Variables by shape and set, and every function; names and layout of the text do not count.
fn of_problem(problem: &Problem) -> u64 {
    let mut h = Fnv::default();
    problem.formals.hash(&mut h);
    for level in [&problem.upper(), &problem.lower()] {
        (&level.objective, &level.regularizer, level.maximize).hash(&mut h);
        level.variables.iter().for_each(|v| variable(v, &mut h));
        level.constraints.iter().for_each(|c| (&c.value, c.kind == ConstraintKind::Equality).hash(&mut h));
    }
    problem.start.hash(&mut h);
    problem.metrics.iter().for_each(|m| (&m.name, &m.value).hash(&mut h));
    h.finish()
}

fn variable(v: &Variable, h: &mut Fnv) {
    (&v.name, &v.shape).hash(h);
    if let Some(set) = &v.set {
        (set.set.name, &set.parameters).hash(h);
    }
    if let Some(prox) = &v.prox {
        (prox.map.name(), prox.map.each, &prox.map.places, &prox.weights, prox.with_box).hash(h);
    }
}

fn of_data(data: &Bindings) -> u64 {
    let mut h = Fnv::default();
    data.sizes.sorted().hash(&mut h);
    for values in &data.values {
        match values {
            Bound::Real(numbers) => {
                numbers.shape.hash(&mut h);
                numbers.values().for_each(|v| v.to_bits().hash(&mut h));
            }
            Bound::Index(positions) => positions.hash(&mut h),
        }
    }
    h.finish()
}

/// FNV-1a over 64-bit words: the same in every build, unlike the standard library's hasher. Against accidents, not
/// against forgery.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0 ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3);
            // High bits must reach low ones: a word is eight bytes, not the one byte of the published function.
            self.0 ^= self.0 >> 29;
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut h = Fnv::default();
    h.write(bytes);
    h.finish()
}

#[cfg(test)]
mod tests;
