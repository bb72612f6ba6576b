use super::search::{Incumbent, Small};
use crate::fixture::{data, polished, problem};
use crate::formula::start_point::start_point;
use crate::options::request::Request;
use crate::solution::verdict::Word;
use crate::solution::{Solution, Status};

/// A search of a text from its start, to the end.
fn searched(text: &str) -> (Small, Incumbent) {
    let problem = problem(text);
    let data = data(&problem);
    let mut start = start_point::<f64>(&problem, &data, 1).unwrap();
    let lower = start.split_off(problem.upper().variables.len());
    let mut search = Small::new(&problem, &data, 1, 0, [start.concat(), lower.concat()]).unwrap();
    search.lower.budget = 5e8;
    while search.step() {}
    let found = search.incumbent.clone().unwrap();
    (search, found)
}

fn automatic(text: &str) -> Solution {
    polished(text, &Request::automatic("auto"))
}

fn near(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4)
}

fn multiplier(s: &Solution, name: &str) -> Vec<f64> {
    let row = s.constraints.iter().find(|c| c.name == name).expect("a row of this name");
    row.multiplier.clone().expect("a multiplier").values
}

#[test]
fn a_moving_bound_has_its_multiplier() {
    let s = automatic(
        "upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize y^2  subject to { above: y >= x } }",
    );
    assert_eq!((s.status, s.verdict.word), (Status::Converged, Word::Certified));
    assert!(near(&s.variable("x").unwrap().values, &[0.5]) && near(&s.variable("y").unwrap().values, &[0.5]));
    assert!(near(&multiplier(&s, "above"), &[1.0]), "{:?}", s.constraints);
}

#[test]
fn signs_of_multipliers_are_those_of_the_language() {
    // a demand of 3 at marginal costs 1 + y: its price is 4; the chain is at its upper end, with a gain of 2 per unit
    let s = automatic(
        "upper { var x in [0, 1]  minimize x^2 + y - z }
         lower { var y  var z  minimize y + y^2/2 + (z - 3)^2/2
                 subject to { demand: y == 3;  span: -1 <= z <= 1 } }",
    );
    assert!(near(&multiplier(&s, "demand"), &[4.0]) && near(&multiplier(&s, "span"), &[2.0]), "{:?}", s.constraints);
    // at the lower end it pulls the other way
    let s = automatic(
        "upper { var x in [0, 1]  minimize x^2 + z }
         lower { var z  minimize (z + 3)^2/2  subject to { span: -1 <= z <= 1 } }",
    );
    assert!(near(&multiplier(&s, "span"), &[-2.0]), "{:?}", s.constraints);
}

#[test]
fn at_a_tie_the_upper_level_chooses() {
    let (_, found) =
        searched("upper { var p in [0, 20]  maximize p*y }  lower { var y in [0, 1]  minimize (p - 4)*y }");
    assert!(near(&found.x, &[4.0]) && near(&found.y, &[1.0]), "{found:?}");
}

#[test]
fn kkt_points_that_are_no_solutions_do_not_count() {
    // y = x is a maximum between two wells; the deeper well is at y = -1 for x < 0 and at 1 for x > 0
    let text = "upper { var x in [-0.9, 0.9]  minimize (y - x)^2 + x^2/100 }
        lower { var y in [-2, 2]  minimize (y^2 - 1)^2 - x*y/10 }";
    let (mut search, found) = searched(text);
    let least = search.lower.solutions(&found.x, &[&found.y], 12)[0].value;
    let own = search.lower.measure(&found.x, &found.y).unwrap().lower;
    assert!(own - least < 1e-6, "{found:?}");
    // F at the wells: both are as good
    assert!(found.x[0].abs() > 0.8 && (found.upper - 0.0198).abs() < 2e-2, "{found:?}");
}

#[test]
fn a_multiplier_in_the_upper_objective_is_that_of_the_point() {
    let (_, found) = searched(
        "upper { var x in [0, 40]  maximize (multiplier(balance) - 5)*q[1] }
         lower { var q[2] in [0, 10]  minimize x*q[1] + 10*q[2] + q[2]^2/2  subject to { balance: q[1] + q[2] == 8 } }",
    );
    assert!(near(&found.x, &[11.5]) && (found.upper + 42.25).abs() < 1e-5, "{found:?}");
    assert!(near(&found.multipliers.unwrap(), &[-11.5]));
}

#[test]
fn a_search_that_is_resumed_goes_on_as_it_was() {
    let text = "upper { var x in [0, 4]  minimize (x - 3)^2 + y }
        lower { var y in [-3, 3]  minimize -y^2 + x*y  subject to { cap: x + y <= 4 } }";
    let (_, whole) = searched(text);
    let problem = problem(text);
    let data = data(&problem);
    let make = || Small::new(&problem, &data, 1, 0, [vec![0.0], vec![0.0]]).unwrap();
    let mut first = make();
    first.lower.budget = 5e8;
    for _ in 0..7 {
        first.step();
    }
    let mut second = make();
    second.lower.budget = 5e8;
    second.remember(first.memory());
    while second.step() {}
    let resumed = second.incumbent.unwrap();
    assert_eq!(resumed, whole);
}

#[test]
fn rows_that_nothing_meets_are_infeasible_and_others_only_not_met() {
    let s = automatic(
        "upper { var x in [0, 1]  minimize (x - y)^2 }
         lower { var y  minimize y^2  subject to { high: y >= 2 + x;  low: y <= 1 } }",
    );
    assert_eq!(s.status, Status::Infeasible);
    let warning = s.warnings.iter().find(|w| w.code == "W0639").expect("a warning");
    assert!(warning.message.contains("is off by"), "{warning:?}");
    // the lower level keeps y below what the upper level asks for: no proof of that is known
    let s = automatic(
        "upper { var x in [0, 1]  minimize (x - y)^2  subject to { far: y >= 5 } }  lower { var y  minimize (y - x)^2 }",
    );
    assert_eq!(s.status, Status::Stalled);
    assert!(s.warnings.iter().any(|w| w.code == "W0639" && w.message.contains("far")), "{:?}", s.warnings);
    // F falls for ever where the row holds; the start violates it least
    let s = automatic(
        "upper { var x in [0, 10]  maximize x - y/10  subject to { limit: y <= -2 } }
         lower { var y  minimize (y - x)^2 + y^2 }",
    );
    assert_eq!(s.status, Status::Stalled);
    assert!((s.constraints[0].violation - 2.0).abs() < 1e-6, "{:?}", s.constraints);
}

#[test]
fn that_nothing_meets_the_rows_is_proved_without_a_value_of_the_upper_objective() {
    // there are no multipliers where no lower level has a solution
    let s = automatic(
        "upper { var x in [0, 40]  maximize (multiplier(balance) - 5)*y[1] }
         lower { var y[2] in [0, 10]  minimize x*y[1] + 10*y[2] + y[2]^2/2  subject to { balance: sum(y) == 30 } }",
    );
    assert_eq!(s.status, Status::Infeasible);
    assert!((s.constraints[0].violation - 10.0).abs() < 1e-5, "{:?}", s.constraints);
}

#[test]
fn a_lower_level_with_rows_that_falls_forever_is_unbounded() {
    let s = automatic(
        "upper { var x in [0, 1]  minimize (x - y[1])^2 }
         lower { var y[2]  minimize -y[1] - y[2]  subject to { low: y[1] - y[2] <= x } }",
    );
    assert_eq!(s.status, Status::Unbounded);
}

#[test]
fn multipliers_of_dependent_rows_are_the_smallest_and_said_not_to_be_unique() {
    let of = |rows: &str| {
        format!(
            "upper {{ var x in [0, 4]  minimize (x - 1)^2 + y }}  lower {{ var y  minimize (y - x)^2  subject to {{ {rows} }} }}"
        )
    };
    // of a + 2 b = -2 at x = 1 the point nearest to zero
    for (rows, wanted) in [("a: y == 0;  b: 2*y == 0", [-0.4, -0.8]), ("a: y <= 0;  b: 2*y <= 0", [0.4, 0.8])] {
        for method in ["auto", "kkt", "cg", "gaffa"] {
            let s = polished(&of(rows), &Request::new(method));
            let found = [0, 1].map(|i| s.constraints[i].multiplier.as_ref().expect("known").values[0]);
            let off = found.iter().zip(wanted).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
            assert!(off < 1e-4, "{method}: {found:?}");
            assert!(s.warnings.iter().any(|d| d.code == "N0640"), "{method}: {:?}", s.warnings);
        }
    }
    let single = polished(&of("a: y <= 0;  b: y >= -1"), &Request::new("kkt"));
    assert!(single.warnings.iter().all(|d| d.code != "N0640"), "{:?}", single.warnings);
}

#[test]
fn an_x_where_no_y_meets_the_rows_is_named_with_the_row_and_another_start() {
    let text = "upper { var x in [0, 4]  minimize (x - 1)^2 + y }
        lower { var y  minimize (y - x)^2  subject to { floor: y >= 1;  cap: y <= 3 - x } }  start { x = 4 }";
    let far = text.replace("start { x = 4 }", "").replace("(x - 1)^2", "(x - 4)^2");
    for method in ["cg", "neumann"] {
        let s = polished(text, &Request::new(method));
        let failure = s.failure.as_ref().expect("no hypergradient");
        assert!(s.status == Status::NotFinite && failure.lower_is_empty, "{method}: {failure:?}");
        assert!(s.warnings.iter().all(|d| d.code != "W0606"), "{method}: {:?}", s.warnings);
        let d = s.warnings.iter().find(|d| d.code == "W0639").expect("the row");
        assert!(d.message.contains("no y meets") && d.help.iter().any(|h| h.contains("start { x = ")), "{d:?}");
        // a stated step leaves where the rows can be met
        let s = polished(&far, &Request::new(method).set("alpha_x", "1"));
        let d = s.warnings.iter().find(|d| d.code == "W0639").expect("the row");
        assert!(d.message.contains("no y meets") && d.message.contains("cap"), "{method}: {d:?}");
    }
    // a search goes on from a point that meets the rows
    let s = polished(text, &Request::new("auto"));
    assert_eq!(s.status, Status::Converged);
    let many = text.replace("var x in", "var x[60] in").replace("var y ", "var y[60] ");
    let many = many.replace("(x - 1)^2 + y", "normsq(x - 1) + sum(y)").replace("(y - x)^2", "normsq(y - x)");
    let s = polished(&many, &Request::new("auto"));
    assert!((s.upper.objective - 60.0).abs() < 1e-3 && s.failure.is_none(), "{:?}", s.upper.objective);
    // and where the lower level falls forever, that is the reason
    let falls = text.replace("(y - x)^2", "(x - 5)*y^2").replace(";  cap: y <= 3 - x", "");
    let s = polished(&falls, &Request::new("cg"));
    assert!(s.status == Status::Unbounded && s.warnings.iter().any(|d| d.code == "W0629"), "{:?}", s.status);
}
