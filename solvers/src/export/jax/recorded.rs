//! Lines for what the control of the local run wrote into the iterate.

use super::program::Writer;
use super::step::Lines;

impl Writer<'_> {
    /// Lines for the parameters of the iteration.
    pub(super) fn parameters(&mut self, used: &[usize], body: &mut Lines) {
        for held in self.kept.parameters(used) {
            let name = self.name_of(held.input);
            let value = match held.which {
                None => format!("data.{}", held.values),
                Some(which) => {
                    self.uses_i = true;
                    format!("data.{}[data.{which}[i]]", held.values)
                }
            };
            body.add(1, format!("{name} = {value}"));
        }
    }

    /// Lines that set parts of the state where the control did.
    pub(super) fn overrides(&mut self, body: &mut Lines) {
        for held in self.kept.overrides() {
            let name = self.name_of(held.input);
            let (values, which) = (held.values, held.which.expect("an override says when it holds"));
            self.uses_i = true;
            let set =
                format!("jnp.where((k <= RECORDED) & (data.{which}[i] >= 0), data.{values}[data.{which}[i]], {name})");
            body.add(1, format!("{name} = {set}"));
        }
    }
}
