//! Liu, Liu, Yao, Zeng, Zhang, ICML 2024 (MEHA), and the methods of the other papers: data hyper-cleaning.

use crate::command::reproduce::experiment::Quantity::{Percent, Seconds};
use crate::command::reproduce::experiment::{Experiment, Read, free, least, run, within};

const ACCURACY: &str = "test accuracy, %";
const CLEAN: &str = "F1 of clean rows, %";
const CORRUPTED: &str = "F1 of corrupted rows, %";

const SMALL: &[Read] = &[
    free(ACCURACY, Percent("test_acc"), ""),
    free(CLEAN, Percent("f1_clean"), ""),
    free(CORRUPTED, Percent("f1_bad"), ""),
];
const FASHION: &[Read] = &[
    within(ACCURACY, Percent("test_acc"), "", 78.7, 82.4),
    free(CLEAN, Percent("f1_clean"), ""),
    free(CORRUPTED, Percent("f1_bad"), ""),
];
const MNIST: &[Read] = &[
    within(ACCURACY, Percent("test_acc"), "", 87.5, 90.4),
    free(CLEAN, Percent("f1_clean"), ""),
    free(CORRUPTED, Percent("f1_bad"), ""),
];

/// Every method on a number of rows and a folder of data.
macro_rules! methods {
    ($rows:literal, $reads:expr) => {
        &[
            run("MEHA, tuned", concat!("specs/cleaning_softmax.blo -m meha:tuned", $rows), $reads),
            run("MEHA, auto", concat!("specs/cleaning_softmax.blo -m meha:auto", $rows), $reads),
            run("BDA", concat!("specs/cleaning_softmax.blo -m bda", $rows), $reads),
            run("RHG", concat!("specs/cleaning_softmax.blo -m rhg", $rows), $reads),
            run("IAPTT-GM", concat!("specs/cleaning_softmax.blo -m iaptt", $rows), $reads),
        ]
    };
}

pub(super) const CLEANING_SMALL: Experiment = Experiment {
    name: "cleaning-small",
    title: "Cleaning with softmax regression, on the Fashion-MNIST rows in this repository",
    about: "1000 training rows, half of them with wrong labels, 1000 validation and 2000 test rows. Presets were chosen by the \
            validation accuracy on the full data.",
    long: false,
    runs: methods!(" -D examples=1000 --precision f32", SMALL),
};

pub(super) const CLEANING_FASHION: Experiment = Experiment {
    name: "cleaning-fashion",
    title: "Cleaning with softmax regression, Fashion-MNIST",
    about: "5000 training rows (2524 wrong labels), 5000 validation and 10,000 test rows. Fitted to convergence, softmax \
            regression has 52.5 % on all rows, 79.2 % on the rows that are right (an oracle), 81.4 % on the validation rows \
            and 81.9 % on these and the right ones. No paper prints this experiment for Fashion-MNIST. Presets were chosen \
            by the validation accuracy; for MEHA's c see the file.",
    long: false,
    runs: methods!(" -D examples=5000 --data-dir fashion-mnist --precision f32", FASHION),
};

pub(super) const CLEANING_MNIST: Experiment = Experiment {
    name: "cleaning-mnist",
    title: "Cleaning with softmax regression, MNIST",
    about: "As Fashion-MNIST, with the presets chosen there: 58.2 % on all rows, 88.0 % on the right ones, 89.0 % on the \
            validation rows, 89.9 % on both.",
    long: false,
    runs: methods!(" -D examples=5000 --data-dir mnist --precision f32", MNIST),
};

pub(super) const TABLE_5: Experiment = Experiment {
    name: "meha-table5",
    title: "MEHA, table 5 right and figure 3: cleaning with two layers, Fashion-MNIST",
    about: "5000 training rows, half of them with wrong labels, 5000 validation and 10,000 test rows, 784-300-10 units with \
            tanh. F1 counts clean rows as positive. `tuned` was chosen by the validation accuracy.",
    long: false,
    runs: &[
        run(
            "MEHA, paper's constants, 100 iterations",
            "specs/hyper_cleaning.blo -m meha:paper --max-iter 100 --polish 0 --data-dir fashion-mnist --precision f32",
            &[free(ACCURACY, Percent("test_acc"), "83.19"), free(CLEAN, Percent("f1_clean"), "89.94")],
        ),
        run(
            "MEHA, tuned",
            "specs/hyper_cleaning.blo -m meha:tuned --data-dir fashion-mnist --precision f32",
            &[
                least(ACCURACY, Percent("test_acc"), "83.19", 81.0),
                least(CLEAN, Percent("f1_clean"), "89.94", 88.0),
                free("time", Seconds, ""),
            ],
        ),
        run(
            "RHG",
            "specs/hyper_cleaning.blo -m rhg:cleaning --data-dir fashion-mnist --precision f32",
            &[
                free(ACCURACY, Percent("test_acc"), "80.87"),
                free(CLEAN, Percent("f1_clean"), "88.67"),
                free("time", Seconds, ""),
            ],
        ),
    ],
};
