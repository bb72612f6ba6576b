//! What a program does, for `blo plan`: one line per instruction, plain data with an aligned text form. Values carry
//! the label of their node where it has one, else a number in the order of computation.

use std::fmt;

pub use super::section::Section;
use crate::profile::{Instruction, Timed};

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it runs.
    pub section: Section,
    /// The values that it leaves in memory, each with its formula.
    pub results: Vec<(String, String)>,
    /// The sizes of its first result; of a fused loop, of what it loops over.
    pub shape: Vec<usize>,
    /// Floating-point operations, one per elementwise function.
    pub flops: u128,
    /// The buffers that it writes.
    pub buffers: Vec<usize>,
    /// Bytes that it reads and writes, each operand counted once.
    pub bytes: u128,
}

/// A value that is carried from run to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Its name where it is read.
    pub name: String,
    /// Its name where it was computed, in the run before.
    pub from: String,
    /// Its sizes.
    pub shape: Vec<usize>,
}

/// All instructions in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The function's name.
    pub name: String,
    /// The instructions.
    pub lines: Vec<Line>,
    /// Values that a run finds already computed, and what they were called in the run before.
    pub carried: Vec<Carried>,
    /// Bytes of all buffers.
    pub memory: u128,
    /// Bytes of the data that it reads in place.
    pub lent: u128,
    /// Number of buffers.
    pub buffers: usize,
}

impl Plan {
    /// Flops of a section.
    pub fn flops(&self, section: Section) -> u128 {
        self.lines.iter().filter(|l| l.section == section).map(|l| l.flops).sum()
    }

    /// Bytes moved by a section.
    pub fn bytes(&self, section: Section) -> u128 {
        self.lines.iter().filter(|l| l.section == section).map(|l| l.bytes).sum()
    }
}

impl Plan {
    /// The instructions without times.
    pub fn untimed(&self) -> Timed {
        let name = |section: Section| Section::NAMED.iter().find(|(s, _)| *s == section).map_or("", |(_, name)| name);
        let instruction = |line: &Line| Instruction {
            section: name(line.section),
            formula: line.results.iter().map(|(name, f)| format!("{name} = {f}")).collect::<Vec<_>>().join("; "),
            shape: line.shape.clone(),
            flops: line.flops,
            bytes: line.bytes,
            runs: 0,
            seconds: 0.0,
        };
        Timed { program: self.name.clone(), instructions: self.lines.iter().map(instruction).collect() }
    }
}

/// Columns of the page that a plan is laid out for.
const PAGE: usize = 80;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} buffers, {} bytes", self.name, self.buffers, self.memory)?;
        if self.lent > 0 {
            write!(f, "; reads {} bytes of data", self.lent)?;
        }
        writeln!(f)?;
        for (section, name) in Section::NAMED {
            let mut lines = self.lines.iter().filter(|l| l.section == section).peekable();
            if lines.peek().is_none() {
                continue;
            }
            if section == Section::Body && !self.carried.is_empty() {
                writeln!(f, "\ncarried from the previous iteration")?;
                for c in &self.carried {
                    write_wrapped(f, &format!("{} = {}  {}", c.name, c.from, dimensions(&c.shape)))?;
                }
            }
            writeln!(f, "\n{name}: {} flops, {} bytes", self.flops(section), self.bytes(section))?;
            for line in lines {
                writeln!(f, "  {}  {} flops, {} bytes", dimensions(&line.shape), line.flops, line.bytes)?;
                for (name, formula) in &line.results {
                    write_wrapped(f, &format!("{name} = {formula}"))?;
                }
                if !line.buffers.is_empty() {
                    let buffers: Vec<String> = line.buffers.iter().map(|b| format!("b{b}")).collect();
                    write_wrapped(f, &format!("-> {}", buffers.join(", ")))?;
                }
            }
        }
        Ok(())
    }
}

/// A line below an instruction, broken at blanks where it is longer than the page.
fn write_wrapped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let options = textwrap::Options::new(PAGE).initial_indent("      ").subsequent_indent("          ");
    textwrap::wrap(text, options.break_words(false)).iter().try_for_each(|line| writeln!(f, "{line}"))
}

fn dimensions(shape: &[usize]) -> String {
    let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", shape.join(", "))
}
