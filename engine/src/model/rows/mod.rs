//! Data as rows: single arrays, datasets and their parts, label noise, and few-shot tasks.

pub(super) mod corrupt;
pub(super) mod data_item;
pub(super) mod dataset;
pub(super) mod episodes;
pub(super) mod other_tasks;
