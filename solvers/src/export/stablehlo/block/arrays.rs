//! Operations that repeat, move, pick and sum entries.

use super::{Block, Type, Value, list, names, types};

impl Block {
    /// Axis `i` of the operand is axis `dims[i]` of the result.
    pub(in crate::export::stablehlo) fn broadcast(&mut self, a: &Value, dims: &[usize], shape: &[usize]) -> Value {
        if a.shape() == shape {
            return a.clone();
        }
        let ty = Type { shape: shape.to_vec(), element: a.ty.element };
        let dims = list(dims);
        self.add(format!("stablehlo.broadcast_in_dim {}, dims = [{dims}] : ({}) -> {ty}", a.name, a.ty), ty)
    }

    /// A number in every entry.
    pub(in crate::export::stablehlo) fn filled(&mut self, a: &Value, shape: &[usize]) -> Value {
        self.broadcast(a, &[], shape)
    }

    pub(in crate::export::stablehlo) fn reshape(&mut self, a: &Value, shape: &[usize]) -> Value {
        if a.shape() == shape {
            return a.clone();
        }
        let ty = Type { shape: shape.to_vec(), element: a.ty.element };
        self.add(format!("stablehlo.reshape {} : ({}) -> {ty}", a.name, a.ty), ty)
    }

    /// Axis `i` of the result is axis `perm[i]` of the operand.
    pub(in crate::export::stablehlo) fn transpose(&mut self, a: &Value, perm: &[usize]) -> Value {
        if perm.iter().enumerate().all(|(i, p)| i == *p) {
            return a.clone();
        }
        let ty = Type { shape: perm.iter().map(|p| a.shape()[*p]).collect(), element: a.ty.element };
        self.add(format!("stablehlo.transpose {}, dims = [{}] : ({}) -> {ty}", a.name, list(perm), a.ty), ty)
    }

    /// `0, 1, ...` along an axis.
    pub(in crate::export::stablehlo) fn iota(&mut self, axis: usize, ty: Type) -> Value {
        self.add(format!("stablehlo.iota dim = {axis} : {ty}"), ty)
    }

    /// Of an axis `count` entries from the first on, `step` apart.
    pub(in crate::export::stablehlo) fn slice(
        &mut self,
        a: &Value,
        axis: usize,
        first: usize,
        count: usize,
        step: usize,
    ) -> Value {
        let mut ranges = Vec::new();
        for (i, length) in a.shape().iter().enumerate() {
            ranges.push(match (i == axis, step) {
                (false, _) => format!("0:{length}"),
                (true, 1) => format!("{first}:{}", first + count),
                (true, _) if count == 0 => format!("{first}:{first}"),
                (true, _) => format!("{first}:{}:{step}", first + (count - 1) * step + 1),
            });
        }
        let mut ty = a.ty.clone();
        ty.shape[axis] = count;
        self.add(format!("stablehlo.slice {} [{}] : ({}) -> {ty}", a.name, ranges.join(", "), a.ty), ty)
    }

    /// The transpose of `slice`: zeros but for the entries of an axis from `first` on, `step` apart.
    pub(in crate::export::stablehlo) fn pad(
        &mut self,
        a: &Value,
        axis: usize,
        first: usize,
        length: usize,
        step: usize,
    ) -> Value {
        let count = a.shape()[axis];
        let mut ty = a.ty.clone();
        ty.shape[axis] = length;
        if count == 0 {
            return self.real(0.0, &ty.shape);
        }
        let zero = self.real(0.0, &[]);
        let at = |value: usize| {
            let all: Vec<usize> = (0..a.rank()).map(|i| if i == axis { value } else { 0 }).collect();
            list(&all)
        };
        let high = length - (first + (count - 1) * step + 1);
        let text = format!(
            "stablehlo.pad {}, {}, low = [{}], high = [{}], interior = [{}] : ({}, {}) -> {ty}",
            a.name,
            zero.name,
            at(first),
            at(high),
            at(step - 1),
            a.ty,
            zero.ty
        );
        self.add(text, ty)
    }

    pub(in crate::export::stablehlo) fn concat(&mut self, parts: &[Value], axis: usize) -> Value {
        if let [one] = parts {
            return one.clone();
        }
        let mut ty = parts[0].ty.clone();
        ty.shape[axis] = parts.iter().map(|p| p.shape()[axis]).sum();
        self.add(format!("stablehlo.concatenate {}, dim = {axis} : ({}) -> {ty}", names(parts), types(parts)), ty)
    }

    /// The axes taken together with an operation whose neutral element is `first`.
    fn reduce(&mut self, operation: &str, first: f64, a: &Value, axes: &[usize]) -> Value {
        if axes.is_empty() {
            return a.clone();
        }
        let first = self.real(first, &[]);
        let shape = a.shape().iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, n)| *n).collect();
        let ty = Type { shape, element: a.ty.element };
        let text = format!(
            "stablehlo.reduce({} init: {}) applies stablehlo.{operation} across dimensions = [{}] : ({}, {}) -> {ty}",
            a.name,
            first.name,
            list(axes),
            a.ty,
            first.ty
        );
        self.add(text, ty)
    }

    pub(in crate::export::stablehlo) fn sum(&mut self, a: &Value, axes: &[usize]) -> Value {
        self.reduce("add", 0.0, a, axes)
    }

    pub(in crate::export::stablehlo) fn largest(&mut self, a: &Value, axes: &[usize]) -> Value {
        self.reduce("maximum", f64::NEG_INFINITY, a, axes)
    }

    /// Products of rows summed over the contracted axes; the axes in `batch` are those of both.
    pub(in crate::export::stablehlo) fn dot(
        &mut self,
        a: &Value,
        b: &Value,
        batch: usize,
        contracted: [usize; 2],
    ) -> Value {
        let free = |v: &Value, contracted: usize| {
            let axes = (batch..v.rank()).filter(move |i| *i != contracted);
            axes.map(|i| v.shape()[i]).collect::<Vec<_>>()
        };
        let shape = [a.shape()[..batch].to_vec(), free(a, contracted[0]), free(b, contracted[1])].concat();
        let ty = Type { shape, element: a.ty.element };
        let batches: Vec<usize> = (0..batch).collect();
        let batching = match batch {
            0 => String::new(),
            _ => format!("batching_dims = [{0}] x [{0}], ", list(&batches)),
        };
        let text = format!(
            "stablehlo.dot_general {}, {}, {batching}contracting_dims = [{}] x [{}], precision = [HIGHEST, HIGHEST] : \
             ({}, {}) -> {ty}",
            a.name, b.name, contracted[0], contracted[1], a.ty, b.ty
        );
        self.add(text, ty)
    }

    /// The inner product of two arrays of rank 1.
    pub(in crate::export::stablehlo) fn inner(&mut self, a: &Value, b: &Value) -> Value {
        self.dot(a, b, 0, [0, 0])
    }

    /// The entries of an axis at positions `index`, of rank 1 behind `lead` axes that both have.
    pub(in crate::export::stablehlo) fn gather(&mut self, a: &Value, index: &Value, lead: usize, axis: usize) -> Value {
        let axis = lead + axis;
        let mut ty = a.ty.clone();
        ty.shape[axis] = index.shape()[lead];
        let index = self.reshape(index, &[index.shape(), &[1]].concat());
        let offset: Vec<usize> = (lead..a.rank()).filter(|i| *i != axis).collect();
        let batch: Vec<usize> = (0..lead).collect();
        let sizes: Vec<usize> =
            a.shape().iter().enumerate().map(|(i, n)| if i < lead || i == axis { 1 } else { *n }).collect();
        let batching = match lead {
            0 => String::new(),
            _ => format!("operand_batching_dims = [{0}], start_indices_batching_dims = [{0}], ", list(&batch)),
        };
        let text = format!(
            "\"stablehlo.gather\"({}, {}) <{{dimension_numbers = #stablehlo.gather<offset_dims = [{}], collapsed_slice_dims = \
             [{axis}], {batching}start_index_map = [{axis}], index_vector_dim = {}>, indices_are_sorted = false, slice_sizes = \
             array<i64: {}>}}> : ({}, {}) -> {ty}",
            a.name,
            index.name,
            list(&offset),
            lead + 1,
            list(&sizes),
            a.ty,
            index.ty
        );
        self.add(text, ty)
    }

    /// The transpose of `gather`: values added into zeros.
    pub(in crate::export::stablehlo) fn scatter(
        &mut self,
        values: &Value,
        index: &Value,
        lead: usize,
        axis: usize,
        length: usize,
    ) -> Value {
        let axis = lead + axis;
        let mut ty = values.ty.clone();
        ty.shape[axis] = length;
        let zeros = self.real(0.0, &ty.shape);
        let index = self.reshape(index, &[index.shape(), &[1]].concat());
        let window: Vec<usize> = (lead..values.rank()).filter(|i| *i != axis).collect();
        let batch: Vec<usize> = (0..lead).collect();
        let batching = match lead {
            0 => String::new(),
            _ => format!("input_batching_dims = [{0}], scatter_indices_batching_dims = [{0}], ", list(&batch)),
        };
        let head = format!(
            "\"stablehlo.scatter\"({}, {}, {}) <{{indices_are_sorted = false, scatter_dimension_numbers = \
             #stablehlo.scatter<update_window_dims = [{}], inserted_window_dims = [{axis}], {batching}\
             scatter_dims_to_operand_dims = [{axis}], index_vector_dim = {}>, unique_indices = false}}> ({{",
            zeros.name,
            index.name,
            values.name,
            list(&window),
            lead + 1
        );
        let result = self.add_all(head, vec![ty.clone()]).remove(0);
        let scalar = self.real_type(&[]);
        let [a, b] = ["old", "more"].map(|name| self.argument(name, scalar.clone()));
        self.line(format!("^bb0({}: {scalar}, {}: {scalar}):", a.name, b.name));
        self.depth += 1;
        let sum = self.binary("add", &a, &b);
        self.line(format!("stablehlo.return {} : {scalar}", sum.name));
        self.depth -= 1;
        self.line(format!("}}) : ({}, {}, {}) -> {ty}", zeros.ty, index.ty, values.ty));
        result
    }

    /// Entry `i` of the first axis, which disappears.
    pub(in crate::export::stablehlo) fn at(&mut self, a: &Value, i: &Value) -> Value {
        let zero = if a.rank() > 1 { Some(self.whole(0)) } else { None };
        let places: Vec<Value> =
            std::iter::once(i.clone()).chain(zero.into_iter().cycle().take(a.rank() - 1)).collect();
        let sizes = [&[1], &a.shape()[1..]].concat();
        let ty = Type { shape: sizes.clone(), element: a.ty.element };
        let text = format!(
            "stablehlo.dynamic_slice {}, {}, sizes = [{}] : ({}, {}) -> {ty}",
            a.name,
            names(&places),
            list(&sizes),
            a.ty,
            types(&places)
        );
        let slice = self.add(text, ty);
        let shape = a.shape()[1..].to_vec();
        self.reshape(&slice, &shape)
    }

    /// The array with entry `i` of its first axis replaced.
    pub(in crate::export::stablehlo) fn set_at(&mut self, a: &Value, i: &Value, value: &Value) -> Value {
        let slice = self.reshape(value, &[&[1], value.shape()].concat());
        let zero = if a.rank() > 1 { Some(self.whole(0)) } else { None };
        let places: Vec<Value> =
            std::iter::once(i.clone()).chain(zero.into_iter().cycle().take(a.rank() - 1)).collect();
        let text = format!(
            "stablehlo.dynamic_update_slice {}, {}, {} : ({}, {}, {}) -> {}",
            a.name,
            slice.name,
            names(&places),
            a.ty,
            slice.ty,
            types(&places),
            a.ty
        );
        self.add(text, a.ty.clone())
    }

    /// All entries of several arrays in one row.
    pub(in crate::export::stablehlo) fn flat(&mut self, parts: &[Value]) -> Value {
        let rows: Vec<Value> = parts.iter().map(|p| self.reshape(p, &[p.shape().iter().product()])).collect();
        self.concat(&rows, 0)
    }

    /// A row as arrays of these shapes.
    pub(in crate::export::stablehlo) fn parts(&mut self, flat: &Value, shapes: &[Vec<usize>]) -> Vec<Value> {
        let mut first = 0;
        let mut found = Vec::new();
        for shape in shapes {
            let count: usize = shape.iter().product();
            let row = if shapes.len() == 1 { flat.clone() } else { self.slice(flat, 0, first, count, 1) };
            found.push(self.reshape(&row, shape));
            first += count;
        }
        found
    }
}
