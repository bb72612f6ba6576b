//! The driver's loop allocates nothing per iteration; rows and checks may. Alone in its file: the allocator counts for
//! the whole process.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use blo_engine::data::Memory;
use blo_engine::model::{self, bind};
use blo_solvers::{Observer, Request, solve};

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Looks at the count in every iteration: a clock that leaps makes the driver poll each time.
struct Meter {
    clock: std::cell::Cell<f64>,
    seen: Vec<(u64, usize)>,
}

impl Observer for Meter {
    fn seconds(&self) -> f64 {
        self.clock.set(self.clock.get() + 1.0);
        self.clock.get()
    }

    fn progress(&mut self, iteration: u64) {
        assert!(self.seen.len() < self.seen.capacity(), "room for every iteration");
        self.seen.push((iteration, COUNT.load(Ordering::Relaxed)));
    }
}

const TEXT: &str = "
    param n = 300
    data A[n, 40] = normal(seed = 1)
    upper { var x[40] in [0, 1]   minimize normsq(y) + 1/2*normsq(x - 1/2) }
    lower { var y[40]   minimize 1/2*mean((A*y - 1).^2)   regularize sum(x[i]*abs(y[i]) for i in 1..40) }
    method meha { alpha = 0.1/k;  beta = 0.1;  eta = 0.2;  gamma = 1;  c = 2*k^0.3 }";

/// Numbers of allocations between iterations that follow each other, from iteration 100 on; a number per gap.
fn gaps(method: &str, options: &[(&str, &str)]) -> Vec<usize> {
    let parsed = blo_grammar::parse(TEXT);
    assert!(parsed.is_sound());
    let problem = model::check(&parsed.ast, TEXT, "test", &model::Settings::default()).problem.expect("sound");
    let data = bind(&problem, &Memory::new(), 0).expect("generated");
    let start = Request::new(method).set("threads", "1").set("tol", "0").set("polish", "300");
    let request = options.iter().fold(start, |r, (name, value)| r.set(*name, *value));
    let mut meter = Meter { clock: Default::default(), seen: Vec::with_capacity(5000) };
    solve(&problem, &data, &request, &mut meter).expect("a run");
    let after = meter.seen.windows(2).filter(|w| w[0].0 >= 100);
    after.map(|w| w[1].1 - w[0].1).collect()
}

#[test]
fn iterations_allocate_nothing() {
    for precision in ["f64", "f32"] {
        let gaps = gaps("meha", &[("max_iter", "2000"), ("precision", precision)]);
        let with: Vec<&usize> = gaps.iter().filter(|n| **n > 0).collect();
        // Checks lie 10 to 100 iterations apart, rows at 100, 200, 500, ...; the polish compiles once. Iterates are kept
        // for stops now and then, into room that is there.
        assert!(gaps.len() > 1900 && with.len() <= 50, "{} of {}: {with:?}", with.len(), gaps.len());
        // The evaluations of the polish come last, after its compilation.
        let largest = gaps.iter().rposition(|n| *n > 1000).expect("the polish is compiled");
        assert!(gaps.len() - largest > 4 && gaps[largest + 1..].iter().all(|n| *n == 0), "{:?}", &gaps[largest..]);
    }
    // Windows, moves of x and stages of the automatic rule.
    let gaps = gaps("meha:auto", &[("max_iter", "2000"), ("passes", "1")]);
    let with: Vec<&usize> = gaps.iter().filter(|n| **n > 0).collect();
    assert!(gaps.len() > 500 && with.len() <= 50, "{} of {}: {with:?}", with.len(), gaps.len());
}
