//! The universal test of sets: every entry, with every shape of parameters.

use super::{Entry, PLANNED, TABLE, by_name};
use crate::graph::Function;
use crate::prox::universal::{Draws, check_derivatives, check_finite, count, distance, function, run, shape};
use crate::shape::Shape;
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
            for variable in [shape(&[9]), shape(&[4, 3]), shape(&[])] {
                for arrays in [false, true] {
                    let parameters = entry.parameters.iter().map(|p| match p.shape.array(&variable) {
                        Some(array) if arrays || !p.shape.admits_number() => array,
                        _ => Shape::scalar(),
                    });
                    let shapes: Vec<Shape> = std::iter::once(variable.clone()).chain(parameters).collect();
                    let map = function(&shapes, |g, ids| (entry.project)(g, ids[0], &ids[1..]));
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
            assert!(case.violation(&p, &x) < 1e-14, "{}: {p:?}", case.name);
            let again = case.project(&at(&x, p.clone()));
            assert!(distance(&p, &again) < 1e-14, "{}: {p:?}, again {again:?}", case.name);
            for scale in [2.0, 0.1, 1e-3] {
                let near = p.iter().map(|p| p + draws.between(-scale, scale)).collect();
                let u = case.project(&at(&x, near));
                let inner: f64 = (0..p.len()).map(|i| (x[0][i] - p[i]) * (u[i] - p[i])).sum();
                assert!(inner < 1e-13, "{}: v {:?}, p {p:?}, u {u:?}", case.name, x[0]);
            }
            let other = draws.array(p.len(), (-2.0, 2.0));
            let q = case.project(&at(&x, other.clone()));
            assert!(distance(&p, &q) <= distance(&x[0], &other) + 1e-14, "{}: expands", case.name);
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
        assert_eq!(by_name(e.name).map(|e| e.name), Some(e.name));
    }
    assert!(by_name("sphere").is_none());
    assert!(PLANNED.is_sorted());
    assert!(PLANNED.iter().all(|(name, _)| by_name(name).is_none()), "what is planned is not there");
}
