//! Assumptions that are proved, refuted or open.

use super::*;
use crate::fixture::{MERELY_CONVEX, data, problem};
use crate::method::by_name;

fn judged(text: &str) -> Vec<AssumptionFinding> {
    let problem = problem(text);
    judge(&problem, &data(&problem), 1, &Assumption::ALL, f64::INFINITY).unwrap()
}

fn verdicts(lower: &str) -> Vec<Verdict> {
    let text = format!("upper {{ var x in [1, 2]  minimize x^2 }}  lower {{ {lower} }}");
    judged(&text).iter().map(|j| j.verdict).collect()
}

use Verdict::{Proved, Refuted, Unknown};

/// [BDA], eq. (5).
const EQ5: &str = "upper { var x in [-100, 100]  minimize 1/2*(x - y[2])^2 + 1/2*(y[1] - 1)^2 }
    lower { var y[2]  minimize 1/2*y[1]^2 - x*y[1] }";

#[test]
fn an_absent_entry_is_the_direction_without_curvature() {
    let found = judged(EQ5);
    let verdicts: Vec<Verdict> = found.iter().map(|j| j.verdict).collect();
    assert_eq!(verdicts, [Refuted, Proved, Proved, Refuted]);
    assert_eq!(found[0].reason, "at x = 0, y = 0, along y[2], the second derivative is 0");
    assert_eq!(found[0].witness.as_ref().unwrap().direction, [("y".to_owned(), vec![0.0, 1.0])]);
    assert_eq!(found[3].reason, "at x = 0, y = 0, along y[2], the lower level is solved on a whole segment");
}

#[test]
fn many_entries_are_looked_at_in_a_krylov_space() {
    let found = judged(MERELY_CONVEX);
    assert_eq!(found[0].verdict, Refuted);
    let witness = found[0].witness.as_ref().unwrap();
    assert!(witness.direction[0].1.iter().all(|v| v.abs() < 1e-7), "y1 is curved: {witness:?}");
}

#[test]
fn refutations_are_true_and_need_the_set() {
    assert_eq!(verdicts("var y[2]  minimize normsq(y - x)"), [Proved; 4]);
    assert_eq!(verdicts("var y  minimize sin(x*y)"), [Refuted, Refuted, Proved, Unknown]);
    assert_eq!(verdicts("var y[2]  minimize sum(softplus(y)) - sum(y)/2"), [Unknown, Proved, Proved, Unknown]);
    assert_eq!(verdicts("var y in [-1, 1]  minimize relu(y) + y^2"), [Proved, Proved, Refuted, Proved]);
    assert_eq!(verdicts("var y in [2, 3]  minimize relu(y) + y^2"), [Proved, Proved, Unknown, Proved]);
    // flat along (1, 1, 1), which leaves the simplex; curved along the simplex
    let flat = "minimize sum((y[i] - y[1])^2 for i in 1..3) + x*y[1]";
    assert_eq!(verdicts(&format!("var y[3]  {flat}"))[0], Refuted);
    assert_eq!(verdicts(&format!("var y[3] in simplex(1)  {flat}"))[0], Unknown);
    // the prox term chooses among the minimizers of f
    assert_eq!(verdicts("var y[2]  minimize (sum(y) - x)^2  regularize normsq(y)")[3], Unknown);
    assert_eq!(verdicts("var y[2]  minimize (sum(y) - x)^2")[3], Refuted);
}

#[test]
fn a_method_warns_of_what_its_theory_needs() {
    let problem = problem(EQ5);
    let of = |name: &str| {
        warnings(&problem, &data(&problem), by_name(name).unwrap().entry, Span::default(), (1, f64::INFINITY)).unwrap()
    };
    let cg = of("cg");
    assert_eq!(cg.len(), 1);
    assert!(cg[0].message.starts_with("method `cg` assumes a strongly convex lower level, and this one is not: at"));
    assert!(cg[0].help[0].contains("meha"), "{:?}", cg[0].help);
    assert!(of("bda").is_empty() && of("meha").is_empty());
    assert!(of("rhg")[0].message.contains("one solution"));
}
