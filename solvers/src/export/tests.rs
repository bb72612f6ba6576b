use super::*;
use crate::fixture::{LASSO, MERELY_CONVEX, data, problem};

fn exported(text: &str, request: &Request) -> Result<Exported, Vec<Diagnostic>> {
    let problem = problem(text);
    let about = About { command: "blo export jax P.blo".to_owned(), arrays: "run.npz".to_owned(), iterations: 20 };
    jax(&problem, &data(&problem), request, &about)
}

/// The part of a program that is made from the problem and the method.
fn own_part(program: &str) -> &str {
    let begin = program.find("@dataclass").expect("every program has a configuration");
    let end = program.find("def specs").expect("every program has places");
    program[begin..end].trim_end()
}

fn array<'a>(of: &'a Exported, name: &str) -> &'a Array {
    of.arrays.iter().find(|a| a.name == name).unwrap_or_else(|| panic!("no array `{name}`"))
}

#[test]
fn meha_with_a_prox_reads_like_the_paper() {
    let found = exported(LASSO, &Request::new("meha:better")).unwrap();
    insta::assert_snapshot!("meha", own_part(&found.program));
}

#[test]
fn rhg_reads_like_the_paper() {
    let request = Request::new("rhg").set("K", "5").set("s_l", "0.1").set("alpha_x", "1/k");
    let found = exported(MERELY_CONVEX, &request).unwrap();
    insta::assert_snapshot!("rhg", own_part(&found.program));
}

fn module(text: &str, request: &Request) -> Result<Exported, Vec<Diagnostic>> {
    let problem = problem(text);
    let about = About { command: "blo export jax P.blo".to_owned(), arrays: "step.npz".to_owned(), iterations: 20 };
    stablehlo(&problem, &data(&problem), request, &about)
}

#[test]
fn a_module_has_the_step_the_start_and_the_objectives() {
    let found = module(LASSO, &Request::new("meha:better")).unwrap();
    insta::assert_snapshot!("meha_stablehlo", found.program);
}

#[test]
fn lower_steps_and_the_way_back_are_loops_of_the_module() {
    let request = Request::new("rhg").set("K", "5").set("s_l", "0.1").set("alpha_x", "1/k");
    let found = module(MERELY_CONVEX, &request).unwrap();
    let begin = found.program.find("  // The end of the lower steps").expect("it is a function of its own");
    let whole = &found.program[begin..];
    let end = whole.find("\n  }\n").expect("a function ends") + 5;
    insta::assert_snapshot!("rhg_stablehlo", whole[..end]);
}

#[test]
fn a_module_has_the_arrays_of_the_python_program_in_the_same_order() {
    let text = "data a[3] = normal(seed = 1)  data A[3, 2] = normal(seed = 2)
        upper { var x[3]  minimize normsq(A*y - a) }
        lower { var y[2]  minimize normsq(A*y - x) + normsq(y) }";
    for method in ["meha:auto", "rhg:auto", "cg:auto", "bome:auto", "f2sa:auto"] {
        let [python, text] = [exported, module].map(|write| write(text, &Request::new(method)).unwrap());
        assert_eq!(python.arrays, text.arrays, "{method}");
    }
}

#[test]
fn a_module_in_single_precision_has_no_number_in_double_precision() {
    let request = Request::new("bda").set("K", "3").set("s_l", "0.1").set("s_u", "0.1").set("alpha_x", "1/k");
    let found = module(MERELY_CONVEX, &request.set("precision", "f32")).unwrap();
    assert!(found.program.contains("xf32>") && found.program.contains("<i32>"), "{}", found.program);
    assert!(!found.program.contains("f64") && !found.program.contains("i64>"), "{}", found.program);
}

#[test]
fn what_stablehlo_does_not_have_says_what_to_use() {
    let text = "upper { var x >= 0  minimize normsq(Y - 1) }
        lower { var Y[2, 2]  minimize normsq(Y - 2)  regularize x*nuclear(Y) }";
    let request = Request::new("meha").set("alpha", "0.1").set("beta", "0.1").set("eta", "0.1");
    let request = request.set("gamma", "1").set("c", "1");
    let Err(found) = module(text, &request) else { panic!("singular values were exported") };
    assert!(found[0].code == "B0640" && found[0].help.iter().any(|h| h.contains("--format python")), "{found:?}");
    exported(text, &request).unwrap();
}

#[test]
fn data_are_arrays_and_no_constants() {
    let text = "data a[3] = normal(seed = 1)  data A[3, 2] = normal(seed = 2)
        upper { var x[3]  minimize normsq(A*y - a) }
        lower { var y[2]  minimize normsq(A*y - x) + normsq(y) }";
    let found = exported(text, &Request::new("rhg").set("s_l", "0.05").set("alpha_x", "0.05")).unwrap();
    assert_eq!((array(&found, "A").shape.as_slice(), array(&found, "a").shape.as_slice()), (&[3, 2][..], &[3][..]));
    let Values::Real(values) = &array(&found, "A").values else { panic!("numbers") };
    let held = |v: &f64| found.program.contains(&format!("{v:?}"));
    assert!(!values.iter().any(held), "{}", found.program);
    // x has an entry per row of A, y has none
    let places = &found.program[found.program.find("def specs").unwrap()..];
    for place in ["x=rows", "y=whole", "G=rows", "A=rows", "a=rows"] {
        assert!(places.contains(place), "{place}: {places}");
    }
}

#[test]
fn steps_that_nobody_states_are_recorded_and_only_accepted_ones_count() {
    let found = exported(MERELY_CONVEX, &Request::new("rhg:auto").set("K", "40")).unwrap();
    let recorded = array(&found, "recorded_alpha_x");
    assert_eq!(recorded.shape, [found.iterations as usize]);
    let Values::Real(steps) = &recorded.values else { panic!("numbers") };
    assert!(steps.iter().all(|s| *s > 0.0), "{steps:?}");
    assert!(found.program.contains("recorded: chosen in every iteration"));
}

#[test]
fn a_continuation_is_recorded_with_what_its_control_writes() {
    let found = exported(MERELY_CONVEX, &Request::new("meha:auto")).unwrap();
    assert_eq!(found.iterations, 20);
    let written = found.arrays.iter().filter(|a| a.name.starts_with("which_"));
    for which in written {
        let Values::Index(which) = &which.values else { panic!("positions") };
        assert_eq!(which.len(), 20);
    }
    assert!(found.arrays.iter().any(|a| a.name.starts_with("recorded_P_")), "{:?}", names(&found));
}

fn names(of: &Exported) -> Vec<&str> {
    of.arrays.iter().map(|a| a.name.as_str()).collect()
}

#[test]
fn what_cannot_be_exported_says_what_to_use() {
    let rows = "upper { var x  minimize (x - y)^2 }  lower { var y  minimize y^2  subject to { low: y >= x } }";
    let tv = "upper { var x >= 0  minimize normsq(y - 1) }
        lower { var y[4]  minimize normsq(y - 2)  regularize x*sum(abs(y[2..4] - y[1..3])) }";
    let plain = "upper { var x in [0, 1]  minimize (x - y)^2 }  lower { var y  minimize (y - x)^2 }";
    let cases = [
        (rows, Request::new("cg"), "subject to"),
        (
            tv,
            Request::new("meha")
                .set("alpha", "0.1")
                .set("beta", "0.1")
                .set("eta", "0.1")
                .set("gamma", "1")
                .set("c", "1"),
            "tv1d",
        ),
        (plain, Request::new("tpe"), "tpe"),
        (plain, Request::new("auto"), "auto"),
        (plain, Request::new("rank1"), "rank1"),
    ];
    for (text, request, word) in cases {
        let Err(found) = exported(text, &request) else { panic!("{word} was exported") };
        assert!(found[0].code == "B0640" && found[0].message.contains(word) && !found[0].help.is_empty(), "{found:?}");
    }
}

#[test]
fn an_end_without_a_step_is_no_iteration() {
    // example 3.14 of Mitsos and Barton (2006): the run stands still in the end, and takes its last steps back
    let text = "upper { var x in [-1, 1]  minimize (x - 1/4)^2 + y^2 }
        lower { var y in [-1, 1]  minimize y^3/3 - x*y }  start { x = 0;  y = 0 }";
    let found = exported(text, &Request::new("bda")).unwrap();
    let recorded = array(&found, "recorded_alpha_x");
    let Values::Real(steps) = &recorded.values else { panic!("numbers") };
    assert!(found.iterations < 20 && steps.len() as u64 == found.iterations, "{steps:?}");
    assert!(steps.iter().all(|s| *s > 0.0), "{steps:?}");
}

#[test]
fn a_run_that_grows_beyond_all_numbers_is_not_exported() {
    let text = "upper { var x  minimize (x - y)^2 }  lower { var y  minimize (y - 2*x)^2 }  start { x = 1;  y = 1 }";
    let steps = Request::new("meha").set("alpha", "1e12").set("beta", "1e12").set("eta", "1e12");
    let Err(found) = exported(text, &steps.set("gamma", "1").set("c", "1")) else { panic!("it was exported") };
    assert!(found[0].code == "B0640" && found[0].message.contains("not finite"), "{found:?}");
}
