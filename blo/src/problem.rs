//! A program with what its caller gives: params, data, folders, limits.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use blo_engine::data::{Numbers, Source};
use blo_engine::limits::Limits;
use blo_engine::model::{self, Bindings, Settings};
use blo_grammar::diagnostic::{Diagnostic, Severity, did_you_mean};

use crate::data::Data;
use crate::document::Document;
use crate::error::Error;
use crate::input::checked::{self, Asked, Checked, limits_of_machine};
use crate::input::file::{self, Reading};
use crate::input::source::Folders;
use crate::latex::{Latex, latex};
use crate::options::Options;
use crate::report::Report;
use crate::stack::deep;

/// A bilevel problem: a program in the `blo` language, with the params and data that its caller gives.
///
/// Built in the style of a builder: every method takes the problem and gives it back. Nothing is read or checked until
/// something is asked of it.
///
/// ```
/// use blo::{Options, Problem};
///
/// // ridge regression with one weight: which penalty is best on rows that were not fitted?
/// let problem = Problem::from_str(
///     "param n = 3
///      data a[n] = csv(\"fit.csv\")
///      data b[n] = csv(\"fit_targets.csv\")
///      upper { var x in [-10, 10]  minimize (1.5*w - 2)^2 }
///      lower { var w  minimize sum((a[i]*w - b[i])^2 for i in 1..n) + exp(x)*w^2 }",
/// )?
/// .data("a", [1.0, 2.0, 3.0])
/// .data("b", [1.4, 2.9, 4.3]);
/// let solution = problem.solve(&Options::new())?;
/// let w = solution.lower("w").unwrap().number().unwrap();
/// assert!((1.5 * w - 2.0).abs() < 1e-3);
/// # Ok::<(), blo::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Problem {
    document: Document,
    params: Vec<(String, f64)>,
    folders: Vec<PathBuf>,
    limits: Vec<(String, u64)>,
    data: BTreeMap<String, Data>,
    checked: OnceLock<Arc<Checked>>,
}

impl Problem {
    /// Reads a program from a file. Paths of its data are relative to the file's folder.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("p.blo");
    /// # std::fs::write(&path, "upper { var x  minimize x^2 + y^2 }  lower { var y  minimize (y - x - 1)^2 }").unwrap();
    /// let problem = blo::Problem::from_path(&path)?;
    /// assert_eq!(problem.name(), "p");
    /// assert!(matches!(blo::Problem::from_path("nowhere.blo"), Err(blo::Error::File { .. })));
    /// # Ok::<(), blo::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Program`] when it is not UTF-8 or its syntax is wrong.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Problem, Error> {
        match file::read(path.as_ref())? {
            Reading::Text(document) => Problem::new(document),
            Reading::Refused(document, diagnostic) => Err(Error::program(&document, vec![diagnostic])),
        }
    }

    /// A program as a text. Paths of its data are relative to the working folder, or to [`Problem::folder`].
    ///
    /// ```
    /// let problem = blo::Problem::from_str("upper { var x  minimize x^2 + y^2 }  lower { var y  minimize (y - x)^2 }")?;
    /// assert!(problem.check().is_sound());
    /// # Ok::<(), blo::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Program`] when its syntax is wrong. Everything else is for [`Problem::check`], since it may depend on params.
    // the trait is implemented as well, and the name should be there without an import
    #[allow(clippy::should_implement_trait)]
    pub fn from_str(text: &str) -> Result<Problem, Error> {
        Problem::new(Document { name: "<text>".to_owned(), path: None, text: text.to_owned() })
    }

    fn new(document: Document) -> Result<Problem, Error> {
        let problem = Problem {
            document,
            params: Vec::new(),
            folders: Vec::new(),
            limits: Vec::new(),
            data: BTreeMap::new(),
            checked: OnceLock::new(),
        };
        let parsed = deep(|| blo_grammar::parse(&problem.document.text))?;
        if parsed.is_sound() {
            return Ok(problem);
        }
        // as the command shows them: with what the sound pieces say, and with fixes that were tried
        let settings = problem.settings()?;
        let found = deep(|| checked::check(&problem.document, &settings).diagnostics)?;
        Err(Error::program(&problem.document, found))
    }

    /// Gives a scalar param a value in the place of the program's, as `-D name=value` does.
    ///
    /// ```
    /// let problem = blo::Problem::from_str(
    ///     "param n = 2  upper { var x  minimize x^2 + sum(y) }  lower { var y[n]  minimize normsq(y - x) }",
    /// )?;
    /// let solution = problem.param("n", 5.0).solve(&blo::Options::new())?;
    /// assert_eq!(solution.lower("y").unwrap().shape(), [5]);
    /// # Ok::<(), blo::Error>(())
    /// ```
    #[must_use]
    pub fn param(mut self, name: &str, value: impl Into<f64>) -> Problem {
        self.params.push((name.to_owned(), value.into()));
        self.checked = OnceLock::new();
        self
    }

    /// Gives a data item from memory: `A` of `data A[..] = ...`, or a column `d.u` of a dataset. It takes the place of the
    /// file or generator that the program names, which is then never opened. Its shape is that of the item, a dataset's
    /// rows first; sizes that the program leaves open (`_`) are taken from it. Numbers are taken as they are: options of
    /// the file, such as `columns` or `scale`, do not apply. They must be finite; labels count from 0.
    ///
    /// ```
    /// let problem = blo::Problem::from_str(
    ///     "dataset d { u[2] = csv(\"d.csv\", columns = 1..2)  v = csv(\"d.csv\", column = 3) }
    ///      split d into train: 2, val: 1
    ///      upper { var x >= 0  minimize normsq(val.u*w - val.v) }
    ///      lower { var w[2]  minimize normsq(train.u*w - train.v) + x*normsq(w) }",
    /// )?
    /// .data("d.u", [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    /// .data("d.v", [1.0, 2.0, 2.0]);
    /// assert!(problem.check().is_sound());
    /// # Ok::<(), blo::Error>(())
    /// ```
    #[must_use]
    pub fn data(mut self, name: &str, data: impl Into<Data>) -> Problem {
        self.data.insert(name.to_owned(), data.into());
        self
    }

    /// Gives columns of a dataset from memory, each as [`Problem::data`] does.
    ///
    /// ```
    /// let problem = blo::Problem::from_str(
    ///     "dataset d { u[2] = csv(\"d.csv\", columns = 1..2)  v = csv(\"d.csv\", column = 3) }
    ///      upper { var x >= 0  minimize normsq(w) }
    ///      lower { var w[2]  minimize normsq(d.u*w - d.v) + x*normsq(w) }",
    /// )?
    /// .dataset("d", [("u", ([2, 2], vec![1.0, 0.0, 0.0, 1.0]).into()), ("v", vec![1.0, 2.0].into())]);
    /// assert!(problem.check().is_sound());
    /// # Ok::<(), blo::Error>(())
    /// ```
    #[must_use]
    pub fn dataset<'a>(self, name: &str, columns: impl IntoIterator<Item = (&'a str, Data)>) -> Problem {
        columns.into_iter().fold(self, |problem, (column, data)| problem.data(&format!("{name}.{column}"), data))
    }

    /// Adds a folder in which data files are looked for: for a text instead of the working folder, for a file after its own.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # std::fs::write(folder.path().join("a.csv"), "1\n2\n").unwrap();
    /// let problem = blo::Problem::from_str(
    ///     "data a[_] = csv(\"a.csv\", header = false)
    ///      upper { var x  minimize (x - sum(a))^2 + y^2 }  lower { var y  minimize (y - x)^2 }",
    /// )?;
    /// assert!(problem.folder(folder.path()).check().is_sound());
    /// # Ok::<(), blo::Error>(())
    /// ```
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Problem {
        self.folders.push(folder.into());
        self
    }

    /// Raises a limit on what the program may ask for, as `--limit name=value` does: `entries`, `memory` (bytes).
    ///
    /// ```
    /// let problem = blo::Problem::from_str("upper { var x  minimize x^2 + y^2 }  lower { var y  minimize (y - x)^2 }")?;
    /// assert!(problem.clone().limit("entries", 10_000_000_000).check().is_sound());
    /// assert!(!problem.limit("entrys", 7).check().is_sound());
    /// # Ok::<(), blo::Error>(())
    /// ```
    #[must_use]
    pub fn limit(mut self, name: &str, value: u64) -> Problem {
        self.limits.push((name.to_owned(), value));
        self.checked = OnceLock::new();
        self
    }

    /// The problem's name: what the program states, else the file's name without its ending, else `problem`.
    pub fn name(&self) -> String {
        match self.checked().ok().and_then(|checked| Some(checked.problem.as_ref()?.name.clone())) {
            Some(name) => name,
            None => self.document.stem(),
        }
    }

    /// The text of the program.
    pub fn text(&self) -> &str {
        &self.document.text
    }

    /// The names that [`Problem::data`] takes, each with its shape as the program declares it; a dataset's rows come first.
    ///
    /// ```
    /// let problem = blo::Problem::from_str(
    ///     "data A[_, 6] = csv(\"a.csv\")  dataset d { u[2] = csv(\"d.csv\", columns = 1..2)  v = csv(\"d.csv\", column = 3) }
    ///      upper { var x  minimize x^2 + sum(A)*y^2 }  lower { var y  minimize (y - x)^2 }",
    /// )?;
    /// let items = problem.data_items();
    /// let shown: Vec<String> = items.iter().map(|(name, shape)| format!("{name} {shape}")).collect();
    /// assert_eq!(shown, ["A [_, 6]", "d.u [rows, 2]", "d.v [rows]"]);
    /// # Ok::<(), blo::Error>(())
    /// ```
    pub fn data_items(&self) -> Vec<(String, String)> {
        self.checked().map_or_else(|_| Vec::new(), |checked| checked::data_items(&checked.ast, &self.document.text))
    }

    /// The problem as LaTeX, as its author wrote it: sums stay indexed, params, data and functions stand below the problem. It
    /// is what `blo latex` prints.
    ///
    /// ```
    /// let problem = blo::Problem::from_str(
    ///     "param n = 3  upper { var lambda in [0, 1]  minimize sum((y[i] - 1)^2 for i in 1..n) }
    ///      lower { var y[n]  minimize normsq(y - 2) + lambda*normsq(y) }",
    /// )?;
    /// let latex = problem.latex()?;
    /// assert!(latex.to_string().contains("\\sum_{i = 1}^n (y_i - 1)^2"));
    /// assert!(latex.document().starts_with("\\documentclass"));
    /// # Ok::<(), blo::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Program`] for mistakes in the program.
    pub fn latex(&self) -> Result<Latex, Error> {
        let sound = self.sound()?;
        deep(|| latex(&sound.checked.ast, &self.params, &self.document.stem()))
    }

    /// The names of the upper variables, in the order of the program.
    ///
    /// ```
    /// let problem = blo::Problem::from_str("upper { var x  var z  minimize x^2 + z^2 }  lower { var y  minimize (y - x)^2 }")?;
    /// assert_eq!(problem.upper_names()?, ["x", "z"]);
    /// # Ok::<(), blo::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Program`] for mistakes in the program.
    pub fn upper_names(&self) -> Result<Vec<String>, Error> {
        Ok(self.sound()?.problem().upper().variables.iter().map(|v| v.name.clone()).collect())
    }

    /// Everything that can be said without solving: mistakes and warnings about the program and about the shapes of its
    /// data. Of files only the headers are read. It is what `blo check` prints.
    pub fn check(&self) -> Report {
        self.findings(None).unwrap_or_else(|error| self.as_report(error))
    }

    /// As [`Problem::check`], and whether a run with these options is possible: the method's own demands, and assumptions of
    /// its theory that numbers refute. It is what `blo check --method` prints.
    ///
    /// ```
    /// use blo::{Options, Problem};
    ///
    /// let problem = Problem::from_str("upper { var x  minimize x^2 + y^2 }  lower { var y  minimize (y - x)^2 }")?;
    /// assert!(problem.check_run(&Options::new().method("cg")).is_sound());
    /// let report = problem.check_run(&Options::new().method("gc"));
    /// assert!(report.to_string().contains("gc"));
    /// # Ok::<(), blo::Error>(())
    /// ```
    pub fn check_run(&self, options: &Options) -> Report {
        self.findings(Some(options)).unwrap_or_else(|error| self.as_report(error))
    }

    fn findings(&self, options: Option<&Options>) -> Result<Report, Error> {
        let settings = self.settings()?;
        let source = self.source()?;
        let request = options.map(Options::request);
        let asked = Asked { settings, data: Some(&source), seed: options.map_or(0, Options::stated_seed), request };
        let found = deep(|| checked::findings(&self.document, &asked))?;
        self.known_names()?;
        Ok(Report::new(&self.document, found))
    }

    fn as_report(&self, error: Error) -> Report {
        let found = error.without_a_place().into_iter().collect();
        match error {
            Error::Program(report) => *report,
            _ => Report::new(&self.document, found),
        }
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    pub(crate) fn settings(&self) -> Result<Settings, Error> {
        let mut limits: Limits = limits_of_machine();
        for (name, value) in &self.limits {
            limits.set(name, *value).map_err(|why| Error::call(why.to_string(), None))?;
        }
        if let Some((name, _)) = self.params.iter().find(|(_, value)| value.is_nan()) {
            return Err(Error::call(format!("param `{name}` cannot be NaN"), None));
        }
        Ok(Settings { params: self.params.clone(), limits, ..Settings::default() })
    }

    /// The checked problem, sound or not.
    pub(crate) fn checked(&self) -> Result<Arc<Checked>, Error> {
        if let Some(checked) = self.checked.get() {
            return Ok(checked.clone());
        }
        let settings = self.settings()?;
        let checked = Arc::new(deep(|| checked::check(&self.document, &settings))?);
        Ok(self.checked.get_or_init(|| checked).clone())
    }

    /// The sound problem with its warnings.
    pub(crate) fn sound(&self) -> Result<Sound, Error> {
        let checked = self.checked()?;
        let mut warnings = checked.diagnostics.clone();
        // notes are for `check`: they concern presets that a run may not use
        warnings.retain(|d| d.severity != Severity::Note);
        if checked.problem.is_none() {
            return Err(Error::program(&self.document, warnings));
        }
        Ok(Sound { checked, warnings })
    }

    /// Where data are looked for.
    pub(crate) fn source(&self) -> Result<Lending, Error> {
        let mut folders = self.folders.iter().cloned();
        let own = match &self.document.path {
            Some(_) => self.document.folder(),
            None => folders.next().unwrap_or_else(|| self.document.folder()),
        };
        let others: Vec<PathBuf> = folders.collect();
        let limits = self.settings()?.limits;
        let folders = Folders::new(own, &others).within(limits).described_by(&self.document.text);
        let lent = self.data.iter().map(|(name, data)| Ok((name.clone(), data.numbers(name)?.clone())));
        Ok(Lending { folders, lent: lent.collect::<Result<_, Error>>()? })
    }

    /// Reads and generates the data.
    pub(crate) fn bind(&self, problem: &model::Problem, seed: u64) -> Result<Bindings, Error> {
        self.known_names()?;
        let source = self.source()?;
        let bound = deep(|| model::bind(problem, &source, seed))?;
        bound.map_err(|found| Error::program(&self.document, found))
    }

    /// Refuses data for items that the program does not have.
    fn known_names(&self) -> Result<(), Error> {
        if self.data.is_empty() {
            return Ok(());
        }
        let checked = self.checked()?;
        let names = checked::data_names(&checked.ast);
        let Some(name) = self.data.keys().find(|name| !names.contains(name)) else { return Ok(()) };
        let help = match did_you_mean(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "it has none at all".to_owned(),
            None => format!("it has {}", names.join(", ")),
        };
        Err(Error::call(format!("the program has no data item `{name}`"), Some(help)))
    }
}

impl FromStr for Problem {
    type Err = Error;

    fn from_str(text: &str) -> Result<Problem, Error> {
        Problem::from_str(text)
    }
}

/// A checked problem without errors.
#[derive(Clone)]
pub(crate) struct Sound {
    pub(crate) checked: Arc<Checked>,
    /// What the check warns of.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Sound {
    pub(crate) fn problem(&self) -> &model::Problem {
        self.checked.problem.as_ref().unwrap_or_else(|| unreachable!("it is sound"))
    }
}

/// Folders, and arrays in the place of files.
pub(crate) struct Lending {
    folders: Folders,
    lent: BTreeMap<String, Numbers>,
}

impl Source for Lending {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read>> {
        self.folders.open(path)
    }

    fn same_file(&self, path: &str) -> String {
        self.folders.same_file(path)
    }

    fn names(&self) -> Vec<String> {
        self.folders.names()
    }

    fn remark(&self) -> Option<String> {
        self.folders.remark()
    }

    fn lent(&self, name: &str) -> Option<&Numbers> {
        self.lent.get(name)
    }

    fn limits(&self) -> Limits {
        self.folders.limits()
    }
}
