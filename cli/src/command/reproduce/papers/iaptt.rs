//! Liu, Liu, Zeng, Zhang, NeurIPS 2021: initialization auxiliary and pessimistic trajectory truncation.

use crate::command::reproduce::experiment::Quantity::{Error, IterationToUpper, Percent, Upper};
use crate::command::reproduce::experiment::{Experiment, Read, free, most, run};

const SOLVED: &[Read] = &[
    most("error of x", Error("x"), "small", 1.5e-2),
    most("error of y", Error("y"), "small", 1.5e-2),
    free("F", Upper, "-8.639 = -11 pi/4"),
];
const PRINTED_AS_FAILURE: &[Read] = &[
    most("error of x", Error("x"), "large", 1.5e-2),
    most("error of y", Error("y"), "large", 1.5e-2),
    free("F", Upper, ""),
];

pub(super) const FIGURE_1: Experiment = Experiment {
    name: "iaptt-fig1",
    title: "IAPTT-GM, figure 1: a nonconvex lower level with many solutions, from three starts",
    about: "Eq. (10) with the settings of the authors' code: K = 40, lower steps of 5e-4, steps of x and z of 0.1. In the \
            paper IA-GM without truncation fails from some starts; with these settings both end within 1.5 % of the \
            optimum. 40 such steps move y by 0.02 at most: the runs are joint descents in (x, z). Where the lower level \
            is solved well (the last run), both end in the local solution x = 3 pi/4.",
    long: false,
    runs: &[
        run("IAPTT-GM from (1, 2)", "specs/iaptt_eq10.blo -m iaptt:paper -D x0=1 -D y0=2", SOLVED),
        run("IAPTT-GM from (5, 1)", "specs/iaptt_eq10.blo -m iaptt:paper -D x0=5 -D y0=1", SOLVED),
        run("IAPTT-GM from (7, -1)", "specs/iaptt_eq10.blo -m iaptt:paper -D x0=7 -D y0=-1", SOLVED),
        run("IA-GM from (1, 2)", "specs/iaptt_eq10.blo -m iagm:paper -D x0=1 -D y0=2", PRINTED_AS_FAILURE),
        run("IA-GM from (5, 1)", "specs/iaptt_eq10.blo -m iagm:paper -D x0=5 -D y0=1", PRINTED_AS_FAILURE),
        run("IA-GM from (7, -1)", "specs/iaptt_eq10.blo -m iagm:paper -D x0=7 -D y0=-1", PRINTED_AS_FAILURE),
        run(
            "IAPTT-GM from (5, 1), lower level solved well",
            "specs/iaptt_eq10.blo -m iaptt:paper -D x0=5 -D y0=1 --set K=200 --set s_l=0.01",
            &[free("error of x", Error("x"), ""), free("F", Upper, "")],
        ),
    ],
};

pub(super) const FIGURE_3: Experiment = Experiment {
    name: "iaptt-fig3",
    title: "IAPTT-GM, figure 3 left: accelerated lower steps",
    about: "Eq. (13), n = 50, from 0. The paper states no steps; ours were chosen so that both methods are stable. F is flat \
            around its optimum, so its value is accurate long before x is. The printed acceleration has no effect (its \
            momentum tends to 1/4); `iagm_a` has that of FISTA, which must have been meant.",
    long: false,
    runs: &[
        run(
            "accelerated",
            "specs/iaptt_eq13.blo -m iagm_a --max-iter 5000 --trace t.csv --trace-every 10",
            &[
                most("upper steps to F of 0.01", IterationToUpper(1e-2), "fewer", 4100.0),
                free("error of x", Error("x"), "smaller"),
            ],
        ),
        run(
            "plain",
            "specs/iaptt_eq13.blo -m iagm --max-iter 5000 --trace t.csv --trace-every 10",
            &[
                free("upper steps to F of 0.01", IterationToUpper(1e-2), "more"),
                free("error of x", Error("x"), "larger"),
            ],
        ),
    ],
};

const ACCURACY: &str = "test accuracy, %";
const CLEAN: &str = "F1 of clean rows, %";

pub(super) const TABLE_3: Experiment = Experiment {
    name: "iaptt-table3",
    title: "IAPTT-GM, table 3: cleaning with two layers, Fashion-MNIST",
    about: "5000 training rows, half of them with wrong labels, 5000 validation rows, 784-300-10 units, as in the authors' \
            code; that has no activation between the layers, here it is tanh. The ordering of the methods is compared. \
            Presets were chosen by the validation accuracy.",
    long: false,
    runs: &[
        run(
            "RHG",
            "specs/hyper_cleaning.blo -m rhg:cleaning --data-dir fashion-mnist --precision f32",
            &[free(ACCURACY, Percent("test_acc"), "81.91"), free(CLEAN, Percent("f1_clean"), "87.12")],
        ),
        run(
            "IAPTT-GM",
            "specs/hyper_cleaning.blo -m iaptt:cleaning --data-dir fashion-mnist --precision f32",
            &[free(ACCURACY, Percent("test_acc"), "83.67"), free(CLEAN, Percent("f1_clean"), "90.37")],
        ),
    ],
};
