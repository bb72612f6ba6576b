//! The proximal part of the lower level: its terms matched to the prox table, weights judged, kinks found where the smooth
//! part stands.

use blo_grammar::ast::{Expr, ExprKind, ItemKind, Sign as TermSign, StatementKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::calculus::{self, Analysis};
use crate::elementwise;
use crate::graph::{Function, Graph, NodeId, Op};
use crate::model::checker::{Checked, Checker, MAX_ERRORS, Reported, Statements};
use crate::model::message;
use crate::model::problem::{ProxUse, ProximalTerm, SetUse, Variable};
use crate::model::size::number_of;
use crate::opaque;
use crate::prox;
use crate::sign::Sign;

impl<'a> Checker<'a> {
    /// Gives every variable the prox of its terms, and returns the terms.
    pub(crate) fn attach_prox(
        &mut self,
        r: NodeId,
        variables: &mut [Variable],
        s: &Statements<'a>,
        signs: &[Sign],
    ) -> Checked<Vec<ProximalTerm>> {
        let span = s.regularizers.iter().map(|e| e.span).reduce(Span::to).unwrap_or_default();
        let own: Vec<usize> = variables.iter().map(|v| v.formal).collect();
        let atoms = match prox::recognize(&mut self.graph, r, &is_one_of(&own)) {
            Ok(atoms) => atoms,
            Err(rejection) => {
                let at = self.graph.span_of(rejection.node());
                let at = if span.contains(at) { at } else { span };
                return self.fail(match rejection {
                    prox::Rejection::OwnWeight { .. } => message::weight_depends_on_own(at),
                    _ => message::no_prox(at, &rejection),
                });
            }
        };
        self.judge_weights(&atoms, &own, signs)?;
        for v in variables.iter_mut() {
            let own: Vec<&prox::Atom> = atoms.iter().filter(|a| a.variable == v.formal).collect();
            if !own.is_empty() {
                v.prox = Some(self.joint_prox(v, &own, span)?);
            }
        }
        Ok(atoms.iter().map(|atom| self.proximal_term(atom)).collect())
    }

    /// Weights are free of the level's own variables and nonnegative; parameters are free of them and in their range.
    fn judge_weights(&mut self, atoms: &[prox::Atom], own: &[usize], signs: &[Sign]) -> Checked<()> {
        let mut signs = signs.to_vec();
        signs.resize(self.formals.len(), Sign::Unknown);
        let mut failed = false;
        for atom in atoms {
            let weight = Function::new("weight", &self.graph, self.formals.clone(), &[atom.weight]);
            let analysis = Analysis::new(&weight, &signs, &[]);
            if calculus::depends(&weight, weight.outputs()[0], own) {
                self.diagnostics.push(message::weight_depends_on_own(atom.span));
                failed = true;
            } else if !analysis.sign(weight.outputs()[0]).is_nonnegative() && !self.constant_nonnegative(&weight) {
                let d = self.negative_weight(atom.span, &weight, &signs);
                self.diagnostics.push(d);
                failed = true;
            }
            for (parameter, node) in atom.entry.parameters.iter().zip(&atom.parameters) {
                let outside = self.judge_parameter(atom, parameter, *node, own, &signs);
                failed |= outside.is_some();
                self.diagnostics.extend(outside);
            }
        }
        if failed { Err(Reported) } else { Ok(()) }
    }

    fn parameters_fit(&mut self, atom: &prox::Atom, own: &[usize], signs: &[Sign]) -> bool {
        let mut signs = signs.to_vec();
        signs.resize(self.formals.len(), Sign::Unknown);
        let mut pairs = atom.entry.parameters.iter().zip(&atom.parameters);
        pairs.all(|(parameter, node)| self.judge_parameter(atom, parameter, *node, own, &signs).is_none())
    }

    fn judge_parameter(
        &mut self,
        atom: &prox::Atom,
        parameter: &prox::Parameter,
        node: NodeId,
        own: &[usize],
        signs: &[Sign],
    ) -> Option<Diagnostic> {
        let strict = parameter.above.is_finite();
        let least = if strict { parameter.above } else { 0.0 };
        let above = if least == 0.0 {
            node
        } else {
            let end = self.graph.constant(least);
            self.graph.sub(node, end)
        };
        let f = Function::new("parameter", &self.graph, self.formals.clone(), &[node, above]);
        if calculus::depends(&f, f.outputs()[0], own) {
            return Some(message::parameter_depends_on_own(atom.span, parameter.name));
        }
        let sign = Analysis::new(&f, signs, &[]).sign(f.outputs()[1]);
        let proved = if strict { sign == Sign::Positive } else { sign.is_nonnegative() };
        let value = number_of(&f, f.outputs()[0], &self.sizes);
        let known = value.is_some_and(|v| if strict { v > least } else { v >= 0.0 });
        let relation = if strict { format!("above {least}") } else { "at least 0".to_owned() };
        (!proved && !known).then(|| message::parameter_out_of_range(atom.span, parameter.name, &relation))
    }

    /// The prox of all atoms of a variable together, with its box if it has one.
    fn joint_prox(&mut self, v: &Variable, atoms: &[&prox::Atom], span: Span) -> Checked<ProxUse> {
        let with_box = v.set.as_ref().map(|set| self.kind_of_box(set));
        let scalars: Vec<bool> = atoms.iter().map(|a| self.graph.shape(a.weight).is_scalar()).collect();
        let Some(map) = prox::Joint::find(atoms, &scalars, with_box) else {
            let parts: Vec<&str> = atoms.iter().map(|a| a.entry.name).collect();
            let set = v.set.as_ref().map(|s| (s.set.name, s.span));
            let arrays = atoms.iter().zip(&scalars).find(|(_, scalar)| !**scalar).map(|(a, _)| a.entry.name);
            let d = message::unknown_combination(span, &v.name, &parts, set, arrays);
            return self.fail(d);
        };
        let ordered = map.order(atoms);
        let groups = ordered.iter().find_map(|a| a.groups.clone());
        let squares = ordered.len() - usize::from(map.squared);
        let mut weights: Vec<NodeId> = ordered[..squares].iter().map(|a| a.weight).collect();
        weights.extend(ordered.iter().flat_map(|a| &a.parameters));
        weights.extend(ordered[squares..].iter().map(|a| a.weight));
        let name = format!("weights of {}", map.entry.name);
        let weights = Function::new(name, &self.graph, self.formals.clone(), &weights);
        Ok(ProxUse { map, weights, groups, with_box: with_box.is_some(), span })
    }

    /// Which terms a set may go with.
    fn kind_of_box(&self, set: &SetUse) -> prox::Boxes {
        if !set.set.is_box {
            return prox::Boxes::Unknown;
        }
        let ends = &set.parameters;
        if !(0..2).all(|end| ends.output_shape(end).is_scalar()) {
            return prox::Boxes::Any;
        }
        let [lo, hi] = [0, 1].map(|end| number_of(ends, ends.outputs()[end], &self.sizes));
        match (lo, hi) {
            (Some(0.0), Some(f64::INFINITY)) | (Some(f64::NEG_INFINITY), Some(0.0)) => prox::Boxes::Signs,
            _ => prox::Boxes::Interval,
        }
    }

    /// An atom as functions of the formals. They are made in a graph of their own: equal nodes that the file's formulas
    /// make later must get the spans of those.
    fn proximal_term(&self, atom: &prox::Atom) -> ProximalTerm {
        let name = atom.entry.name;
        let formals = &self.formals;
        let function = |name: String, nodes: &[NodeId]| Function::new(name, &self.graph, formals.clone(), nodes);
        let weight = function(format!("weight of {name}"), &[atom.weight]);
        let parameters = function(format!("parameters of {name}"), &atom.parameters);
        let mut g = Graph::new();
        let inputs: Vec<NodeId> =
            formals.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
        let y = inputs[atom.variable];
        let w = weight.instantiate(&mut g, &inputs)[0];
        let own = parameters.instantiate(&mut g, &inputs);
        let ones = g.filled(1.0, weight.output_shape(0));
        let map = prox::Joint::of_atom(atom);
        let [value, unweighted] = [w, ones].map(|w| map.value(&mut g, y, &[&[w], own.as_slice()].concat()));
        ProximalTerm {
            atom: atom.entry,
            variable: atom.variable,
            value: Function::new(format!("weighted {name}"), &g, formals.clone(), &[value]),
            weight,
            parameters,
            unweighted: Function::new(name, &g, formals.clone(), &[unweighted]),
            span: atom.span,
        }
    }

    pub(crate) fn constant_nonnegative(&self, weight: &Function) -> bool {
        number_of(weight, weight.outputs()[0], &self.sizes).is_some_and(|v| v >= 0.0)
    }

    /// A weight that may be negative: names the variable and, where a bound would do, the edit.
    pub(crate) fn negative_weight(&self, span: Span, weight: &Function, signs: &[Sign]) -> Diagnostic {
        let culprit = (0..self.variable_count).find(|i| weight.depends_on(*i) && !signs[*i].is_nonnegative());
        let declaration = culprit.and_then(|i| {
            let name = self.formals[i].name.clone();
            self.items().find_map(|kind| {
                let ItemKind::Upper { body, .. } = kind else { return None };
                body.iter().find_map(|s| match &s.kind {
                    StatementKind::Var { name: n, domain, .. } if n.text == name => {
                        Some((name.clone(), s.span, domain.is_none()))
                    }
                    _ => None,
                })
            })
        });
        message::negative_weight(span, declaration)
    }

    /// Warns of what derivatives of an objective leave out because of `stop`.
    pub(crate) fn stopped(&mut self, objective: &Function, is_lower: bool) {
        let g = objective.graph();
        let used = g.reachable(objective.outputs());
        let variables: Vec<usize> = (0..self.variable_count).collect();
        let varies = |id: NodeId| calculus::depends(objective, id, &variables);
        let mut places: Vec<Span> = g
            .ids()
            .filter(|id| used[id.0 as usize] && is_stop(g, *id) && varies(*id))
            .map(|id| g.span_of(id))
            .collect();
        places.sort();
        places.dedup();
        for at in places {
            self.diagnostics.push(message::derivative_stopped(at, is_lower));
        }
    }

    /// Warns of matrices that are factored and may not be definite.
    pub(crate) fn indefinite(&mut self, objective: &Function, signs: &[Sign]) {
        let g = objective.graph();
        let used = g.reachable(objective.outputs());
        let analysis = Analysis::new(objective, signs, &[]);
        let may_fail = |id: NodeId| match g.op(id) {
            Op::Prox(opaque::CHOLESKY) => !analysis.is_positive_definite(g, g.args(id)[0]),
            // A step's matrix is an input of the body, of which nothing is known.
            Op::Map { body, .. } => {
                let inner = body.graph();
                inner.ids().any(|id| *inner.op(id) == Op::Prox(opaque::CHOLESKY))
            }
            _ => false,
        };
        let mut places: Vec<Span> =
            g.ids().filter(|id| used[id.0 as usize] && may_fail(*id)).map(|id| g.span_of(id)).collect();
        places.sort();
        places.dedup();
        for at in places {
            if !self.diagnostics.iter().any(|d| d.code == "W0423" && d.primary.span == at) {
                self.diagnostics.push(message::maybe_indefinite(at));
            }
        }
    }

    /// Kinks in the smooth part of the lower level: a registered term belongs to `regularize`; others are warned of.
    /// `added` is the sign of terms that the level adds to what it minimizes.
    pub(crate) fn kinks(&mut self, (e, added): (&Expr, TermSign), objective: &Function, signs: &[Sign], own: &[usize]) {
        let mut kinks = kinks_of(objective, signs, own);
        if kinks.is_empty() {
            return;
        }
        // in the order of the text, so that a term finds its own among thousands
        kinks.sort_by_key(|kink| kink.at.start);
        // what a name or a function stands for, or another level has too, was written elsewhere
        let elsewhere = kinks.iter().any(|kink| !e.span.contains(kink.at));
        let mut told = 0;
        for (term, sign, cut) in top_terms(e) {
            let first = kinks.partition_point(|kink| kink.at.start < term.span.start);
            let near = kinks[first..].iter().take_while(|kink| kink.at.start < term.span.end);
            let inside = near.filter(|kink| term.span.contains(kink.at)).min_by_key(|kink| kink.node).cloned();
            let Some(kink) = inside.or_else(|| if elsewhere { self.kink_behind(term, signs, own) } else { None })
            else {
                continue;
            };
            told += 1;
            if told > MAX_ERRORS {
                break;
            }
            let outer = self.diagnostics.len();
            let atoms =
                self.objective(term).ok().and_then(|node| prox::recognize(&mut self.graph, node, &is_one_of(own)).ok());
            self.take_back(outer);
            // a term with a parameter out of its range has no prox
            let known = atoms.is_some_and(|atoms| atoms.iter().all(|a| self.parameters_fit(a, own, signs)));
            if known && sign == added {
                let text = self.text(term.span);
                // a comment beside the term would go with it
                let cut = Some(cut).filter(|cut| !self.text(*cut).contains('#'));
                self.diagnostics.push(message::kink_has_prox(term.span, &text, cut, e.span));
            } else {
                let named = kink.name.starts_with(char::is_alphabetic);
                self.diagnostics.push(match named {
                    true => message::kink_without_prox(kink.at, &kink.name, kink.convention),
                    false => message::jump(kink.at, &self.quoted(kink.at), kink.convention),
                });
            }
        }
    }

    /// The first kink of a term whose formula is written elsewhere, with the place of the term.
    fn kink_behind(&mut self, term: &Expr, signs: &[Sign], own: &[usize]) -> Option<Kink> {
        let outer = self.diagnostics.len();
        let node = self.objective(term).ok();
        self.take_back(outer);
        let f = Function::new("term", &self.graph, self.formals.clone(), &[node?]);
        let first = kinks_of(&f, signs, own).into_iter().min_by_key(|kink| kink.node)?;
        Some(Kink { at: term.span, ..first })
    }
}

/// A node with a kink.
#[derive(Clone)]
struct Kink {
    at: Span,
    node: NodeId,
    name: String,
    convention: &'static str,
}

/// The kinks of a function in lower variables.
fn kinks_of(f: &Function, signs: &[Sign], own: &[usize]) -> Vec<Kink> {
    let mut signs = signs.to_vec();
    signs.resize(f.inputs.len(), Sign::Unknown);
    let g = f.graph();
    let found = Analysis::new(f, &signs, own).kinks(f, f.outputs()[0]);
    // `stop` has a warning of its own.
    let found = found.into_iter().filter(|(node, _)| !is_stop(g, *node));
    found
        .map(|(node, convention)| Kink { at: g.span_of(node), node, name: g.op(node).name().to_string(), convention })
        .collect()
}

fn is_stop(g: &Graph, id: NodeId) -> bool {
    *g.op(id) == Op::Elementwise(elementwise::STOP)
}

/// Says which variable a node is, if it is one of these formals.
fn is_one_of(formals: &[usize]) -> impl Fn(&Graph, NodeId) -> Option<usize> + '_ {
    |g, id| match g.op(id) {
        Op::Input(i) => Some(*i as usize).filter(|i| formals.contains(i)),
        _ => None,
    }
}

/// The additive terms of an expression with their signs, and the span to cut to remove each. A minus behind the first
/// stays.
fn top_terms(e: &Expr) -> Vec<(&Expr, TermSign, Span)> {
    match &e.kind {
        ExprKind::Paren(inner) => top_terms(inner),
        ExprKind::Sum(terms) => {
            let cut = |i: usize| match i {
                0 if terms.len() > 1 => {
                    let (sign, operator, next) = &terms[1];
                    let end = if *sign == TermSign::Minus { operator.start } else { next.span.start };
                    Span { start: terms[0].2.span.start, end }
                }
                0 => terms[0].2.span,
                _ => Span { start: terms[i - 1].2.span.end, end: terms[i].2.span.end },
            };
            terms.iter().enumerate().map(|(i, (sign, _, t))| (t, *sign, cut(i))).collect()
        }
        _ => vec![(e, TermSign::Plus, e.span)],
    }
}

#[cfg(test)]
mod tests {
    use crate::data::symmetric;
    use crate::model::{Problem, Settings, check};
    use crate::oracle::{Tensor, Value, evaluate};

    fn problem(text: &str) -> Problem {
        let parsed = blo_grammar::parse(text);
        let outcome = check(&parsed.ast, text, "test", &Settings::default());
        outcome.problem.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics))
    }

    #[test]
    fn the_terms_add_up_to_the_regularizer() {
        let groups = "sum(x[j]*norm2(y[G[j]]) for j in 1..3)";
        let text = format!(
            "let G = blocks(1..6, 3)  upper {{ var x[4] >= 0  minimize normsq(x) }}
             lower {{ var y[6]  minimize normsq(y - 1)  regularize {groups} + x[4]*norm1(y) }}"
        );
        let p = problem(&text);
        let lower = p.lower();
        let mut names: Vec<&str> = lower.terms.iter().map(|t| t.atom.name).collect();
        names.sort_unstable();
        assert_eq!(names, ["group_l2", "l1"]);
        let mut draw = symmetric(0, 3, "terms");
        let mut numbers = |n: usize| -> Vec<f64> { (0..n).map(|_| draw()).collect() };
        let (x, y): (Vec<f64>, _) = (numbers(4).iter().map(|x| x.abs()).collect(), numbers(6));
        let weight = x[3];
        let inputs = [x, y].map(|v| Value::Real(Tensor::new(vec![v.len()], v)));
        let at = |f| evaluate::<f64>(f, &p.sizes, &inputs)[0].values[0];
        let sum: f64 = lower.terms.iter().map(|t| at(&t.value)).sum();
        let whole = at(lower.regularizer.as_ref().expect("it is written"));
        assert!((sum - whole).abs() <= 1e-14 * whole, "{sum} and {whole}");
        let l1 = lower.terms.iter().find(|t| t.atom.name == "l1").expect("it is written");
        assert_eq!(at(&l1.weight), weight);
        assert_eq!(at(&l1.value), weight * at(&l1.unweighted));
        assert!(lower.constraints.is_empty() && p.upper().terms.is_empty());
    }
}
