//! Two spellings of one value agree: what comprehensions, subscripts and operators *mean*, not only their derivatives.

use blo_engine::model::Bound;
use blo_engine::oracle::{Tensor, Value, evaluate};
use blo_tests::programs;

#[test]
fn identities_hold_at_the_start() {
    for program in programs("tests/suite/values") {
        let (problem, bindings) = program.bound(&[]);
        let sizes = &bindings.sizes;
        let mut inputs: Vec<Value<f64>> = problem
            .variables()
            .map(|v| {
                let shape = v.shape.sizes(sizes).expect("known sizes");
                let count = shape.iter().product();
                Value::Real(Tensor::new(shape, vec![0.0; count]))
            })
            .collect();
        inputs.extend(bindings.values.iter().map(Bound::value));
        for (i, start) in evaluate(&problem.start, sizes, &inputs).into_iter().enumerate() {
            inputs[i] = Value::Real(start);
        }
        let mut wrong = Vec::new();
        for metric in &problem.metrics {
            let value = evaluate(&metric.value, sizes, &inputs)[0].values[0];
            // A NaN is as wrong as a difference.
            if value.abs() > 1e-9 || value.is_nan() {
                wrong.push((metric.name.clone(), value));
            }
        }
        assert!(wrong.is_empty(), "{}: {wrong:?}", program.name);
    }
}
