//! A solution as one JSON object. Its form is part of the interface: `schema` counts its changes. Numbers that are not
//! finite are null, scalars are numbers, arrays nested lists in row-major order.

use blo_engine::model::problem::{ConstraintClass, LevelId};
use blo_grammar::diagnostic::Diagnostic;
use blo_solvers as settings;
use blo_solvers::solution::constraint::ConstraintEnd;
use blo_solvers::solution::trace::Row;
use blo_solvers::solution::verdict::{Entry, Known, Open, Place, Remark, Verdict};
use blo_solvers::solution::{LevelResult, Solution, UsedOption};
use serde_json::{Map, Value, json};

use crate::output::SCHEMA;

/// The object that `blo solve --format json` prints. `warnings` are those of the check, before the solution's own.
pub fn solution(solution: &Solution, warnings: &[Diagnostic]) -> Value {
    let r = &solution.residuals;
    let c = &solution.counts;
    let warnings = warnings.iter().chain(&solution.warnings);
    let mut object = json!({
        "schema": SCHEMA,
        "problem": solution.problem,
        "method": solution.method,
        "preset": solution.preset,
        "status": solution.status.text(),
        "iterations": solution.iterations,
        "seconds": {"compile": number(solution.compile_seconds), "solve": number(solution.solve_seconds)},
        "options": collect(solution.options.iter().map(|o| (o.name, option(o)))),
        "environment": environment(solution),
        "upper": {"objective": number(solution.upper.objective), "variables": variables(&solution.upper)},
        "lower": {
            "objective": number(solution.lower.objective),
            "smooth": number(solution.lower.smooth),
            "regularizer": number(solution.lower.regularizer),
            "variables": variables(&solution.lower),
        },
        "verdict": verdict(&solution.verdict),
        "residuals": {"upper": number(r.upper), "lower": number(r.lower), "method": number(r.method)},
        "gap": number(r.gap),
        "polish": solution.polish.as_ref().map(|p| {
            json!({"iterations": p.iterations, "before": {"upper": number(p.upper), "lower": number(p.lower)}})
        }),
        "metrics": collect(solution.metrics.iter().map(|(name, v)| (name, number(*v)))),
        "errors": collect(solution.errors.iter().map(|e| (&e.name, json!({"dist": number(e.dist), "err": number(e.err)})))),
        "warnings": warnings.map(|d| json!({"code": d.code, "message": d.message})).collect::<Vec<_>>(),
        "lower_steps": solution.work.map(|w| {
            json!({"run": w.steps, "again": w.again, "states": w.states, "bytes": w.bytes})
        }),
        "counts": {"grad_lower": c.grad_lower, "grad_upper": c.grad_upper, "hvp": c.hvp, "prox": c.prox},
    });
    if !solution.constraints.is_empty() {
        object["constraints"] = collect(solution.constraints.iter().map(|c| (&c.name, constraint(c))));
    }
    if let Some(found) = &solution.sensitivity {
        let known = found.iter().filter_map(|s| Some((&s.name, number(*s.derivative.as_ref().ok()?))));
        let unknown = found.iter().filter_map(|s| Some((&s.name, json!(s.derivative.as_ref().err()?.why))));
        object["sensitivity"] = collect(known);
        object["no_sensitivity"] = collect(unknown);
    }
    object
}

/// The rows of a name.
fn constraint(end: &ConstraintEnd) -> Value {
    json!({
        "level": if end.level == LevelId::UPPER { "upper" } else { "lower" },
        "class": match end.class {
            ConstraintClass::Affine => "affine",
            ConstraintClass::Convex => "convex",
            ConstraintClass::Unknown => "not proved",
        },
        "moving": end.moving,
        "violation": number(end.violation),
        "multiplier": end.multiplier.as_ref().map(|a| array(&a.shape, &a.values)),
        "strictness": end.strictness.map(number),
    })
}

fn verdict(v: &Verdict) -> Value {
    let known = |k: &Known| json!({"x": k.x.iter().map(|v| number(*v)).collect::<Vec<_>>(), "upper": number(k.upper)});
    let entry = |e: &Entry| json!({"name": e.name, "value": number(e.value)});
    json!({
        "word": v.word.text(),
        "lower_gap": number(v.lower_gap),
        "starts": v.starts,
        "probes": v.probes,
        "better": v.better.as_ref().map(known),
        "distinct": v.distinct.iter().map(known).collect::<Vec<_>>(),
        "found_by": v.found_by.map(Place::text),
        "open": v.open.map(Open::text),
        "at_bounds": v.at_bounds.iter().map(entry).collect::<Vec<_>>(),
        "flat": v.flat.iter().map(|f| json!({"name": f.entry.name, "value": number(f.entry.value), "beyond": f.beyond.map(number)})).collect::<Vec<_>>(),
        "remark": v.remark.map(Remark::text),
    })
}

/// A row of the table, for a trace.
pub fn row(row: &Row, metrics: &[String]) -> Value {
    let r = &row.residuals;
    json!({
        "iteration": row.iteration,
        "pass": row.pass,
        "seconds": number(row.seconds),
        "upper": number(row.upper),
        "lower": number(row.lower),
        "residuals": {"upper": number(r.upper), "lower": number(r.lower), "method": number(r.method)},
        "gap": number(r.gap),
        "metrics": collect(metrics.iter().zip(&row.metrics).map(|(name, v)| (name, number(v.unwrap_or(f64::NAN))))),
    })
}

/// A number, or null where JSON has none; minus zero is zero.
fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value + 0.0).map_or(Value::Null, Value::Number)
}

fn collect<K: ToString>(entries: impl Iterator<Item = (K, Value)>) -> Value {
    Value::Object(entries.map(|(k, v)| (k.to_string(), v)).collect::<Map<_, _>>())
}

fn option(o: &UsedOption) -> Value {
    let value = match &o.value {
        settings::Value::Number(v) => number(*v),
        settings::Value::Integer(v) => json!(v),
        settings::Value::Schedule(s) => s.as_constant().map_or_else(|| json!(s.to_string()), number),
        settings::Value::Word(w) | settings::Value::Text(w) => json!(w),
    };
    json!({"value": value, "origin": o.origin.text()})
}

fn environment(solution: &Solution) -> Value {
    let of = |name: &str| solution.options.iter().find(|o| o.name == name).map(|o| option(o)["value"].clone());
    let threads = match of("threads").and_then(|t| t.as_u64()) {
        Some(n) if n > 0 => n,
        _ => std::thread::available_parallelism().map_or(1, |n| n.get() as u64),
    };
    json!({"threads": threads, "precision": of("precision"), "seed": of("seed")})
}

fn variables(level: &LevelResult) -> Value {
    collect(level.variables.iter().map(|(name, a)| (name, array(&a.shape, &a.values))))
}

/// Arrays by name, with the values that stand in the same order.
pub fn arrays(shapes: &[(&str, &[usize])], values: &[Vec<f64>]) -> Value {
    collect(shapes.iter().zip(values).map(|((name, shape), values)| (name, array(shape, values))))
}

fn array(shape: &[usize], values: &[f64]) -> Value {
    match shape {
        [] => values.first().map_or(Value::Null, |v| number(*v)),
        [_] => values.iter().map(|v| number(*v)).collect(),
        [rows, rest @ ..] => {
            let size: usize = rest.iter().product();
            (0..*rows).map(|i| array(rest, &values[i * size..(i + 1) * size])).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_nest_row_by_row() {
        let of = |shape: Vec<usize>, values: Vec<f64>| array(&shape, &values);
        assert_eq!(of(vec![], vec![0.5]), json!(0.5));
        assert_eq!(of(vec![2], vec![1.0, f64::NAN]), json!([1.0, null]));
        assert_eq!(of(vec![2, 3], vec![1., 2., 3., 4., 5., 6.]), json!([[1., 2., 3.], [4., 5., 6.]]));
        assert_eq!(of(vec![2, 0], vec![]), json!([[], []]));
        assert_eq!(of(vec![0, 2], vec![]), json!([]));
    }
}
