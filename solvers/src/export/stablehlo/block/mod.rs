//! The body of a function under construction: its lines, and names for its values. Operations on numbers are here, those
//! that move entries in `arrays`, loops in `loops`.

mod arrays;
mod loops;
mod windows;

use std::fmt;

use blo_engine::graph::Elem;

use crate::export::names::Names;

/// What entries are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    F64,
    F32,
    I64,
    I32,
    I1,
}

impl Element {
    /// As a type is written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Element::F64 => "f64",
            Element::F32 => "f32",
            Element::I64 => "i64",
            Element::I32 => "i32",
            Element::I1 => "i1",
        }
    }
}

/// The elements of numbers and of positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Width {
    pub(super) real: Element,
    pub(super) whole: Element,
}

impl Width {
    pub(super) const DOUBLE: Width = Width { real: Element::F64, whole: Element::I64 };
    pub(super) const SINGLE: Width = Width { real: Element::F32, whole: Element::I32 };

    /// The type of an array with these entries.
    pub(super) fn of(self, elem: Elem, shape: Vec<usize>) -> Type {
        let element = match elem {
            Elem::Real => self.real,
            Elem::Index => self.whole,
        };
        Type { shape, element }
    }
}

/// The type of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) shape: Vec<usize>,
    pub(super) element: Element,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tensor<")?;
        for length in &self.shape {
            write!(f, "{length}x")?;
        }
        write!(f, "{}>", self.element.text())
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// With its sign: `%x`, `%3`, `%4#1`.
    pub(super) name: String,
    pub(super) ty: Type,
}

impl Value {
    pub(super) fn shape(&self) -> &[usize] {
        &self.ty.shape
    }

    pub(super) fn rank(&self) -> usize {
        self.ty.shape.len()
    }
}

/// Names of values with commas between them.
pub(super) fn names(values: &[Value]) -> String {
    values.iter().map(|v| v.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Their types.
pub(super) fn types(values: &[Value]) -> String {
    values.iter().map(|v| v.ty.to_string()).collect::<Vec<_>>().join(", ")
}

/// Whole numbers with commas between them.
pub(super) fn list(values: &[usize]) -> String {
    values.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

/// A body.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) width: Width,
    names: Names,
    count: usize,
    lines: Vec<String>,
    pub(super) depth: usize,
    /// The value of the last line, with the place of the line that says its name.
    last: Option<(usize, String)>,
}

impl Block {
    pub(super) fn new(width: Width) -> Block {
        Block { width, names: Names::of_fields(), count: 0, lines: Vec::new(), depth: 2, last: None }
    }

    /// An argument of the function, or of a region.
    pub(super) fn argument(&mut self, wanted: &str, ty: Type) -> Value {
        Value { name: format!("%{}", self.names.fresh(wanted)), ty }
    }

    /// A line that gives no value.
    pub(super) fn line(&mut self, text: impl AsRef<str>) {
        self.lines.push(format!("{}{}", "  ".repeat(self.depth), text.as_ref()));
        self.last = None;
    }

    /// An operation with one result.
    pub(super) fn add(&mut self, text: impl AsRef<str>, ty: Type) -> Value {
        let name = self.next();
        let place = self.lines.len();
        self.line(format!("{name} = {}", text.as_ref()));
        self.last = Some((place, name.clone()));
        Value { name, ty }
    }

    /// An operation with several results, or one whose text goes on in the lines that follow.
    pub(super) fn add_all(&mut self, text: impl AsRef<str>, types: Vec<Type>) -> Vec<Value> {
        let name = self.next();
        let several = types.len() > 1;
        let left = if several { format!("{name}:{}", types.len()) } else { name.clone() };
        self.line(format!("{left} = {}", text.as_ref()));
        let each = |(i, ty): (usize, Type)| {
            let name = if several { format!("{name}#{i}") } else { name.clone() };
            Value { name, ty }
        };
        types.into_iter().enumerate().map(each).collect()
    }

    fn next(&mut self) -> String {
        self.count += 1;
        format!("%{}", self.count)
    }

    /// Gives the value of the last operation a name; another value keeps its own.
    pub(super) fn rename(&mut self, value: Value, label: &str, comment: &str) -> Value {
        let Some((place, name)) = self.last.clone().filter(|(_, name)| *name == value.name) else { return value };
        let new = format!("%{}", self.names.fresh(label));
        let line = &mut self.lines[place];
        let (indent, rest) = line.split_once(name.as_str()).expect("the line begins with the name");
        let comment = if comment.is_empty() { String::new() } else { format!("  // {comment}") };
        *line = format!("{indent}{new}{rest}{comment}");
        self.last = None;
        Value { name: new, ty: value.ty }
    }

    /// All lines.
    pub(super) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    pub(super) fn real_type(&self, shape: &[usize]) -> Type {
        Type { shape: shape.to_vec(), element: self.width.real }
    }

    pub(super) fn whole_type(&self, shape: &[usize]) -> Type {
        Type { shape: shape.to_vec(), element: self.width.whole }
    }

    /// The same number in every entry.
    pub(super) fn real(&mut self, value: f64, shape: &[usize]) -> Value {
        let ty = self.real_type(shape);
        self.add(format!("stablehlo.constant dense<{}> : {ty}", number(value, self.width)), ty)
    }

    /// A whole number.
    pub(super) fn whole(&mut self, value: i64) -> Value {
        let ty = self.whole_type(&[]);
        self.add(format!("stablehlo.constant dense<{value}> : {ty}"), ty)
    }

    /// A function of one operand.
    pub(super) fn unary(&mut self, operation: &str, a: &Value) -> Value {
        // a function that StableHLO does not have is one of CHLO, which compilers of StableHLO expand
        let text = match operation {
            "sinh" | "cosh" | "erf" => format!("chlo.{operation} {} : {} -> {}", a.name, a.ty, a.ty),
            _ => format!("stablehlo.{operation} {} : {}", a.name, a.ty),
        };
        self.add(text, a.ty.clone())
    }

    /// A function of two operands of one type.
    pub(super) fn binary(&mut self, operation: &str, a: &Value, b: &Value) -> Value {
        debug_assert_eq!(a.ty, b.ty, "operands of {operation}");
        self.add(format!("stablehlo.{operation} {}, {} : {}", a.name, b.name, a.ty), a.ty.clone())
    }

    /// `EQ`, `NE`, `LT`, `LE`, `GT` or `GE`.
    pub(super) fn compare(&mut self, how: &str, a: &Value, b: &Value) -> Value {
        debug_assert_eq!(a.ty, b.ty, "operands of {how}");
        let kind = if matches!(a.ty.element, Element::F64 | Element::F32) { "FLOAT" } else { "SIGNED" };
        let ty = Type { shape: a.ty.shape.clone(), element: Element::I1 };
        let text = format!("stablehlo.compare {how}, {}, {}, {kind} : ({}, {}) -> {ty}", a.name, b.name, a.ty, b.ty);
        self.add(text, ty)
    }

    /// `a` where `which` is true, else `b`. `which` has one entry or as many.
    pub(super) fn select(&mut self, which: &Value, a: &Value, b: &Value) -> Value {
        debug_assert_eq!(a.ty, b.ty, "operands of select");
        let text = format!("stablehlo.select {}, {}, {} : {}, {}", which.name, a.name, b.name, which.ty, a.ty);
        self.add(text, a.ty.clone())
    }

    /// 1 where `which` is true, else 0.
    pub(super) fn indicator(&mut self, which: &Value) -> Value {
        let ty = self.real_type(which.shape());
        self.converted(which, ty.element)
    }

    /// Which entries are finite.
    pub(super) fn finite(&mut self, a: &Value) -> Value {
        let ty = Type { shape: a.ty.shape.clone(), element: Element::I1 };
        self.add(format!("stablehlo.is_finite {} : ({}) -> {ty}", a.name, a.ty), ty)
    }

    /// The entries as other elements.
    pub(super) fn converted(&mut self, a: &Value, element: Element) -> Value {
        let ty = Type { shape: a.ty.shape.clone(), element };
        self.add(format!("stablehlo.convert {} : ({}) -> {ty}", a.name, a.ty), ty)
    }

    /// The result of an operation with a number in every entry.
    pub(super) fn with_number(&mut self, operation: &str, a: &Value, b: f64) -> Value {
        let b = self.real(b, &a.ty.shape);
        self.binary(operation, a, &b)
    }
}

/// A number as it is read back, to the bit.
fn number(value: f64, width: Width) -> String {
    if width.real == Element::F32 {
        let value = value as f32;
        return if value.is_finite() { decimal(format!("{value:?}")) } else { format!("0x{:08X}", value.to_bits()) };
    }
    if value.is_finite() { decimal(format!("{value:?}")) } else { format!("0x{:016X}", value.to_bits()) }
}

/// A number has a point before its exponent.
fn decimal(text: String) -> String {
    match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_point_and_keep_their_bits() {
        let written = [0.1, 1e-300, -0.0, 3.0, 1e16, f64::INFINITY].map(|v| number(v, Width::DOUBLE));
        assert_eq!(written, ["0.1", "1.0e-300", "-0.0", "3.0", "1.0e16", "0x7FF0000000000000"]);
        assert_eq!(number(f64::NEG_INFINITY, Width::SINGLE), "0xFF800000");
        assert_eq!(number(0.1, Width::SINGLE), "0.1");
    }

    #[test]
    fn the_last_value_gets_a_name_and_no_other_one_does() {
        let mut block = Block::new(Width::DOUBLE);
        let one = block.real(1.0, &[2]);
        let sum = block.binary("add", &one, &one);
        assert_eq!(block.rename(one.clone(), "one", "").name, one.name);
        let sum = block.rename(sum, "theta+", "Proj_Y");
        assert_eq!(sum.name, "%theta_new");
        let last = block.text().lines().last().unwrap().trim().to_owned();
        assert_eq!(last, "%theta_new = stablehlo.add %1, %1 : tensor<2xf64>  // Proj_Y");
    }
}
