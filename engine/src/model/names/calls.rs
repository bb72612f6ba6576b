//! Calls: elementwise functions of the table, the functions of `function`, and the file's own `fn`, which are inlined.

use blo_grammar::ast::{Argument, Expr, ExprKind, Name};
use blo_grammar::span::Span;

use crate::elementwise::{self, Elementwise, TABLE, Visibility};
use crate::graph::{NodeId, Op, Reduction};
use crate::limits;
use crate::model::checker::{Checked, Checker, Declared, Reported, SUGGESTIONS};
use crate::model::function::call::Call;
use crate::model::meaning::{LoopArray, Meaning};
use crate::model::message;
use crate::model::names::comprehension::union;
use crate::shape::Shape;

/// How many calls of the file's own functions are inlined: `f(u) = g(u) + g(u)` doubles with every level.
const CALLS: usize = limits::CALLS.value as usize;

/// How many names and calls may be within one another.
const DEPTH: usize = limits::DEFINITIONS.value as usize;

impl Checker<'_> {
    /// `f(a, b, key = c)`.
    pub(crate) fn call(&mut self, function: &Name, arguments: &[Argument], span: Span) -> Checked<Meaning> {
        let call = Call { function, arguments, span };
        if let Some((declared, at)) = self.names.globals.get(&function.text).cloned() {
            return match declared {
                Declared::Function(params, body) => self.inline(&call, params, body, at),
                Declared::Set(_) => self.fail(message::set_as_value(&function.text, function.span, at)),
                _ => {
                    let d = message::not_a_function(&function.text, function.span, at, arguments.len());
                    self.fail(d)
                }
            };
        }
        let elementwise = Elementwise::by_name(&function.text).filter(|f| f.entry().visibility != Visibility::Operator);
        if let Some(f) = elementwise.filter(|f| f.entry().arity == call.positional().len()) {
            return self.elementwise_call(f, &call).map(Meaning::Array);
        }
        if let Some(entry) = crate::model::function::by_name(&function.text) {
            self.check_arguments(&call, entry)?;
            return (entry.build)(self, &call);
        }
        if let Some(f) = elementwise {
            let d = message::argument_count(&function.text, span, arguments.len(), &f.entry().arity.to_string());
            return self.fail(d);
        }
        if crate::set::by_name(&function.text).is_some() {
            return self.fail(message::set_outside_domain(&function.text, function.span));
        }
        if crate::data::generator(&function.text).is_some() || crate::data::format(&function.text).is_some() {
            return self.fail(message::source_outside_data(&function.text, function.span));
        }
        if !self.names.unknown.insert(function.span) {
            return Err(Reported);
        }
        let suggest = self.names.unknown.len() <= SUGGESTIONS;
        let known = TABLE.iter().filter(|e| e.visibility != Visibility::Internal).map(|e| e.name);
        let own = self.names.globals.keys().map(String::as_str);
        let generators = crate::data::GENERATORS.iter().map(|g| g.name);
        let candidates = known.chain(crate::model::function::TABLE.iter().map(|f| f.name)).chain(own).chain(generators);
        let near = suggest.then(|| blo_grammar::diagnostic::did_you_mean(&function.text, candidates)).flatten();
        let near = near.map(str::to_string);
        self.fail(message::unknown_function(function, near))
    }

    fn check_arguments(&mut self, call: &Call<'_>, entry: &crate::model::function::Entry) -> Checked<()> {
        let count = call.positional().len();
        if !entry.arguments.contains(&count) {
            let d = message::wrong_call(call.span, entry.name, entry.signature, count);
            return self.fail(d);
        }
        for a in call.arguments {
            if let Some(name) = a.name.as_ref().filter(|n| !entry.keys.contains(&n.text.as_str())) {
                let near = blo_grammar::diagnostic::did_you_mean(&name.text, entry.keys.iter().copied());
                let d = message::unknown_key(name, entry.name, entry.keys, near);
                return self.fail(d);
            }
        }
        Ok(())
    }

    fn elementwise_call(&mut self, f: Elementwise, call: &Call<'_>) -> Checked<LoopArray> {
        let expressions = call.positional();
        if let Some(name) = call.arguments.iter().find_map(|a| a.name.as_ref()) {
            return self.fail(message::unknown_key(name, f.entry().name, &[], None));
        }
        let values: Vec<LoopArray> = expressions.iter().map(|e| self.array(e)).collect::<Checked<_>>()?;
        if f.entry().visibility == Visibility::ConstantOnly
            && let Some((_, e)) = values.iter().zip(&expressions).find(|(v, _)| self.depends_on_variables(v.node))
        {
            return self.fail(message::constants_only(call.function, e.span));
        }
        let mut shape = Shape::scalar();
        for (v, e) in values.iter().zip(&expressions) {
            if shape.is_scalar() {
                shape = v.shape.clone();
            } else if !v.is_scalar() && !self.same_shape(&shape, &v.shape)? {
                let d = message::branches_differ(call.span, e.span, &shape, &v.shape);
                return self.fail(d);
            }
        }
        let loops = values.iter().fold(Vec::new(), |l, v| union(&l, &v.loops));
        let nodes =
            values.iter().map(|v| self.align(v, &loops, &shape, call.span)).collect::<Checked<Vec<NodeId>>>()?;
        let norm = if f == elementwise::SQRT { self.norm(nodes[0]) } else { None };
        let node = norm.unwrap_or_else(|| self.graph.elementwise(f, &nodes));
        Ok(LoopArray::real(node, loops, shape))
    }

    /// The Euclidean norm whose square the node is: `sqrt(normsq(y))` is `norm2(y)`, which has a derivative of its own at
    /// zero, and a prox.
    fn norm(&mut self, square: NodeId) -> Option<NodeId> {
        let behind = |id: NodeId| if *self.graph.op(id) == Op::Reshape { self.graph.args(id)[0] } else { id };
        let product = behind(square);
        if *self.graph.op(product) == Op::MatMul && self.graph.shape(square).is_scalar() {
            // `y'*y`, whose operands are `y` as a row and as a column
            let (a, b) = (behind(self.graph.args(product)[0]), behind(self.graph.args(product)[1]));
            return (a == b).then(|| self.graph.norm2(a));
        }
        let Op::Reduce(Reduction::Sum, axes) = *self.graph.op(square) else { return None };
        let inner = self.graph.args(square)[0];
        let args = self.graph.args(inner);
        let base = match self.graph.op(inner) {
            Op::Elementwise(f) if *f == elementwise::SQUARE => args[0],
            Op::Elementwise(f) if *f == elementwise::MUL && args[0] == args[1] => args[0],
            _ => return None,
        };
        Some(self.graph.reduce(Reduction::Norm2, base, axes))
    }

    /// A call of the file's own function: its body with the arguments in place.
    fn inline(&mut self, call: &Call<'_>, params: &[Name], body: &Expr, at: Span) -> Checked<Meaning> {
        if let Some(name) = call.arguments.iter().find_map(|a| a.name.as_ref()) {
            return self.fail(message::unknown_key(name, &call.function.text, &[], None));
        }
        if params.len() != call.arguments.len() {
            let d = message::argument_count(
                &call.function.text,
                call.span,
                call.arguments.len(),
                &params.len().to_string(),
            );
            return self.fail(d.with(at, "declared here"));
        }
        if self.names.calls.contains(&call.function.text) {
            return self.fail(message::recursion(&call.function.text, call.span, at));
        }
        self.names.inlined += 1;
        if self.names.inlined > CALLS {
            // Said once: every later call fails for the same reason.
            return if self.names.inlined == CALLS + 1 {
                self.fail(message::too_many_calls(call.span, CALLS))
            } else {
                Err(Reported)
            };
        }
        if self.names.resolving.len() + self.names.calls.len() >= DEPTH {
            return self.fail(message::too_deep(call.span, at, DEPTH));
        }
        let values: Vec<Meaning> = call.arguments.iter().map(|a| self.expression(&a.value)).collect::<Checked<_>>()?;
        let like: Vec<String> = values.iter().map(Meaning::likeness).collect();
        let attempt = (call.function.text.clone(), self.reporting.in_metric, like);
        if self.names.failed_calls.contains(&attempt) {
            return Err(Reported);
        }
        self.names.calls.push(call.function.text.clone());
        let result = self.isolated(|c| {
            c.scoped(|c| {
                for (p, v) in params.iter().zip(values) {
                    c.bind(&p.text, v);
                }
                c.expression(body)
            })
        });
        self.names.calls.pop();
        if result.is_err() {
            self.names.failed_calls.insert(attempt);
        }
        result
    }

    /// The name that an argument spells, for keyword arguments such as `rows = tr`.
    pub(crate) fn plain_name(e: &Expr) -> Option<&str> {
        match &e.kind {
            ExprKind::Name(n) => Some(n),
            _ => None,
        }
    }
}
