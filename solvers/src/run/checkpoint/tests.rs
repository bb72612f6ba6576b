//! Going on from any iteration gives the same bits, and nothing else can be gone on from.

use super::*;
use crate::fixture::{LASSO, MERELY_CONVEX, data, problem};
use crate::options::request::Request;
use crate::pipeline::{resume, solve};
use crate::run::observer::{Observer, Silent};
use crate::solution::Solution;

/// Keeps every checkpoint.
struct Keeper(u64, Vec<Vec<u8>>);

impl Observer for Keeper {
    fn checkpoint_every(&self) -> u64 {
        self.0
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.1.push(checkpoint.to_bytes());
    }
}

fn kept(text: &str, request: &Request, every: u64) -> (Solution, Vec<Vec<u8>>) {
    let problem = problem(text);
    let mut keeper = Keeper(every, Vec::new());
    let solution = solve(&problem, &data(&problem), request, &mut keeper).unwrap();
    (solution, keeper.1)
}

fn resumed(text: &str, request: &Request, bytes: &[u8]) -> Result<Solution, String> {
    let problem = problem(text);
    let checkpoint = Checkpoint::from_bytes(bytes).unwrap();
    let solution = resume(&problem, &data(&problem), request, &checkpoint, &mut Silent);
    solution.map_err(|d| format!("{} {}", d[0].code, d[0].message))
}

#[test]
fn a_resumed_run_has_the_bits_of_an_uninterrupted_one() {
    for (text, preset, precision) in [(LASSO, "meha:better", "f64"), (MERELY_CONVEX, "meha:slow", "f32")] {
        let request = Request::new(preset).set("max_iter", "333").set("precision", precision).set("metric_every", "7");
        let (whole, checkpoints) = kept(text, &request, 41);
        // 41, 82, ..., 328, and the end
        assert_eq!(checkpoints.len(), 9);
        for bytes in &checkpoints {
            let s = resumed(text, &request, bytes).unwrap();
            assert_eq!((s.status, s.iterations, s.counts), (whole.status, whole.iterations, whole.counts));
            assert_eq!((&s.rows, &s.verdict, &s.polish), (&whole.rows, &whole.verdict, &whole.polish));
            assert_eq!(format!("{:?}", s.residuals), format!("{:?}", whole.residuals));
            assert!(["x"].iter().all(|v| s.variable(v) == whole.variable(v)));
            assert_eq!(s.lower.variables, whole.lower.variables);
        }
    }
}

/// The automatic rule keeps metrics, curvature, a window's start and the best end point beside the state.
#[test]
fn a_resumed_automatic_run_has_the_same_bits_too() {
    for (text, precision) in [(LASSO, "f64"), (MERELY_CONVEX, "f64"), (MERELY_CONVEX, "f32")] {
        let request = Request::new("meha:auto").set("precision", precision).set("max_iter", "700");
        let (whole, checkpoints) = kept(text, &request, 23);
        assert!(checkpoints.len() > 5, "{}", checkpoints.len());
        for bytes in &checkpoints {
            let s = resumed(text, &request, bytes).unwrap();
            assert_eq!((s.status, s.iterations, s.counts), (whole.status, whole.iterations, whole.counts));
            assert_eq!((&s.rows, &s.verdict, &s.polish), (&whole.rows, &whole.verdict, &whole.polish));
            assert_eq!(format!("{:?}", s.residuals), format!("{:?}", whole.residuals));
            assert_eq!((&s.upper.variables, &s.lower.variables), (&whole.upper.variables, &whole.lower.variables));
        }
    }
}

/// Methods that unroll the lower level keep where its steps start, sizes and the upper step beside the state.
#[test]
fn a_resumed_hypergradient_descent_has_the_same_bits_too() {
    for (text, method) in [
        (LASSO, "rhg(K = 7, tol = 0)"),
        (LASSO, "cg(K = 3, tol = 0)"),
        (LASSO, "rhg(K = 5, update = adam, precision = f32)"),
        (MERELY_CONVEX, "iaptt(K = 5, alpha_x = 0.1, tol = 0)"),
        (MERELY_CONVEX, "bda:auto(K = 5, update = momentum, tol = 0)"),
    ] {
        let request = Request::new(method).set("max_iter", "40");
        let (whole, checkpoints) = kept(text, &request, 3);
        assert!(!checkpoints.is_empty(), "{method} {:?} {}", whole.status, whole.iterations);
        for bytes in &checkpoints {
            let s = resumed(text, &request, bytes).unwrap();
            assert_eq!((s.status, s.iterations, s.counts), (whole.status, whole.iterations, whole.counts), "{method}");
            // These methods know no gap, which is not a number and equals nothing.
            let shown = |s: &Solution| format!("{:?} {:?} {:?}", s.rows, s.residuals, s.polish);
            assert_eq!(shown(&s), shown(&whole), "{method}");
            assert_eq!((&s.upper.variables, &s.lower.variables), (&whole.upper.variables, &whole.lower.variables));
        }
    }
}

/// Passes on terms for rows of the upper level: a checkpoint is in the middle of one of them, or at its end.
#[test]
fn a_resumed_run_in_passes_has_the_same_bits_too() {
    let rows = "upper { var x in [0, 4]  minimize (x - 3)^2 + y  subject to { u: x <= 1.3;  both: x + y >= 1 } }
        lower { var y  minimize (y - x)^2 + y^2/9 }  start { x = 2 }";
    for (request, every) in [
        (Request::new("meha"), 700),
        (Request::new("cg"), 3),
        (Request::new("rhg(K = 5, precision = f32)"), 7),
        (Request::new("meha").set("max_iter", "2500"), 400),
    ] {
        let (whole, checkpoints) = kept(rows, &request, every);
        let passes: Vec<Checkpoint> = checkpoints.iter().map(|b| Checkpoint::from_bytes(b).unwrap()).collect();
        assert!(passes.iter().any(|c| c.passes.as_ref().is_some_and(|p| p.iterations > 0)), "none in a later pass");
        let shown = |s: &Solution| {
            let verdict = (s.status, s.iterations, s.rejected, s.counts, &s.verdict);
            format!("{verdict:?} {:?} {:?} {:?} {:?} {:?}", s.rows, s.residuals, s.upper, s.lower, s.constraints)
        };
        for bytes in &checkpoints {
            assert_eq!(shown(&resumed(rows, &request, bytes).unwrap()), shown(&whole), "{}", request.method);
        }
    }
    // a longer run is that of a cut one that goes on
    let request = |limit: &str| Request::new("meha").set("max_iter", limit);
    let (short, checkpoints) = kept(rows, &request("1500"), 1_000_000);
    assert_eq!((short.iterations, short.status), (1500, crate::solution::Status::IterationLimit));
    let (whole, _) = kept(rows, &request("2500"), 0);
    let s = resumed(rows, &request("2500"), checkpoints.last().unwrap()).unwrap();
    let variables = |s: &Solution| (s.iterations, s.upper.variables.clone(), s.lower.variables.clone());
    assert_eq!(variables(&s), variables(&whole));
    let other = rows.replace("x <= 1.3", "x <= 1.4");
    assert!(resumed(&other, &request("2500"), checkpoints.last().unwrap()).is_err());
}

#[test]
fn a_run_that_reached_its_limit_goes_on_with_a_larger_one() {
    let request = |limit: &str| Request::new("meha:better").set("max_iter", limit);
    let (short, checkpoints) = kept(LASSO, &request("137"), 1_000_000);
    assert_eq!((short.iterations, checkpoints.len()), (137, 1));
    let (whole, _) = kept(LASSO, &request("400"), 0);
    let s = resumed(LASSO, &request("400"), &checkpoints[0]).unwrap();
    assert_eq!((&s.rows, s.variable("y")), (&whole.rows, whole.variable("y")));
}

/// How long x waits at most follows from the limit, and may differ from the run before.
#[test]
fn an_automatic_run_goes_on_with_a_larger_limit() {
    let request = |limit: &str| Request::new("meha:auto").set("max_iter", limit).set("passes", "1");
    let (_, checkpoints) = kept(LASSO, &request("60"), 20);
    let s = resumed(LASSO, &request("5000"), &checkpoints[0]).unwrap();
    assert!(s.iterations > 60, "{:?} {}", s.status, s.iterations);
}

#[test]
fn another_run_cannot_go_on() {
    let request = Request::new("meha:better").set("max_iter", "10");
    let (_, checkpoints) = kept(LASSO, &request, 5);
    let fails = |text: &str, request: Request| resumed(text, &request, &checkpoints[0]).unwrap_err();
    let message = fails(LASSO, request.clone().set("beta", "0.06"));
    assert!(message.starts_with("B0614") && message.contains("`beta` = 0.05, now it is 0.06"), "{message}");
    assert!(fails(&LASSO.replace("param n = 2", "param n = 4"), request.clone()).contains("params or data"));
    assert!(fails(&LASSO.replace("sum(y)", "2*sum(y)"), request.clone()).contains("another problem"));
    assert!(fails(&LASSO.replace("y = 1 }", "y = 2 }"), request.clone()).contains("another problem"));
    assert!(resumed(&LASSO.replace("minimize", "# sums\n minimize"), &request, &checkpoints[0]).is_ok());
}

#[test]
fn damage_is_seen() {
    let (_, checkpoints) = kept(LASSO, &Request::new("meha:better").set("max_iter", "10"), 5);
    let good = &checkpoints[0];
    assert_eq!(Checkpoint::from_bytes(good).unwrap().to_bytes(), *good);
    assert_eq!(Checkpoint::from_bytes(b"param n = 2"), Err(CheckpointError::NotOne));
    assert_eq!(Checkpoint::from_bytes(b""), Err(CheckpointError::NotOne));
    for cut in MAGIC.len()..good.len() {
        assert!(matches!(Checkpoint::from_bytes(&good[..cut]), Err(CheckpointError::CutShort { .. })), "{cut}");
    }
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        assert!(Checkpoint::from_bytes(&bad).is_err(), "{place}");
    }
    let mut other = good.clone();
    let next = Checkpoint::FORMAT + 1;
    other[MAGIC.len()..][..4].copy_from_slice(&next.to_le_bytes());
    assert_eq!(Checkpoint::from_bytes(&other), Err(CheckpointError::Format(next)));
    assert_eq!(Checkpoint::from_bytes(&[&good[..], b"x"].concat()), Err(CheckpointError::Damaged));
}
