//! Several runs, for the commands that put them side by side: methods with one set of options, and each run as a process of
//! its own that is measured.

pub(super) mod measure;
pub(super) mod process;

use blo_grammar::diagnostic::Diagnostic;
use blo_solvers::{DEFAULT_METHOD, Override, Request, at_commas};

use crate::args::OptionArguments;
use crate::exit::Failure;
use crate::input::model::Model;
use crate::output::console::Console;

/// The methods that a flag names, separated by commas.
///
/// # Errors
/// When it names none.
pub(in crate::command) fn names(methods: &[String]) -> Result<Vec<String>, Failure> {
    let names: Vec<String> = methods.iter().flat_map(|m| at_commas(m)).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(Failure::Usage {
            message: "`--methods` names no method".to_owned(),
            help: Some("write one or more, separated by commas: `-m meha,rhg`; `blo methods` lists them".to_owned()),
        });
    }
    Ok(names)
}

/// Every method, for `-m all`.
pub(in crate::command) fn all() -> Vec<String> {
    blo_solvers::METHODS.iter().map(|m| m.entry.name.to_owned()).collect()
}

/// The seed of a command line, 0 where it states none.
pub(in crate::command) fn seed(options: &OptionArguments, model: &Model) -> u64 {
    let request = options.apply(Request::automatic(DEFAULT_METHOD));
    let stated = request.overrides.iter().filter(|o| matches!(o, Override::Flag { name, .. } if name == "seed"));
    let request = Request { overrides: stated.cloned().collect(), ..Request::automatic(DEFAULT_METHOD) };
    // what is wrong with it is said with the other options
    blo_solvers::resolve(&model.problem, &request).map_or(0, |settings| settings.integer("seed"))
}

/// What a method is asked for: of the options those that it has.
pub(in crate::command) fn request(name: &str, options: &OptionArguments, seed: u64) -> Request {
    let request = blo_solvers::taking(options.apply_common(Request::new(name)), &options.set);
    // those of presets are not used: all begin from the same
    request.set("seed", seed.to_string())
}

/// Refuses options that none of the methods has, and says which methods run without an option that others have.
///
/// # Errors
/// See above; the reasons have been shown.
pub(in crate::command) fn check_options(
    names: &[String],
    options: &[(String, String)],
    model: &Model,
    console: &mut Console,
) -> Result<(), Failure> {
    // A method that does not exist has a row that says so.
    let known = |name: &&String| blo_solvers::by_name(&Request::new(name).method).is_some();
    let has = |name: &str, option: &str| {
        blo_solvers::by_name(&Request::new(name).method).is_some_and(|m| m.entry.option(option).is_some())
    };
    let mut found: Vec<Diagnostic> = Vec::new();
    for (option, value) in options {
        let without: Vec<&String> = names.iter().filter(known).filter(|name| !has(name, option)).collect();
        if !without.is_empty() && names.iter().all(|name| !has(name, option)) {
            for name in without {
                let request = Request::automatic(&Request::new(name).method).set(option, value);
                let refused = blo_solvers::resolve(&model.problem, &request).err().unwrap_or_default();
                found.extend(refused.into_iter().filter(Diagnostic::is_error));
            }
        } else if !without.is_empty() {
            let list: Vec<String> = without.iter().map(|name| format!("`{name}`")).collect();
            console.say(&format!("option `{option}` is not set for methods that do not have it: {}", list.join(", ")));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(console.reject(&model.document, &found)) }
}
