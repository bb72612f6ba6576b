//! Lower levels without a minimum, and levels that only look so.

use super::found;

#[test]
fn an_objective_that_falls_without_end_is_recognized_with_its_ray() {
    let cases: &[(&str, &str, &[f64], &[f64])] = &[
        ("var y", "y*x", &[0.0], &[-1.0]),
        ("var y", "1e-9*x*y", &[3.0], &[-1.0]),
        ("var y", "-exp(y)", &[0.0], &[1.0]),
        ("var y", "-y^2", &[0.1], &[1.0]),
        ("var y", "-1e-12*y^2", &[-1e-7], &[-1.0]),
        ("var y", "-sqrt(1 + y^2)", &[0.3], &[1.0]),
        ("var y >= 0", "-y", &[0.0], &[1.0]),
        ("var y[2]", "(y[1] + y[2] - 1)^2 - x*y[1]", &[0.0, 0.0], &[1.0, -1.0]),
        ("var y[2]", "(y[1] - 3)^2 - x*y[2]", &[0.0, 0.0], &[0.0, 1.0]),
        ("var y[2]", "(1e3*y[1] - 3)^2 - 1e3*y[2] regularize norm1(y)", &[0.0, 0.0], &[0.0, 1.0]),
    ];
    for (variable, f, start, ray) in cases {
        let text = format!("upper {{ var x  minimize x^2 }}  lower {{ {variable}  minimize {f} }}");
        let s = found(&text, &[vec![2.0], start.to_vec()]);
        let direction = s.unbounded.unwrap_or_else(|| panic!("{f}: {:?} {}", s.values, s.scaled));
        let close = direction.iter().zip(*ray).all(|(a, b)| (a - b).abs() < 1e-2);
        assert!(close && !s.solved && s.evaluations < 200, "{f}: {direction:?} {}", s.evaluations);
    }
}

#[test]
fn an_infimum_that_is_not_attained_and_a_minimum_far_away_are_no_rays() {
    // f creeps to its infimum: the end is a point whose slope is small, and counts as solved.
    let s = found("upper { var x  minimize x^2 }  lower { var y  minimize exp(-y) }", &[vec![0.0], vec![0.0]]);
    assert!(s.unbounded.is_none() && s.solved && (15.0..60.0).contains(&s.values[0][0]), "{:?}", s.values);
    let cases: &[(&str, &str, f64, f64)] = &[
        ("var y in [0, inf]", "1e-3*y - log(y)", 1e-3, 1e3),
        ("var y", "-log(y) - log(2 - y)", 1e-3, 1.0),
        ("var y", "(1e-8*y - 1)^2", 1.0, 1e8),
        ("var y", "sqrt(1 + (y - 1e7)^2)", 0.0, 1e7),
        ("var y in [0, 1e9]", "-x*y", 0.5, 1e9),
    ];
    for (variable, f, start, end) in cases {
        let text = format!("upper {{ var x  minimize x^2 }}  lower {{ {variable}  minimize {f} }}");
        let s = found(&text, &[vec![2.0], vec![*start]]);
        let near = (s.values[0][0] - end).abs() <= 1e-6 * end;
        assert!(s.unbounded.is_none() && s.solved && near, "{f}: {:?} {} {}", s.values, s.scaled, s.evaluations);
    }
    // a slowly falling objective is not taken for one that never ends, whatever the solve returns
    let s = found(
        "upper { var x  minimize x^2 }  lower { var y in [1e-9, inf]  minimize -log(y) }",
        &[vec![0.0], vec![1.0]],
    );
    assert!(s.unbounded.is_none() && s.values[0][0] > 1e3, "{:?}", s.values);
}
