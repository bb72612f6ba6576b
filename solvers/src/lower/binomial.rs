//! Which states of a trajectory to keep when not all of them fit: binomial checkpointing (Griewank and Walther, ACM
//! Trans. Math. Softw. 2000, `revolve`). With s states kept, `C(s + r, s)` steps can be reversed when none is run more
//! than r times beside the first; the split below reaches that.

/// From a kept state, how many steps to run before the next one is kept: `steps` are left to reverse, `free` states can
/// still be kept beside this one.
pub(crate) fn advance(steps: u64, free: u64) -> u64 {
    debug_assert!(steps >= 1);
    if steps == 1 || free == 0 {
        return steps;
    }
    if free >= steps {
        return 1;
    }
    // The least number of repetitions that is enough, above `few`.
    let (mut few, mut repetitions) = (0, 1);
    while capacity(free + 1, repetitions) < steps {
        (few, repetitions) = (repetitions, 2 * repetitions);
    }
    while repetitions - few > 1 {
        let middle = u64::midpoint(few, repetitions);
        if capacity(free + 1, middle) < steps {
            few = middle;
        } else {
            repetitions = middle;
        }
    }
    // Right of the next kept state there are `free` states for at most `repetitions` repetitions; left of it one more
    // state and one repetition fewer. Of all splits that fit, those whose left part needs that many are optimal.
    let right = capacity(free, repetitions);
    let left = if repetitions >= 2 { capacity(free + 1, repetitions - 2) } else { 1 };
    steps.saturating_sub(right).max(left)
}

/// Steps that `states` kept states reverse when none is run more than `repetitions` times: `C(states + repetitions,
/// states)`.
fn capacity(states: u64, repetitions: u64) -> u64 {
    let mut value: u128 = 1;
    for i in 1..=u128::from(states.min(repetitions)) {
        value = value * (u128::from(states + repetitions) - i + 1) / i;
        if value > u128::from(u64::MAX) {
            return u64::MAX;
        }
    }
    value as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps run to reverse `steps` with `free` states beside the first: forward once, then what the splits repeat.
    fn cost(steps: u64, free: u64) -> u64 {
        if steps <= 1 {
            return 0;
        }
        if free == 0 {
            return steps * (steps - 1) / 2;
        }
        let first = advance(steps, free);
        first + cost(steps - first, free - 1) + cost(first, free)
    }

    /// The least possible, by dynamic programming over all splits.
    fn least(steps: u64, free: u64) -> u64 {
        let n = steps as usize;
        let mut best = vec![vec![0u64; free as usize + 1]; n + 1];
        for (l, row) in best.iter_mut().enumerate() {
            row[0] = (l as u64) * (l as u64).saturating_sub(1) / 2;
        }
        for f in 1..=free as usize {
            for l in 2..=n {
                best[l][f] = (1..l).map(|m| m as u64 + best[l - m][f - 1] + best[m][f]).min().unwrap();
            }
        }
        best[n][free as usize]
    }

    #[test]
    fn capacities_are_binomial_coefficients() {
        assert_eq!((capacity(3, 2), capacity(2, 3), capacity(0, 9), capacity(5, 0)), (10, 10, 1, 1));
        assert_eq!(capacity(200, 200), u64::MAX);
    }

    #[test]
    fn no_other_choice_runs_fewer_steps() {
        for free in 1..6 {
            for steps in 1..60 {
                assert_eq!(cost(steps, free), least(steps, free), "{steps} steps, {free} states");
            }
        }
    }
}
