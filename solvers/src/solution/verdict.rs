//! What is known of an end point, whatever the method: whether y solves the lower level, and whether the upper objective
//! falls nearby. Never that x is a global minimizer.

/// What is known of y.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Word {
    /// The lower level is proved convex, and y solves it.
    Certified,
    /// Convexity is not proved; no local solve from elsewhere ends lower.
    Plausible,
    /// A better lower point is known.
    NotLowerOptimal,
    /// The end was not judged, or what was measured decides nothing.
    #[default]
    None,
}

impl Word {
    /// As written in results.
    pub fn text(self) -> &'static str {
        match self {
            Word::Certified => "certified",
            Word::Plausible => "plausible",
            Word::NotLowerOptimal => "not_lower_optimal",
            Word::None => "none",
        }
    }

    /// True where y is lower-optimal as far as anything knows.
    pub fn is_good(self) -> bool {
        matches!(self, Word::Certified | Word::Plausible)
    }
}

/// A point of the upper variables with its objective, the lower level solved.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The entries of the upper variables.
    pub x: Vec<f64>,
    /// The upper objective there.
    pub upper: f64,
}

/// What is known of an end point, with the evidence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// What is known of y.
    pub word: Word,
    /// How far the lower objective is above the least value that was found at this x.
    pub lower_gap: f64,
    /// Local solves that looked for another lower solution at this x, or points of the grid over y where it has one entry;
    /// 0 where convexity makes one solve enough.
    pub starts: u64,
    /// Points of x at which the lower level was solved, beside the end point.
    pub probes: u64,
    /// The best of these points, where the upper objective is noticeably better than at the end point.
    pub better: Option<Known>,
    /// Distinct end points of a search, the best first; the result is the first.
    pub distinct: Vec<Known>,
    /// Where the result is from, if it is not where the method ended.
    pub found_by: Option<Place>,
    /// Why the end does not count as solved, where y and the points around x do not tell.
    pub open: Option<Open>,
    /// Entries of x that are at a bound of X, in order.
    pub at_bounds: Vec<Entry>,
    /// Entries of x on which the upper objective does not depend nearby.
    pub flat: Vec<Flat>,
    /// What has to be said of y beside that.
    pub remark: Option<Remark>,
}

/// What keeps y from being all that the word of its verdict says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The lower level has several solutions, and F is not proved convex over them: y is the best of those that local solves
    /// have led to.
    LocalChoice,
    /// y would go on without end: the lower level has no minimizer in reach, or F no least value over its solutions.
    RunsAway,
}

impl Remark {
    /// As written in results.
    pub fn text(self) -> &'static str {
        match self {
            Remark::LocalChoice => "local_choice",
            Remark::RunsAway => "runs_away",
        }
    }
}

/// What is missing of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// The budget of the tests has ended before all points around x were tried.
    CutShort,
    /// The lower level has another solution at this x, which the upper level prefers, and the run may not go there.
    Preferred,
}

impl Open {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Open::CutShort => "the look around x was cut short by its budget",
            Open::Preferred => {
                "the upper level prefers another lower solution at this x, and `polish = 0` keeps this one"
            }
        }
    }
}

/// An entry of the upper variables.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// As programs write it: `x`, `x[2]`, `W[1, 3]`.
    pub name: String,
    /// Its value.
    pub value: f64,
}

/// An entry of a variable of some shape, counted row by row from 0, as programs write it.
pub(crate) fn entry_name(variable: &str, shape: &[usize], mut entry: usize) -> String {
    let mut place = Vec::new();
    for extent in shape.iter().rev() {
        place.push((entry % extent + 1).to_string());
        entry /= extent;
    }
    place.reverse();
    if place.is_empty() { variable.to_owned() } else { format!("{variable}[{}]", place.join(", ")) }
}

/// An entry that the upper objective has lost sight of.
#[derive(Clone, Debug, PartialEq)]
pub struct Flat {
    /// The entry.
    pub entry: Entry,
    /// Where on the way from the start the objective has become flat, if it was not flat there already.
    pub beyond: Option<f64>,
}

/// Where a result is from that is not the end of the method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The start point, its lower level solved.
    Start,
    /// An iterate of the run, its lower level solved.
    Met,
    /// Another lower solution at the x where the method ended.
    Deeper,
    /// Another lower solution at that x, as good for the lower level, which the upper level prefers.
    Preferred,
    /// The search of `auto`.
    Search,
}

impl Place {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Place::Start => "the start, its lower level solved",
            Place::Met => "an iterate of the run, its lower level solved",
            Place::Deeper => "a better lower solution at the same x",
            Place::Preferred => "the lower solution at the same x that the upper level prefers",
            Place::Search => "a search over x",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_written_as_in_programs() {
        assert_eq!(entry_name("x", &[], 0), "x");
        assert_eq!(entry_name("x", &[4], 2), "x[3]");
        assert_eq!(entry_name("W", &[2, 3], 5), "W[2, 3]");
    }
}
