//! A function applied to slices: one function on arrays with a leading axis. Where its body has an operation without such a
//! form, it is a loop over the slices.

use std::sync::Arc;

use blo_engine::graph::{Function, NodeId, Op};

use super::block::{Block, Value};
use super::body::{Body, Called, Known, Led, Module, Slices, define, function_text, lengths};
use crate::export::kept::Refused;
use crate::export::names::Names;

impl Body<'_, '_> {
    /// The output of a map.
    ///
    /// # Errors
    /// When an operation of its body is refused.
    pub(super) fn mapped(
        &mut self,
        body: &Arc<Function>,
        mapped: &[bool],
        output: usize,
        nodes: &[NodeId],
    ) -> Result<Led, Refused> {
        let key = (Arc::as_ptr(body) as usize, nodes.to_vec());
        if let Some(known) = self.maps.get(&key) {
            return Ok(known[output].clone());
        }
        let operands: Vec<Led> = nodes.iter().map(|node| self.value(*node)).collect();
        let led = operands.iter().any(|(_, led)| *led);
        let of_slices = mapped.iter().position(|m| *m).expect("a map has a mapped operand");
        let count = self.shape(nodes[of_slices])[0];
        let lead = [self.lead_of(led), vec![count]].concat();
        let mut arguments = Vec::new();
        let mut leads = Vec::new();
        for ((value, has), mapped) in operands.into_iter().zip(mapped) {
            leads.push(*mapped || has);
            arguments.push(match (*mapped, has == led) {
                // all of the leading axes, or none
                (true, true) => value,
                (true, false) => self.repeated(&value),
                (false, _) if !has => value,
                (false, _) => self.repeated_within(&value, &lead),
            });
        }
        let called = body_of(self.module, body, &lead, &leads)?;
        let results = called.call(&mut self.block, &|i| arguments[i].clone());
        let results: Vec<Led> = results.into_iter().map(|r| (r, led)).collect();
        self.maps.insert(key, results.clone());
        Ok(results[output].clone())
    }

    /// A value with the leading axes of the function in every slice of a map within it.
    fn repeated_within(&mut self, value: &Value, lead: &[usize]) -> Value {
        let depth = lead.len();
        let dims: Vec<usize> = (0..depth - 1).chain(depth..=value.rank()).collect();
        let shape = [lead, &value.shape()[depth - 1..]].concat();
        self.block.broadcast(value, &dims, &shape)
    }
}

/// The function of a body on slices.
///
/// # Errors
/// When an operation is refused.
pub(super) fn body_of(
    module: &mut Module<'_>,
    body: &Arc<Function>,
    lead: &[usize],
    leads: &[bool],
) -> Result<Called, Refused> {
    let same = |known: &&Known| known.lead == lead && known.leads == leads && known.body == *body;
    if let Some(known) = module.bodies.iter().find(same) {
        return Ok(known.called.clone());
    }
    let name = module.name(&format!("each {}", body.name));
    let mut names = Names::of_fields();
    let inputs: Vec<String> = body.inputs.iter().map(|f| names.fresh(&f.name)).collect();
    let called = if in_slices(body) {
        define(module, (&name, ""), body, &inputs, Slices { lead, leads })?
    } else {
        one_by_one(module, &name, body, &inputs, (lead, leads))?
    };
    module.bodies.push(Known {
        body: body.clone(),
        lead: lead.to_vec(),
        leads: leads.to_vec(),
        called: called.clone(),
    });
    Ok(called)
}

/// True where every operation has a form for arrays with leading axes.
fn in_slices(function: &Function) -> bool {
    let graph = function.graph();
    let used = graph.reachable(function.outputs());
    graph.ids().filter(|id| used[id.0 as usize]).all(|id| match graph.op(id) {
        Op::Conv { .. } | Op::Prox(_) => false,
        Op::Map { body, .. } => in_slices(body),
        _ => true,
    })
}

/// A loop over the slices: all leading axes become one, whose entries are taken one after the other.
fn one_by_one(
    module: &mut Module<'_>,
    name: &str,
    body: &Arc<Function>,
    inputs: &[String],
    (lead, leads): (&[usize], &[bool]),
) -> Result<Called, Refused> {
    let one_name = module.name(&format!("{name} slice"));
    let one = define(module, (&one_name, ""), body, inputs, Slices { lead: &[], leads: &[] })?;
    let mut block = Block::new(module.width);
    let count: usize = lead.iter().product();
    let mut arguments = Vec::new();
    for i in &one.inputs {
        let formal = &body.inputs[*i];
        let own = lengths(&formal.shape, module.sizes);
        let shape = if leads[*i] { [lead, &own].concat() } else { own };
        arguments.push(block.argument(&inputs[*i], module.width.of(formal.elem, shape)));
    }
    let rows = |block: &mut Block, (value, i): (&Value, &usize)| {
        if !leads[*i] {
            return value.clone();
        }
        let shape = [&[count], &value.shape()[lead.len()..]].concat();
        block.reshape(value, &shape)
    };
    let fixed: Vec<Value> = arguments.iter().zip(&one.inputs).map(|pair| rows(&mut block, pair)).collect();
    let empty: Vec<Value> =
        one.results.iter().map(|r| block.real(0.0, &[&[count], r.shape.as_slice()].concat())).collect();
    let most = block.whole(count as i64);
    let filled = block.count(&most, &empty, &fixed, |block, j, inside| {
        let (so_far, given) = inside.split_at(empty.len());
        let mut slices = Vec::new();
        for (value, i) in given.iter().zip(&one.inputs) {
            slices.push(if leads[*i] { block.at(value, j) } else { value.clone() });
        }
        let results = block.call(&one.name, &slices, &one.results);
        so_far.iter().zip(&results).map(|(all, result)| block.set_at(all, j, result)).collect()
    });
    let mut results = Vec::new();
    for (value, own) in filled.iter().zip(&one.results) {
        results.push(block.reshape(value, &[lead, &own.shape].concat()));
    }
    let listed: Vec<String> = arguments.iter().map(|a| format!("{}: {}", a.name, a.ty)).collect();
    let head = format!("private @{name}({})", listed.join(", "));
    module.functions.push(function_text(&head, "", &block, &results));
    let results = results.into_iter().map(|r| r.ty).collect();
    Ok(Called { name: name.to_owned(), inputs: one.inputs, results })
}

#[cfg(test)]
mod tests {
    use blo_engine::graph::{ConvPart, Elem, Formal, Graph, Windows};
    use blo_engine::shape::{Dim, Shape, Sizes};

    use super::*;
    use crate::export::stablehlo::block::Width;

    fn shape(lengths: &[usize]) -> Shape {
        Shape(lengths.iter().map(|n| Dim::constant(*n as i64)).collect())
    }

    /// A function of inputs with these names and lengths; `i` has positions.
    fn function(
        name: &str,
        inputs: &[(&str, &[usize])],
        make: impl FnOnce(&mut Graph, &[NodeId]) -> Vec<NodeId>,
    ) -> Function {
        let formal = |(name, lengths): &(&str, &[usize])| {
            let elem = if *name == "i" { Elem::Index } else { Elem::Real };
            Formal { name: (*name).to_owned(), shape: shape(lengths), elem }
        };
        let formals: Vec<Formal> = inputs.iter().map(formal).collect();
        let mut graph = Graph::new();
        let nodes: Vec<NodeId> =
            formals.iter().enumerate().map(|(i, f)| graph.input(i, f.shape.clone(), f.elem)).collect();
        let outputs = make(&mut graph, &nodes);
        Function::new(name, &graph, formals, &outputs)
    }

    fn text(function: &Function) -> String {
        let sizes = Sizes::default();
        let mut module = Module::new(Width::DOUBLE, &sizes);
        let inputs: Vec<String> = function.inputs.iter().map(|f| f.name.clone()).collect();
        define(&mut module, ("whole", ""), function, &inputs, Slices { lead: &[], leads: &[] }).unwrap();
        module.functions.join("\n")
    }

    /// Values of this text were compared with those of `jax.vmap` on the same body.
    #[test]
    fn a_map_is_a_function_on_arrays_with_a_leading_axis() {
        let body = function("body", &[("a", &[3, 4]), ("i", &[5]), ("s", &[4, 2]), ("u", &[1, 4, 5])], |g, x| {
            let picked = g.gather(x[0], x[1], 1);
            let spread = g.scatter(picked, x[1], 1, &Dim::constant(6));
            let product = g.matmul(x[0], x[2]);
            let (turned_s, turned_a) = (g.transpose(x[2]), g.transpose(x[0]));
            let other = g.matmul(turned_s, turned_a);
            let back = g.transpose(other);
            let windows = Windows { size: 2, stride: 2 };
            let largest = g.pick(windows, x[3], x[3], [Dim::constant(2), Dim::constant(2)]);
            vec![spread, g.mul(product, back), g.put(windows, x[3], largest)]
        });
        let body = Arc::new(body);
        let whole =
            function("whole", &[("a", &[2, 3, 4]), ("i", &[2, 5]), ("s", &[4, 2]), ("u", &[2, 1, 4, 5])], |g, x| {
                (0..3).map(|output| g.map(&body, &[true, true, false, true], output, x)).collect()
            });
        insta::assert_snapshot!(text(&whole));
    }

    #[test]
    fn a_body_without_such_a_form_runs_slice_by_slice() {
        let (images, kernels): (&[usize], &[usize]) = (&[1, 1, 4, 4], &[1, 1, 3, 3]);
        let result = shape(&[1, 1, 2, 2]);
        let body = function("body", &[("u", images), ("W", kernels)], |g, x| {
            vec![g.conv(ConvPart::Output, 1, 0, [x[0], x[1]], &result)]
        });
        let body = Arc::new(body);
        let (images, kernels): (&[usize], &[usize]) = (&[2, 1, 1, 4, 4], &[2, 1, 1, 3, 3]);
        let whole = function("whole", &[("u", images), ("W", kernels)], |g, x| vec![g.map(&body, &[true, true], 0, x)]);
        let text = text(&whole);
        assert!(text.contains("stablehlo.while") && text.contains("func.call @each_body_slice("), "{text}");
    }
}
