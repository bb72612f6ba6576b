//! Liu, Mu, Yuan, Zeng, Zhang, ICML 2020: bi-level descent aggregation.

use crate::command::reproduce::experiment::Quantity::{
    Entry, Error, IterationTo, LowerError, Percent, Upper, UpperError,
};
use crate::command::reproduce::experiment::{Experiment, Read, free, most, near, run};

const ERRORS_FREE: &[Read] = &[
    free("error of x", Error("x"), "stays large"),
    free("error of y", Error("y"), "stays large"),
    free("error of F", UpperError, "stays large"),
    free("error of f", LowerError, "stays large"),
];
const ERRORS: &[Read] = &[
    most("error of x", Error("x"), "small", 0.1),
    free("error of y", Error("y"), "small"),
    most("error of F", UpperError, "small", 0.04),
    most("error of f", LowerError, "small", 0.1),
];

pub(super) const FIGURE_1: Experiment = Experiment {
    name: "bda-fig1",
    title: "BDA, figure 1: a lower level with many solutions, from several starts",
    about: "Eq. (5) with K = 16, s_u = 0.7, s_l = 0.2 and alpha_k = 0.5/k as printed. The paper shows curves and states \
            neither step size nor number of upper iterations; here x runs until it is stationary. At K = 16 the exact \
            minimizer x of F(x, y_K(x)) is 0.08 from the optimum with BDA and 0.5 with RHG.",
    long: false,
    runs: &[
        run("RHG, x = 0, y = (0, 0)", "specs/bda_eq5.blo -m rhg --polish 0", ERRORS_FREE),
        run("BDA, x = 0, y = (0, 0)", "specs/bda_eq5.blo -m bda --polish 0", ERRORS),
        run("RHG, x = 0, y = (2, 2)", "specs/bda_eq5.blo -m rhg -D y0=2 --polish 0", ERRORS_FREE),
        run("BDA, x = 0, y = (2, 2)", "specs/bda_eq5.blo -m bda -D y0=2 --polish 0", ERRORS),
        run("RHG, x = 2, y = (2, 2)", "specs/bda_eq5.blo -m rhg -D x0=2 -D y0=2 --polish 0", ERRORS_FREE),
        run("BDA, x = 2, y = (2, 2)", "specs/bda_eq5.blo -m bda -D x0=2 -D y0=2 --polish 0", ERRORS),
    ],
};

const SAME: &str = "does not fall with K";
const FALLS: &str = "falls with K";

pub(super) const FIGURE_2: Experiment = Experiment {
    name: "bda-fig2",
    title: "BDA, figure 2: more lower steps help BDA and do not help RHG",
    about: "Eq. (5) from x = 0, y = (2, 2). The values that must be met are closed forms: y_K is affine in x, so that the \
            minimizer of F(x, y_K(x)) is known.",
    long: false,
    runs: &[
        run(
            "RHG, K = 8",
            "specs/bda_eq5.blo -m rhg -D y0=2 --set K=8 --polish 0",
            &[near("x", Entry("x", 1), SAME, 1.508315, 1e-5), near("F", Upper, SAME, 0.295405, 1e-4)],
        ),
        run(
            "RHG, K = 16",
            "specs/bda_eq5.blo -m rhg -D y0=2 --set K=16 --polish 0",
            &[near("x", Entry("x", 1), SAME, 1.500204, 1e-5), near("F", Upper, SAME, 0.257136, 1e-4)],
        ),
        run(
            "RHG, K = 64",
            "specs/bda_eq5.blo -m rhg -D y0=2 --set K=64 --polish 0",
            &[near("x", Entry("x", 1), SAME, 1.5, 1e-5), near("F", Upper, SAME, 0.25, 1e-4)],
        ),
        run(
            "BDA, K = 8",
            "specs/bda_eq5.blo -m bda -D y0=2 --set K=8 --polish 0",
            &[near("x", Entry("x", 1), FALLS, 1.137076, 1e-5), near("F", Upper, FALLS, 5.61e-2, 1e-4)],
        ),
        run(
            "BDA, K = 16",
            "specs/bda_eq5.blo -m bda -D y0=2 --set K=16 --polish 0",
            &[near("x", Entry("x", 1), FALLS, 1.083240, 1e-5), near("F", Upper, FALLS, 3.42e-2, 1e-4)],
        ),
        run(
            "BDA, K = 64",
            "specs/bda_eq5.blo -m bda -D y0=2 --set K=64 --polish 0",
            &[near("x", Entry("x", 1), FALLS, 1.029096, 1e-5), near("F", Upper, FALLS, 1.37e-2, 1e-4)],
        ),
    ],
};

const TRACED: &str = "upper steps to an error of x of 0.1";

pub(super) const FIGURE_3: Experiment = Experiment {
    name: "bda-fig3",
    title: "BDA, figure 3: the weight alpha_k of the upper gradient",
    about: "Eq. (5) from x = 0, y = (2, 2), K = 16, with steps of x of 0.5. At the end of the upper iterations alpha = 0.5 is \
            the most exact of the three; its slowness is the conditioning of the upper level, so that steps are counted.",
    long: false,
    runs: &[
        run(
            "alpha = 0",
            "specs/bda_eq5.blo -m bda -D y0=2 --set alpha=0 --set alpha_x=0.5 --trace t.csv --trace-every 1 --polish 0",
            &[near("x", Entry("x", 1), "fails", 1.500204, 1e-4), free(TRACED, IterationTo("x_error", 0.1), "never")],
        ),
        run(
            "alpha = 0.5",
            "specs/bda_eq5.blo -m bda -D y0=2 --set alpha=0.5 --set alpha_x=0.5 --trace t.csv --trace-every 1 --polish 0",
            &[near("x", Entry("x", 1), "slow", 0.999705, 1e-3), free(TRACED, IterationTo("x_error", 0.1), "slow")],
        ),
        run(
            "alpha = 0.9/k",
            "specs/bda_eq5.blo -m bda -D y0=2 --set alpha=0.9/k --set alpha_x=0.5 --trace t.csv --trace-every 1 --polish 0",
            &[near("x", Entry("x", 1), "good", 1.004919, 1e-4), free(TRACED, IterationTo("x_error", 0.1), "fast")],
        ),
    ],
};

const ACCURACY: &str = "test accuracy, %";

/// Runs with so many steps of the lower level, on a number of rows and a folder of data, beside the paper's accuracy.
macro_rules! against_k {
    ($rows:literal: $($label:literal, $method:literal, [$($k:literal $paper:literal),*];)*) => {
        &[$($(run(
            concat!($label, ", K = ", $k),
            concat!("specs/cleaning_softmax.blo -m ", $method, ":plain --set K=", $k, $rows),
            &[free(ACCURACY, Percent("test_acc"), $paper)],
        ),)*)*]
    };
}

pub(super) const TABLE_2_SMALL: Experiment = Experiment {
    name: "bda-table2-small",
    title: "BDA, table 2 in small: accuracy of softmax cleaning against K, on the Fashion-MNIST rows in this repository",
    about: "500 training and 500 validation rows instead of 7000 of MNIST, so that the nine runs take minutes: the shape is \
            compared, not the digits. Half of the labels are wrong (the paper does not say how many), F has the ridge term \
            of the paper. The presets `plain` have the same steps for all K and no momentum; they were chosen by the \
            validation accuracy of RHG at K = 200.",
    long: false,
    runs: against_k!(" -D examples=500 -D lambda=1e-4 --precision f32":
        "RHG", "rhg", ["50" "88.96", "100" "89.73", "200" "90.13"];
        "T-RHG", "trhg", ["50" "87.90", "100" "88.28", "200" "88.50"];
        "BDA", "bda", ["50" "89.12", "100" "90.12", "200" "90.57"];
    ),
};

pub(super) const TABLE_2: Experiment = Experiment {
    name: "bda-table2",
    title: "BDA, table 2: accuracy of softmax cleaning against K, MNIST",
    about: "7000 training and 7000 validation rows of MNIST, tested on its 10,000 test rows (the paper: 56,000 rows). Half of \
            the labels are wrong; the paper does not say how many. The presets are those of the table in small, so that no \
            row of MNIST chose them.",
    long: false,
    runs: against_k!(" -D examples=7000 -D lambda=1e-4 --data-dir mnist --precision f32":
        "RHG", "rhg", ["50" "88.96", "200" "90.13", "800" "90.15"];
        "T-RHG", "trhg", ["50" "87.90", "200" "88.50", "800" "89.99"];
        "BDA", "bda", ["50" "89.12", "200" "90.57", "800" "90.86"];
    ),
};
