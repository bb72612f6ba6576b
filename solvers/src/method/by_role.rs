//! The control of methods whose numbers are stated, or have a role: a lower step without a stated size follows the
//! curvature of the lower objective. Methods ask for roles, never for each other's options.

use blo_engine::model::problem::LevelId;
use blo_grammar::diagnostic::Diagnostic;

use crate::iteration::control::{Control, Iterate, Next};
use crate::iteration::counts::Counts;
use crate::iteration::{Context, Iteration, Make, Role, Rows, Scalar, memory};
use crate::lower::step_sizes::{LowerStepSizes, PointKind, StepSizesMemory, Wanted};
use crate::options::value::Value;

/// The control of a run.
struct ByRole {
    scalars: Vec<Scalar>,
    sizes: LowerStepSizes,
    /// Inputs of the upper variables, then of the point where the inner steps end.
    end: Vec<usize>,
    found: Option<&'static str>,
}

/// Makes the control of an iteration. `inner`: the inputs where its lower steps end, one per lower variable. `found`:
/// the option for the step on the lower objective, where nobody stated it.
pub(super) fn by_role(iteration: &Iteration, inner: Vec<usize>, found: Option<&'static str>) -> Make<dyn Control> {
    let scalars = iteration.scalars.clone();
    Box::new(move |context: &Context<'_>| {
        let Context { problem, data, options } = context;
        let lower = scalars.iter().any(|s| s.stated.is_none() && s.role == Role::LowerStep);
        let wanted = Wanted { lower, upper: false };
        let control = ByRole {
            scalars: scalars.clone(),
            sizes: LowerStepSizes::new(problem, data, wanted, options.threads, options.seed)?,
            end: problem.range(LevelId::UPPER).chain(inner.iter().copied()).collect(),
            found,
        };
        Ok(Box::new(control) as Box<dyn Control>)
    })
}

impl Control for ByRole {
    fn begin(&mut self, iterate: &mut dyn Iterate) {
        self.sizes.at(PointKind::First, &mut |input, values| iterate.read(input, values));
    }

    fn scalars(&mut self, k: u64, values: &mut [f64]) {
        let lower = self.sizes.sizes().lower;
        for (value, scalar) in values.iter_mut().zip(&self.scalars) {
            *value = match (&scalar.stated, scalar.role) {
                (Some(schedule), _) => schedule.at(k),
                (None, Role::LowerStep) => lower,
                (None, Role::Own) => unreachable!("a method with numbers of its own has a control of its own"),
            };
        }
    }

    /// The sizes have to fit where the next steps start and where the last ones ended.
    fn accepted(&mut self, _: u64, iterate: &mut dyn Iterate) -> Next {
        if self.sizes.varies() {
            self.sizes.at(PointKind::Nearby, &mut |input, values| iterate.read(input, values));
            let end = &self.end;
            self.sizes.fit_end(&mut |variable, values| iterate.read(end[variable], values));
        }
        Next::Continue
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.sizes.select(rows)
    }

    fn counts(&self) -> Counts {
        self.sizes.counts()
    }

    fn chosen(&self) -> Vec<(&'static str, Value)> {
        self.found.iter().map(|name| (*name, Value::Number(self.sizes.sizes().lower))).collect()
    }

    fn save(&self, to: &mut Vec<u8>) {
        memory::pack(&self.sizes.memory(), to);
    }

    fn load(&mut self, saved: &[u8], _: &mut dyn Iterate) {
        let sizes: StepSizesMemory<'_> = memory::unpack(saved);
        self.sizes.recall(sizes);
    }
}
