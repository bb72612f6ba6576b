//! From a request to settings: the method is looked up, its options are gathered, judged and completed. All judgement of
//! options ends here; nothing of it is left when iteration 0 starts.

use blo_engine::model::has_tasks;
use blo_engine::model::problem::{Preset, Problem};
use blo_grammar::diagnostic::Diagnostic;

use super::{batches, by_name, implementation, names, with_option};
use crate::options::message;
use crate::options::request::{DEFAULT_METHOD, PresetChoice, Request};
use crate::options::settings::{Settings, gather, name_of};

/// Judges every preset, `option` and `expect` of a file: for `check`.
pub fn check(problem: &Problem) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (i, preset) in problem.presets.iter().enumerate() {
        let same = |p: &&Preset| p.method.text == preset.method.text && name_of(p) == name_of(preset);
        if let Some(first) = problem.presets[..i].iter().find(same) {
            let name = preset.preset.as_ref().unwrap_or(&preset.method);
            found.push(message::preset_given_twice(name.span, &name.text, first.method.span));
        }
        if let Some(name) = preset.preset.as_ref().filter(|name| name.text == "auto") {
            found.push(message::preset_out_of_reach(name.span, &preset.method.text));
        }
        let request = Request {
            method: preset.method.text.clone(),
            preset: name_of(preset).map_or(PresetChoice::Unnamed, |n| PresetChoice::Named(n.to_string())),
            span: preset.method.span,
            overrides: Vec::new(),
        };
        match resolve(problem, &request) {
            Err(errors) => found.extend(errors),
            Ok(settings) => {
                let method = implementation(settings.method);
                found.extend(batches::problem(problem, method, &settings).err().map(|d| *d));
                found.extend(settings.warnings);
            }
        }
    }
    for e in &problem.expectations {
        found.extend(resolve(problem, &Request::of_expectation(e)).err().unwrap_or_default());
    }
    found.extend(resolve(problem, &Request::automatic(DEFAULT_METHOD)).err().unwrap_or_default());
    found.sort_by_key(|d| d.primary.span);
    found.dedup();
    found
}

/// The options of a run.
///
/// # Errors
/// Every mistake in the method's name, the preset and the options.
pub fn resolve(problem: &Problem, request: &Request) -> Result<Settings, Vec<Diagnostic>> {
    let Some(listed) = by_name(&request.method) else {
        return Err(vec![message::unknown_method(request.span, &request.method, &names())]);
    };
    let (mut settings, mut errors) = gather(problem, listed.entry, request, with_option);
    let findings = listed.method.check(&settings);
    let (wrong, doubtful): (Vec<_>, Vec<_>) = findings.into_iter().partition(Diagnostic::is_error);
    errors.extend(wrong);
    settings.warnings.extend(doubtful);
    settings.choose_threads();
    listed.method.complete(&mut settings);
    if errors.is_empty() && settings.integer("resample") > 0 && !has_tasks(problem) {
        let span = settings.get("resample").span;
        settings.warnings.push(message::nothing_to_resample(span));
    }
    if errors.is_empty() { Ok(settings) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{MERELY_CONVEX, problem, solved};
    use crate::method::{METHODS, that_take};
    use crate::options::settings::Origin;
    use blo_grammar::span::Span;

    const PENALTY: &str = "upper { var x in [0, 9]  minimize (y - 1)^2 }
        lower { var y  minimize (y - 2)^2  regularize x*abs(y) }";

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
        for method in METHODS.iter().map(|m| m.entry.name) {
            let options: Vec<_> = by_name(method).unwrap().entry.all_options().collect();
            let mut request = Request::new(&format!("{method}:auto")).set("max_iter", "1");
            if options.iter().any(|o| o.name == "over") {
                // the problem has too many entries for an axis each
                request = request.set("over", "variables");
            }
            let taken = |text: &str| that_take(&problem(text)).contains(&method);
            let text = [MERELY_CONVEX, PENALTY].into_iter().find(|text| taken(text)).unwrap();
            assert_eq!(solved(text, &request).options.len(), options.len());
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
    fn presets_with_batches_are_judged_before_a_run() {
        assert_eq!(findings("method f2sa { alpha = 0.1;  batch = 4 }")[0].0, "B0634");
        assert_eq!(findings("method f2sa { batch = 4 }")[0].0, "B0633");
        assert_eq!(findings("method grid { batch_lower = 4 }")[0].0, "B0633");
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
    fn a_preset_called_auto_is_out_of_reach() {
        let found = findings("method rhg auto { K = 5 }  method rhg own { K = 5 }");
        let codes: Vec<_> = found.iter().map(|f| f.0).collect();
        assert_eq!(codes, ["W0628"], "{found:?}");
    }

    #[test]
    fn formulas_of_options_are_finite() {
        for wrong in ["1/0", "1/(k - 1)", "exp(1000)", "-log(0)"] {
            let request = Request::new("meha:auto").set("alpha", wrong);
            let d = resolve(&with_method(""), &request).unwrap_err().remove(0);
            assert!(d.code == "B0604" && d.message.contains("inf"), "{wrong}: {d:?}");
        }
        assert!(resolve(&with_method(""), &Request::new("meha").set("max_time", "inf")).is_ok());
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
    fn an_option_of_other_methods_is_told_of_with_them_and_no_option_is_listed_twice() {
        let d = resolve(&with_method(""), &Request::new("auto").set("K", "2")).unwrap_err().remove(0);
        let [others, own] = d.help.as_slice() else { panic!("{d:?}") };
        assert!(others.starts_with("methods with `K`") && others.contains("--method"), "{others}");
        assert!(others.contains(" rhg,") && others.contains("cg") && !others.contains("meha"), "{others}");
        assert_eq!(own.matches("max_iter").count(), 1, "{own}");
        let in_file = check(&with_method("method meha { K = 2 }")).remove(0);
        assert!(in_file.help[0].starts_with("methods with `K`: "), "{in_file:?}");
        let nowhere = resolve(&with_method(""), &Request::new("auto").set("quux", "2")).unwrap_err().remove(0);
        assert!(nowhere.help.iter().all(|h| !h.contains("methods with")), "{nowhere:?}");
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
