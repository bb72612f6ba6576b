//! What methods combine: values, partial gradients, prox maps and projections of a problem as nodes of one graph.
//! A method writes its formulas with blocks (one node per variable of a level), so that several variables per level
//! cost it nothing. Gradients are taken of the problem's functions and then put at a point: a derivative of the
//! iteration itself cannot be written.

use std::collections::HashMap;

use blo_engine::diff::{hvp, reverse, vjp};
use blo_engine::elementwise;
use blo_engine::graph::all_axes;
use blo_engine::graph::{Elem, Formal, Function, Graph, NodeId, Reduction};
use blo_engine::model::problem::{Level, LevelId, Problem, Variable};
use blo_engine::prox::Arguments;
use blo_engine::shape::Shape;

use crate::formula::rows::multiplier_name;
use crate::formula::step_size::StepSize;
use crate::iteration::counts::Counts;
use crate::iteration::report::ReportFormula;
use crate::iteration::{Clock, Iteration, Parameter, Repeat, Role, Scalar, Stage, Start, State, Work};
use crate::options::schedule::Schedule;

/// One of the three functions of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// F, the upper objective.
    Upper,
    /// f, the smooth part of the lower objective.
    Smooth,
    /// g, the proximal part of the lower objective.
    Proximal,
}

impl Part {
    /// The papers' letter.
    fn letter(self) -> &'static str {
        match self {
            Part::Upper => "F",
            Part::Smooth => "f",
            Part::Proximal => "g",
        }
    }
}

/// One node per variable of a level, with the name of the point.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) name: String,
    pub(crate) nodes: Vec<NodeId>,
}

/// Where a further state starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartsAt {
    /// Where the variables of its level do.
    Variables,
    /// At zero; the control may write other values before the first step.
    Zero,
}

/// A change per variable of a level; `None` is zero.
pub(crate) type Direction = Vec<Option<NodeId>>;

/// A graph under construction over the formals of a problem.
pub(crate) struct ProblemGraph<'p> {
    pub(crate) graph: Graph,
    pub(crate) counts: Counts,
    /// Where the objectives are taken from: on a batch of rows while steps are written.
    problem: &'p Problem,
    /// The problem with its objectives on all rows.
    on_all_rows: &'p Problem,
    inputs: Vec<Formal>,
    gradients: HashMap<(Part, LevelId), Function>,
    state: Vec<State>,
    scalars: Vec<Scalar>,
    parameters: Vec<Parameter>,
    /// The multipliers of the lower level's constraints, once they were asked for.
    multipliers: Option<Block>,
}

impl<'p> ProblemGraph<'p> {
    /// A graph whose inputs are the problem's formals.
    pub(crate) fn new(problem: &'p Problem) -> ProblemGraph<'p> {
        let mut p = ProblemGraph {
            graph: Graph::new(),
            counts: Counts::default(),
            problem,
            on_all_rows: problem,
            inputs: Vec::new(),
            gradients: HashMap::new(),
            state: Vec::new(),
            scalars: Vec::new(),
            parameters: Vec::new(),
            multipliers: None,
        };
        for formal in &problem.formals {
            p.input(formal.clone());
        }
        for (i, v) in problem.variables().enumerate() {
            let (name, shape) = (v.name.clone(), v.shape.clone());
            p.state.push(State { name, input: v.formal, shape, start: Start::Variable(i) });
        }
        p
    }

    /// A graph whose objectives are those that steps evaluate: on a batch of rows where the problem has batches.
    pub(crate) fn of_steps(problem: &'p Problem) -> ProblemGraph<'p> {
        ProblemGraph { on_all_rows: problem, ..ProblemGraph::new(problem.in_steps()) }
    }

    /// From here on objectives are on all rows, as reports have them. A method writes again what its report has in common
    /// with its step.
    pub(crate) fn look_at_all_rows(&mut self) {
        if self.has_batches() {
            self.problem = self.on_all_rows;
            self.gradients.clear();
        }
    }

    /// True where steps look at a batch of rows.
    pub(crate) fn has_batches(&self) -> bool {
        self.on_all_rows.batches.is_some()
    }

    /// A further input.
    pub(crate) fn input(&mut self, formal: Formal) -> NodeId {
        let id = self.graph.input(self.inputs.len(), formal.shape.clone(), formal.elem);
        self.graph.label(id, formal.name.clone());
        self.inputs.push(formal);
        id
    }

    /// A further state, like the variables of a level: it starts where they do, or at zero.
    pub(crate) fn state(&mut self, name: &str, level: LevelId, origin: StartsAt) -> Block {
        self.state_of(name, level, origin, &|v| v.shape.clone())
    }

    /// A further state: one part per variable of a level, of the given shapes.
    pub(crate) fn state_of(
        &mut self,
        name: &str,
        level: LevelId,
        origin: StartsAt,
        shape: &dyn Fn(&Variable) -> Shape,
    ) -> Block {
        let block = self.inputs(name, level, shape);
        let variables = self.problem.range(level);
        for (node, variable) in block.nodes.iter().zip(variables) {
            let input = self.position(*node);
            let Formal { name, shape, .. } = self.inputs[input].clone();
            let start = match origin {
                StartsAt::Variables => Start::Variable(variable),
                StartsAt::Zero => Start::Zero,
            };
            self.state.push(State { name, input, shape, start });
        }
        block
    }

    /// The multipliers of the lower level's constraints, a part of the state each; they start at zero.
    pub(crate) fn multipliers(&mut self) -> Block {
        if let Some(known) = &self.multipliers {
            return known.clone();
        }
        let block = self.row_inputs(LevelId::LOWER, &multiplier_name);
        self.starts_at_zero(&block);
        self.multipliers = Some(block.clone());
        block
    }

    /// A further state of the shapes of the lower level's constraints, at zero.
    pub(crate) fn row_state(&mut self, name: &str) -> Block {
        let block = self.row_inputs(LevelId::LOWER, &|c| format!("{name} of `{}`", c.name));
        self.starts_at_zero(&block);
        block
    }

    fn starts_at_zero(&mut self, block: &Block) {
        for node in &block.nodes {
            let input = self.position(*node);
            let Formal { name, shape, .. } = self.inputs[input].clone();
            self.state.push(State { name, input, shape, start: Start::Zero });
        }
    }

    /// Inputs that the control writes when it chooses to: one per variable of a level.
    pub(crate) fn parameter(&mut self, name: &str, level: LevelId) -> Block {
        let block = self.inputs(name, level, &|v| v.shape.clone());
        self.declare_parameters(&block);
        block
    }

    /// Makes inputs parameters of the iteration.
    pub(crate) fn declare_parameters(&mut self, block: &Block) {
        for node in &block.nodes {
            let input = self.position(*node);
            self.parameters.push(Parameter { name: self.inputs[input].name.clone(), input });
        }
    }

    /// A further point, or a direction: one input per variable of a level. It is no part of the state.
    pub(crate) fn point(&mut self, name: &str, level: LevelId) -> Block {
        self.inputs(name, level, &|v| v.shape.clone())
    }

    /// Inputs: one per variable of a level, of the given shapes.
    pub(crate) fn inputs(&mut self, name: &str, level: LevelId, shape: &dyn Fn(&Variable) -> Shape) -> Block {
        let level = self.problem.level(level);
        let formal = |v: &Variable| Formal { name: member(name, level, v), shape: shape(v), elem: Elem::Real };
        let nodes = level.variables.iter().map(|v| self.input(formal(v))).collect();
        Block { name: name.to_string(), nodes }
    }

    /// The problem.
    pub(crate) fn problem(&self) -> &'p Problem {
        self.problem
    }

    /// An input that is one number.
    pub(crate) fn scalar(&mut self, name: &str) -> NodeId {
        self.input(Formal { name: name.to_string(), shape: Shape::default(), elem: Elem::Real })
    }

    /// A number of the iteration, in the order in which the control writes them: its values follow the options where they
    /// state it, else the control chooses.
    pub(crate) fn number(&mut self, name: &str, stated: Option<Schedule>, clock: Clock) -> NodeId {
        self.number_for(Role::Own, name, stated, clock)
    }

    /// The step size of inner steps on the lower objective, counted within an iteration; `None` is found from curvature. A
    /// method with one lower step per iteration states it as a [`ProblemGraph::number`] of `Clock::Iteration`: with this one
    /// the `k` of a schedule would be 1 throughout.
    pub(crate) fn lower_step(&mut self, name: &str, stated: Option<Schedule>) -> NodeId {
        self.number_for(Role::LowerStep, name, stated, Clock::Run)
    }

    fn number_for(&mut self, role: Role, name: &str, stated: Option<Schedule>, clock: Clock) -> NodeId {
        let node = self.scalar(name);
        let input = self.position(node);
        self.scalars.push(Scalar { name: name.to_string(), input, stated, clock, role });
        node
    }

    /// A stage: what it writes, as the current value and the next one, and its signals. It counts what was evaluated since
    /// the last stage.
    pub(crate) fn stage(&mut self, name: &str, writes: &[(&Block, &Block)], signals: &[NodeId]) -> Stage {
        let parts = writes.iter().flat_map(|(now, _)| &now.nodes).map(|n| self.part_of(*n)).collect();
        let mut outputs: Vec<NodeId> = writes.iter().flat_map(|(_, next)| next.nodes.iter().copied()).collect();
        outputs.extend(signals);
        let work = Work::Graph(Box::new(self.function(name, &outputs)));
        let counts = std::mem::take(&mut self.counts);
        Stage { name: name.to_string(), work, repeat: Repeat::Once, writes: parts, begins: Vec::new(), counts }
    }

    /// The part of the state that an input is.
    pub(crate) fn part_of(&self, node: NodeId) -> usize {
        let input = self.position(node);
        let part = self.state.iter().position(|s| s.input == input);
        part.expect("a stage writes parts of the state")
    }

    /// The iteration of these stages.
    pub(crate) fn iteration(self, stages: Vec<Stage>, report: ReportFormula) -> Iteration {
        let ProblemGraph { state, scalars, parameters, .. } = self;
        Iteration { stages, state, scalars, parameters, report }
    }

    /// Positions of inputs.
    pub(crate) fn positions(&self, block: &Block) -> Vec<usize> {
        block.nodes.iter().map(|n| self.position(*n)).collect()
    }

    /// The position of an input.
    pub(crate) fn position(&self, input: NodeId) -> usize {
        debug_assert!((input.0 as usize) < self.inputs.len(), "inputs come first");
        input.0 as usize
    }

    /// The current upper iterate.
    pub(crate) fn x(&self) -> Block {
        self.current("x", self.problem.upper())
    }

    /// The current lower iterate.
    pub(crate) fn y(&self) -> Block {
        self.current("y", self.problem.lower())
    }

    fn current(&self, name: &str, level: &Level) -> Block {
        let nodes = level.variables.iter().map(|v| NodeId(v.formal as u32)).collect();
        Block { name: name.to_string(), nodes }
    }

    /// The function `name` of the inputs so far with the given outputs.
    pub(crate) fn function(&self, name: &str, outputs: &[NodeId]) -> Function {
        Function::new(name, &self.graph, self.inputs.clone(), outputs)
    }

    fn part(&self, part: Part) -> Option<&'p Function> {
        match part {
            Part::Upper => Some(&self.problem.upper().objective),
            Part::Smooth => Some(&self.problem.lower().objective),
            Part::Proximal => self.problem.lower().regularizer.as_ref(),
        }
    }

    /// A function of the formals at `(x, y)`.
    pub(crate) fn at(&mut self, function: &Function, x: &Block, y: &Block) -> Vec<NodeId> {
        let args = self.arguments(x, y);
        function.instantiate(&mut self.graph, &args[..function.inputs.len()])
    }

    /// The formals with `(x, y)` for the variables, and the state's multipliers where the upper level reads some.
    pub(crate) fn arguments(&mut self, x: &Block, y: &Block) -> Vec<NodeId> {
        let mut args: Vec<NodeId> = (0..self.problem.formals.len()).map(|i| NodeId(i as u32)).collect();
        let levels = [(&self.problem.upper(), x), (&self.problem.lower(), y)];
        for (level, block) in levels {
            for (v, node) in level.variables.iter().zip(&block.nodes) {
                args[v.formal] = *node;
            }
        }
        if self.problem.upper_reads_multipliers() {
            for (formal, node) in self.reported_multipliers() {
                args[formal] = node;
            }
        }
        args
    }

    /// `part(x, y)`; a problem without proximal part has `g = 0`.
    pub(crate) fn value(&mut self, part: Part, x: &Block, y: &Block) -> NodeId {
        let Some(function) = self.part(part) else { return self.graph.constant(0.0) };
        let value = self.at(function, x, y)[0];
        self.graph.label(value, format!("{}({}, {})", part.letter(), x.name, y.name));
        value
    }

    /// The partial gradient of `part` at `(x, y)`. The proximal part is differentiated with respect to x only.
    pub(crate) fn gradient(&mut self, part: Part, wrt: LevelId, x: &Block, y: &Block) -> Direction {
        assert!(part != Part::Proximal || wrt == LevelId::UPPER, "g enters in y by its prox");
        let level = self.problem.level(wrt);
        let Some(function) = self.part(part) else { return vec![None; level.variables.len()] };
        let used: Vec<&Variable> = level.variables.iter().filter(|v| function.depends_on(v.formal)).collect();
        if used.is_empty() {
            return vec![None; level.variables.len()];
        }
        let formals: Vec<usize> = used.iter().map(|v| v.formal).collect();
        let gradient =
            self.gradients.entry((part, wrt)).or_insert_with(|| reverse::gradient(function, &formals)).clone();
        match part {
            Part::Upper => self.counts.grad_upper += 1,
            Part::Smooth | Part::Proximal => self.counts.grad_lower += 1,
        }
        let nodes = self.at(&gradient, x, y);
        let mut direction = Vec::new();
        let mut of_used = formals.iter().zip(nodes).peekable();
        for v in &level.variables {
            let node = of_used.next_if(|(formal, _)| **formal == v.formal).map(|(_, node)| node);
            // An exact zero must not reach the sums: `0 + x` is kept by the rewrites, which are exact.
            let node = node.filter(|n| self.graph.as_const(*n) != Some(0.0));
            if let Some(node) = node {
                self.graph.label(node, format!("{}_{}({}, {})", part.letter(), v.name, x.name, y.name));
            }
            direction.push(node);
        }
        direction
    }

    /// The product of the Hessian of `part` in y at `(x, y)` with a change of y.
    pub(crate) fn hessian_times(&mut self, part: Part, x: &Block, y: &Block, v: &Block) -> Direction {
        assert!(part != Part::Proximal, "g enters in y by its prox");
        let none = vec![None; v.nodes.len()];
        let Some(function) = self.part(part) else { return none };
        let used = |variable: &&Variable| function.depends_on(variable.formal);
        // A level on other tasks has its variables behind those of the problem.
        let places = self.problem.lower().variables.iter().enumerate().filter(|(_, v)| used(v));
        let (places, formals): (Vec<usize>, Vec<usize>) = places.map(|(i, v)| (i, v.formal)).unzip();
        if formals.is_empty() {
            return none;
        }
        let product = hvp(function, &formals);
        let mut args = self.arguments(x, y);
        args.truncate(function.inputs.len());
        args.extend(places.iter().map(|i| v.nodes[*i]));
        self.counts.hvp += 1;
        let mut direction = none;
        for (i, node) in places.into_iter().zip(product.instantiate(&mut self.graph, &args)) {
            direction[i] = Some(node).filter(|n| self.graph.as_const(*n) != Some(0.0));
        }
        direction
    }

    /// The derivative in x of `<part_y(x, y), v>`: the product of the mixed derivatives of `part` with a change of y.
    pub(crate) fn mixed_times(&mut self, part: Part, x: &Block, y: &Block, v: &Block) -> Direction {
        assert!(part != Part::Proximal, "g enters in y by its prox");
        let upper = &self.problem.upper().variables;
        let Some(function) = self.part(part) else { return vec![None; upper.len()] };
        let used = |variable: &Variable| function.depends_on(variable.formal);
        let below = self.problem.lower().variables.iter().enumerate().filter(|(_, v)| used(v));
        let (places, below): (Vec<usize>, Vec<usize>) = below.map(|(i, v)| (i, v.formal)).unzip();
        let slope = if below.is_empty() { None } else { Some(reverse::gradient(function, &below)) };
        let Some(slope) = slope else { return vec![None; upper.len()] };
        let above = upper.iter().enumerate().filter(|(_, v)| slope.depends_on(v.formal));
        let (targets, above): (Vec<usize>, Vec<usize>) = above.map(|(i, v)| (i, v.formal)).unzip();
        let mut direction = vec![None; upper.len()];
        if above.is_empty() {
            return direction;
        }
        let product = vjp(&slope, &above);
        let mut args = self.arguments(x, y);
        args.truncate(slope.inputs.len());
        args.extend(places.iter().map(|i| v.nodes[*i]));
        self.counts.hvp += 1;
        for (i, node) in targets.into_iter().zip(product.instantiate(&mut self.graph, &args)) {
            direction[i] = Some(node).filter(|n| self.graph.as_const(*n) != Some(0.0));
        }
        direction
    }

    /// The point that minimizes `step*g~(x, u) + normsq(u - v)/2` over u, `g~ = g + indicator(Y)`.
    pub(crate) fn prox(&mut self, v: &[NodeId], step: &StepSize, x: &Block, name: &str) -> Block {
        let y = self.y();
        let step_name = self.graph.label_of(step.number).unwrap_or("step").to_string();
        let variables = self.problem.lower().variables.iter().zip(v).enumerate();
        let nodes: Vec<NodeId> = variables
            .map(|(i, (variable, v))| {
                let node = match &variable.prox {
                    None => self.projection(variable, *v, x, &y),
                    Some(prox) => {
                        let weights = self.at(&prox.weights, x, &y);
                        let bounds = variable.set.as_ref().filter(|_| prox.with_box).map(|set| {
                            let ends = self.at(&set.parameters, x, &y);
                            (ends[0], ends[1])
                        });
                        self.counts.prox += 1;
                        let step = step.of(&mut self.graph, i);
                        prox.map.apply(&mut self.graph, &Arguments { v: *v, step, weights: &weights, bounds })
                    }
                };
                let name = member(name, self.problem.lower(), variable);
                let label = if node == *v { name } else { format!("{name} = prox_{{{step_name} g({}, .)}}", x.name) };
                self.graph.label(node, label);
                node
            })
            .collect();
        Block { name: name.to_string(), nodes }
    }

    /// The nearest point of X.
    pub(crate) fn project_upper(&mut self, v: &[NodeId], name: &str) -> Block {
        self.project(self.problem.upper(), v, name, "Proj_X")
    }

    /// The nearest point of Y, whatever the proximal part.
    pub(crate) fn project_lower(&mut self, v: &[NodeId], name: &str) -> Block {
        self.project(self.problem.lower(), v, name, "Proj_Y")
    }

    /// The nearest point of one upper variable's set.
    pub(crate) fn project_variable(&mut self, variable: &Variable, v: NodeId) -> NodeId {
        let (x, y) = (self.x(), self.y());
        self.projection(variable, v, &x, &y)
    }

    fn project(&mut self, level: &'p Level, v: &[NodeId], name: &str, operator: &str) -> Block {
        let (x, y) = (self.x(), self.y());
        let variables = level.variables.iter().zip(v);
        let nodes: Vec<NodeId> = variables
            .map(|(variable, v)| {
                let node = self.projection(variable, *v, &x, &y);
                let name = member(name, level, variable);
                let label = if node == *v { name } else { format!("{name} = {operator}") };
                self.graph.label(node, label);
                node
            })
            .collect();
        Block { name: name.to_string(), nodes }
    }

    /// The nearest point of the variable's set; sets depend on data alone.
    fn projection(&mut self, variable: &Variable, v: NodeId, x: &Block, y: &Block) -> NodeId {
        let Some(set) = &variable.set else { return v };
        let parameters = self.at(&set.parameters, x, y);
        self.counts.prox += 1;
        set.project(&mut self.graph, v, &parameters)
    }

    /// `a + b`.
    pub(crate) fn plus(&mut self, a: &Direction, b: &Direction) -> Direction {
        let pairs = a.iter().zip(b);
        pairs
            .map(|(a, b)| match (a, b) {
                (Some(a), Some(b)) => Some(self.graph.add(*a, *b)),
                (one, None) | (None, one) => *one,
            })
            .collect()
    }

    /// `s a`.
    pub(crate) fn times(&mut self, a: &Direction, s: NodeId) -> Direction {
        a.iter().map(|a| a.map(|a| self.graph.mul(s, a))).collect()
    }

    /// `a - b`.
    pub(crate) fn minus(&mut self, a: &Direction, b: &Direction) -> Direction {
        let pairs = a.iter().zip(b);
        pairs
            .map(|(a, b)| match (a, b) {
                (Some(a), Some(b)) => Some(self.graph.sub(*a, *b)).filter(|n| self.graph.as_const(*n) != Some(0.0)),
                (None, Some(b)) => Some(self.graph.neg(*b)),
                (one, None) => *one,
            })
            .collect()
    }

    /// `a / s`.
    pub(crate) fn over(&mut self, a: &Direction, s: &StepSize) -> Direction {
        let each = a.iter().enumerate();
        each.map(|(i, a)| {
            a.map(|a| {
                let s = s.of(&mut self.graph, i);
                self.graph.div(a, s)
            })
        })
        .collect()
    }

    /// `a - b` of two points.
    pub(crate) fn difference(&mut self, a: &Block, b: &Block) -> Direction {
        a.nodes.iter().zip(&b.nodes).map(|(a, b)| Some(self.graph.sub(*a, *b))).collect()
    }

    /// `v - s d`.
    pub(crate) fn descend(&mut self, v: &Block, s: &StepSize, d: &Direction) -> Vec<NodeId> {
        let pairs = v.nodes.iter().zip(d).enumerate();
        pairs
            .map(|(i, (v, d))| match d {
                None => *v,
                Some(d) => {
                    let step = s.of(&mut self.graph, i);
                    let change = self.graph.mul(step, *d);
                    self.graph.sub(*v, change)
                }
            })
            .collect()
    }

    /// The sum of `a .* b` over all entries.
    pub(crate) fn dot(&mut self, a: &Direction, b: &Direction) -> NodeId {
        let mut total = None;
        for (a, b) in a.iter().zip(b) {
            let (Some(a), Some(b)) = (a, b) else { continue };
            let product = self.graph.mul(*a, *b);
            let sum = self.graph.sum_all(product);
            total = Some(total.map_or(sum, |t| self.graph.add(t, sum)));
        }
        total.unwrap_or_else(|| self.graph.constant(0.0))
    }

    /// A change as a node: zeros of the shape of `like` where there is none.
    pub(crate) fn or_zero(&mut self, change: Option<NodeId>, like: NodeId) -> NodeId {
        change.unwrap_or_else(|| {
            let shape = self.graph.shape(like).clone();
            self.graph.filled(0.0, &shape)
        })
    }

    /// The largest entry.
    pub(crate) fn largest(&mut self, a: NodeId) -> NodeId {
        let axes = all_axes(self.graph.shape(a));
        if axes == 0 { a } else { self.graph.reduce(Reduction::Max, a, axes) }
    }

    /// `z + a (z - before)`.
    pub(crate) fn extrapolate(&mut self, z: &Block, before: &Block, a: NodeId, name: &str) -> Block {
        let pairs = z.nodes.iter().zip(&before.nodes);
        let node = |(z, before): (&NodeId, &NodeId)| {
            let change = self.graph.sub(*z, *before);
            let further = self.graph.mul(a, change);
            self.graph.add(*z, further)
        };
        Block { name: name.to_string(), nodes: pairs.map(node).collect() }
    }

    /// `a` where `switch` is not 0, else `b`.
    pub(crate) fn select(&mut self, switch: NodeId, a: NodeId, b: NodeId) -> NodeId {
        self.graph.elementwise(elementwise::SELECT, &[switch, a, b])
    }

    /// The sum of squares of all entries.
    pub(crate) fn norm_squared(&mut self, d: &Direction) -> NodeId {
        self.dot(d, d)
    }
}

/// The name of a variable's part of a point: the point's own, where the level has one variable.
fn member(point: &str, level: &Level, variable: &Variable) -> String {
    if level.variables.len() == 1 { point.to_string() } else { format!("{point}.{}", variable.name) }
}
