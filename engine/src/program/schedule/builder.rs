//! A schedule in the making: values, views of them, and the groups and calls that nodes join.

use std::collections::HashMap;

use super::hoist;
use super::item::{Call, Fused, Group, Item, Maker, ProgramValue, Schedule, What};
use super::view::{Root, ValueId, View, count};
use crate::graph::{Elem, Function, NodeId};
use crate::program::limits::{GROUP, OPERATIONS, WIDTH};
use crate::program::role::Role;
use crate::program::section::Section;
use crate::shape::{SizeError, Sizes};

/// A schedule in the making.
pub(super) struct Builder<'f> {
    pub(super) f: &'f Function,
    pub(super) sizes: &'f Sizes,
    pub(super) invariant: Vec<bool>,
    /// The section of what is not invariant: first the fill, then the body.
    pub(super) varying: Section,
    /// The nodes that are computed in it.
    pub(super) used: Vec<bool>,
    pub(super) views: Vec<Option<View>>,
    pub(super) copies: HashMap<(Section, View), ValueId>,
    pub(super) s: Schedule,
}

impl<'f> Builder<'f> {
    /// Nothing is scheduled yet; the inputs have their values.
    pub(super) fn new(f: &'f Function, sizes: &'f Sizes, roles: &[Role]) -> Result<Builder<'f>, SizeError> {
        let mut b = Builder {
            f,
            sizes,
            invariant: hoist::invariant(f, roles),
            varying: Section::Body,
            used: Vec::new(),
            views: vec![None; f.graph().len()],
            copies: HashMap::new(),
            s: Schedule { bounds: vec![usize::MAX; f.inputs.len()], ..Schedule::default() },
        };
        for (position, formal) in f.inputs.iter().enumerate() {
            let shape = formal.shape.sizes(sizes)?;
            let value = (formal.elem == Elem::Real).then(|| {
                let id = b.value(f.input(position), shape.clone(), Maker::Input(position));
                b.s.values[id].stored = true;
                b.views[position] = Some(View::dense(Root::Value(id), &shape));
                id
            });
            b.s.inputs.push(value);
        }
        let of_role = |role| (0..roles.len()).filter(|i| roles[*i] == role).filter_map(|i| b.s.inputs[i]).collect();
        (b.s.unread, b.s.lent) = (of_role(Role::Unread), of_role(Role::Lent));
        Ok(b)
    }

    pub(super) fn value(&mut self, node: NodeId, shape: Vec<usize>, maker: Maker) -> ValueId {
        self.s.values.push(ProgramValue { shape, maker, node, stored: false, kept: false });
        self.s.values.len() - 1
    }

    pub(super) fn view(&self, id: NodeId) -> View {
        self.views[id.0 as usize].clone().expect("operands are scheduled first")
    }

    pub(super) fn items(&mut self, section: Section) -> &mut Vec<Item> {
        match section {
            Section::Prologue => &mut self.s.prologue,
            Section::Fill => &mut self.s.fill,
            Section::Body => &mut self.s.body,
        }
    }

    fn of_section(&self, section: Section) -> &[Item] {
        match section {
            Section::Prologue => &self.s.prologue,
            Section::Fill => &self.s.fill,
            Section::Body => &self.s.body,
        }
    }

    pub(super) fn section_of(&self, id: NodeId) -> Section {
        if self.invariant[id.0 as usize] { Section::Prologue } else { self.varying }
    }

    /// Computes the carried nodes from the state, and has the body read them where it would compute them. Per node the
    /// value that the body reads and the one that the fill makes.
    pub(super) fn fill(&mut self, carried: &[NodeId]) -> Result<Vec<(ValueId, ValueId)>, SizeError> {
        self.varying = Section::Fill;
        self.nodes(carried)?;
        let filled: Vec<ValueId> = carried.iter().map(|id| self.keep(*id)).collect();
        self.varying = Section::Body;
        for id in self.f.graph().ids().skip(self.f.inputs.len()) {
            if !self.invariant[id.0 as usize] {
                self.views[id.0 as usize] = None;
            }
        }
        let mut pairs = Vec::with_capacity(carried.len());
        for (id, filled) in carried.iter().zip(filled) {
            let shape = self.s.values[filled].shape.clone();
            let current = self.value(*id, shape.clone(), Maker::Carried);
            self.s.values[current].stored = true;
            self.views[id.0 as usize] = Some(View::dense(Root::Value(current), &shape));
            pairs.push((current, filled));
        }
        Ok(pairs)
    }

    /// Schedules what the roots need and has no view yet.
    pub(super) fn nodes(&mut self, roots: &[NodeId]) -> Result<(), SizeError> {
        let g = self.f.graph();
        let mut used = vec![false; g.len()];
        for r in roots {
            used[r.0 as usize] = true;
        }
        for id in g.ids().rev() {
            if used[id.0 as usize] && self.views[id.0 as usize].is_none() {
                for a in g.args(id) {
                    used[a.0 as usize] = true;
                }
            }
        }
        self.used = used;
        for id in g.ids().skip(self.f.inputs.len()) {
            // The second output of a Map has its view from the first.
            if self.used[id.0 as usize] && self.views[id.0 as usize].is_none() {
                self.node(id)?;
            }
        }
        Ok(())
    }

    fn section_of_root(&self, view: &View) -> Section {
        match view.source {
            Root::Value(v) => match self.s.values[v].maker {
                Maker::Input(position) => self.section_of(self.f.input(position)),
                Maker::Carried => Section::Body,
                Maker::Item(section, _) => section,
            },
            Root::Const(_) | Root::Iota => Section::Prologue,
        }
    }

    /// The same elements one after the other, copied if they are not.
    pub(super) fn dense(&mut self, section: Section, view: &View, id: NodeId) -> View {
        if view.is_contiguous() {
            return view.clone();
        }
        // Copies of what is known before the body are made once.
        let section = section.min(self.section_of_root(view));
        let shape = view.shape();
        let key = (section, view.clone());
        if let Some(copy) = self.copies.get(&key) {
            return View::dense(Root::Value(*copy), &shape);
        }
        let arg = view.clone();
        let out = self.fuse(
            section,
            view.count(),
            None,
            id,
            shape.clone(),
            |out| Fused::Copy { arg, out },
            std::slice::from_ref(view),
        );
        self.copies.insert(key, out);
        View::dense(Root::Value(out), &shape)
    }

    /// An operand of MatMul: rows or columns contiguous, and contiguous altogether where it is a vector.
    pub(super) fn matrix(&mut self, section: Section, view: &View, vector: bool, id: NodeId) -> View {
        let [(m, row), (k, column)] = view.axes[..] else { unreachable!("MatMul has operands of rank 2") };
        let rows = column == 1 && row >= k;
        let columns = row == 1 && column >= m;
        let strided = !vector && m > 1 && k > 1 && (rows || columns);
        let real = matches!(view.source, Root::Value(_));
        if real && (strided || view.is_contiguous()) { view.clone() } else { self.dense(section, view, id) }
    }

    /// The first item that may hold something that reads `views`.
    fn earliest(&self, section: Section, n: usize, views: &[View]) -> usize {
        let items = self.of_section(section);
        let after = |view: &View| {
            let Root::Value(v) = view.source else { return 0 };
            match self.s.values[v].maker {
                Maker::Item(p, at) if p == section => {
                    let same = matches!(&items[at], Item::Group(g) if g.n == n) && self.is_whole(view, n);
                    // A sum is complete only after its group.
                    if same && !self.is_sum(v, at, section) { at } else { at + 1 }
                }
                _ => 0,
            }
        };
        views.iter().map(after).max().unwrap_or(0)
    }

    pub(super) fn is_whole(&self, view: &View, n: usize) -> bool {
        let Root::Value(v) = view.source else { return false };
        view.count() == n && count(&self.s.values[v].shape) == n && view.offset == 0 && view.is_contiguous()
    }

    fn is_sum(&self, v: ValueId, at: usize, section: Section) -> bool {
        let Item::Group(g) = &self.of_section(section)[at] else { return false };
        g.ops.iter().any(|op| matches!(op, Fused::Sum { out, .. } if *out == v))
    }

    /// Adds an operation over `n` elements to the first group that can take it.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn fuse(
        &mut self,
        section: Section,
        n: usize,
        run: Option<usize>,
        node: NodeId,
        shape: Vec<usize>,
        op: impl FnOnce(ValueId) -> Fused,
        reads: &[View],
    ) -> ValueId {
        let from = self.earliest(section, n, reads);
        let items = self.items(section);
        let takes = |item: &Item| match item {
            Item::Group(g) if g.n == n => {
                let runs = run.is_none() || g.run.is_none() || g.run == run;
                if n <= WIDTH { g.ops.len() < OPERATIONS } else { g.ops.len() < GROUP && runs }
            }
            _ => false,
        };
        let at = (from..items.len()).find(|i| takes(&items[*i])).unwrap_or_else(|| {
            items.push(Item::Group(Group { n, run: None, ops: Vec::new() }));
            items.len() - 1
        });
        let out = self.value(node, shape, Maker::Item(section, at));
        if let Item::Group(g) = &mut self.items(section)[at] {
            g.run = g.run.or(run);
            g.ops.push(op(out));
        }
        out
    }

    pub(super) fn call(
        &mut self,
        section: Section,
        what: What,
        args: Vec<View>,
        id: NodeId,
        shape: Vec<usize>,
    ) -> View {
        let at = self.items(section).len();
        let out = self.value(id, shape.clone(), Maker::Item(section, at));
        self.items(section).push(Item::Call(Call { what, args, outs: vec![out] }));
        View::dense(Root::Value(out), &shape)
    }

    /// The value of a node in an array of its own, written in the present section: every output is one, so that the
    /// caller may swap it away.
    pub(super) fn keep(&mut self, id: NodeId) -> ValueId {
        let (view, section) = (self.view(id), self.varying);
        let shape = view.shape();
        if let Root::Value(v) = view.source {
            let own = matches!(self.s.values[v].maker, Maker::Item(p, _) if p == section);
            if own && !self.s.values[v].kept && self.is_whole(&view, count(&shape)) {
                self.s.values[v].kept = true;
                return v;
            }
        }
        let arg = view.clone();
        let out = self.fuse(section, view.count(), None, id, shape, |out| Fused::Copy { arg, out }, &[view]);
        self.s.values[out].kept = true;
        out
    }
}
