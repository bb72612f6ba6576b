//! What a program does, for `blo plan`: one line per instruction, plain data with an aligned text form. Values carry
//! the label of their node where it has one, else a number in the order of computation.

use std::fmt;

pub use super::section::Section;

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

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} buffers, {} bytes", self.name, self.buffers, self.memory)?;
        if self.lent > 0 {
            write!(f, "; reads {} bytes of data", self.lent)?;
        }
        writeln!(f)?;
        let cells: Vec<[String; 4]> = self.lines.iter().map(cells).collect();
        let width = |c: usize| cells.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
        let names = self.lines.iter().flat_map(|l| &l.results).map(|(name, _)| name.chars().count());
        let widths = [width(0), width(1), width(2), width(3), names.max().unwrap_or(0)];
        for (section, name) in Section::NAMED {
            if self.lines.iter().all(|l| l.section != section) {
                continue;
            }
            if section == Section::Body && !self.carried.is_empty() {
                writeln!(f, "carried from the previous iteration")?;
                for c in &self.carried {
                    let [shape, none] = [dimensions(&c.shape), String::new()];
                    let [w0, w1, w2, w3, w4] = widths;
                    writeln!(f, "  {shape:w0$}  {none:>w1$}  {none:>w2$}  {none:w3$}  {:w4$} = {}", c.name, c.from)?;
                }
            }
            writeln!(f, "{name}: {} flops, {} bytes", self.flops(section), self.bytes(section))?;
            for (line, c) in self.lines.iter().zip(&cells).filter(|(l, _)| l.section == section) {
                let [w0, w1, w2, w3, w4] = widths;
                let none = [const { String::new() }; 4];
                for (k, (name, formula)) in line.results.iter().enumerate() {
                    // One instruction, several results: its figures stand at the first.
                    let [shape, flops, bytes, buffers] = if k == 0 { c } else { &none };
                    writeln!(f, "  {shape:w0$}  {flops:>w1$}  {bytes:>w2$}  {buffers:w3$}  {name:w4$} = {formula}")?;
                }
            }
        }
        Ok(())
    }
}

fn cells(l: &Line) -> [String; 4] {
    let buffers: Vec<String> = l.buffers.iter().map(|b| format!("b{b}")).collect();
    [dimensions(&l.shape), l.flops.to_string(), l.bytes.to_string(), buffers.join(",")]
}

fn dimensions(shape: &[usize]) -> String {
    let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", shape.join(", "))
}
