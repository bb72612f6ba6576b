//! Few-shot classification of characters, which three of the papers report.

use crate::command::reproduce::experiment::Quantity::{Percent, Seconds};
use crate::command::reproduce::experiment::{Experiment, free, least, run};

const UNSEEN: &str = "accuracy on unseen characters, %";

pub(super) const OMNIGLOT: Experiment = Experiment {
    name: "few-shot",
    title: "BDA, table 3, and MEHA, table 5 left: few-shot classification on Omniglot, ConvNet of four blocks",
    about: "100 of the 136 characters in this repository, turned by quarters, are what x is learnt on and presets are chosen \
            by; the accuracy is on 40 tasks of the other 36. The papers have 1200 characters to learn from and 423 to report \
            on; MEHA's column has 10 and 20 ways and batches of 16 tasks, here there are 4. The classifier of a task has a \
            ridge term: without it a task whose examples are separable has no solution, and the accuracy is ten points lower. \
            With new tasks in every iteration MEHA's y is that of other tasks, and its constants do not follow.",
    long: true,
    runs: &[
        run(
            "RHG, 5-way 1-shot",
            "specs/few_shot_conv.blo -m rhg --precision f32",
            &[least(UNSEEN, Percent("test_acc"), "98.60", 85.0), free("time", Seconds, "")],
        ),
        run(
            "RHG, 5-way 5-shot",
            "specs/few_shot_conv.blo -m rhg -D shots=5 --precision f32",
            &[free(UNSEEN, Percent("test_acc"), "99.50")],
        ),
        run(
            "RHG, 10-way 1-shot",
            "specs/few_shot_conv.blo -m rhg -D ways=10 --precision f32",
            &[free(UNSEEN, Percent("test_acc"), "89.77"), free("time", Seconds, "557.71 s to 90 %")],
        ),
        run(
            "RHG, 20-way 1-shot",
            "specs/few_shot_conv.blo -m rhg -D ways=20 -D query=3 --max-iter 500 --precision f32",
            &[
                free(UNSEEN, Percent("test_acc"), "95.50 (BDA's table), 90.17 (MEHA's)"),
                free("time", Seconds, "550.51 s to 90 %"),
            ],
        ),
        run(
            "BDA, 5-way 1-shot",
            "specs/few_shot_conv.blo -m bda --precision f32",
            &[free(UNSEEN, Percent("test_acc"), "99.04"), free("time", Seconds, "")],
        ),
        run(
            "MEHA, paper's constants, 5-way 1-shot",
            "specs/few_shot_conv.blo -m meha:paper --set resample=1 --max-iter 500 --precision f32",
            &[free(UNSEEN, Percent("test_acc"), "")],
        ),
    ],
};
