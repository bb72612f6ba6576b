//! What runs beside the stages: K lower steps at x, and the derivative of F at their end in x and, where it is asked for,
//! in their start. The function `hypergradient` has the loops; a step and its products are the engine's own Functions.

use std::collections::HashMap;

use blo_engine::graph::Function;

use super::body::{Called, Input, Refused, define};
use super::code::{Names, pattern};
use super::fields::Course;
use super::program::Writer;
use super::step::Lines;
use crate::hypergradient::outline::{Outline, ReverseOutline, SystemOutline, SystemSolver};
use crate::method::{Composition, StepsStart};

/// A function of the lower steps with what each of its inputs is called where it is called from.
struct Part {
    called: Called,
    names: HashMap<usize, String>,
}

impl Part {
    fn call(&self) -> String {
        self.called.call(&|input| self.names[&input].clone())
    }
}

/// The names in `hypergradient`.
struct Inside {
    x: Vec<String>,
    y: Vec<String>,
    /// y and what the dynamics remembers.
    state: Vec<String>,
    /// The hypergradient, in x and in the start.
    gradient: Vec<String>,
    gradient_start: Vec<String>,
    /// Lines for the numbers of a step, before the steps and within one.
    before: Vec<String>,
    within: Vec<String>,
    /// The numbers of the last step.
    last: Vec<String>,
    /// The option K, and the recorded rounds of warm starts.
    steps: String,
    rounds: Option<String>,
}

impl Writer<'_> {
    /// Writes the parts of the hypergradient and gives the function that puts them together.
    ///
    /// # Errors
    /// When an operation is refused.
    pub(super) fn hypergradient(&mut self, composition: &Composition) -> Result<String, Refused> {
        let lower = &composition.lower;
        let step = self.part("lower step", "One lower step.", &lower.function, &[])?;
        let inside = self.inside(composition, &step);
        let outline = composition.outline.as_ref().expect("others were refused");
        let mut lines = Lines::default();
        let arguments = [inside.x.clone(), inside.y.clone()].concat().join(", ");
        lines.add(0, format!("def hypergradient({arguments}, data, k, config):"));
        lines.add(1, "\"\"\"The end of the lower steps from y, and the derivative of F there.\"\"\"");
        if inside.before.iter().chain(&inside.rounds).any(|line| line.contains("[i]")) || needs_i(&inside.within) {
            lines.add(
                1,
                "i = jnp.minimum(jnp.asarray(k, int), RECORDED)  # after the recorded iterations the last numbers stay",
            );
        }
        inside.before.iter().for_each(|line| lines.add(1, line));
        lines.add(1, format!("steps = jnp.arange(config.{})", inside.steps));
        match outline {
            Outline::Reverse(reverse) => self.reverse(reverse, &step, &inside, &mut lines)?,
            Outline::Forward { ends, push } => self.forward((ends, push), &step, &inside, &mut lines)?,
            Outline::System(system) => self.system(system, composition, &step, &inside, &mut lines)?,
        }
        let results = [inside.y.iter().map(|y| format!("{y}_end")).collect(), inside.gradient.clone()].concat();
        let of_start = if composition.start == StepsStart::Auxiliary { inside.gradient_start } else { Vec::new() };
        lines.add(1, format!("return {}", [results, of_start].concat().join(", ")));
        Ok(lines.text())
    }

    /// The line of `init` and `step` that calls it.
    pub(super) fn hypergradient_call(&mut self, k: &str) -> String {
        let composition = self.source.composition.expect("only with one");
        let problem = self.source.problem;
        let x: Vec<String> = problem.upper().variables.iter().map(|v| self.name_of(v.formal)).collect();
        let y: Vec<String> = problem.lower().variables.iter().map(|v| self.name_of(v.formal)).collect();
        let start: Vec<String> = match composition.start {
            StepsStart::Warm => y.clone(),
            StepsStart::Fixed => (0..y.len()).map(|i| format!("data.{}", self.start_of(x.len() + i))).collect(),
            StepsStart::Auxiliary => {
                let first = x.len() + y.len();
                (first..first + y.len()).map(|part| self.name_of(self.source.iteration.state[part].input)).collect()
            }
        };
        let gradient = self.source.iteration.parameters.iter().map(|p| self.name_of(p.input));
        let results: Vec<String> = y.into_iter().chain(gradient).collect();
        format!("{} = hypergradient({}, data, {k}, config)", results.join(", "), [x, start].concat().join(", "))
    }

    /// A function over the formals and inputs of its own; `named` says what some of those are called.
    fn part(&mut self, name: &str, doc: &str, function: &Function, named: &[(usize, String)]) -> Result<Part, Refused> {
        let name = if name == "lower step" { "lower_step".to_owned() } else { self.module_name(name) };
        let formals = self.source.problem.formals.len();
        let mut names = Names::new();
        let mut found = HashMap::new();
        let mut inputs: Vec<Input> = Vec::new();
        for (i, formal) in function.inputs.iter().enumerate() {
            let wanted = named.iter().find(|(input, _)| *input == i).map(|(_, name)| name.clone());
            let input = match (&self.inputs.get(i).filter(|_| i < formals), wanted) {
                (Some(Input::Data(field)), _) => Input::Data(field.clone()),
                (Some(Input::Argument(name)), _) => {
                    names.fresh(name);
                    Input::Argument(name.clone())
                }
                (None, Some(wanted)) => Input::Argument(wanted),
                (None, None) => Input::Argument(names.fresh(&formal.name)),
            };
            if let Input::Argument(name) = &input {
                found.insert(i, name.clone());
            }
            inputs.push(input);
        }
        let called = define(&mut self.functions, (&name, doc), function, &inputs, self.fields.sizes)?;
        Ok(Part { called, names: found })
    }

    /// The names, and where the numbers of the steps come from.
    fn inside(&mut self, composition: &Composition, step: &Part) -> Inside {
        let problem = self.source.problem;
        let lower = &composition.lower;
        let x: Vec<String> = problem.upper().variables.iter().map(|v| self.name_of(v.formal)).collect();
        let y: Vec<String> = problem.lower().variables.iter().map(|v| self.name_of(v.formal)).collect();
        let state = lower.state.iter().map(|input| step.names[input].clone()).collect();
        let record = self.source.record;
        let steps = self.fields.count("K", composition.steps, "lower steps");
        let (mut before, mut within, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for (column, input) in lower.scalars.iter().enumerate() {
            let name = step.names[input].clone();
            let table: Vec<Vec<f64>> =
                record.lower.iter().map(|run| run.numbers.iter().map(|row| row[column]).collect()).collect();
            let same_in_steps = table.iter().all(|row| row.iter().all(|v| v.to_bits() == row[0].to_bits()));
            let same_in_runs = table.iter().all(|row| *row == table[0]);
            let end = composition.steps.saturating_sub(1);
            if same_in_steps {
                let value = self.course(&name, Course::of(table.iter().map(|row| row[0])));
                before.push(format!("{name} = {value}"));
                last.push(name);
            } else if same_in_runs {
                let doc = "a number per lower step";
                let shape = vec![table[0].len()];
                let values = crate::export::Values::Real(table[0].clone());
                let field = self.fields.array(&format!("{name} of steps"), shape, values, false, doc);
                within.push(format!("{name} = data.{field}[j]"));
                last.push(format!("data.{field}[{end}]"));
            } else {
                let shape = vec![table.len(), table[0].len()];
                let values = crate::export::Values::Real(table.concat());
                let doc = "recorded: a number per lower step";
                let field = self.fields.array(&format!("recorded {name}"), shape, values, false, doc);
                within.push(format!("{name} = data.{field}[i, j]"));
                last.push(format!("data.{field}[i, {end}]"));
            }
        }
        let rounds: Vec<f64> = record.lower.iter().map(|run| run.rounds as f64).collect();
        let rounds = rounds.iter().any(|r| *r > 1.0).then(|| {
            let counts = crate::export::Values::Index(record.lower.iter().map(|run| run.rounds as i64).collect());
            let doc = "recorded: rounds of lower steps";
            format!("data.{}[i]", self.fields.array("recorded rounds", vec![record.lower.len()], counts, false, doc))
        });
        let each = |letter: &str, names: &[String]| names.iter().map(|n| format!("{letter}_{n}")).collect::<Vec<_>>();
        let (gradient, gradient_start) = (each("G", &x), each("a", &y));
        Inside { x, gradient, gradient_start, y, state, before, within, last, steps, rounds }
    }

    /// F with its gradients at the end: the names that they get.
    fn ends(&mut self, ends: &Function, values: bool) -> Result<Part, Refused> {
        let first = usize::from(!values);
        let outputs: Vec<usize> = (first..ends.outputs().len()).collect();
        self.part("F_gradients", "The partial gradients of F.", &ends.select(&outputs), &[])
    }

    /// The lower steps: `end` and, where they are wanted, all states before a step.
    fn lower_steps(&mut self, step: &Part, inside: &Inside, also: Option<&str>, lines: &mut Lines) {
        let state = pattern(&inside.state);
        lines.add(0, "");
        lines.add(
            1,
            format!("def lower({}, j):", if inside.state.len() == 1 { state.clone() } else { "carry".to_owned() }),
        );
        if inside.state.len() > 1 {
            lines.add(2, format!("{} = carry", inside.state.join(", ")));
        }
        inside.within.iter().for_each(|line| lines.add(2, line));
        let kept = if inside.state.len() == 1 { state.clone() } else { "carry".to_owned() };
        match also {
            None => lines.add(2, format!("return {}, {kept}", step.call())),
            Some(value) => {
                lines.add(2, format!("after = {}", step.call()));
                lines.add(2, format!("return after, ({kept}, {value})"));
            }
        }
        lines.add(0, "");
        let variables = inside.y.len();
        let first: Vec<String> = (0..inside.state.len()).map(|part| inside.y[part % variables].clone()).collect();
        if let Some(rounds) = &inside.rounds {
            let again = if inside.state.len() == variables {
                format!("lambda _, y: lax.scan(lower, y, steps)[0]")
            } else {
                let copies = inside.state.len() / variables;
                let inner = if variables == 1 { "(y,)" } else { "y" };
                let end = if variables == 1 { "[0]".to_owned() } else { format!("[:{variables}]") };
                format!("lambda _, y: lax.scan(lower, {inner} * {copies}, steps)[0]{end}")
            };
            lines.add(1, "# from a warm start the steps run again until they have settled");
            let y = pattern(&inside.y);
            lines.add(1, format!("{} = lax.fori_loop(1, {rounds}, {again}, {y})", inside.y.join(", ")));
        }
        let ends: Vec<String> = inside.state.iter().map(|s| format!("{s}_end")).collect();
        let kept = if also.is_some() { "(before, values)" } else { "before" };
        lines.add(1, format!("{}, {kept} = lax.scan(lower, {}, steps)", pattern(&ends), pattern(&first)));
    }

    fn reverse(&mut self, of: &ReverseOutline, step: &Part, inside: &Inside, lines: &mut Lines) -> Result<(), Refused> {
        let adjoints: Vec<String> = inside.state.iter().map(|s| format!("a_{s}")).collect();
        let carried = [adjoints.clone(), inside.gradient.clone()].concat();
        let mut named: Vec<(usize, String)> = of.carried.iter().copied().zip(carried.iter().cloned()).collect();
        named.extend(step.names.iter().map(|(input, name)| (*input, name.clone())));
        let sweep = self.part(
            "reverse step",
            "Adjoints before a lower step, and the hypergradient with its share.",
            &of.sweep,
            &named,
        )?;
        let ends = self.ends(&of.ends, false)?;
        if of.pessimistic {
            let after: Vec<String> = (0..inside.y.len())
                .map(|i| if inside.state.len() == 1 { "after".to_owned() } else { format!("after[{i}]") })
                .collect();
            let upper = self.objective_at(&inside.x, &inside.y, &after);
            self.lower_steps(step, inside, Some(&upper), lines);
            lines.add(1, "at = jnp.argmax(values) + 1  # the step with the largest F");
            for (i, y) in inside.y.iter().enumerate() {
                let kept = if inside.state.len() == 1 { "before".to_owned() } else { format!("before[{i}]") };
                lines.add(
                    1,
                    format!("{y}_at = jnp.where(at < steps.size, {kept}[jnp.minimum(at, steps.size - 1)], {y}_end)"),
                );
            }
        } else {
            self.lower_steps(step, inside, None, lines);
        }
        let place = if of.pessimistic { "at" } else { "end" };
        self.gradients_at(&ends, inside, place, lines);
        let memory = &inside.state[inside.y.len()..];
        let first: Vec<String> = (inside.y.iter().map(|y| format!("F_{y}")))
            .chain(memory.iter().map(|u| format!("jnp.zeros_like({u}_end)")))
            .chain(inside.x.iter().map(|x| format!("F_{x}")))
            .collect();
        let unpack = |lines: &mut Lines| {
            inside.within.iter().for_each(|line| lines.add(2, line));
            lines.add(2, format!("{} = adjoint", carried.join(", ")));
        };
        lines.add(0, "");
        if of.pessimistic {
            lines.add(1, "def back(count, adjoint):");
            lines.add(2, "j = at - 1 - count");
            lines.add(2, format!("{} = jax.tree.map(lambda kept: kept[j], before)", pattern(&inside.state)));
            unpack(lines);
            lines.add(2, format!("return {}", sweep.call()));
            lines.add(0, "");
            lines.add(1, format!("{} = lax.fori_loop(0, at, back, {})", pattern(&carried), pattern(&first)));
        } else {
            lines.add(1, "def back(adjoint, kept):");
            lines.add(2, format!("{}, j = kept", pattern(&inside.state)));
            unpack(lines);
            lines.add(2, format!("return {}, None", sweep.call()));
            lines.add(0, "");
            let mut kept = "(before, steps)".to_owned();
            if let Some(back) = of.back {
                let h = self.fields.count("h", back, "lower steps that the sweep goes back");
                kept = "last".to_owned();
                lines.add(1, format!("last = jax.tree.map(lambda kept: kept[-config.{h}:], (before, steps))"));
            }
            lines.add(
                1,
                format!("{}, _ = lax.scan(back, {}, {kept}, reverse=True)", pattern(&carried), pattern(&first)),
            );
        }
        for (i, u) in memory.iter().enumerate() {
            let y = &inside.y[i % inside.y.len()];
            if self.source.composition.is_some_and(|c| c.start == StepsStart::Auxiliary) {
                lines.add(1, format!("a_{y} = a_{y} + a_{u}  # the memory starts where y does"));
            }
        }
        Ok(())
    }

    fn gradients_at(&self, ends: &Part, inside: &Inside, place: &str, lines: &mut Lines) {
        let results: Vec<String> = inside.x.iter().chain(&inside.y).map(|v| format!("F_{v}")).collect();
        let argument = |input: usize| {
            let name = ends.names[&input].clone();
            if inside.y.contains(&name) { format!("{name}_{place}") } else { name }
        };
        lines.add(1, format!("{} = {}", results.join(", "), ends.called.call(&argument)));
    }

    /// A call of F at the x here and another y.
    fn objective_at(&self, x: &[String], y: &[String], at: &[String]) -> String {
        let problem = self.source.problem;
        let function = &problem.upper().objective;
        let reached = function.graph().reachable(function.outputs());
        let variables = problem.variables().filter(|v| reached[v.formal]).map(|v| {
            let name = self.name_of(v.formal);
            match y.iter().position(|y| *y == name) {
                Some(i) => at[i].clone(),
                None => x.iter().find(|x| **x == name).cloned().unwrap_or(name),
            }
        });
        let mut arguments: Vec<String> = variables.collect();
        let count = problem.variables().count();
        if (count..function.inputs.len()).any(|i| reached[i]) {
            arguments.push("data".to_owned());
        }
        format!("F({})", arguments.join(", "))
    }

    fn forward(
        &mut self,
        (ends, push): (&Function, &Function),
        step: &Part,
        inside: &Inside,
        lines: &mut Lines,
    ) -> Result<(), Refused> {
        let ends = self.ends(ends, false)?;
        let tangents_x: Vec<String> = inside.x.iter().map(|x| format!("d_{x}")).collect();
        let tangents: Vec<String> = inside.state.iter().map(|s| format!("d_{s}")).collect();
        let all = [tangents_x.clone(), tangents.clone()].concat();
        let first = push.inputs.len() - all.len();
        let mut named: Vec<(usize, String)> = (first..).zip(all.iter().cloned()).collect();
        named.extend(step.names.iter().map(|(input, name)| (*input, name.clone())));
        let push = self.part("tangent step", "The tangent of a lower step.", push, &named)?;
        lines.add(1, format!("flat_x, like_x = ravel_pytree({})", pattern(&inside.x)));
        lines.add(1, "directions = jax.vmap(like_x)(jnp.eye(flat_x.size))  # the entries of x, one after the other");
        lines.add(0, "");
        lines.add(1, "def lower(carry, j):");
        let (state, tangent) = (pattern(&inside.state), pattern(&tangents));
        lines.add(2, format!("{state}, tangents = carry"));
        inside.within.iter().for_each(|line| lines.add(2, line));
        lines.add(0, "");
        lines.add(2, "def along(direction, tangent):");
        lines.add(3, format!("{} = direction", tangents_x.join(", ")));
        lines.add(3, format!("{} = tangent", tangents.join(", ")));
        lines.add(3, format!("return {}", push.call()));
        lines.add(0, "");
        lines.add(2, format!("return ({}, jax.vmap(along)(directions, tangents)), None", step.call()));
        lines.add(0, "");
        let variables = inside.y.len();
        let start: Vec<String> = (0..inside.state.len()).map(|part| inside.y[part % variables].clone()).collect();
        let zeros: Vec<String> = start.iter().map(|y| format!("jnp.zeros((flat_x.size, *{y}.shape))")).collect();
        let end: Vec<String> = inside.state.iter().map(|s| format!("{s}_end")).collect();
        lines.add(
            1,
            format!(
                "({}, {tangent}), _ = lax.scan(lower, ({}, {}), steps)",
                pattern(&end),
                pattern(&start),
                pattern(&zeros)
            ),
        );
        self.gradients_at(&ends, inside, "end", lines);
        let of_x: Vec<String> = inside.x.iter().map(|x| format!("F_{x}")).collect();
        let products = inside.y.iter().map(|y| format!("jnp.tensordot(d_{y}, F_{y}, F_{y}.ndim)"));
        let sum: Vec<String> =
            std::iter::once(format!("ravel_pytree({})[0]", pattern(&of_x))).chain(products).collect();
        lines.add(1, format!("{} = like_x({})", inside.gradient.join(", "), sum.join(" + ")));
        Ok(())
    }

    fn system(
        &mut self,
        of: &SystemOutline,
        composition: &Composition,
        step: &Part,
        inside: &Inside,
        lines: &mut Lines,
    ) -> Result<(), Refused> {
        let w: Vec<String> = inside.y.iter().map(|y| format!("w_{y}")).collect();
        let mut named: Vec<(usize, String)> = of.adjoint.iter().copied().zip(w.iter().cloned()).collect();
        named.push((of.step, "s".to_owned()));
        let lower =
            self.part("T_y product", "The transposed derivative of a lower step in y, times w.", &of.lower, &named)?;
        let upper =
            self.part("T_x product", "The transposed derivative of a lower step in x, times w.", &of.upper, &named)?;
        let prox = match &of.prox {
            // the point of the product is the only further input
            Some(prox) => Some(self.part("prox product", "The Jacobian of the prox, times w.", prox, &named)?),
            None => None,
        };
        let ends = self.ends(&of.ends, false)?;
        self.lower_steps(step, inside, None, lines);
        self.gradients_at(&ends, inside, "end", lines);
        lines.add(1, format!("s = {}", inside.last[composition.lower.lower_step]));
        let of_y: Vec<String> = inside.y.iter().map(|y| format!("F_{y}")).collect();
        lines.add(1, format!("right, like_y = ravel_pytree({})", pattern(&of_y)));
        let at_end = |part: &Part| {
            part.called.call(&|input| {
                let name = part.names[&input].clone();
                if inside.y.contains(&name) { format!("{name}_end") } else { name }
            })
        };
        let products = [("through_step", Some(&lower)), ("through_prox", prox.as_ref())];
        for (name, part) in products {
            let Some(part) = part else { continue };
            lines.add(0, "");
            lines.add(1, format!("def {name}(w):"));
            lines.add(2, format!("{} = like_y(w)", w.join(", ")));
            let call = at_end(part);
            lines.add(2, format!("return ravel_pytree({call})[0]"));
        }
        lines.add(0, "");
        match of.solver {
            SystemSolver::Conjugate { rtol, atol, most, no_curvature, roundings } => {
                self.functions.add("conjugate_gradients", CONJUGATE_GRADIENTS);
                let names = [
                    self.fields.setting("rtol", rtol, "of the linear system"),
                    self.fields.setting("atol", atol, ""),
                    self.fields.setting("no_curvature", no_curvature, "curvature that counts as zero"),
                    self.fields.setting("roundings", roundings, "of a product: the system is not solved better"),
                ];
                let most = self.fields.count("cg_iter", most, "most iterations on the linear system");
                let [rtol, atol, no_curvature, roundings] = names.map(|name| format!("config.{name}"));
                let apply =
                    |inner: &str| if prox.is_some() { format!("through_prox({inner})") } else { inner.to_owned() };
                lines.add(1, format!("product = lambda w: {}", apply("w - through_step(w)")));
                lines.add(1, format!("rtol = jnp.maximum({rtol}, {roundings} * jnp.finfo(right.dtype).eps)"));
                let right = apply("right");
                lines.add(
                    1,
                    format!("w = conjugate_gradients(product, {right}, rtol, {atol}, config.{most}, {no_curvature})"),
                );
            }
            SystemSolver::Neumann { terms, small } => {
                self.functions.add("neumann_series", NEUMANN_SERIES);
                let terms = self.fields.count("terms", terms, "terms of the series");
                let small = self.fields.setting("small", small, "a term that ends the series, against the sum");
                lines.add(1, format!("w = neumann_series(through_step, right, config.{terms}, config.{small})"));
            }
        }
        lines.add(1, format!("{} = like_y(w)", w.join(", ")));
        let shares: Vec<String> = inside.x.iter().map(|x| format!("share_{x}")).collect();
        lines.add(1, format!("{} = {}", shares.join(", "), at_end(&upper)));
        for ((g, x), share) in inside.gradient.iter().zip(&inside.x).zip(&shares) {
            lines.add(1, format!("{g} = F_{x} + {share}"));
        }
        Ok(())
    }
}

/// True where a number of a step is one of the iteration, too.
fn needs_i(lines: &[String]) -> bool {
    lines.iter().any(|line| line.contains("[i,"))
}

const CONJUGATE_GRADIENTS: &str = "def conjugate_gradients(product, right, rtol, atol, most, no_curvature):
    \"\"\"w with product(w) = right; ends early at a direction without curvature.\"\"\"
    enough = jnp.maximum(atol, rtol * jnp.sqrt(right @ right))

    def goes_on(carry):
        count, w, r, p, rr, steepest, flat = carry
        return (count < most) & (jnp.sqrt(rr) > enough) & jnp.isfinite(rr) & ~flat

    def iterate(carry):
        count, w, r, p, rr, steepest, flat = carry
        image = product(p)
        curved = p @ image
        curvature = curved / (p @ p)
        steepest = jnp.maximum(steepest, jnp.abs(curvature))
        flat = curvature <= no_curvature * steepest
        length = jnp.where(flat, 0.0, rr / jnp.where(flat, 1.0, curved))
        w, r = w + length * p, r - length * image
        after = r @ r
        return count + 1, w, r, r + after / rr * p, after, steepest, flat

    first = (0, jnp.zeros_like(right), right, right, right @ right, jnp.zeros(()), jnp.zeros((), bool))
    return lax.while_loop(goes_on, iterate, first)[1]
";

const NEUMANN_SERIES: &str = "def neumann_series(product, right, terms, small):
    \"\"\"The sum of right, product(right), product(product(right)), ...\"\"\"
    def goes_on(carry):
        count, total, term = carry
        return (count < terms) & ((count == 0) | (term @ term > small**2 * (total @ total)))

    def iterate(carry):
        count, total, term = carry
        term = product(term)
        return count + 1, total + term, term

    return lax.while_loop(goes_on, iterate, (0, right, right))[1]
";
