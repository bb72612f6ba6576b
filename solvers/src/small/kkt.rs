//! The KKT conditions of the lower level, relaxed by eps, as rows of one nonlinear program in x, y and the multipliers:
//! stationarity `f_y + c_y' lam + h_y' nu - zl + zu = 0`, and `lam (-c) <= eps` row by row, with bounds of y as rows of
//! their own (Scholtes, SIAM J. Optim. 11, 2001; Fletcher, Leyffer, Ralph, Scholtes, SIAM J. Optim. 17, 2006).

use std::ops::Range;

use blo_engine::diff::reverse;
use blo_engine::graph::{Elem, Formal, Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::problem_graph::{Block, Part, ProblemGraph};
use crate::formula::rows::{Rows, rows};
use crate::lower::constrained::{ConstrainedLower, ends};
use crate::nlp::functions::FunctionNlp;
use crate::nlp::{Nlp, Outcome, Status};

/// The relaxations of complementarity, from a cold start, and where the warm ones begin.
pub(crate) const RELAXATIONS: [f64; 8] = [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8];
pub(crate) const WARM: usize = 3;

/// No multiplier is larger; one at its end says that the lower level has lost its constraint qualification.
pub(crate) const MOST_MULTIPLIER: f64 = 1e6;

/// How far stationarity is relaxed where the rows as they are have no solution: a share of eps, at least so much.
const LOOSE: f64 = 1e-2;
const LEAST_LOOSE: f64 = 1e-7;

/// Iterations of a solve: on the way, and at the last relaxations.
const ON_THE_WAY: usize = 25;
const AT_THE_END: usize = 60;

/// From here on complementarity is that of the problem.
const TIGHT: f64 = 1e-6;

/// Where the parts of a point and of the rows are.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Entries of x, of y, and of the multipliers of rows; behind them are those of lower and of upper bounds of y.
    pub(crate) x: Range<usize>,
    pub(crate) y: Range<usize>,
    pub(crate) multipliers: Range<usize>,
    /// Rows of the upper level, of stationarity, of complementarity, and f itself, which cuts bound.
    pub(crate) upper_rows: Range<usize>,
    pub(crate) stationarity: Range<usize>,
    pub(crate) complementarity: Range<usize>,
    pub(crate) level: usize,
}

/// The program.
pub(crate) struct Kkt {
    pub(crate) program: FunctionNlp,
    pub(crate) layout: Layout,
    row_ends: Vec<[f64; 2]>,
    variable_bounds: Vec<[f64; 2]>,
    /// Rows of stationarity that are zero whatever the point.
    pub(super) vanishing: Option<Vec<bool>>,
}

/// The relaxations in words, for plans.
pub(crate) fn relaxations() -> String {
    let values: Vec<String> = RELAXATIONS.iter().map(|eps| format!("{eps:e}")).collect();
    values.join(", ")
}

/// A point with multipliers.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) z: Vec<f64>,
    /// All rows hold, at the last relaxation.
    pub(crate) ended_well: bool,
    /// A multiplier per row of the upper level.
    pub(crate) upper_multipliers: Vec<f64>,
}

/// A solve of the program as it is from a point, in so many iterations.
type Solve<'a> = dyn FnMut(&mut FunctionNlp, &[f64], usize) -> Option<Outcome> + 'a;

impl Kkt {
    /// Compiles the program of a problem.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        lower: &ConstrainedLower,
    ) -> Result<Kkt, Box<Diagnostic>> {
        let above = rows(problem, LevelId::UPPER);
        let below = rows(problem, LevelId::LOWER);
        let Conditions { objective, functions, variables, bound_inputs } = conditions(problem, &above, &below);
        let mut program = FunctionNlp::new(problem, data, threads, &objective, &functions, &variables)?;
        let lengths = program.row_lengths().to_vec();
        let [n, m] = lower.values.entries();
        let part = |rows: Range<usize>| lengths[rows].iter().sum::<usize>();
        let (lower_rows, upper_rows) = (part(0..below.len()), part(below.len()..below.len() + above.len()));
        let first = lower_rows + upper_rows;
        let inequalities = below.iter().zip(&lengths).filter(|(r, _)| !r.equality).map(|(_, n)| n).sum::<usize>();
        let layout = Layout {
            x: 0..n,
            y: n..n + m,
            multipliers: n + m..n + m + lower_rows,
            upper_rows: lower_rows..first,
            stationarity: first..first + m,
            complementarity: first + m..first + m + inequalities + 2 * m,
            level: first + 3 * m + inequalities,
        };
        let kinds = below.iter().chain(&above).zip(&lengths);
        let mut row_ends: Vec<[f64; 2]> = kinds.flat_map(|(r, n)| vec![ends(r.equality); *n]).collect();
        row_ends.extend(vec![[0.0, 0.0]; m]);
        row_ends.extend(vec![[f64::NEG_INFINITY, 0.0]; inequalities + 2 * m]);
        row_ends.push([f64::NEG_INFINITY, f64::INFINITY]);
        let mut variable_bounds = lower.upper_bounds.clone();
        variable_bounds.extend(&lower.bounds);
        let of_row = |equality: &bool| [if *equality { -MOST_MULTIPLIER } else { 0.0 }, MOST_MULTIPLIER];
        variable_bounds.extend(lower.equalities.iter().map(of_row));
        for side in 0..2 {
            let of_bound = |b: &[f64; 2]| [0.0, if b[side].is_finite() { MOST_MULTIPLIER } else { 0.0 }];
            variable_bounds.extend(lower.bounds.iter().map(of_bound));
        }
        for (side, inputs) in bound_inputs.iter().enumerate() {
            let finite = |b: &[f64; 2]| if b[side].is_finite() { b[side] } else { 0.0 };
            let mut values = lower.bounds.iter().map(finite);
            for (input, v) in inputs.iter().zip(&problem.lower().variables) {
                let length = program.length(v.formal);
                program.set(*input, &values.by_ref().take(length).collect::<Vec<f64>>());
            }
        }
        program.set_bounds(&variable_bounds);
        Ok(Kkt { program, layout, row_ends, variable_bounds, vanishing: None })
    }

    /// The program in words with their values, for plans: the sizes are those of every solve.
    pub(crate) fn describe(&self) -> Vec<(&'static str, String)> {
        let Layout { x, y, multipliers, upper_rows, stationarity, .. } = &self.layout;
        let free = |b: &[f64; 2]| b[0] < b[1];
        let of_bounds = self.variable_bounds[multipliers.end..].iter().filter(|b| free(b)).count();
        let equalities = self.row_ends[..multipliers.len()].iter().filter(|e| e[0] == e[1]).count();
        let inequalities = multipliers.len() - equalities;
        let [all, rows] = [multipliers.end + of_bounds, multipliers.len() + upper_rows.len() + stationarity.len()];
        vec![
            ("solves", "min F(x, y) over x, y, lam, z by sequential quadratic programs".to_owned()),
            (
                "system",
                "f_y + c_y' lam + h_y' nu - zl + zu = 0, c <= 0, h = 0, lam (-c) <= eps, z (room) <= eps".to_owned(),
            ),
            (
                "variables",
                format!(
                    "{all}: {} of x, {} of y, {} multipliers of rows, {of_bounds} of bounds of y",
                    x.len(),
                    y.len(),
                    multipliers.len()
                ),
            ),
            (
                "rows",
                format!(
                    "{rows}: {} stationarity, {} of the lower level ({equalities} equalities), {} of the upper",
                    stationarity.len(),
                    multipliers.len(),
                    upper_rows.len()
                ),
            ),
            (
                "pairs",
                format!("{} complementary: {inequalities} of rows, {of_bounds} of bounds", inequalities + of_bounds),
            ),
        ]
    }

    /// A point with the multipliers that fit (x, y) best.
    pub(crate) fn begin(&self, lower: &mut ConstrainedLower, x: &[f64], y: &[f64]) -> Vec<f64> {
        lower.put(x);
        let (rows, of_bounds) = lower.multipliers(y);
        let mut z = [x, y, &rows].concat();
        for side in 0..2 {
            z.extend(of_bounds.iter().map(|pair| pair[side]));
        }
        z.iter().zip(&self.variable_bounds).map(|(v, [low, high])| v.clamp(*low, *high)).collect()
    }

    /// The ends of all rows where complementarity is relaxed by eps and stationarity by `loose`.
    fn ends(&self, eps: f64, loose: f64) -> Vec<[f64; 2]> {
        let mut ends = self.row_ends.clone();
        for i in self.layout.complementarity.clone() {
            ends[i][1] = eps;
        }
        let vanishing = self.vanishing.as_deref().unwrap_or_default();
        for (j, i) in self.layout.stationarity.clone().enumerate() {
            let free = vanishing.get(j).copied().unwrap_or(false);
            ends[i] = if free { [f64::NEG_INFINITY, f64::INFINITY] } else { [-loose, loose] };
        }
        ends
    }

    /// Follows the solutions over relaxations. `solve` solves the program as it then is from a point, perhaps with rows of
    /// its own behind those of the program, in so many iterations; `None` ends the way.
    pub(crate) fn follow(&mut self, z: &[f64], relaxations: &[f64], solve: &mut Solve<'_>) -> Option<Point> {
        self.find_vanishing(z);
        let mut point = Point { z: z.to_vec(), ended_well: false, upper_multipliers: Vec::new() };
        let mut met = false;
        for eps in relaxations {
            let iterations = if *eps > TIGHT { ON_THE_WAY } else { AT_THE_END };
            self.program.set_row_bounds(&self.ends(*eps, 0.0));
            let Some(mut end) = solve(&mut self.program, &point.z, iterations) else { break };
            if !is_good(&end) {
                self.program.set_row_bounds(&self.ends(*eps, (LOOSE * eps).max(LEAST_LOOSE)));
                let Some(loose) = solve(&mut self.program, &point.z, iterations) else { break };
                if is_good(&loose) || loose.violation < end.violation {
                    end = loose;
                }
            }
            if matches!(end.status, Status::Stopped | Status::NotFinite) || end.z.iter().any(|v| !v.is_finite()) {
                break;
            }
            met = true;
            let upper_multipliers = end.multipliers[self.layout.upper_rows.clone()].to_vec();
            point = Point { ended_well: is_good(&end), z: end.z, upper_multipliers };
        }
        met.then_some(point)
    }

    /// Notes which rows of stationarity say nothing: no variable and no multiplier changes them.
    fn find_vanishing(&mut self, z: &[f64]) {
        if self.vanishing.is_some() {
            return;
        }
        let (n, count) = (z.len(), self.row_ends.len());
        let (mut rows, mut gradient, mut jacobian) = (vec![0.0; count], vec![0.0; n], vec![0.0; n * count]);
        self.program.values(z, &mut rows);
        self.program.slopes(z, &mut gradient, &mut jacobian);
        let free = |i: usize| {
            let row = jacobian[i * n..(i + 1) * n].iter().enumerate();
            let fixed = |j: usize| self.variable_bounds[j][0] == self.variable_bounds[j][1];
            rows[i] == 0.0 && row.into_iter().all(|(j, v)| *v == 0.0 || fixed(j))
        };
        self.vanishing = Some(self.layout.stationarity.clone().map(free).collect());
    }
}

/// True where a solve has found a point that meets the rows.
pub(crate) fn is_good(end: &Outcome) -> bool {
    matches!(end.status, Status::Solved | Status::Acceptable)
}

/// The functions of the program.
struct Conditions {
    objective: Function,
    /// Rows of the lower level, of the upper level, stationarity, complementarity, f.
    functions: Vec<Function>,
    variables: Vec<usize>,
    /// Inputs that hold the lower and the upper ends of y.
    bound_inputs: [Vec<usize>; 2],
}

fn conditions(problem: &Problem, above: &[Rows], below: &[Rows]) -> Conditions {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let of_constraints = p.multipliers().nodes;
    let mut multipliers = Vec::new();
    for (i, r) in below.iter().enumerate() {
        let shape = r.value.output_shape(0).clone();
        let further = Formal { name: format!("lam{}", i + 1), shape, elem: Elem::Real };
        multipliers.push(of_constraints.get(i).copied().unwrap_or_else(|| p.input(further)));
    }
    let of_bounds = ["zl", "zu"].map(|name| p.point(name, LevelId::LOWER));
    let at_ends = ["lo", "hi"].map(|name| p.point(name, LevelId::LOWER));
    let values: Vec<NodeId> = below.iter().map(|r| p.at(&r.value, &x, &y)[0]).collect();
    let mut functions = each(&p, "lower row", &values);
    let upper_rows: Vec<NodeId> = above.iter().map(|r| p.at(&r.value, &x, &y)[0]).collect();
    functions.extend(each(&p, "upper row", &upper_rows));
    let f = p.value(Part::Smooth, &x, &y);
    let lagrangian = lagrangian(&mut p, f, &values, &multipliers);
    let stationary = stationarity(&mut p, &lagrangian, &of_bounds);
    functions.extend(each(&p, "stationarity", &stationary));
    let mut products = Vec::new();
    for ((r, value), lam) in below.iter().zip(&values).zip(&multipliers) {
        if !r.equality {
            let product = p.graph.mul(*lam, *value);
            products.push(p.graph.neg(product));
        }
    }
    for (side, (z, end)) in of_bounds.iter().zip(&at_ends).enumerate() {
        for ((z, end), y) in z.nodes.iter().zip(&end.nodes).zip(&y.nodes) {
            let room = if side == 0 { p.graph.sub(*y, *end) } else { p.graph.sub(*end, *y) };
            products.push(p.graph.mul(*z, room));
        }
    }
    functions.extend(each(&p, "complementarity", &products));
    functions.push(p.function("f", &[f]));
    let objective = p.value(Part::Upper, &x, &y);
    let objective = p.function("F", &[objective]);
    let mut variables = [p.positions(&x), p.positions(&y)].concat();
    variables.extend(multipliers.iter().map(|node| p.position(*node)));
    variables.extend(of_bounds.iter().flat_map(|block| p.positions(block)));
    // every function takes all inputs
    let bound_inputs = at_ends.map(|block| p.positions(&block));
    Conditions { objective, functions, variables, bound_inputs }
}

fn each(p: &ProblemGraph<'_>, name: &str, nodes: &[NodeId]) -> Vec<Function> {
    nodes.iter().map(|node| p.function(name, &[*node])).collect()
}

/// `f + lam'c + nu'h`.
fn lagrangian(p: &mut ProblemGraph<'_>, f: NodeId, values: &[NodeId], multipliers: &[NodeId]) -> Function {
    let mut sum = f;
    for (value, lam) in values.iter().zip(multipliers) {
        let product = p.graph.mul(*lam, *value);
        let product = p.graph.sum_all(product);
        sum = p.graph.add(sum, product);
    }
    p.function("Lagrangian of the lower level", &[sum])
}

/// `L_y - zl + zu`, a node per lower variable.
fn stationarity(p: &mut ProblemGraph<'_>, lagrangian: &Function, of_bounds: &[Block; 2]) -> Vec<NodeId> {
    let used: Vec<usize> = p.problem().lower_inputs().into_iter().filter(|i| lagrangian.depends_on(*i)).collect();
    let mut nodes = Vec::new();
    if !used.is_empty() {
        let arguments: Vec<NodeId> = (0..lagrangian.inputs.len()).map(|i| NodeId(i as u32)).collect();
        nodes = reverse::gradient(lagrangian, &used).instantiate(&mut p.graph, &arguments);
    }
    let mut nodes = used.iter().zip(nodes).peekable();
    let y = p.y();
    let mut found = Vec::new();
    for (i, formal) in p.problem().lower_inputs().into_iter().enumerate() {
        let slope = nodes.next_if(|(used, _)| **used == formal).map(|(_, node)| node);
        let slope = p.or_zero(slope, y.nodes[i]);
        let bounds = p.graph.sub(of_bounds[1].nodes[i], of_bounds[0].nodes[i]);
        found.push(p.graph.add(slope, bounds));
    }
    found
}
