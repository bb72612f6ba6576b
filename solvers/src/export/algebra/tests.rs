use super::*;
use crate::fixture::{data, problem};

fn written(language: Language, text: &str) -> Result<String, Vec<Diagnostic>> {
    let problem = problem(text);
    super::text(language, &problem, &data(&problem), "blo export P.blo")
}

/// Bounds of all kinds, rows of both kinds, kinks, a sum over rows of data.
const ALL: &str = "data A[4, 3] = normal(seed = 1)
    data b[4] = normal(seed = 2)
    upper {
      var x[3] in [0, 5]
      var z
      maximize sum(y) - z^2 - (sum(A*y))^2
      subject to { budget: sum(x) + y[1] <= 4 }
    }
    lower {
      var y[3] in [[-1, -inf, -inf], [1, 2, inf]]
      var s[2] in simplex(1)
      minimize normsq(A*y - b) + s[1]^2 + z*y[2]
      regularize sum(x[i]*abs(y[i]) for i in 1..3)
      subject to { total: sum(y) == z;  pair: y[i] + y[i + 1] <= 1 for i in 1..2 }
    }";

#[test]
fn a_model_for_ampl_has_the_conditions_of_the_lower_level() {
    insta::assert_snapshot!("ampl", written(Language::Ampl, ALL).unwrap());
}

#[test]
fn a_model_for_gams_has_both_levels() {
    insta::assert_snapshot!("gams", written(Language::Gams, ALL).unwrap());
}

#[test]
fn multipliers_above_are_variables_of_ampl() {
    let text = "upper { var p in [0, 9]  maximize multiplier(demand)*y[1] }
        lower { var y[2] >= 0  minimize p*y[1] + normsq(y)  subject to { demand: sum(y) == 3 } }";
    let found = written(Language::Ampl, text).unwrap();
    // d(least value)/d(demand) is the negative of the multiplier of `sum(y) - 3`
    assert!(found.contains("maximize upper_objective: (-multiplier_of_demand)*y[1];"), "{found}");
    let Err(refused) = written(Language::Gams, text) else { panic!("it was exported") };
    assert!(refused[0].code == "B0640" && refused[0].help[0].contains("ampl"), "{refused:?}");
}

#[test]
fn sizes_do_not_lengthen_a_model() {
    let lines = |n: usize| {
        let text = format!(
            "param n = {n}  upper {{ var x[n]  minimize normsq(y - 1) }}  lower {{ var y[n] >= 0  minimize sum((y[i] - x[i])^2 for i in 1..n) }}"
        );
        let model = written(Language::Ampl, &text).unwrap();
        model.split("data;").next().unwrap().lines().count()
    };
    assert_eq!(lines(3), lines(400));
}

#[test]
fn what_no_modelling_language_holds_says_what_to_use() {
    let level = "upper { var x >= 0  minimize normsq(y - 1) }";
    let cases = [
        ("lower { var y[4]  minimize normsq(y - 2)  regularize x*tv1d(y) }", "tv1d"),
        ("lower { var y[4]  minimize normsq(y - 2)  regularize x*norm2(y) }", "group_l2"),
        ("lower { var y[4] in ball1(2)  minimize normsq(y - 2) + x*y[1] }", "ball1"),
        ("lower { var y[2, 2, 2]  minimize normsq(y - x) }", "axes"),
        ("lower { var y[2]  let S = [[2 + x, 0], [0, 3]]  minimize y'*solve(S, y) + sum(y) }", "cholesky"),
    ];
    for (lower, word) in cases {
        for language in [Language::Ampl, Language::Gams] {
            let Err(found) = written(language, &format!("{level}  {lower}")) else { panic!("{word} was exported") };
            let said = format!("{} {:?}", found[0].message, found[0].help);
            assert!(found[0].code == "B0640" && !found[0].help.is_empty(), "{found:?}");
            assert!(found[0].message.contains(word) || word == "cholesky", "{said}");
        }
    }
}

#[test]
fn every_elementwise_function_has_a_rule_or_a_reason() {
    const OPERATORS: [&str; 5] = ["+", "-", ".*", "./", "neg"];
    let mut wanted: Vec<&str> =
        blo_engine::elementwise::TABLE.iter().map(|e| e.name).filter(|n| !OPERATORS.contains(n)).collect();
    let mut here: Vec<&str> = tables::ELEMENTWISE.iter().map(|(name, _)| *name).collect();
    wanted.sort_unstable();
    here.sort_unstable();
    assert_eq!(here, wanted);
}
