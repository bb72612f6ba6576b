//! The simplex method of Nelder and Mead (Computer Journal 7, 1965), for a few variables and an objective that jumps.

/// Coefficients of reflection, expansion, contraction and shrinking.
const EXPAND: f64 = 2.0;
const CONTRACT: f64 = 0.5;
const SHRINK: f64 = 0.5;

/// The best point of a search from `start` with first steps along the axes, within bounds; it ends after so many
/// evaluations, or where the simplex is smaller than `least` against the steps.
pub(super) fn minimize(
    start: &[f64],
    steps: &[f64],
    bounds: &[[f64; 2]],
    evaluations: usize,
    least: f64,
    value: &mut dyn FnMut(&[f64]) -> f64,
) -> (Vec<f64>, f64) {
    let n = start.len();
    let inside = |x: Vec<f64>| x.iter().zip(bounds).map(|(v, [low, high])| v.clamp(*low, *high)).collect::<Vec<f64>>();
    let mut count = 0;
    let mut at = |x: Vec<f64>| {
        count += 1;
        let x = inside(x);
        let v = value(&x);
        ((x, if v.is_nan() { f64::INFINITY } else { v }), count)
    };
    let mut simplex = vec![at(start.to_vec()).0];
    for i in 0..n {
        let mut x = start.to_vec();
        let [low, high] = bounds[i];
        x[i] += if x[i] + steps[i] > high && x[i] - steps[i] >= low { -steps[i] } else { steps[i] };
        simplex.push(at(x).0);
    }
    loop {
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (best, worst) = (&simplex[0], &simplex[n]);
        let size = |i: usize| simplex.iter().map(|p| (p.0[i] - best.0[i]).abs()).fold(0.0, f64::max) / steps[i];
        if (0..n).all(|i| size(i) < least) {
            break;
        }
        let center: Vec<f64> = (0..n).map(|i| simplex[..n].iter().map(|p| p.0[i]).sum::<f64>() / n as f64).collect();
        let beyond = |t: f64| (0..n).map(|i| center[i] + t * (center[i] - worst.0[i])).collect::<Vec<f64>>();
        let (reflected, used) = at(beyond(1.0));
        if used >= evaluations {
            if reflected.1 < simplex[0].1 {
                simplex[0] = reflected;
            }
            break;
        }
        if reflected.1 < best.1 {
            let expanded = at(beyond(EXPAND)).0;
            simplex[n] = if expanded.1 < reflected.1 { expanded } else { reflected };
        } else if reflected.1 < simplex[n - 1].1 {
            simplex[n] = reflected;
        } else {
            let outside = reflected.1 < worst.1;
            let contracted = at(beyond(if outside { CONTRACT } else { -CONTRACT })).0;
            if contracted.1 < reflected.1.min(worst.1) {
                simplex[n] = contracted;
            } else {
                let best = best.0.clone();
                for p in &mut simplex[1..] {
                    *p = at(best.iter().zip(&p.0).map(|(b, v)| b + SHRINK * (v - b)).collect()).0;
                }
            }
        }
    }
    simplex.swap_remove(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_bounded_and_jumping_functions() {
        let mut rosenbrock = |x: &[f64]| 100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2);
        let free = [[f64::NEG_INFINITY, f64::INFINITY]; 2];
        let (x, value) = minimize(&[-1.2, 1.0], &[0.5, 0.5], &free, 400, 1e-7, &mut rosenbrock);
        assert!(value < 1e-9 && (x[0] - 1.0).abs() < 1e-4, "{x:?} {value}");
        let (x, _) = minimize(&[0.0], &[0.5], &[[-1.0, 0.75]], 60, 1e-9, &mut |x| -x[0]);
        assert_eq!(x, [0.75]);
        let (x, _) =
            minimize(&[0.0], &[0.5], &[[-2.0, 2.0]], 80, 1e-9, &mut |x| if x[0] < 0.3 { 2.0 - x[0] } else { x[0] });
        assert!((x[0] - 0.3).abs() < 1e-6, "{x:?}");
    }
}
