//! The programs of the suites: found by folder, checked as the command checks them, with their files beside them or among
//! the data sets.

use std::io::Read;
use std::path::PathBuf;

use blo_engine::data::{Source, alternatives};
use blo_engine::model::problem::DataOrigin;
use blo_engine::model::{self, Bindings, Problem, Settings};
use blo_grammar::diagnostic::Diagnostic;

use crate::real_data;
use crate::repository::{root, say};

/// A `.blo` file of a suite.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file's name without its ending.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its text.
    pub text: String,
}

/// The programs of a folder below the root, sorted by name.
///
/// # Panics
/// When the folder cannot be read.
pub fn programs(folder: &str) -> Vec<Program> {
    let folder = root().join(folder);
    let entries = std::fs::read_dir(&folder).expect("a folder of the repository");
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "blo"));
    paths.sort();
    paths
        .into_iter()
        .map(|p| Program {
            name: p.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            folder: folder.clone(),
            text: std::fs::read_to_string(&p).expect("a readable program"),
        })
        .collect()
}

impl Program {
    /// The problem with the given params, and everything said about the text.
    pub fn check(&self, params: &[(&str, f64)]) -> (Option<Problem>, Vec<Diagnostic>) {
        let parsed = blo_grammar::parse(&self.text);
        let params = params.iter().map(|(n, v)| (n.to_string(), *v)).collect();
        let settings = Settings { params, partial: !parsed.is_sound(), ..Settings::default() };
        let outcome = model::check(&parsed.ast, &self.text, &self.name, &settings);
        let sound = parsed.is_sound();
        let mut diagnostics = parsed.diagnostics;
        diagnostics.extend(outcome.diagnostics);
        diagnostics.sort_by_key(|d| d.primary.span);
        (outcome.problem.filter(|_| sound), diagnostics)
    }

    /// Where the program's files are: beside it, or among the data sets beside the repository.
    ///
    /// # Errors
    /// The name of a file that is in neither.
    pub fn files(&self, params: &[(&str, f64)]) -> Result<Folders, String> {
        let sets = std::fs::read_dir(real_data::folder()).into_iter().flatten();
        let mut sets: Vec<PathBuf> = sets.filter_map(|e| e.ok().map(|e| e.path())).collect();
        sets.sort();
        let folders = Folders(std::iter::once(self.folder.clone()).chain(sets).collect());
        let (problem, _) = self.check(params);
        let columns = problem.iter().flat_map(|p| p.tables.datasets.iter().flat_map(|d| &d.columns));
        let origins = problem.iter().flat_map(|p| p.data.iter().map(|d| &d.origin)).chain(columns.map(|c| &c.origin));
        for origin in origins {
            if let DataOrigin::File { path, .. } = origin
                && folders.open(path).is_err()
            {
                return Err(path.clone());
            }
        }
        Ok(folders)
    }

    /// The problem, which must be sound, with its data.
    ///
    /// # Panics
    /// With the diagnostics, when there is an error.
    pub fn bound(&self, params: &[(&str, f64)]) -> (Problem, Bindings) {
        self.bound_with(params, &Folder(self.folder.clone()))
    }

    /// The problem with its data, wherever they are, and a word about the program where a file is missing.
    ///
    /// # Panics
    /// As [`Program::bound`].
    pub fn bound_or_skipped(&self, params: &[(&str, f64)]) -> Option<(Problem, Bindings, Folders)> {
        match self.files(params) {
            Ok(folders) => {
                let (problem, bindings) = self.bound_with(params, &folders);
                Some((problem, bindings, folders))
            }
            Err(file) => {
                say(&format!("skipped {}: no file {file}", self.name));
                None
            }
        }
    }

    /// As [`Program::bound`], with files from elsewhere.
    ///
    /// # Panics
    /// As [`Program::bound`].
    pub fn bound_with(&self, params: &[(&str, f64)], source: &dyn Source) -> (Problem, Bindings) {
        let (problem, diagnostics) = self.check(params);
        let problem = problem.unwrap_or_else(|| panic!("{}: {diagnostics:#?}", self.name));
        let bindings = model::bind(&problem, source, 0);
        let bindings = bindings.unwrap_or_else(|d| panic!("{}: {d:#?}", self.name));
        (problem, bindings)
    }
}

/// Files of several folders: the first that has one.
pub struct Folders(Vec<PathBuf>);

impl Source for Folders {
    fn open(&self, path: &str) -> std::io::Result<Box<dyn Read>> {
        // the program's own folder first, whatever the order of the names: two data sets may share them
        let found = self.0.iter().find_map(|f| Folder(f.clone()).open(path).ok());
        found.ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().flat_map(|f| Folder(f.clone()).names()).collect()
    }
}

/// Files of one folder.
pub struct Folder(pub PathBuf);

impl Source for Folder {
    fn open(&self, path: &str) -> std::io::Result<Box<dyn Read>> {
        let found = alternatives(path).map(|name| self.0.join(name)).find(|path| path.is_file());
        Ok(Box::new(std::fs::File::open(found.unwrap_or_else(|| self.0.join(path)))?))
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten();
        entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect()
    }
}
