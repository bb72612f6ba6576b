//! Answers of the default method, and of all methods, to generated problems: right, or said not to be. The same on more
//! seeds: `cargo xtask attack answers` and `cargo xtask attack families`.

use blo_solvers::{DEFAULT_METHOD, Request, Silent};
use blo_tests::families::{FAMILIES, Grade};
use blo_tests::random::{Tally, Trial};
use blo_tests::say;
use blo_tests::scalar::CI;

/// Seeds of random problems, some of which are hard for many methods.
const RANDOM: std::ops::Range<u64> = 100..150;
/// Instances of a family.
const INSTANCES: u64 = 10;

/// Runs methods on the random problems: the counts, and every run that is wrong and silent, or has no end.
fn random(methods: impl Fn(&Trial) -> Vec<&'static str>) -> (Tally, Vec<String>) {
    let (mut tally, mut faults) = (Tally::default(), Vec::new());
    for seed in RANDOM {
        let trial = Trial::new(seed, CI);
        for method in methods(&trial) {
            let judged = trial.run(&Request::automatic(method), &mut Silent);
            tally.add(&judged);
            match judged {
                Ok(judged) if judged.is_silent_wrong() => faults.push(trial.shown(&judged)),
                Ok(_) => {}
                Err(why) => faults.push(format!("seed {seed} {method}: {why}")),
            }
        }
    }
    say(&tally.to_string());
    (tally, faults)
}

#[test]
fn random_problems_are_solved_by_the_default_without_a_false_alarm() {
    let (tally, faults) = random(|_| vec![DEFAULT_METHOD]);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(20 * (tally.right + tally.local) >= 19 * tally.runs, "{tally}");
    assert!(50 * tally.false_alarms <= tally.right, "{tally}");
}

#[test]
fn no_method_is_wrong_and_silent_more_than_once_in_a_thousand_times() {
    let (tally, faults) = random(Trial::methods);
    assert!(1000 * faults.len() <= tally.converged, "{tally}\n{}", faults.join("\n"));
}

#[test]
fn families_are_solved_or_said_not_to_be() {
    let (mut right, mut all) = (0, 0);
    let (mut silent, mut said, mut short) = (Vec::new(), Vec::new(), Vec::new());
    for family in &FAMILIES {
        let mut solved = 0;
        for seed in 0..INSTANCES {
            let instance = (family.make)(seed);
            let answer = instance.ask(&Request::automatic(DEFAULT_METHOD), &mut Silent);
            let answer = answer.unwrap_or_else(|why| panic!("{}: {why}", instance.name));
            match instance.grade(&answer) {
                Grade::Right => solved += 1,
                Grade::Said => said.push(instance.shown(&answer)),
                Grade::Silent => silent.push(instance.shown(&answer)),
            }
        }
        let line = format!("{}: {solved} of {INSTANCES} right", family.name);
        say(&line);
        if 10 * solved < 9 * INSTANCES {
            short.push(line);
        }
        right += solved;
        all += INSTANCES;
    }
    assert!(silent.is_empty(), "{} silent\n{}", silent.len(), silent.join("\n"));
    assert!(short.is_empty(), "{short:?}\n{}", said.join("\n"));
    assert!(20 * right >= 19 * all, "{right} of {all} right\n{}", said.join("\n"));
}

/// The instances of a base problem differ in the units of x, y and F only.
#[test]
fn units_change_neither_the_verdict_nor_the_answer() {
    const BASES: u64 = 10;
    let family = FAMILIES.iter().find(|f| f.name == "scales").expect("a family");
    let ends = |seed: u64| {
        let instance = (family.make)(seed);
        let answer = instance.ask(&Request::automatic(DEFAULT_METHOD), &mut Silent).expect("a run that ends");
        (answer.status, answer.warnings.clone(), instance.grade(&answer), instance.shown(&answer))
    };
    for base in 0..BASES {
        let own = ends(base);
        for seed in (1..5).map(|round| base + round * BASES) {
            let other = ends(seed);
            assert_eq!((own.0, &own.1, own.2), (other.0, &other.1, other.2), "{}\n{}", own.3, other.3);
        }
    }
}
