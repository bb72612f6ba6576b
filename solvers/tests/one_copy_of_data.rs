//! A run holds its data once per precision, however many programs read them. Alone in its file: the allocator counts for
//! the whole process.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use blo_engine::data::Memory;
use blo_engine::model::{self, bind};
use blo_solvers::{Request, Silent, solve};

struct Counting;

/// Bytes that are allocated now, and the most since it was set back.
static LIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROWS: usize = 2500;
const COLUMNS: usize = 800;

/// `A` is nearly all of the data; the objectives and the metric read it.
const TEXT: &str = "
    param n = 800
    data A[2500, n] = normal(seed = 1)
    data b[2500] = normal(seed = 2)
    data B[20, n] = normal(seed = 3)
    upper { var x[n] in [-5, 5]   minimize mean((B*y - 1).^2) + 0.01*mean((A*y).^2) }
    lower { var y[n]   minimize 1/2*mean((A*y - b).^2) + 1/2*sum(exp(x) .* y.^2) }
    metric fit = mean((A*y - b).^2)";

/// The most bytes that a run takes beside the data.
fn beside_the_data(method: &str, precision: &str) -> usize {
    let parsed = blo_grammar::parse(TEXT);
    assert!(parsed.is_sound());
    let problem = model::check(&parsed.ast, TEXT, "test", &model::Settings::default()).problem.expect("sound");
    let data = bind(&problem, &Memory::new(), 0).expect("generated");
    let request = [("threads", "1"), ("max_iter", "1"), ("polish", "5"), ("precision", precision)];
    let request = request.iter().fold(Request::new(method), |r, (name, value)| r.set(*name, *value));
    let before = LIVE.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    solve(&problem, &data, &request, &mut Silent).expect("a run");
    MOST.load(Ordering::Relaxed) - before
}

#[test]
fn programs_share_the_data() {
    let data = ROWS * COLUMNS * size_of::<f64>();
    for method in ["meha:auto", "rhg:auto", "cg:auto"] {
        let f64s = beside_the_data(method, "f64");
        assert!(f64s < data / 4, "{method} takes {f64s} bytes beside {data} bytes of data");
        let f32s = beside_the_data(method, "f32");
        assert!(f32s < data / 2 + data / 4, "{method} in f32 takes {f32s} bytes beside {data} bytes of data");
    }
}
