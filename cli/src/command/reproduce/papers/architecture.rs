//! Differentiable architecture search, which Liu, Liu, Yao, Zeng, Zhang, ICML 2024 (MEHA) report at a scale that is out of
//! reach here.

use crate::command::reproduce::experiment::Quantity::{Percent, Seconds};
use crate::command::reproduce::experiment::{Experiment, Read, free, run};

const READS: &[Read] = &[
    free("validation accuracy, %", Percent("val_acc"), ""),
    free("test accuracy, %", Percent("test_acc"), ""),
    free("share of 3 by 3 convolutions, %", Percent("conv3"), ""),
    free("share of 1 by 1 convolutions, %", Percent("conv1"), ""),
    free("share of none, %", Percent("none"), ""),
    free("time", Seconds, ""),
];

pub(super) const SMALL: Experiment = Experiment {
    name: "nas-small",
    title: "MEHA, tables 7 and 9, the kind of problem and not its scale: differentiable architecture search",
    about: "Two cells of three edges, 1000 training and 1000 validation rows of the Fashion-MNIST subset, batches of 64. The \
            network keeps its mixtures: no architecture is read off. Iterations and lower steps differ, so that this is no \
            ranking of methods; the preset of MEHA is the best of five.",
    long: true,
    runs: &[
        run("MEHA", "specs/nas_small.blo -m meha", READS),
        run("DARTS", "specs/nas_small.blo -m darts", READS),
        run("RHG, K = 2", "specs/nas_small.blo -m rhg", READS),
    ],
};
