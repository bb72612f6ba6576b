//! What the control of the local run wrote into the iterate: parameters, which stay until they are written again, and parts
//! of the state, which it set anew after some iterations.

use super::program::Writer;
use super::step::Lines;
use crate::export::Values;
use crate::export::record::Written;

impl Writer<'_> {
    /// Lines for the parameters of the iteration.
    pub(super) fn parameters(&mut self, used: &[usize], body: &mut Lines) {
        for parameter in self.source.iteration.parameters.iter().filter(|p| used.contains(&p.input)) {
            let input = parameter.input;
            let name = self.name_of(input);
            let written: Vec<&Written> = self.source.record.written.iter().filter(|w| w.input == input).collect();
            let shape = self.fields.lengths(&self.source.inputs()[input].shape.clone());
            let length = shape.iter().product();
            let mut versions = vec![vec![0.0; length]];
            let mut which = vec![0_i64; self.source.record.numbers.len()];
            for written in written {
                if *versions.last().expect("there is one") != written.values {
                    versions.push(written.values.clone());
                }
                let last = versions.len() as i64 - 1;
                which.iter_mut().skip(written.after as usize).for_each(|w| *w = last);
            }
            // the one before the control wrote any
            if which.iter().all(|w| *w > 0) {
                versions.remove(0);
                which.iter_mut().for_each(|w| *w -= 1);
            }
            body.add(1, format!("{name} = {}", self.version(&name, shape, versions, which)));
        }
    }

    fn version(&mut self, name: &str, shape: Vec<usize>, versions: Vec<Vec<f64>>, which: Vec<i64>) -> String {
        let doc = "recorded: set by the control of the local run";
        if let [only] = versions.as_slice() {
            let values = Values::Real(only.clone());
            return format!("data.{}", self.fields.array(&format!("recorded {name}"), shape, values, false, doc));
        }
        let shape = [vec![versions.len()], shape].concat();
        let count = which.len();
        let values = Values::Real(versions.concat());
        let values = self.fields.array(&format!("recorded {name}"), shape, values, false, doc);
        let doc = "recorded: which of them holds in an iteration";
        let which = self.fields.array(&format!("which {name}"), vec![count], Values::Index(which), false, doc);
        self.uses_i = true;
        format!("data.{values}[data.{which}[i]]")
    }

    /// Lines that set parts of the state where the control did.
    pub(super) fn overrides(&mut self, body: &mut Lines) {
        let record = self.source.record;
        let last = record.len();
        for state in &self.source.iteration.state {
            let input = state.input;
            let later = record.written.iter().filter(|w| w.input == input && w.after > 0 && w.after <= last);
            let later: Vec<&Written> = later.collect();
            if later.is_empty() {
                continue;
            }
            let name = self.name_of(input);
            let lengths = self.fields.lengths(&state.shape);
            let shape = [vec![later.len()], lengths].concat();
            let mut which = vec![-1_i64; record.numbers.len()];
            later.iter().enumerate().for_each(|(i, w)| which[w.after as usize - 1] = i as i64);
            let values = Values::Real(later.iter().flat_map(|w| w.values.iter().copied()).collect());
            let doc = "recorded: set by the control of the local run";
            let values = self.fields.array(&format!("recorded {name}"), shape, values, false, doc);
            let doc = "recorded: which of them is set after an iteration; -1 for none";
            let count = which.len();
            let which = self.fields.array(&format!("which {name}"), vec![count], Values::Index(which), false, doc);
            self.uses_i = true;
            let set =
                format!("jnp.where((k <= RECORDED) & (data.{which}[i] >= 0), data.{values}[data.{which}[i]], {name})");
            body.add(1, format!("{name} = {set}"));
        }
    }
}
