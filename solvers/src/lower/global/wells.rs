//! The wells of a lower level that is not convex: solutions that were found at any x. Each solve at another x starts from
//! the deepest of them, too, so that a well that random starts have found once is never missed again. With several entries
//! a well may also be known by parts: entries of one point are tried in another one.

use super::{GlobalLower, LowerPoint};
use crate::lower::vectors::{distance, largest};

/// Wells that are remembered.
const MOST: usize = 16;

/// Local solves from them at an x, and how far apart their starts are, relatively.
const SOLVES: usize = 2;
const FAR: f64 = 0.2;

/// Points this near to each other, relatively, are one well that has moved a little, and entries are one value.
const APART: f64 = 0.05;

/// Points this near to a start, relatively, lead to where it leads.
const SAME: f64 = 1e-3;

/// With more entries than this a point is one of very many wells, and changes of entries say more than further solves.
const MANY: usize = 20;

/// Other values that an entry is given from wells.
const OTHERS: usize = 2;

/// With more entries than this they are not tried one by one.
const ENTRIES: usize = 300;

/// Values of an entry over its interval.
const GRID: usize = 24;

/// Passes over all entries.
const PASSES: usize = 3;

/// A change below this share of the value is rounding.
const ROUNDING: f64 = 1e-12;

/// What is remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Wells {
    /// The one that was found last, first.
    known: Vec<Vec<Vec<f64>>>,
    /// How many have come in.
    found: u64,
}

impl Wells {
    /// Takes a solution, in place of the one that it has moved from, or of the one that was least of use.
    fn keep(&mut self, y: &[Vec<f64>]) {
        match self.known.iter().position(|well| is_near(well, y, APART)) {
            Some(same) => self.known.remove(same),
            None => {
                self.found += 1;
                self.known.truncate(MOST - 1);
                Vec::new()
            }
        };
        self.known.insert(0, y.to_vec());
    }
}

fn is_near(a: &[Vec<f64>], b: &[Vec<f64>], share: f64) -> bool {
    distance(a, b) <= share * largest(a.iter().chain(b).flatten())
}

impl GlobalLower<'_> {
    /// True where solutions are remembered: several wells are possible, and no grid finds them all.
    pub(crate) fn remembers(&self) -> bool {
        !self.facts.convex && !self.is_by_grid()
    }

    /// How many wells have come in so far: a value that is older than the last one may be too good.
    pub(crate) fn wells_found(&self) -> u64 {
        self.wells.found
    }

    /// True where known wells say more than starts at random.
    pub(crate) fn is_known_by_parts(&self) -> bool {
        self.wells.known.len() > 1 && (MANY + 1..=ENTRIES).contains(&self.entries())
    }

    /// Remembers a solution.
    pub(super) fn remember(&mut self, point: &LowerPoint) {
        if self.remembers() && point.y.iter().flatten().all(|v| v.is_finite()) {
            self.wells.keep(&point.y);
        }
    }

    /// The wells to start from at x: the deepest ones there, apart from each other and from the known points.
    pub(super) fn wells_at(&mut self, x: &[Vec<f64>], warm: &[&[Vec<f64>]]) -> Vec<Vec<Vec<f64>>> {
        let known = self.wells.known.clone();
        let mut valued: Vec<(f64, Vec<Vec<f64>>)> = Vec::new();
        for y in known {
            if warm.iter().all(|w| !is_near(w, &y, SAME)) {
                valued.extend(self.value_at(x, &y).map(|p| (p.value, y)));
            }
        }
        valued.sort_by(|a, b| a.0.total_cmp(&b.0));
        let solves = if self.entries() > MANY { 1 } else { SOLVES };
        let mut chosen: Vec<Vec<Vec<f64>>> = Vec::new();
        for (_, y) in valued {
            if chosen.len() < solves && chosen.iter().all(|c| !is_near(c, &y, FAR)) {
                chosen.push(y);
            }
        }
        chosen
    }

    /// What the best of some solutions becomes where its entries take the values that they have in other wells.
    pub(super) fn recombined(&mut self, x: &[Vec<f64>], found: &[LowerPoint]) -> Option<LowerPoint> {
        let best = found.iter().min_by(|a, b| a.value.total_cmp(&b.value))?;
        if self.wells.known.len() < 2 || self.entries() > ENTRIES {
            return None;
        }
        let size = largest(best.y.iter().flatten());
        let wells: Vec<Vec<f64>> = self.wells.known.iter().map(|y| y.concat()).collect();
        let values = |i: usize, own: f64| {
            let mut values = vec![own];
            for well in &wells {
                if values.len() <= OTHERS && values.iter().all(|v| (v - well[i]).abs() > APART * size) {
                    values.push(well[i]);
                }
            }
            values.split_off(1)
        };
        let (entries, value) = self.entry_by_entry(x, (best.y.concat(), best.value), values);
        let y = self.inside(&entries);
        if value < best.value { self.descend(x, &y) } else { None }
    }

    /// A lower point than y that a change of single entries leads to, each over its interval; `None` where there is none.
    pub(crate) fn by_entries(&mut self, x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<LowerPoint> {
        if !self.remembers() || self.entries() > ENTRIES {
            return None;
        }
        let reach = self.reach(&[y]);
        let first = self.value_at(x, y)?;
        let mut best = first.clone();
        for _ in 0..PASSES {
            let grid = |i: usize, _: f64| {
                let [low, high] = reach[i];
                (0..GRID).map(|j| low + (high - low) * j as f64 / (GRID - 1) as f64).collect()
            };
            let (entries, value) = self.entry_by_entry(x, (best.y.concat(), best.value), grid);
            if value >= best.value {
                break;
            }
            let y = self.inside(&entries);
            match self.descend(x, &y) {
                Some(found) if found.value < best.value => best = found,
                _ => break,
            }
        }
        (best.value < first.value).then_some(best)
    }

    /// Entries and their value after each entry has taken the best of some values, one after the other.
    fn entry_by_entry(
        &mut self,
        x: &[Vec<f64>],
        (mut entries, mut value): (Vec<f64>, f64),
        values: impl Fn(usize, f64) -> Vec<f64>,
    ) -> (Vec<f64>, f64) {
        for i in 0..entries.len() {
            for other in values(i, entries[i]) {
                if self.is_over() {
                    return (entries, value);
                }
                let own = std::mem::replace(&mut entries[i], other);
                let y = self.inside(&entries);
                match self.value_at(x, &y) {
                    Some(there) if there.value < value - ROUNDING * value.abs() => value = there.value,
                    _ => entries[i] = own,
                }
            }
        }
        (entries, value)
    }
}
