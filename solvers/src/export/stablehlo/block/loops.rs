//! Calls and loops.

use super::{Block, Element, Type, Value, names, types};

impl Block {
    /// A call of a function of the module.
    pub(in crate::export::stablehlo) fn call(
        &mut self,
        function: &str,
        arguments: &[Value],
        results: &[Type],
    ) -> Vec<Value> {
        let given: Vec<String> = results.iter().map(Type::to_string).collect();
        let given = if let [one] = given.as_slice() { one.clone() } else { format!("({})", given.join(", ")) };
        let text = format!("func.call @{function}({}) : ({}) -> {given}", names(arguments), types(arguments));
        match results {
            [one] => vec![self.add(text, one.clone())],
            _ => self.add_all(text, results.to_vec()),
        }
    }

    /// A loop while `again` holds. Both parts get the carried values, then the fixed ones; `body` gives the carried ones
    /// of the next pass. A region reads what it is given and nothing outside of it.
    pub(in crate::export::stablehlo) fn repeat(
        &mut self,
        (carried, fixed): (&[Value], &[Value]),
        again: impl FnOnce(&mut Block, &[Value]) -> Value,
        body: impl FnOnce(&mut Block, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let first: Vec<Value> = carried.iter().chain(fixed).cloned().collect();
        let named = |value: &Value| {
            let plain = value.name.trim_start_matches('%');
            let by_number = plain.starts_with(|c: char| c.is_ascii_digit());
            if by_number { "carried".to_owned() } else { plain.to_owned() }
        };
        let inside: Vec<Value> = first.iter().map(|v| self.argument(&named(v), v.ty.clone())).collect();
        let pairs: Vec<String> = inside.iter().zip(&first).map(|(i, f)| format!("{} = {}", i.name, f.name)).collect();
        let head = format!("stablehlo.while({}) : {}", pairs.join(", "), types(&first));
        let results = self.add_all(head, first.iter().map(|v| v.ty.clone()).collect());
        self.line("cond {");
        self.depth += 1;
        let condition = again(self, &inside);
        self.line(format!("stablehlo.return {} : {}", condition.name, condition.ty));
        self.depth -= 1;
        self.line("} do {");
        self.depth += 1;
        let mut next = body(self, &inside);
        debug_assert!(next.iter().zip(carried).all(|(n, c)| n.ty == c.ty), "a loop keeps the types of what it carries");
        next.extend_from_slice(&inside[carried.len()..]);
        self.line(format!("stablehlo.return {} : {}", names(&next), types(&next)));
        self.depth -= 1;
        self.line("}");
        results[..carried.len()].to_vec()
    }

    /// A loop for `j = 0, ..., count - 1`; `body` gets j, then the carried and the fixed values.
    pub(in crate::export::stablehlo) fn count(
        &mut self,
        count: &Value,
        carried: &[Value],
        fixed: &[Value],
        body: impl FnOnce(&mut Block, &Value, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let zero = self.whole(0);
        let zero = self.rename(zero, "j", "");
        let carried = [std::slice::from_ref(&zero), carried].concat();
        let fixed = [fixed, std::slice::from_ref(count)].concat();
        let mut results = self.repeat(
            (&carried, &fixed),
            |block, inside| block.compare("LT", &inside[0], &inside[inside.len() - 1]),
            |block, inside| {
                let mut next = body(block, &inside[0], &inside[1..inside.len() - 1]);
                let one = block.whole(1);
                next.insert(0, block.binary("add", &inside[0], &one));
                next
            },
        );
        results.remove(0);
        results
    }

    /// Both are true.
    pub(in crate::export::stablehlo) fn both(&mut self, a: &Value, b: &Value) -> Value {
        debug_assert_eq!(a.ty.element, Element::I1);
        self.binary("and", a, b)
    }
}
