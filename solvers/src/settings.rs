//! The options of a run: what the method's table, the file and the flags say, in that order of precedence, with the
//! origin of every value. All judgement of options is here; nothing of it is left when iteration 0 starts.

use blo_engine::model::has_tasks;
use blo_engine::model::problem::{Expectation, Preset, Problem};
use blo_grammar::ast::Assign;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::message;
use crate::method::{self, COMMON, Entry, OptionEntry};
use crate::schedule::Schedule;
pub use crate::value::Value;
use crate::value::{parse_text, parse_value, value};

/// What the caller wants to run.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method's name.
    pub method: String,
    /// Which preset of the file.
    pub preset: PresetChoice,
    /// Where the file names the method, for an `expect`; empty for a flag.
    pub span: Span,
    /// Later ones win.
    pub overrides: Vec<Override>,
}

/// A preset of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresetChoice {
    /// `meha`: the unnamed preset, if the file has one.
    Unnamed,
    /// `meha:auto`: none.
    Automatic,
    /// `meha:paper`.
    Named(String),
}

/// An option that comes after the preset.
#[derive(Clone, Debug)]
pub enum Override {
    /// `--set alpha=0.1`, or a flag of its own such as `--max-iter`.
    Flag {
        /// The option.
        name: String,
        /// Its value as text.
        text: String,
    },
    /// The option list of an `expect`.
    File(Assign),
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The file.
    File,
    /// A flag.
    Flag,
    /// The method's choice for this problem.
    Automatic,
    /// The table.
    Default,
}

impl Origin {
    /// As written in results.
    pub fn text(self) -> &'static str {
        match self {
            Origin::File => "file",
            Origin::Flag => "flag",
            Origin::Automatic => "automatic",
            Origin::Default => "default",
        }
    }
}

/// An option with its value.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The table line.
    pub entry: &'static OptionEntry,
    /// `None` until the method has chosen a value.
    pub value: Option<Value>,
    /// Where the value comes from.
    pub origin: Origin,
    /// Where the file gives it; empty for others.
    pub span: Span,
}

/// The options of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The method.
    pub method: &'static Entry,
    /// The preset that was used, if it has a name.
    pub preset: Option<String>,
    /// The place to blame when something is missing: the preset, or nothing.
    pub span: Span,
    /// Every option, in the order of the table.
    pub options: Vec<Setting>,
    /// Warnings and notes.
    pub warnings: Vec<Diagnostic>,
}

impl Request {
    /// Reads `meha`, `meha:auto`, `meha:paper`, and options in parentheses: `unroll(start = warm, K = 50)`. What is not
    /// an option is left to [`resolve`], which says so.
    pub fn new(selection: &str) -> Request {
        let (selection, options) = match selection.trim().strip_suffix(')').and_then(|s| s.split_once('(')) {
            Some((before, options)) => (before.trim_end(), options),
            None => (selection, ""),
        };
        let (method, preset) = match selection.split_once(':') {
            None => (selection, PresetChoice::Unnamed),
            Some((method, "auto")) => (method, PresetChoice::Automatic),
            Some((method, name)) => (method, PresetChoice::Named(name.to_string())),
        };
        let request = Request { method: method.to_string(), preset, span: Span::default(), overrides: Vec::new() };
        options_in(options).into_iter().fold(request, |request, (name, text)| request.set(name, text))
    }

    /// What an `expect` of the file asks for.
    pub fn of_expectation(e: &Expectation) -> Request {
        let preset = match e.preset.as_ref().map(|p| p.text.as_str()) {
            None => PresetChoice::Unnamed,
            Some("auto") => PresetChoice::Automatic,
            Some(name) => PresetChoice::Named(name.to_string()),
        };
        let overrides = e.options.iter().cloned().map(Override::File).collect();
        let (method, span) = e.method.as_ref().map_or((method::DEFAULT, e.span), |m| (m.text.as_str(), m.span));
        Request { method: method.to_string(), preset, span, overrides }
    }

    /// Adds a flag.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, text: impl Into<String>) -> Request {
        self.overrides.push(Override::Flag { name: name.into(), text: text.into() });
        self
    }
}

/// `a = 1, b = min(1, k)` as names and values.
fn options_in(text: &str) -> Vec<(&str, &str)> {
    let parts = at_commas(text).into_iter().map(|part| part.split_once('=').unwrap_or((part, "")));
    parts.map(|(name, value)| (name.trim(), value.trim())).collect()
}

/// The parts of a list with commas; those inside of parentheses belong to a part.
pub fn at_commas(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = text.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

impl Settings {
    /// An option of the method.
    pub fn get(&self, name: &str) -> &Setting {
        let found = self.options.iter().find(|s| s.entry.name == name);
        found.unwrap_or_else(|| unreachable!("`{name}` is an option of {}", self.method.name))
    }

    /// A number.
    pub fn number(&self, name: &str) -> f64 {
        match &self.get(name).value {
            Some(Value::Number(value)) => *value,
            other => unreachable!("`{name}` is a number with a value, not {other:?}"),
        }
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> u64 {
        match &self.get(name).value {
            Some(Value::Integer(value)) => *value,
            other => unreachable!("`{name}` is an integer with a value, not {other:?}"),
        }
    }

    /// A schedule.
    pub fn schedule(&self, name: &str) -> &Schedule {
        match &self.get(name).value {
            Some(Value::Schedule(schedule)) => schedule,
            other => unreachable!("`{name}` is a schedule with a value, not {other:?}"),
        }
    }

    /// A word.
    pub fn word(&self, name: &str) -> &'static str {
        match &self.get(name).value {
            Some(Value::Word(word)) => word,
            other => unreachable!("`{name}` is a word with a value, not {other:?}"),
        }
    }

    /// A schedule, if it has a value.
    pub fn stated(&self, name: &str) -> Option<&Schedule> {
        self.get(name).value.is_some().then(|| self.schedule(name))
    }

    /// Gives an option without a value one.
    pub(crate) fn choose(&mut self, name: &str, value: Option<Value>) {
        if let Some(s) = self.options.iter_mut().find(|s| s.entry.name == name && s.value.is_none()) {
            s.value = value;
        }
    }

    /// One thread per core, where nothing else is said.
    fn choose_threads(&mut self) {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
        self.choose("threads", Some(Value::Integer(cores)));
    }
}

/// Judges every preset, `option` and `expect` of a file: for `check`.
pub fn check(problem: &Problem) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (i, preset) in problem.presets.iter().enumerate() {
        let same = |p: &&Preset| p.method.text == preset.method.text && name_of(p) == name_of(preset);
        if let Some(first) = problem.presets[..i].iter().find(same) {
            let name = preset.preset.as_ref().unwrap_or(&preset.method);
            found.push(message::preset_given_twice(name.span, &name.text, first.method.span));
        }
        let request = Request {
            method: preset.method.text.clone(),
            preset: name_of(preset).map_or(PresetChoice::Unnamed, |n| PresetChoice::Named(n.to_string())),
            span: preset.method.span,
            overrides: Vec::new(),
        };
        found.extend(resolve(problem, &request).map_or_else(|errors| errors, |settings| settings.warnings));
        if let Some(method) = method::by_name(&preset.method.text).filter(|m| !m.runs()) {
            found.push(message::checked_only(preset.method.span, method));
        }
    }
    for e in &problem.expectations {
        found.extend(resolve(problem, &Request::of_expectation(e)).err().unwrap_or_default());
    }
    found.extend(resolve(problem, &Request::new("meha:auto")).err().unwrap_or_default());
    found.sort_by_key(|d| d.primary.span);
    found.dedup();
    found
}

fn name_of(preset: &Preset) -> Option<&str> {
    preset.preset.as_ref().map(|n| n.text.as_str())
}

/// The options of a run.
///
/// # Errors
/// Every mistake in the method's name, the preset and the options.
pub fn resolve(problem: &Problem, request: &Request) -> Result<Settings, Vec<Diagnostic>> {
    let Some(entry) = method::by_name(&request.method) else {
        return Err(vec![message::unknown_method(request.span, &request.method)]);
    };
    let mut resolver = Resolver { problem, settings: defaults(entry), errors: Vec::new() };
    let common: Vec<&Assign> = problem.options.iter().collect();
    let (known, unknown): (Vec<_>, Vec<_>) =
        common.into_iter().partition(|a| COMMON.iter().any(|o| o.name == a.name.text));
    resolver.errors.extend(unknown.iter().map(|a| message::not_a_common_option(a.name.span, &a.name.text)));
    resolver.block(&known);
    match preset(problem, request) {
        Err(d) => resolver.errors.push(*d),
        Ok(None) => {}
        Ok(Some(p)) => {
            resolver.settings.span = p.method.span;
            resolver.settings.preset = name_of(p).map(str::to_string);
            resolver.block(&p.options.iter().collect::<Vec<_>>());
        }
    }
    let file: Vec<&Assign> =
        request.overrides.iter().filter_map(|o| if let Override::File(a) = o { Some(a) } else { None }).collect();
    resolver.block(&file);
    for o in &request.overrides {
        if let Override::Flag { name, text } = o {
            resolver.flag(name, text);
        }
    }
    let Resolver { mut settings, mut errors, .. } = resolver;
    let findings = entry.method.map(|m| m.check(&settings)).unwrap_or_default();
    let (wrong, doubtful): (Vec<_>, Vec<_>) = findings.into_iter().partition(Diagnostic::is_error);
    errors.extend(wrong);
    settings.warnings.extend(doubtful);
    settings.choose_threads();
    if let Some(method) = entry.method {
        method.complete(&mut settings);
    }
    if errors.is_empty() && settings.integer("resample") > 0 && !has_tasks(problem) {
        let span = settings.get("resample").span;
        settings.warnings.push(message::nothing_to_resample(span));
    }
    if errors.is_empty() { Ok(settings) } else { Err(errors) }
}

/// The settings that the table alone gives.
fn defaults(method: &'static Entry) -> Settings {
    let setting = |entry: &'static OptionEntry| Setting {
        entry,
        value: entry.default.map(|text| match parse_value(entry, text) {
            Ok(value) => value,
            Err(why) => unreachable!("a test parses every default: {why:?}"),
        }),
        origin: if entry.default.is_some() { Origin::Default } else { Origin::Automatic },
        span: Span::default(),
    };
    let options = method.all_options().map(setting).collect();
    Settings { method, preset: None, span: Span::default(), options, warnings: Vec::new() }
}

/// The preset that a request selects.
fn preset<'a>(problem: &'a Problem, request: &Request) -> Result<Option<&'a Preset>, Box<Diagnostic>> {
    let mut presets = problem.presets.iter().filter(|p| p.method.text == request.method);
    match &request.preset {
        PresetChoice::Automatic => Ok(None),
        PresetChoice::Unnamed => Ok(presets.find(|p| p.preset.is_none())),
        PresetChoice::Named(name) => match presets.clone().find(|p| name_of(p) == Some(name)) {
            Some(p) => Ok(Some(p)),
            None => {
                let names: Vec<&str> = presets.filter_map(name_of).collect();
                Err(Box::new(message::unknown_preset(request.span, &request.method, name, &names)))
            }
        },
    }
}

struct Resolver<'a> {
    problem: &'a Problem,
    settings: Settings,
    errors: Vec<Diagnostic>,
}

impl Resolver<'_> {
    /// The options of one block of the file.
    fn block(&mut self, assigns: &[&Assign]) {
        for (i, a) in assigns.iter().enumerate() {
            if let Some(first) = assigns[..i].iter().find(|b| b.name.text == a.name.text) {
                self.errors.push(message::option_given_twice(a.name.span, &a.name.text, first.name.span));
                continue;
            }
            let Some(entry) = self.settings.method.option(&a.name.text) else {
                self.errors.push(message::unknown_option(a.name.span, self.settings.method, &a.name.text));
                continue;
            };
            match value(entry, &a.value, &|name| self.param(name)) {
                Ok(value) => self.put(entry, value, Origin::File, a.name.span.to(a.value.span)),
                Err(why) => self.errors.extend(why),
            }
        }
    }

    fn flag(&mut self, name: &str, text: &str) {
        let Some(entry) = self.settings.method.option(name) else {
            let d = message::unknown_option(Span::default(), self.settings.method, name);
            self.errors.push(message::in_flag(d, name, text));
            return;
        };
        let expr = match parse_text(name, text) {
            Ok(expr) => expr,
            Err(d) => return self.errors.push(*d),
        };
        match value(entry, &expr, &|name| self.param(name)) {
            Ok(value) => self.put(entry, value, Origin::Flag, Span::default()),
            Err(why) => self.errors.extend(why.into_iter().map(|d| message::in_flag(d, name, text))),
        }
    }

    fn put(&mut self, entry: &'static OptionEntry, value: Value, origin: Origin, span: Span) {
        let slot = self.settings.options.iter_mut().find(|s| s.entry.name == entry.name);
        let slot = slot.expect("settings hold every option of the method");
        *slot = Setting { entry, value: Some(value), origin, span };
    }

    /// The value of a scalar param.
    fn param(&self, name: &str) -> Option<f64> {
        self.problem.sizes.get(name).map(|n| n as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{MERELY_CONVEX, problem};

    fn with_method(block: &str) -> Problem {
        problem(&format!("param n = 4  upper {{ var x  minimize x^2 }}  lower {{ var y  minimize (y - x)^2 }} {block}"))
    }

    /// Codes and messages of a file's presets.
    fn findings(block: &str) -> Vec<(&'static str, String)> {
        check(&with_method(block)).into_iter().map(|d| (d.code, d.message)).collect()
    }

    #[test]
    fn flags_come_before_presets_and_presets_before_defaults() {
        let problem = problem(MERELY_CONVEX);
        let s = resolve(&problem, &Request::new("meha:slow").set("alpha", "0.5").set("max_iter", "7")).unwrap();
        let found = |name: &str| (s.get(name).value.as_ref().unwrap().to_string(), s.get(name).origin);
        assert_eq!(found("alpha"), ("0.5".to_string(), Origin::Flag));
        assert_eq!(found("beta"), ("0.1".to_string(), Origin::File));
        assert_eq!(found("p"), ("0.49".to_string(), Origin::Automatic));
        assert_eq!(s.integer("max_iter"), 7);
    }

    #[test]
    fn every_option_of_a_method_that_runs_gets_a_value() {
        let problem = problem(MERELY_CONVEX);
        for method in method::METHODS.iter().filter(|m| m.runs()) {
            let s = resolve(&problem, &Request::new(&format!("{}:auto", method.name))).unwrap();
            let open: Vec<&str> = s.options.iter().filter(|o| o.value.is_none()).map(|o| o.entry.name).collect();
            let chosen = method.method.unwrap().chooses();
            assert!(open.iter().all(|name| chosen.contains(name)), "{}: {open:?}", method.name);
        }
    }

    #[test]
    fn safeguards_are_off_where_every_step_is_stated() {
        let problem = problem(MERELY_CONVEX);
        let found = |request: &Request, name: &str| {
            resolve(&problem, request).unwrap().get(name).value.as_ref().unwrap().to_string()
        };
        let stated = Request::new("meha:tuned");
        assert_eq!(["metric", "momentum", "passes"].map(|n| found(&stated, n)), ["none", "none", "1"]);
        let open = Request::new("meha:auto").set("gamma", "2");
        assert_eq!(["metric", "momentum", "passes"].map(|n| found(&open, n)), ["diagonal", "nesterov", "2"]);
        assert_eq!(found(&Request::new("meha:auto").set("c", "2"), "passes"), "1");
        assert_eq!(found(&stated.set("momentum", "nesterov"), "metric"), "diagonal");
    }

    #[test]
    fn file_wide_options_and_expectations_are_judged_too() {
        assert_eq!(findings("option precision = f32  option tol = 1e-8"), []);
        assert_eq!(findings("option precison = f32")[0].0, "B0603");
        assert_eq!(findings("option precision = f16")[0].0, "B0604");
        assert_eq!(findings("expect with meha:auto (max_itr = 3) { x <= 1 }")[0].0, "B0603");
        assert_eq!(findings("expect with meha:paper { x <= 1 }")[0].0, "B0602");
        let p = with_method("option precision = f32  option max_iter = 5  method meha { max_iter = 6 }");
        let s = resolve(&p, &Request::new("meha")).unwrap();
        assert_eq!((s.word("precision"), s.integer("max_iter")), ("f32", 6));
    }

    #[test]
    fn every_mistake_of_a_preset_is_found_in_source_order() {
        let codes: Vec<_> = findings(
            "method meha a { alpah = 1;  beta = -1;  eta = 1 - k;  gamma = 1/k;  c = q;  c = 2;  max_iter = 1.5 }
             method meha a { precision = f64 }
             method nesterov { s = 1 }",
        );
        let codes: Vec<_> = codes.iter().map(|f| f.0).collect();
        assert_eq!(codes, ["B0603", "B0604", "B0604", "B0604", "B0607", "B0605", "B0604", "B0612", "B0601"]);
    }

    #[test]
    fn schedules_see_params_and_k() {
        let p = with_method("method meha { alpha = 1/(n*k);  c = 2*k^0.3 }");
        let s = resolve(&p, &Request::new("meha")).unwrap();
        assert_eq!(s.schedule("alpha").at(5), 0.05);
        assert_eq!(s.schedule("alpha").to_string(), "1/(4*k)");
    }

    #[test]
    fn a_schedule_c_and_p_exclude_each_other() {
        assert_eq!(findings("method meha { c = 2*k^0.3 }"), []);
        let found = findings("method meha { c = 2*k^0.3;  p = 0.3 }");
        assert_eq!(found[0], ("B0606", "`c` is a schedule and `p` is given too".to_string()));
        assert_eq!(findings("method meha { c = 2;  p = 0.5 }")[0].0, "W0601");
    }

    #[test]
    fn methods_that_are_not_built_are_checked_only() {
        let found = findings("method f2sa { T = 10 }");
        assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), ["N0601"]);
        assert_eq!(findings("method f2sa { T = 1/2 }").iter().map(|f| f.0).collect::<Vec<_>>(), ["N0601", "B0604"]);
    }

    #[test]
    fn options_in_parentheses_are_flags() {
        let request = Request::new("unroll(start = warm, alpha_x = min(1, 2/k), K=50)");
        assert_eq!((request.method.as_str(), request.overrides.len()), ("unroll", 3));
        let s = resolve(&problem(MERELY_CONVEX), &request).unwrap();
        assert_eq!((s.word("start"), s.integer("K"), s.schedule("alpha_x").at(4)), ("warm", 50, 0.5));
        let preset = Request::new("meha:tuned (c = 2)");
        assert_eq!((preset.method.as_str(), &preset.preset), ("meha", &PresetChoice::Named("tuned".into())));
        for wrong in ["unroll(start)", "unroll(start = warmer)", "unroll(gradient = cg", "unroll(= 3)"] {
            assert!(resolve(&problem(MERELY_CONVEX), &Request::new(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn mistakes_in_flags_quote_the_flag() {
        let problem = problem(MERELY_CONVEX);
        let fails = |name: &str, text: &str| {
            let d = resolve(&problem, &Request::new("meha:tuned").set(name, text)).unwrap_err().remove(0);
            assert_eq!(d.primary.span, Span::default());
            (d.code, d.message)
        };
        assert_eq!(fails("gama", "1").0, "B0603");
        assert_eq!(fails("alpha", "0.1*").0, "B0611");
        assert_eq!(fails("alpha", "1 } upper { var x").0, "B0611");
        assert_eq!(fails("alpha", "1; beta = 2").0, "B0611");
        assert_eq!(
            fails("alpha", "-1"),
            (
                "B0604",
                "option `alpha` is -1, but takes a positive number, or an expression in `k` (in `alpha=-1`)"
                    .to_string()
            )
        );
        assert_eq!(fails("tol", "x").0, "B0607");
    }
}
