//! The universal test of sets: every entry, with every shape of parameters.

use super::{Entry, ParameterShape, Relation, TABLE, VariableShape, by_name};
use crate::graph::Function;
use crate::prox::universal::{Draws, check_derivatives, check_finite, count, distance, function, run, shape};
use crate::shape::{Dim, Shape};
use crate::sign::Sign;

struct Case {
    name: String,
    entry: &'static Entry,
    /// Inputs: the point, then the parameters.
    map: Function,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for entry in TABLE {
            let variables = match entry.variable {
                VariableShape::Any => vec![shape(&[9]), shape(&[4, 3]), shape(&[])],
                VariableShape::Column => vec![shape(&[9]), shape(&[3]), shape(&[4])],
                VariableShape::Square => vec![shape(&[4, 4]), shape(&[1, 1])],
            };
            for variable in variables {
                for arrays in [false, true] {
                    let parameters =
                        entry.parameters.iter().map(|p| match p.shape.array(&variable, &Dim::constant(2)) {
                            Some(array) if arrays || !p.shape.admits_number() => array,
                            _ => Shape::scalar(),
                        });
                    let shapes: Vec<Shape> = std::iter::once(variable.clone()).chain(parameters).collect();
                    let map = function(&shapes, |g, ids| entry.nearest(g, ids[0], &ids[1..]));
                    cases.push(Case { name: format!("{} of {shapes:?}", entry.name), entry, map });
                }
            }
        }
        cases
    }

    fn draw(&self, draws: &mut Draws) -> Vec<Vec<f64>> {
        let mut x = vec![draws.array(count(&self.map.inputs[0].shape), (-2.0, 2.0))];
        let parameters = self.map.inputs[1..].iter().zip(self.entry.parameters);
        x.extend(parameters.map(|(formal, p)| draws.array(count(&formal.shape), p.sample)));
        x
    }

    fn project(&self, x: &[Vec<f64>]) -> Vec<f64> {
        run(&self.map, x).swap_remove(0)
    }

    fn violation(&self, y: &[f64], x: &[Vec<f64>]) -> f64 {
        let parameters: Vec<&[f64]> = x[1..].iter().map(Vec::as_slice).collect();
        (self.entry.violation)(y, &parameters)
    }
}

fn at(x: &[Vec<f64>], point: Vec<f64>) -> Vec<Vec<f64>> {
    [&[point], &x[1..]].concat()
}

/// `<v - p, u - p> <= 0` for all members u says that p is the nearest member.
#[test]
fn projections_are_nearest_members() {
    let mut draws = Draws(11);
    for case in Case::all() {
        for _ in 0..30 {
            let x = case.draw(&mut draws);
            let p = case.project(&x);
            // nearly parallel rows meet far away
            let size = distance(&p, &vec![0.0; p.len()]).max(1.0);
            assert!(case.violation(&p, &x) < 1e-14 * size, "{}: {p:?}", case.name);
            let again = case.project(&at(&x, p.clone()));
            assert!(distance(&p, &again) < 1e-14 * size, "{}: {p:?}, again {again:?}", case.name);
            for scale in [2.0, 0.1, 1e-3] {
                let near = p.iter().map(|p| p + draws.between(-scale, scale)).collect();
                let u = case.project(&at(&x, near));
                let inner: f64 = (0..p.len()).map(|i| (x[0][i] - p[i]) * (u[i] - p[i])).sum();
                assert!(inner < 1e-13 * size * size, "{}: v {:?}, p {p:?}, u {u:?}", case.name, x[0]);
            }
            let other = draws.array(p.len(), (-2.0, 2.0));
            let q = case.project(&at(&x, other.clone()));
            assert!(distance(&p, &q) <= distance(&x[0], &other) + 1e-14 * size, "{}: expands", case.name);
        }
    }
}

#[test]
fn violations_say_how_far_outside() {
    let mut draws = Draws(12);
    for case in Case::all() {
        let mut outside = 0;
        for _ in 0..30 {
            let x = case.draw(&mut draws);
            let far = distance(&x[0], &case.project(&x));
            let violation = case.violation(&x[0], &x);
            assert_eq!(far > 1e-12, violation > 1e-12, "{}: distance {far}, violation {violation}", case.name);
            outside += usize::from(far > 1e-12);
        }
        assert!(outside > 0, "{}: some points are outside", case.name);
        let mut x = case.draw(&mut draws);
        x[0][0] = f64::NAN;
        assert!(case.violation(&x[0], &x).is_nan(), "{}", case.name);
    }
}

#[test]
fn derivatives_of_projections_in_point_and_parameters() {
    let mut draws = Draws(13);
    for case in Case::all() {
        for _ in 0..8 {
            let x = case.draw(&mut draws);
            check_derivatives(&case.name, &case.map, &x, &mut draws);
        }
        let x = case.draw(&mut draws);
        check_finite(&case.name, &case.map, &at(&x, vec![0.0; x[0].len()]));
        check_finite(&case.name, &case.map, &at(&x, case.project(&x)));
        let zero: Vec<Vec<f64>> = x.iter().map(|x| vec![0.0; x.len()]).collect();
        check_finite(&case.name, &case.map, &zero);
    }
}

#[test]
fn signs_and_checks_of_parameters() {
    let mut draws = Draws(14);
    for case in Case::all() {
        let x = case.draw(&mut draws);
        let parameters: Vec<&[f64]> = x[1..].iter().map(Vec::as_slice).collect();
        assert_eq!((case.entry.check)(&parameters), Ok(()), "{}", case.name);
        let signs: Vec<Sign> = case.entry.parameters.iter().map(|p| sign_of(p.sample)).collect();
        let sign = (case.entry.sign)(&signs);
        assert!(case.project(&x).iter().all(|y| admits(sign, *y)), "{}: {sign:?}", case.name);
        for k in 0..parameters.len() {
            let mut bad = x[1..].to_vec();
            bad[k].fill(f64::NAN);
            let bad: Vec<&[f64]> = bad.iter().map(Vec::as_slice).collect();
            assert_eq!((case.entry.check)(&bad).unwrap_err().0.unwrap_or(0), 0, "{}", case.name);
        }
    }
}

/// No sampled member is nearer: points of the set found by projecting others, moved towards v as far as they stay in it.
#[test]
fn no_member_found_by_brute_force_is_nearer() {
    let mut draws = Draws(15);
    for case in Case::all() {
        let n = count(&case.map.inputs[0].shape);
        if n > 4 {
            continue;
        }
        for _ in 0..5 {
            let x = case.draw(&mut draws);
            let least = distance(&x[0], &case.project(&x));
            let mut best = case.project(&at(&x, draws.array(n, (-2.0, 2.0))));
            for trial in 0..400 {
                let scale = 2.0 * 0.97f64.powi(trial);
                let near = best.iter().map(|b| b + draws.between(-scale, scale)).collect();
                let u = case.project(&at(&x, near));
                if distance(&x[0], &u) < distance(&x[0], &best) {
                    best = u;
                }
            }
            let found = distance(&x[0], &best);
            assert!(found >= least - 1e-13 && found < least + 2e-3, "{}: {found}, {least}", case.name);
        }
    }
}

/// The hull holds all members, and members reach its finite ends.
#[test]
fn hulls_hold_members() {
    let mut draws = Draws(16);
    for case in Case::all() {
        let x = case.draw(&mut draws);
        let parameters: Vec<&[f64]> = x[1..].iter().map(Vec::as_slice).collect();
        let [low, high] = (case.entry.hull)(&parameters);
        let mut seen = [f64::INFINITY, f64::NEG_INFINITY];
        for _ in 0..200 {
            let mut far = draws.array(x[0].len(), (-0.1, 0.1));
            far[0] = draws.between(-9.0, 9.0);
            let y = case.project(&at(&x, far));
            seen = [y.iter().fold(seen[0], |m, y| m.min(*y)), y.iter().fold(seen[1], |m, y| m.max(*y))];
        }
        assert!(seen[0] >= low - 1e-14 && seen[1] <= high + 1e-14, "{}: {seen:?} in [{low}, {high}]", case.name);
        let single = x[0].len() == 1;
        if low.is_finite() && parameters.iter().all(|p| p.len() == 1) {
            assert!(seen[1] > high - 1e-3 && (single || seen[0] < low + 1e-3), "{}: {seen:?}, {high}", case.name);
        }
    }
}

/// A set times a number is a set: projections commute with scaling, from small to large numbers (whose squares the oracle's plain norm can hold).
#[test]
fn projections_at_extreme_magnitudes() {
    let mut draws = Draws(17);
    for case in Case::all() {
        for exponent in [-500, -200, 200, 500] {
            let x = case.draw(&mut draws);
            let scale = 2f64.powi(exponent);
            let scaled = |values: &Vec<f64>| values.iter().map(|v| scale * v).collect::<Vec<f64>>();
            // a normal or a matrix is no point: the same set has any multiple of it
            let mut large = vec![scaled(&x[0])];
            large.extend(x[1..].iter().zip(case.entry.parameters).map(|(x, p)| match p.shape {
                ParameterShape::Variable | ParameterShape::Matrix => x.clone(),
                _ => scaled(x),
            }));
            let (p, q) = (case.project(&x), case.project(&large));
            let back: Vec<f64> = q.iter().map(|q| q / scale).collect();
            assert!(distance(&p, &back) < 1e-13, "{} by 2^{exponent}: {p:?}, {back:?}", case.name);
            assert!(case.violation(&q, &large) < 1e-13 * scale, "{} by 2^{exponent}", case.name);
        }
    }
}

fn sign_of((lo, hi): (f64, f64)) -> Sign {
    match () {
        () if lo > 0.0 => Sign::Positive,
        () if hi < 0.0 => Sign::Negative,
        () => Sign::Unknown,
    }
}

fn admits(sign: Sign, y: f64) -> bool {
    match sign {
        Sign::Zero => y == 0.0,
        Sign::NonNegative => y >= 0.0,
        Sign::Positive => y > 0.0,
        Sign::NonPositive => y <= 0.0,
        Sign::Negative => y < 0.0,
        Sign::Unknown => true,
    }
}

#[test]
fn the_table_is_sorted_and_documented() {
    assert!(TABLE.is_sorted_by(|a, b| a.name < b.name), "names are sorted and unique");
    for e in TABLE {
        assert!([e.doc, e.formula, e.source].iter().all(|text| !text.is_empty()), "{}", e.name);
        assert!(e.parameters.iter().all(|p| !p.name.is_empty() && !p.doc.is_empty()), "{}", e.name);
        assert!(!e.is_box || e.parameters.len() == 2, "{}: a box has two ends", e.name);
        assert!(!e.is_box || e.as_box.is_none(), "{}", e.name);
        assert_eq!(by_name(e.name).map(|e| e.name), Some(e.name));
    }
    assert!(by_name("sphere").is_none());
}

/// The rows of a set hold where the set says that a point is in it, and only there.
#[test]
fn rows_hold_exactly_at_members() {
    let mut draws = Draws(29);
    for case in Case::all() {
        let Some(rows) = case.entry.rows else { continue };
        let shapes: Vec<Shape> = case.map.inputs.iter().map(|f| f.shape.clone()).collect();
        let mut relations = Vec::new();
        let values = crate::diff::tests::function("rows", &shapes, |g, ids| {
            let (nodes, found) = rows(g, ids[0], &ids[1..]).into_iter().unzip();
            relations = found;
            nodes
        });
        let worst = |x: &[Vec<f64>]| {
            let outputs = run(&values, x).into_iter().zip(&relations);
            let of = |(entries, relation): (Vec<f64>, &Relation)| {
                let size = |v: f64| if *relation == Relation::Equality { v.abs() } else { v };
                entries.into_iter().map(size).fold(0.0, f64::max)
            };
            outputs.map(of).fold(0.0, f64::max)
        };
        for _ in 0..30 {
            let x = case.draw(&mut draws);
            let p = case.project(&x);
            let size = distance(&p, &vec![0.0; p.len()]).max(1.0);
            assert!(worst(&at(&x, p.clone())) < 1e-12 * size * size, "{}: {p:?}", case.name);
            let outside = case.violation(&x[0], &x) > 1e-3;
            assert_eq!(worst(&x) > 1e-9, outside, "{}: {x:?}", case.name);
        }
    }
}
