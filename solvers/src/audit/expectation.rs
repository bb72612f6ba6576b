//! `expect`: which runs a file asks for, and whether what they end with is as asserted. Assertions are computed in f64 at the
//! point of the solution, polish included: what `solve` reports is what is judged.

use blo_engine::graph::NodeId;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{Assertion, Expectation, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::message::{self, few};
use crate::method::resolve::resolve;
use crate::options::request::Request;

use crate::solution::Solution;

/// A run that one or more `expect` items ask for.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// The run.
    pub request: Request,
    /// The seed that the data take.
    pub seed: u64,
    /// Positions of the items among those of the problem.
    pub expectations: Vec<usize>,
}

/// A judged assertion.
#[derive(Clone, Debug)]
pub struct JudgedAssertion {
    /// Its text.
    pub text: String,
    /// It holds.
    pub holds: bool,
    /// The texts and values of the two sides of each comparison; of an array those of the first entry that fails, or of
    /// the first entry.
    pub sides: Vec<[(String, f64); 2]>,
    /// Why it does not hold.
    pub finding: Option<Diagnostic>,
}

/// The runs that the `expect` items of a problem ask for; items with the same method and options share one. `flags` are
/// options that come after those of the file.
///
/// # Errors
/// Mistakes in the options.
pub fn planned_runs(problem: &Problem, flags: &[(String, String)]) -> Result<Vec<PlannedRun>, Vec<Diagnostic>> {
    let mut runs: Vec<(String, PlannedRun)> = Vec::new();
    let mut mistakes = Vec::new();
    for (i, e) in problem.expectations.iter().enumerate() {
        let request = flags.iter().fold(Request::of_expectation(e), |r, (name, text)| r.set(name, text));
        let settings = match resolve(problem, &request) {
            Ok(settings) => settings,
            Err(found) => {
                mistakes.extend(found);
                continue;
            }
        };
        // Origins count: a stated `polish` means more than the same number by default.
        let options = settings.options.iter().map(|s| {
            let value = s.value.as_ref().map_or_else(String::new, ToString::to_string);
            format!("{}={value} {}", s.entry.name, s.origin.text())
        });
        let key = format!("{}: {}", settings.method.name, options.collect::<Vec<_>>().join(", "));
        match runs.iter_mut().find(|(k, _)| *k == key) {
            Some((_, run)) => run.expectations.push(i),
            None => {
                let seed = settings.integer("seed");
                runs.push((key, PlannedRun { request, seed, expectations: vec![i] }));
            }
        }
    }
    if mistakes.is_empty() { Ok(runs.into_iter().map(|(_, run)| run).collect()) } else { Err(mistakes) }
}

/// Judges the assertions of an item at the end of a run. Of a run that was stopped before its end point was evaluated none
/// holds: the point is not what the method makes of the problem.
///
/// # Errors
/// When the memory cannot be allocated.
pub fn judge(
    problem: &Problem,
    data: &Bindings,
    expectation: &Expectation,
    solution: &Solution,
) -> Result<Vec<JudgedAssertion>, Box<Diagnostic>> {
    let mut p = ProblemGraph::new(problem);
    let outputs: Vec<NodeId> = expectation.body.iter().flat_map(|a| p.of_formals(&a.value)).collect();
    let mut machine = BoundProgram::<f64>::new(&p.function("expect", &outputs), problem, data, 1)?;
    for v in problem.variables() {
        if let Some(array) = solution.variable(&v.name) {
            machine.set(v.formal, &array.values);
        }
    }
    for (formal, values) in &solution.followers {
        machine.set(*formal, values);
    }
    machine.run();
    let run = solution.summary();
    if !solution.evaluated {
        return Ok(expectation.body.iter().map(|assertion| not_evaluated(assertion, &run)).collect());
    }
    let mut first = 0;
    let judged = expectation.body.iter().map(|assertion| {
        let values: Vec<&[f64]> = (0..=2 * assertion.comparisons.len()).map(|i| machine.output(first + i)).collect();
        first += values.len();
        judged(assertion, &values, &run)
    });
    Ok(judged.collect())
}

/// An assertion about a run that has no result.
fn not_evaluated(assertion: &Assertion, run: &str) -> JudgedAssertion {
    let sides = assertion.comparisons.iter().map(|c| c.texts.clone().map(|text| (text, f64::NAN))).collect();
    let finding =
        Some(message::does_not_hold(assertion, "the run was stopped before its end point was evaluated", run));
    JudgedAssertion { text: assertion.text.clone(), holds: false, sides, finding }
}

/// The value of a side for an entry; a number goes with every entry.
fn at(side: &[f64], entry: usize) -> f64 {
    side.get(if side.len() == 1 { 0 } else { entry }).copied().unwrap_or(f64::NAN)
}

/// The first entry of which an assertion does not hold. `values` as for [`judged`].
pub(super) fn first_failing(values: &[&[f64]]) -> Option<usize> {
    // NaN makes a comparison false, and `not` would make that true: what is not a number proves nothing.
    let fails = |entry: usize| values[0][entry] == 0.0 || values[1..].iter().any(|side| at(side, entry).is_nan());
    (0..values[0].len()).find(|entry| fails(*entry))
}

/// `values`: the truth of each entry, then the sides of the comparisons.
fn judged(assertion: &Assertion, values: &[&[f64]], run: &str) -> JudgedAssertion {
    let failing = first_failing(values);
    let entry = failing.unwrap_or(0);
    let pairs = assertion.comparisons.iter().zip(values[1..].chunks(2));
    let sides: Vec<[(String, f64); 2]> =
        pairs.map(|(c, sides)| [0, 1].map(|side| (c.texts[side].clone(), at(sides[side], entry)))).collect();
    let finding = failing.map(|entry| {
        // Sides that are written as numbers need no explanation.
        let shown = sides.iter().flatten().filter(|(text, _)| text.parse::<f64>().is_err());
        let mut label: Vec<String> = shown.map(|(text, value)| format!("`{text}` is {}", few(*value))).collect();
        label.dedup();
        if values[0].len() > 1 {
            label.push(format!("in entry {} of {}", entry + 1, values[0].len()));
        }
        message::does_not_hold(assertion, &label.join(", "), run)
    });
    JudgedAssertion { text: assertion.text.clone(), holds: failing.is_none(), sides, finding }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{data, problem};
    use crate::run::observer::Silent;

    const TEXT: &str = "
        param n = 3
        let mask = [if i == 2 then 0 else 1 for i in 1..n]
        upper { var x[n]  maximize -normsq(x - y) - normsq(x - 1) }
        lower { var y[n]  minimize 1/2*normsq(y - x)  regularize 0*norm1(y) }
        known { x = 1;  y = 1;  upper = 0 }
        metric size = normsq(x)
        metric twice = 2*size
    ";

    fn judgements(expect: &str) -> Vec<JudgedAssertion> {
        let problem = problem(&format!("{TEXT} {expect}"));
        let data = data(&problem);
        let runs = planned_runs(&problem, &[]).unwrap();
        let solution = crate::solve(&problem, &data, &runs[0].request, &mut Silent).unwrap();
        let all = problem.expectations.iter().flat_map(|e| judge(&problem, &data, e, &solution).unwrap());
        all.collect()
    }

    #[test]
    fn everything_that_a_metric_may_hold_can_be_asserted() {
        let expect = "expect {
            err(x) <= 1e-4;  dist(y) <= 1e-4;  err(upper) <= 1e-6;  upper <= 1e-6 and lower >= 0
            abs(size - 3) < 1e-3;  abs(twice - 6) < 1e-3;  x > 0.9;  not (x[1] > 2 or y[2] > 2)
            mean(x[i] for i in 1..n if x[i] > 0) > 0.9
        }";
        let found = judgements(expect);
        assert!(found.len() == 9 && found.iter().all(|j| j.holds), "{found:#?}");
        assert_eq!(found[3].sides.len(), 2);
    }

    #[test]
    fn a_failure_shows_the_sides_of_its_comparisons() {
        let found =
            judgements("expect { n <= 2*sum(mask)/4;  mask .* x > 0.5;  sqrt(-size) >= 0;  not (sqrt(-size) >= 0) }");
        assert!(found.iter().all(|j| !j.holds), "{found:#?}");
        let label = |i: usize| found[i].finding.as_ref().unwrap().primary.text.clone();
        assert_eq!(label(0), "`n` is 3, `2*sum(mask)/4` is 1");
        assert_eq!(label(1), "`mask .* x` is 0, in entry 2 of 3");
        assert_eq!(label(3), "`sqrt(-size)` is NaN");
    }

    #[test]
    fn nothing_holds_of_a_run_that_was_stopped_before_it_was_evaluated() {
        let problem = problem(&format!("{TEXT} expect {{ x <= 2;  not (x > 9) }}"));
        let data = data(&problem);
        let mut solution = crate::solve(&problem, &data, &Request::new("meha"), &mut Silent).unwrap();
        let judged = |solution: &Solution| judge(&problem, &data, &problem.expectations[0], solution).unwrap();
        assert!(judged(&solution).iter().all(|j| j.holds));
        solution.evaluated = false;
        assert!(judged(&solution).iter().all(|j| !j.holds && j.finding.is_some()));
        assert!(solution.summary().ends_with("before its end point was evaluated"));
    }

    #[test]
    fn items_with_the_same_options_share_a_run() {
        let problem = problem(&format!(
            "{TEXT} method meha a {{ max_iter = 7 }}
             expect {{ size > 0 }}  expect with auto {{ size > 1 }}  expect with auto (tol = 1e-6) {{ size > 1 }}
             expect with meha:a {{ size > 0 }}  expect with meha (max_iter = 7) {{ size > 0 }}  expect with bda {{ size > 0 }}"
        ));
        let runs = planned_runs(&problem, &[("max_time".into(), "60".into())]).unwrap();
        let shared: Vec<Vec<usize>> = runs.iter().map(|r| r.expectations.clone()).collect();
        assert_eq!(shared, [vec![0, 1], vec![2], vec![3, 4], vec![5]]);
    }
}
