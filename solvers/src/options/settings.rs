//! The options of a run: flags override the preset, which overrides the defaults. Every value keeps its origin.

use blo_engine::model::problem::{Preset, Problem};
use blo_grammar::ast::Assign;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::entry::{COMMON, MethodEntry, OptionEntry};
use super::message;
use super::request::{Override, PresetChoice, Request};
use super::run_options::Precision;
use super::schedule::Schedule;
use super::value::{Value, parse_text, parse_value, value};

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
    pub method: &'static MethodEntry,
    /// The preset that was used, if it has a name.
    pub preset: Option<String>,
    /// The place to blame when something is missing: the preset, or nothing.
    pub span: Span,
    /// Every option, in the order of the table.
    pub options: Vec<Setting>,
    /// Warnings and notes.
    pub warnings: Vec<Diagnostic>,
}

impl Settings {
    /// An option of the method.
    pub fn get(&self, name: &str) -> &Setting {
        let found = self.options.iter().find(|s| s.entry.name == name);
        found.unwrap_or_else(|| unreachable!("`{name}` is an option of {}", self.method.name))
    }

    /// True where the method has an option of this name.
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|s| s.entry.name == name)
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

    /// The most iterations, where somebody states them.
    pub(crate) fn stated_most(&self) -> Option<u64> {
        let stated = matches!(self.get("max_iter").origin, Origin::File | Origin::Flag);
        stated.then(|| self.integer("max_iter"))
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

    /// The numbers of the iteration.
    pub fn precision(&self) -> Precision {
        if self.word("precision") == "f32" { Precision::Single } else { Precision::Double }
    }

    /// Gives an option without a value one.
    pub(crate) fn choose(&mut self, name: &str, value: Option<Value>) {
        if let Some(s) = self.options.iter_mut().find(|s| s.entry.name == name && s.value.is_none()) {
            s.value = value;
        }
    }

    /// One thread per core, where nothing else is said.
    pub(crate) fn choose_threads(&mut self) {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
        self.choose("threads", Some(Value::Integer(cores)));
    }
}

/// The options of a request with every mistake in them: those of the method, with what the file says of all methods, the
/// preset and the overrides on top. `having` lists methods that have an option of a name.
pub(crate) fn gather(
    problem: &Problem,
    method: &'static MethodEntry,
    request: &Request,
    having: fn(&str) -> Vec<&'static str>,
) -> (Settings, Vec<Diagnostic>) {
    let mut gathering = Gathering { problem, settings: defaults(method), errors: Vec::new(), having };
    let common: Vec<&Assign> = problem.options.iter().collect();
    let (known, unknown): (Vec<_>, Vec<_>) =
        common.into_iter().partition(|a| COMMON.iter().any(|o| o.name == a.name.text));
    gathering.errors.extend(unknown.iter().map(|a| message::not_a_common_option(a.name.span, &a.name.text)));
    gathering.block(&known);
    match preset(problem, request) {
        Err(d) => gathering.errors.push(*d),
        Ok(None) => {}
        Ok(Some(p)) => {
            gathering.settings.span = p.method.span;
            gathering.settings.preset = name_of(p).map(str::to_string);
            gathering.block(&p.options.iter().collect::<Vec<_>>());
        }
    }
    let file: Vec<&Assign> =
        request.overrides.iter().filter_map(|o| if let Override::File(a) = o { Some(a) } else { None }).collect();
    gathering.block(&file);
    for o in &request.overrides {
        if let Override::Flag { name, text } = o {
            gathering.flag(name, text);
        }
    }
    (gathering.settings, gathering.errors)
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

/// The name of a named preset.
pub(crate) fn name_of(preset: &Preset) -> Option<&str> {
    preset.preset.as_ref().map(|n| n.text.as_str())
}

/// The settings that the table alone gives.
fn defaults(method: &'static MethodEntry) -> Settings {
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

struct Gathering<'a> {
    problem: &'a Problem,
    settings: Settings,
    errors: Vec<Diagnostic>,
    having: fn(&str) -> Vec<&'static str>,
}

impl Gathering<'_> {
    /// The options of one block of the file.
    fn block(&mut self, assigns: &[&Assign]) {
        for (i, a) in assigns.iter().enumerate() {
            if let Some(first) = assigns[..i].iter().find(|b| b.name.text == a.name.text) {
                self.errors.push(message::option_given_twice(a.name.span, &a.name.text, first.name.span));
                continue;
            }
            let Some(entry) = self.settings.method.option(&a.name.text) else {
                let having = (self.having)(&a.name.text);
                self.errors.push(message::unknown_option(a.name.span, self.settings.method, &a.name.text, &having));
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
            let having = (self.having)(name);
            let d = message::unknown_option(Span::default(), self.settings.method, name, &having);
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
