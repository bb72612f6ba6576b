//! What rows mean: their values at points, against the formulas written out.

use crate::model::problem::{Constraint, ConstraintClass, ConstraintKind, LevelId, Problem};
use crate::model::{Bindings, Bound, Settings, bind, check};
use crate::oracle::{self, Tensor, Value};

fn outcome(text: &str) -> crate::model::Outcome {
    let parsed = blo_grammar::parse(text);
    assert!(parsed.is_sound(), "{:#?}", parsed.diagnostics);
    check(&parsed.ast, text, "test", &Settings::default())
}

fn problem(text: &str) -> Problem {
    let found = outcome(text);
    found.problem.unwrap_or_else(|| panic!("{:#?}", found.diagnostics))
}

fn codes(text: &str) -> Vec<&'static str> {
    outcome(text).diagnostics.iter().map(|d| d.code).collect()
}

/// The values of a level's rows, each with its name, where the variables have these entries.
fn values(problem: &Problem, level: LevelId, point: &[&[f64]]) -> Vec<(String, Vec<f64>)> {
    let data: Bindings = bind(problem, &crate::data::Memory::new(), 0).unwrap();
    let mut inputs: Vec<Value<f64>> = problem
        .variables()
        .zip(point)
        .map(|(v, entries)| Value::Real(Tensor::new(v.shape.sizes(&data.sizes).unwrap(), entries.to_vec())))
        .collect();
    inputs.extend(data.values.iter().map(Bound::value));
    let of = |row: &Constraint| {
        let value = oracle::evaluate::<f64>(&row.value, &data.sizes, &inputs).remove(0);
        assert_eq!(value.shape, row.shape.sizes(&data.sizes).unwrap(), "{}", row.name);
        (row.name.clone(), value.values)
    };
    problem.rows(level).iter().map(of).collect()
}

/// The same of a lower level with these statements, for x = 2 and y = (0.5, -1, 3).
fn lower(statements: &str) -> Vec<(String, Vec<f64>)> {
    let text = format!(
        "let c = [1, 2, 3]  upper {{ var x  minimize x^2 + sum(y) }}  \
         lower {{ var y[3]  minimize normsq(y - x)  {statements} }}"
    );
    values(&problem(&text), LevelId::LOWER, &[&[2.0], &[0.5, -1.0, 3.0]])
}

fn named(name: &str, values: &[f64]) -> (String, Vec<f64>) {
    (name.to_string(), values.to_vec())
}

#[test]
fn rows_are_differences_of_their_sides() {
    let found = lower("subject to { a: y <= c;  b: y >= x;  d: sum(y) == x;  1 + y <= 2*x }");
    let wanted = [
        named("a", &[-0.5, -3.0, 0.0]),
        named("b", &[1.5, 3.0, -1.0]),
        named("d", &[0.5]),
        named("1 + y <= 2*x", &[-2.5, -4.0, 0.0]),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn the_sides_of_a_chain_share_its_name_and_differ_in_sign() {
    for (chain, signs) in [("0 <= x*y <= c", [-1.0, 1.0]), ("c >= x*y >= 0", [1.0, -1.0])] {
        let statements = format!("subject to {{ both: {chain} }}");
        let mut found = lower(&statements);
        let text = format!(
            "let c = [1, 2, 3]  upper {{ var x  minimize x^2 }}  lower {{ var y[3]  minimize normsq(y)  {statements} }}"
        );
        let problem = problem(&text);
        let rows = problem.rows(LevelId::LOWER);
        assert_eq!([rows[0].sign, rows[1].sign], signs, "{chain}");
        assert!(rows.iter().all(|r| r.named && r.moving && r.kind == ConstraintKind::Inequality));
        found.sort_by(|a, b| a.1[0].total_cmp(&b.1[0]));
        assert_eq!(found, [named("both", &[-1.0, 2.0, -6.0]), named("both", &[0.0, -4.0, 3.0])], "{chain}");
    }
}

#[test]
fn numbers_and_loops_are_repeated_to_the_shape_of_the_row() {
    let found = lower("subject to { a: c <= sum(y) <= 9;  b: y[i] + y[j] <= 1 for i in 1..2 for j in 1..3 }");
    assert_eq!(found[0], named("a", &[-1.5, -0.5, 0.5]));
    assert_eq!(found[1], named("a", &[-6.5, -6.5, -6.5]));
    assert_eq!(found[2], named("b", &[0.0, -1.5, 2.5, -1.5, -3.0, 1.0]));
}

#[test]
fn a_filter_keeps_steps_in_the_order_of_the_loops() {
    let found = lower("subject to { pair: y[i] + 10*y[j] <= 0 for j in 2..3 for i in 1..3 if i < j }");
    let (y, mut wanted) = ([0.5, -1.0, 3.0], Vec::new());
    for j in 1..3 {
        wanted.extend((0..j).map(|i| y[i] + 10.0 * y[j]));
    }
    assert_eq!(found, [named("pair", &wanted)]);
    let found = lower("subject to { odd: y[i]*y <= x*c for i in 1..3 if mod(i, 2) == 1 }");
    assert_eq!(found, [named("odd", &[-1.75, -4.5, -4.5, -0.5, -7.0, 3.0])]);
}

#[test]
fn followers_have_their_axis_in_front() {
    let text = "data T[4] = uniform(seed = 1)  upper { var x[4]  minimize normsq(x) }
        lower for j in 1..4 { var y[2]  minimize normsq(y - x[j])
            subject to { a: y[1] + y[2] <= x[j];  b: y[i] >= -j for i in 1..2;  c: y[i] <= x[j] for i in 1..2 if i == 2 } }";
    let x = [0.0, 1.0, 2.0, 3.0];
    let y: Vec<f64> = (0..8).map(|i| 0.5 * f64::from(i)).collect();
    let found = values(&problem(text), LevelId::LOWER, &[&x, &y]);
    let a: Vec<f64> = (0..4).map(|j| y[2 * j] + y[2 * j + 1] - x[j]).collect();
    let b: Vec<f64> = (0..8).map(|k| -((k / 2 + 1) as f64) - y[k]).collect();
    let c: Vec<f64> = (0..4).map(|j| y[2 * j + 1] - x[j]).collect();
    assert_eq!(found, [named("a", &a), named("b", &b), named("c", &c)]);
}

#[test]
fn bounds_that_move_are_rows_and_the_fixed_end_stays_a_set() {
    let text = "upper { var x[2]  var t <= y[1]  minimize normsq(x) + t }
        lower { var y[2] in [0, x]  var z >= sum(x)  var w[2] in [x, 2*x]  minimize normsq(y) + z + sum(w) }";
    let problem = problem(text);
    let point: &[&[f64]] = &[&[1.0, 2.0], &[0.25], &[3.0, 4.0], &[5.0], &[6.0, 7.0]];
    let wanted = [
        named("y <= x", &[2.0, 2.0]),
        named("z >= sum(x)", &[-2.0]),
        named("w >= x", &[-5.0, -5.0]),
        named("w <= 2*x", &[4.0, 3.0]),
    ];
    assert_eq!(values(&problem, LevelId::LOWER, point), wanted);
    assert_eq!(values(&problem, LevelId::UPPER, point), [named("t <= y[1]", &[-2.75])]);
    assert!(problem.levels.iter().flat_map(|l| &l.constraints).all(|c| c.moving && !c.named));
    let sets: Vec<bool> = problem.variables().map(|v| v.set.is_some()).collect();
    assert_eq!(sets, [false, false, true, false, false]);
}

/// The ends of the interval of the only lower variable, and the names of the rows that are left.
fn folded(declared: &str, rows: &str) -> (Option<[Vec<f64>; 2]>, Vec<String>) {
    let text = format!(
        "let c = [1, 2]  upper {{ var x  minimize x^2 }}  \
         lower {{ var y[2] {declared}  minimize normsq(y - x)  subject to {{ {rows} }} }}"
    );
    let problem = problem(&text);
    let set = problem.lower().variables[0].set.as_ref();
    let ends = set.map(|set| {
        let inputs = [vec![], vec![2]].map(|shape: Vec<usize>| {
            let entries = shape.iter().product::<usize>();
            Value::Real(Tensor::new(shape, vec![0.0; entries]))
        });
        let ends = oracle::evaluate::<f64>(&set.parameters, &problem.sizes, &inputs);
        [0, 1].map(|i| ends[i].values.clone())
    });
    (ends, problem.rows(LevelId::LOWER).iter().map(|r| r.name.clone()).collect())
}

#[test]
fn a_bound_of_a_whole_variable_is_part_of_its_set() {
    let inf = f64::INFINITY;
    assert_eq!(folded("", "y >= 0"), (Some([vec![0.0], vec![inf]]), vec![]));
    assert_eq!(folded("", "0 <= y <= c"), (Some([vec![0.0], vec![1.0, 2.0]]), vec![]));
    assert_eq!(folded("in [1, 5]", "0 <= y;  3 >= y"), (Some([vec![1.0], vec![3.0]]), vec![]));
    assert_eq!(folded("<= 3/2", "y[i] <= c[i] for i in 1..2"), (Some([vec![-inf], vec![1.0, 1.5]]), vec![]));
    let kept = |row: &str| (None, vec![row.to_string()]);
    assert_eq!(folded("", "y <= x"), kept("y <= x"));
    assert_eq!(folded("", "y[1] <= 1"), kept("y[1] <= 1"));
    assert_eq!(folded("", "y[i] <= c[i] for i in 1..1"), kept("y[i] <= c[i] for i in 1..1"));
    assert_eq!(folded("", "cap: y <= 1"), kept("cap"));
    let text =
        "upper { var x  minimize x^2 }  lower { var y[2] in ball2(1)  minimize normsq(y - x)  subject to { y >= 0 } }";
    assert_eq!(problem(text).rows(LevelId::LOWER).len(), 1);
}

#[test]
fn the_only_row_of_a_variable_is_its_set_where_the_table_has_it() {
    let of = |declared: &str, rows: &str| {
        let text = format!(
            "data A[2, 3] = normal(seed = 1)  upper {{ var x  minimize x^2 }}  \
             lower {{ var y[3] {declared}  var z  minimize normsq(y - x) + z^2  subject to {{ {rows} }} }}"
        );
        let problem = problem(&text);
        let set = problem.lower().variables[0].set.as_ref().map(|s| s.set.name);
        (set, problem.rows(LevelId::LOWER).len())
    };
    assert_eq!(of("", "norm2(y) <= 2"), (Some("ball2"), 0));
    assert_eq!(of("", "3 >= norm1(y)"), (Some("ball1"), 0));
    assert_eq!(of(">= 0", "sum(y) == 1"), (Some("simplex"), 0));
    assert_eq!(of("", "2 == sum(y);  y >= 0"), (Some("simplex"), 0));
    assert_eq!(of("", "A*y == [1, 2]"), (Some("affine"), 0));
    assert_eq!(of("", "A*y == [1, 2];  z <= y[1]"), (None, 2));
    assert_eq!(of(">= 0", "A*y == [1, 2]"), (Some("box"), 1));
    assert_eq!(of("", "sum(y) == 1"), (None, 1));
    assert_eq!(of(">= 0", "total: sum(y) == 1"), (Some("box"), 1));
    assert_eq!(of(">= 0", "sum(y) == x"), (Some("box"), 1));
    assert_eq!(of(">= 1", "sum(y) == 4"), (Some("box"), 1));
    assert_eq!(of("", "norm2(y) <= 2;  norm1(y) <= 2"), (None, 2));
    assert_eq!(of("", "norm2(y) >= 2"), (None, 1));
}

/// Sensitivities are taken in a copy of the problem in which params are variables: its sets are those of the problem.
#[test]
fn what_a_param_bounds_is_a_set_also_where_the_param_varies() {
    let text = "param B = 3/2  upper { var x in [0, B]  minimize x^2  subject to { x >= -B } }
        lower { var y[2] >= 0  minimize normsq(y - x)  subject to { sum(y) == B;  c: y <= B*x } }";
    for varied in [vec![], vec![("B".to_string(), 1.5)]] {
        let parsed = blo_grammar::parse(text);
        let found = check(&parsed.ast, text, "test", &Settings { varied, ..Settings::default() });
        let problem = found.problem.unwrap_or_else(|| panic!("{:#?}", found.diagnostics));
        let sets: Vec<&str> = problem.variables().filter_map(|v| Some(v.set.as_ref()?.set.name)).collect();
        assert!(sets.starts_with(&["box"]) && sets.ends_with(&["box"]), "{sets:?}");
        assert_eq!(problem.levels.iter().map(|l| l.constraints.len()).collect::<Vec<_>>(), [0, 2]);
    }
}

#[test]
fn kinks_of_rows_are_told() {
    let of = |row: &str| {
        codes(&format!(
            "upper {{ var x  minimize x^2 + sum(y) }}  lower {{ var y[2]  minimize normsq(y - x)  subject to {{ {row} }} }}"
        ))
    };
    for row in ["y[1] <= abs(x)", "max(y[1], y[2]) <= x", "norm2(y) <= x", "relu(y) <= x"] {
        assert_eq!(of(row), ["W0439"], "{row}");
    }
    assert!(of("normsq(y) <= x;  exp(y) <= 2 + x^2;  -x <= y <= x").is_empty());
}

#[test]
fn an_empty_interval_is_found_however_it_is_written() {
    let text = "upper { var x  minimize x^2 }  lower { var y >= 2  minimize (y - x)^2  subject to { y <= 1 } }";
    let found = bind(&problem(text), &crate::data::Memory::new(), 0).unwrap_err();
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["B0415"]);
}

#[test]
fn the_calculus_classes_rows_in_the_variables_of_their_level() {
    let of = |row: &str| {
        let text = format!(
            "data P[2, 2] = normal(seed = 1)  upper {{ var x >= 0  minimize x^2 }}  \
             lower {{ var y[2]  minimize normsq(y)  subject to {{ a: {row} }} }}"
        );
        problem(&text).rows(LevelId::LOWER)[0].class
    };
    for (row, class) in [
        ("x^2*sum(y) <= 1", ConstraintClass::Affine),
        ("P*y == x", ConstraintClass::Affine),
        ("normsq(y) <= x", ConstraintClass::Convex),
        ("x*norm2(y) <= 1", ConstraintClass::Convex),
        ("y[1] >= exp(y[2])", ConstraintClass::Convex),
        ("normsq(y) >= x", ConstraintClass::Unknown),
        ("normsq(y) == 1", ConstraintClass::Unknown),
        ("y[1]*y[2] <= 1", ConstraintClass::Unknown),
    ] {
        assert_eq!(of(row), class, "{row}");
    }
}

#[test]
fn what_is_no_constraint_is_refused() {
    let of = |upper: &str, lower: &str| {
        codes(&format!(
            "upper {{ var x  minimize x^2 + sum(y)  subject to {{ {upper} }} }}  \
             lower {{ var y[2]  minimize normsq(y - x)  subject to {{ {lower} }} }}"
        ))
    };
    for (lower, code) in [
        ("sum(y)", "B0429"),
        ("sum(y) <= 1 and x >= 2", "B0429"),
        ("sum(y) < 1", "W0430"),
        ("y != 1", "B0431"),
        ("0 <= y == 1", "B0432"),
        ("0 <= y >= 1", "B0432"),
        ("1 <= 2", "B0433"),
        ("x <= 2", "B0434"),
        ("sum(y) <= 2 if 1 < 2", "B0435"),
        ("y[i] <= 2 for i in 1..2 if x > i", "B0317"),
        ("y <= [1, 2, 3]", "B0301"),
        ("y <= (x < 1)", "B0312"),
        ("a: sum(y) <= 2  a: sum(y) >= x", "B0202"),
        ("x: sum(y) <= 2", "B0202"),
    ] {
        assert_eq!(of("x <= 2", lower), [code], "{lower}");
    }
    assert_eq!(of("1 <= 2", "sum(y) <= 2"), ["B0433"]);
    assert_eq!(of("a: y <= 2", "a: sum(y) <= 2"), ["B0202"]);
    assert!(of("y <= 1;  x + y >= 0", "y <= x").is_empty());
    assert!(of("sum(multiplier(r)) <= 3", "r: y <= x").is_empty());
}

#[test]
fn a_violation_is_zero_exactly_where_all_rows_of_the_name_hold() {
    let text = "data c[3] = normal(seed = 2)  upper { var x  minimize x^2 }
        lower { var y[3]  minimize normsq(y - x)  subject to {
            a: y <= x + c;  b: -1 <= x*y <= c.^2;  h: sum(y) == x;  p: y[i]*y[j] <= x for i in 1..3 for j in 1..3 if i < j } }
        metric a1 = violation(a)  metric b1 = violation(b)  metric h1 = violation(h)  metric p1 = violation(p)";
    let problem = problem(text);
    let data = bind(&problem, &crate::data::Memory::new(), 0).unwrap();
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as f64 / f64::from(1 << 24) * 3.0 - 1.5
    };
    let mut seen = [[false; 2]; 4];
    for round in 0..400 {
        let mut y: Vec<f64> = (0..3).map(|_| next()).collect();
        let x = if round % 2 == 0 { next() } else { y.iter().sum() };
        y.iter_mut().for_each(|v| *v *= if round % 3 == 0 { 0.5 } else { 1.0 });
        let rows = values(&problem, LevelId::LOWER, &[&[x], &y]);
        let mut inputs = vec![Value::Real(Tensor::scalar(x)), Value::Real(Tensor::new(vec![3], y))];
        inputs.extend(data.values.iter().map(Bound::value));
        for (k, metric) in problem.metrics.iter().enumerate() {
            let found = oracle::evaluate::<f64>(&metric.value, &data.sizes, &inputs)[0].values[0];
            let name = &metric.name[..1];
            let entries = rows.iter().filter(|(n, _)| n == name).flat_map(|(_, v)| v);
            let wanted = entries.fold(0.0, |w: f64, v| w.max(if name == "h" { v.abs() } else { *v }));
            assert_eq!(found, wanted, "{name}");
            seen[k][usize::from(found > 0.0)] = true;
        }
    }
    assert_eq!(seen, [[true; 2]; 4]);
}

#[test]
fn a_multiplier_is_an_input_of_the_shape_of_its_row() {
    let text =
        "upper { var x[2] >= 0  minimize multiplier(d)*sum(x) + sum(multiplier(p))  subject to { multiplier(d) <= 3 } }
        lower { let e = x'*y  var y[2]  minimize normsq(y - x)
            subject to { d: e == 1;  p: y[i] + x[j] <= i for i in 1..2 for j in 1..2 if i != j;  0 <= y } }
        known { multiplier(d) = 3;  multiplier(p) = [1, 2] }  metric m = sum(multiplier(p)) + multiplier(u)";
    let problem =
        problem(&text.replace("subject to { multiplier(d) <= 3 }", "subject to { u: multiplier(d) <= sum(x) }"));
    let found: Vec<String> = problem
        .multiplier_inputs()
        .map(|(item, level, name)| format!("{} {name} {}", level.index(), item.shape))
        .collect();
    assert_eq!(found, ["1 d []", "1 p [|p|]", "0 u []"]);
    assert!(problem.upper_reads_multipliers() && problem.rows(LevelId::LOWER).len() == 2);
    let data = bind(&problem, &crate::data::Memory::new(), 0).unwrap();
    for (item, ..) in problem.multiplier_inputs() {
        assert!(problem.is_solved_for(item.formal));
        let Value::Real(value) = data.values[item.formal - 2].value() else { panic!("numbers") };
        assert!(value.values.iter().all(|v| v.is_nan()));
    }
    let names: Vec<&str> = problem.known.multipliers.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["d", "p"]);
}

#[test]
fn multipliers_stand_only_where_the_lower_level_is_solved() {
    let of = |upper: &str, lower: &str, rest: &str| {
        codes(&format!(
            "upper {{ var x {upper} }}  lower {{ var y[2]  {lower}  subject to {{ d: sum(y) == x;  y[1] <= 2 }} }} {rest}"
        ))
    };
    let (plain, f) = ("minimize x^2 + multiplier(d)", "minimize normsq(y - x)");
    assert!(of(plain, f, "metric m = if multiplier(d) > 1 then multiplier(d) else 1").is_empty());
    for (upper, lower, rest, code) in [
        (plain, "minimize normsq(y - x)*multiplier(d)", "", "B0437"),
        (">= multiplier(d)  minimize x^2", f, "", "B0437"),
        (plain, f, "start { x = multiplier(d) }", "B0437"),
        (plain, f, "let p = multiplier(d)  known { x = p }", "B0437"),
        ("minimize x^2 + multiplier(u)  subject to { u: x^2 <= 1 }", f, "", "B0437"),
        ("minimize x^2 + multiplier(u)  subject to { u: x^2 <= 1 }", "minimize sum(y)^2", "", "B0437"),
        (plain, "minimize normsq(y - x)  subject to { r: y[2] <= multiplier(r) }", "", "B0437"),
        (plain, "minimize normsq(y - x)  subject to { r: y[2] <= multiplier(s);  s: y[1] >= 2 }", "", "B0437"),
        (plain, "let m = multiplier(d)  minimize normsq(y - x)", "", "B0437"),
        (plain, "minimize normsq(y - x)  subject to { r: y[2] <= p }", "let p = multiplier(r)", "B0437"),
        (plain, "minimize normsq(y - x)  subject to { r: y[2] <= p }", "let p = multiplier(d)", "B0437"),
        (plain, "minimize normsq(y - g(x))", "fn g(u) = u + multiplier(d)", "B0437"),
        ("minimize x^2  subject to { u: x <= 1 }", "minimize normsq(y - x)*multiplier(u)", "", "B0437"),
        (plain, "minimize normsq(y)  subject to { y[i] <= 3 for i in 1..2 if multiplier(d) > 1 }", "", "B0437"),
        ("minimize if multiplier(d) > 1 then x else x^2", f, "", "B0437"),
        ("minimize if p > 1 then x else x^2", f, "let p = multiplier(d)", "B0437"),
        ("minimize x^2 + violation(d)", f, "", "B0438"),
        (plain, f, "metric m = multiplier(e)", "B0436"),
        (plain, f, "metric m = multiplier(y)", "B0436"),
        (plain, f, "metric m = violation(2*x)", "B0436"),
        (plain, f, "known { multiplier(e) = 1 }", "B0436"),
        (plain, f, "known { multiplier(d) = [1, 2] }", "B0342"),
        (plain, f, "known { violation(d) = 0 }", "B0409"),
    ] {
        assert_eq!(of(upper, lower, rest), [code], "{upper} {lower} {rest}");
    }
}
