//! The lower level of a `lower for` put on the tasks of other episodes, for metrics of tasks that the upper level does not
//! know (the meta-test). The level is elaborated once more with the name of its own episodes standing for the others, so
//! its functions are those of the file on other rows; its variables are inputs of their own, which solving fills.

use blo_grammar::ast::{Assign, ItemKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::graph::{Elem, Function, NodeId};
use crate::model::checker::{Checked, Checker, Declared, Reported};
use crate::model::meaning::Meaning;
use crate::model::message;
use crate::model::problem::{DataOrigin, Kind, OtherTasks};
use crate::shape::Shape;

impl<'a> Checker<'a> {
    /// The input that holds a lower variable of the followers of other tasks; `follower` counts the lower variables.
    pub(crate) fn followers_on(&mut self, own: usize, tasks: usize, follower: usize, at: Span) -> Checked<NodeId> {
        if !self.meta_test.levels.contains_key(&tasks) {
            let before = self.diagnostics.len();
            let in_metric = std::mem::replace(&mut self.reporting.in_metric, false);
            let outer = self.meta_test.moved.replace((own, tasks));
            let mut level = self.isolated(|c| c.put_on(tasks, at));
            self.meta_test.moved = outer;
            self.reporting.in_metric = in_metric;
            self.meta_test.values.clear();
            if level.is_err() && !self.widths.restart {
                let name = self.rows.tables.episodes[tasks].name.clone();
                let why = self.take_back(before).into_iter().find(Diagnostic::is_error);
                level = self.fail(message::level_on_other_tasks(at, &name, why.as_ref()));
            }
            self.meta_test.levels.insert(tasks, level);
        }
        match &self.meta_test.levels[&tasks] {
            Ok(other) => {
                let (formal, shape) = {
                    let v = &other.lower.variables[follower];
                    (v.formal, v.shape.clone())
                };
                Ok(self.graph.input(formal, shape, Elem::Real))
            }
            Err(Reported) => Err(Reported),
        }
    }

    fn put_on(&mut self, tasks: usize, at: Span) -> Checked<OtherTasks> {
        let Some(statements) = self.meta_test.statements.clone() else { return Err(Reported) };
        let (count, name) = {
            let e = &self.rows.tables.episodes[tasks];
            (e.tasks(), e.name.clone())
        };
        let first = self.followers.variables[0];
        let mut formals = Vec::new();
        for (i, (variable, ..)) in statements.variables.iter().enumerate() {
            let mut shape = self.formals[first + i].shape.clone();
            shape.0[0] = count.clone();
            let (label, origin) = (format!("{} of {name}", variable.text), DataOrigin::Followers { episodes: tasks });
            self.formal(label, shape, Elem::Real, origin, Kind::Real, variable.span);
            formals.push(self.formals.len() - 1);
        }
        let lower = self.level(&statements, &formals, true)?;
        let mut start = Vec::new();
        for (variable, ..) in &statements.variables {
            let shape = Shape(lower.variables[start.len()].shape.0.clone());
            start.push(self.start_on(&variable.text, &name, &shape)?);
        }
        let start = Function::new(format!("start of {name}"), &self.graph, self.formals.clone(), &start);
        Ok(OtherTasks { episodes: tasks, lower, start, span: at })
    }

    /// The start of a variable: what the file says where that fits other tasks, else zero.
    fn start_on(&mut self, variable: &str, tasks: &str, shape: &Shape) -> Checked<NodeId> {
        let assigned: Option<&'a Assign> = self.items().find_map(|kind| match kind {
            ItemKind::Start(assigns) => assigns.iter().find(|a| a.name.text == variable),
            _ => None,
        });
        let Some(assign) = assigned else { return Ok(self.graph.filled(0.0, shape)) };
        let before = self.diagnostics.len();
        if let Ok(node) = self.start_value(assign, shape) {
            return Ok(node);
        }
        if self.widths.restart {
            return Err(Reported);
        }
        self.take_back(before);
        self.diagnostics.push(message::start_on_other_tasks(assign.value.span, variable, tasks));
        Ok(self.graph.filled(0.0, shape))
    }

    /// A global name while the lower level is put on other tasks: its episodes are the others, and a definition is what
    /// its expression means with those. Data and index arrays do not depend on tasks.
    pub(crate) fn moved_name(&mut self, name: &str, span: Span, from: usize, to: usize) -> Checked<Meaning> {
        if let Some(value) = self.meta_test.values.get(name) {
            return value.clone();
        }
        let moved = self.meta_test.moved.take();
        let plain = self.isolated(|c| c.name(name, span));
        self.meta_test.moved = moved;
        let value = match (plain?, self.names.globals.get(name)) {
            (Meaning::Episodes(e), _) if e == from => Ok(Meaning::Episodes(to)),
            (Meaning::Rows(e, share), _) if e == from => Ok(Meaning::Rows(to, share)),
            (Meaning::Array(_) | Meaning::Stack(_), Some((Declared::Let(e), _))) => {
                let e = *e;
                self.isolated(|c| c.expression(e))
            }
            (plain, _) => Ok(plain),
        };
        self.meta_test.values.insert(name.to_string(), value.clone());
        value
    }
}
