//! The loops of the hypergradients: back over the lower steps, along with them, or a linear system at their end.

use std::collections::HashMap;
use std::sync::Arc;

use blo_engine::graph::Function;

use super::block::{Block, Value};
use super::hypergradient::{Inside, Swept, next_state};
use super::map::body_of;
use super::program::Writer;
use crate::export::kept::Refused;
use crate::hypergradient::outline::ReverseOutline;

/// The lower steps as they ran.
struct Path {
    /// Of every part of the state what it was before each step.
    before: Vec<Value>,
    end: Vec<Value>,
    /// The y with the largest F, and after how many steps it is.
    pessimistic: Option<(Vec<Value>, Value)>,
}

impl Writer<'_> {
    /// Back over the steps.
    ///
    /// # Errors
    /// When an operation is refused.
    pub(super) fn reverse(&mut self, of: &ReverseOutline, inside: &mut Inside<'_>) -> Result<Swept, Refused> {
        let doc = "Adjoints before a lower step, and the hypergradient with its share.";
        let sweep = self.part("reverse step", doc, &of.sweep)?;
        self.provide(inside, &sweep, &of.carried);
        let path = self.path(inside, of.pessimistic);
        let (variables, state) = (inside.y.len(), inside.composition.lower.state.clone());
        let at = path.pessimistic.as_ref().map_or(&path.end[..variables], |(y, _)| y.as_slice()).to_vec();
        let (of_x, of_y) = self.gradients_at(&of.ends, inside, &at)?;
        let block = &mut inside.scope.block;
        let memory: Vec<Value> = path.end[variables..].iter().map(|u| block.real(0.0, u.shape())).collect();
        let first = [of_y, memory, of_x].concat();
        let last = path.pessimistic.as_ref().map_or(&inside.steps, |(_, at)| at).clone();
        let count = match of.back.filter(|_| !of.pessimistic) {
            Some(back) => block.whole(back.min(inside.composition.steps) as i64),
            None => last.clone(),
        };
        let outer = &inside.outer;
        let fixed = [path.before.clone(), outer.values.clone(), vec![last]].concat();
        let carried = &of.carried;
        let results = block.count(&count, &first, &fixed, |block, done, values| {
            let (adjoints, given) = values.split_at(first.len());
            let (before, given) = given.split_at(state.len());
            let (given, last) = given.split_at(outer.values.len());
            let left = block.binary("subtract", &last[0], done);
            let one = block.whole(1);
            let j = block.binary("subtract", &left, &one);
            let mut found = outer.at(block, given, &j);
            for (input, kept) in state.iter().zip(before) {
                if sweep.inputs.contains(input) {
                    let value = block.at(kept, &j);
                    found.insert(*input, value);
                }
            }
            found.extend(carried.iter().copied().zip(adjoints.iter().cloned()));
            sweep.call(block, &|input| found[&input].clone())
        });
        let (adjoints, gradient) = results.split_at(state.len());
        // the memory starts where y does
        let mut of_start = adjoints[..variables].to_vec();
        for (i, more) in adjoints.iter().enumerate().skip(variables) {
            of_start[i % variables] = block.binary("add", &of_start[i % variables], more);
        }
        Ok(Swept { end: path.end[..variables].to_vec(), gradient: gradient.to_vec(), of_start })
    }

    /// The lower steps, with all states before a step and, where it is asked for, the y with the largest F.
    fn path(&mut self, inside: &mut Inside<'_>, pessimistic: bool) -> Path {
        let first = self.first_state(inside);
        let (variables, parts) = (inside.y.len(), first.len());
        let objective = inside.objective.clone();
        if pessimistic {
            self.provide(inside, &objective, &[]);
        }
        let (step, outer) = (&inside.step, &inside.outer);
        let (state, y) = (&inside.composition.lower.state, &inside.y);
        let most = inside.composition.steps as usize;
        let block = &mut inside.scope.block;
        let mut carried = first.clone();
        for part in &first {
            let kept = block.real(0.0, &[&[most], part.shape()].concat());
            carried.push(block.rename(kept, "before", ""));
        }
        if pessimistic {
            carried.extend_from_slice(&first[..variables]);
            carried.extend([block.real(f64::NEG_INFINITY, &[]), block.whole(1)]);
        }
        let results = block.count(&inside.steps, &carried, &outer.values, |block, j, values| {
            let (now, given) = values.split_at(carried.len());
            let (state_now, rest) = now.split_at(parts);
            let (before, best) = rest.split_at(parts);
            let after = next_state(block, step, (outer, given), state, state_now, j);
            let mut next = after.clone();
            for (kept, value) in before.iter().zip(state_now) {
                next.push(block.set_at(kept, j, value));
            }
            if pessimistic {
                let mut found = outer.at(block, given, j);
                found.extend(y.iter().copied().zip(after.iter().cloned()));
                let value = objective.call(block, &|input| found[&input].clone()).remove(0);
                let (largest, at) = (&best[variables], &best[variables + 1]);
                let larger = block.compare("GT", &value, largest);
                for (old, new) in best[..variables].iter().zip(&after) {
                    next.push(block.select(&larger, new, old));
                }
                let one = block.whole(1);
                let here = block.binary("add", j, &one);
                next.push(block.select(&larger, &value, largest));
                next.push(block.select(&larger, &here, at));
            }
            next
        });
        let (end, rest) = results.split_at(parts);
        let (before, best) = rest.split_at(parts);
        let pessimistic = pessimistic.then(|| (best[..variables].to_vec(), best[variables + 1].clone()));
        Path { before: before.to_vec(), end: end.to_vec(), pessimistic }
    }

    /// The lower steps, and no more than their end.
    pub(super) fn end_of_steps(&mut self, inside: &mut Inside<'_>) -> Vec<Value> {
        let first = self.first_state(inside);
        let (step, outer) = (&inside.step, &inside.outer);
        let state = &inside.composition.lower.state;
        let block = &mut inside.scope.block;
        let ends = block.count(&inside.steps, &first, &outer.values, |block, j, values| {
            let (now, given) = values.split_at(first.len());
            next_state(block, step, (outer, given), state, now, j)
        });
        ends[..inside.y.len()].to_vec()
    }

    /// Tangents that go along with the steps, one per entry of x.
    ///
    /// # Errors
    /// When an operation is refused.
    pub(super) fn forward(
        &mut self,
        (ends, push): (&Function, &Function),
        inside: &mut Inside<'_>,
    ) -> Result<Swept, Refused> {
        let state = inside.composition.lower.state.clone();
        let (count_x, variables) = (inside.x.len(), inside.y.len());
        let first_tangent = push.inputs.len() - count_x - state.len();
        let shapes: Vec<Vec<usize>> =
            inside.x.iter().map(|input| inside.scope.values[input].shape().to_vec()).collect();
        let entries: usize = shapes.iter().map(|s| s.iter().product::<usize>()).sum();
        let leads: Vec<bool> = (0..push.inputs.len()).map(|i| i >= first_tangent).collect();
        let push = Arc::new(push.clone().named("tangent step"));
        let push = body_of(&mut self.module, &push, &[entries], &leads)?;
        self.provide(inside, &push, &[]);
        let first = self.first_state(inside);
        let directions = directions(&mut inside.scope.block, &shapes, entries);
        let (step, outer) = (&inside.step, &inside.outer);
        let block = &mut inside.scope.block;
        let mut carried = first.clone();
        carried.extend(first.iter().map(|part| block.real(0.0, &[&[entries], part.shape()].concat())));
        let fixed = [outer.values.clone(), directions].concat();
        let results = block.count(&inside.steps, &carried, &fixed, |block, j, values| {
            let (now, given) = values.split_at(carried.len());
            let (state_now, tangents) = now.split_at(state.len());
            let (given, directions) = given.split_at(outer.values.len());
            let mut next = next_state(block, step, (outer, given), &state, state_now, j);
            let mut found = outer.at(block, given, j);
            found.extend(state.iter().copied().zip(state_now.iter().cloned()));
            found.extend((first_tangent..).zip(directions.iter().chain(tangents).cloned()));
            next.extend(push.call(block, &|input| found[&input].clone()));
            next
        });
        let end = results[..variables].to_vec();
        let tangents = results[state.len()..state.len() + variables].to_vec();
        let (of_x, of_y) = self.gradients_at(ends, inside, &end)?;
        let block = &mut inside.scope.block;
        let mut sum = block.flat(&of_x);
        for (tangent, of_y) in tangents.iter().zip(&of_y) {
            let length = of_y.shape().iter().product();
            let rows = block.reshape(tangent, &[entries, length]);
            let row = block.reshape(of_y, &[length]);
            let share = block.dot(&rows, &row, 0, [1, 0]);
            sum = block.binary("add", &sum, &share);
        }
        let gradient = block.parts(&sum, &shapes);
        Ok(Swept { end, gradient, of_start: Vec::new() })
    }
}

/// The entries of x, one after the other: arrays with a leading axis over them.
fn directions(block: &mut Block, shapes: &[Vec<usize>], entries: usize) -> Vec<Value> {
    let ty = block.whole_type(&[entries, entries]);
    let [row, column] = [0, 1].map(|axis| block.iota(axis, ty.clone()));
    let same = block.compare("EQ", &row, &column);
    let eye = block.indicator(&same);
    let mut first = 0;
    let mut found = Vec::new();
    for shape in shapes {
        let count = shape.iter().product();
        let columns = block.slice(&eye, 1, first, count, 1);
        found.push(block.reshape(&columns, &[&[entries], shape.as_slice()].concat()));
        first += count;
    }
    found
}

/// Values by input.
pub(super) fn by_input(inputs: &[usize], values: &[Value]) -> HashMap<usize, Value> {
    inputs.iter().copied().zip(values.iter().cloned()).collect()
}
