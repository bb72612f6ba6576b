//! The penalty `c k^p` of single-loop methods: a formula for c has its own growth, and a number grows with a power of k.

use blo_grammar::diagnostic::Diagnostic;

use crate::options;
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;
use crate::options::value::Value;

/// The error about a formula for c beside a growth p.
pub(super) fn stated_twice(settings: &Settings) -> Option<Diagnostic> {
    let (c, p) = (settings.get("c"), settings.get("p"));
    match (&c.value, p.value.is_some()) {
        (Some(Value::Schedule(Schedule::Expression(formula))), true) => {
            Some(options::message::exclusive(c, p, &formula.to_string()))
        }
        _ => None,
    }
}

/// Chooses p: this growth where c is a number, else none.
pub(super) fn choose(settings: &mut Settings, growth: f64) {
    let constant = matches!(settings.get("c").value, Some(Value::Schedule(Schedule::Constant(_))));
    settings.choose("p", Some(Value::Number(if constant { growth } else { 0.0 })));
}
