//! The experiments, a file per paper. An experiment is an entry of its paper's file and its name in the list below.

mod architecture;
mod bda;
mod few_shot;
mod iaptt;
mod improved;
mod meha;
mod meha_data;

use super::experiment::Experiment;

/// All experiments, in the order of the page.
pub(super) const EXPERIMENTS: &[&Experiment] = &[
    &bda::FIGURE_1,
    &bda::FIGURE_2,
    &bda::FIGURE_3,
    &bda::TABLE_2_SMALL,
    &bda::TABLE_2,
    &iaptt::FIGURE_1,
    &iaptt::FIGURE_3,
    &iaptt::TABLE_3,
    &improved::TABLE_1_SMALL,
    &improved::FIGURE_2_SMALL,
    &improved::TABLE_1,
    &meha::FIGURE_1,
    &meha::TABLE_2,
    &meha::TABLE_3,
    &meha::TABLE_6,
    &meha::TABLE_8,
    &meha_data::CLEANING_SMALL,
    &meha_data::CLEANING_FASHION,
    &meha_data::CLEANING_MNIST,
    &meha_data::TABLE_5,
    &architecture::SMALL,
    &few_shot::OMNIGLOT,
];
