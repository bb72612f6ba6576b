//! The files that a command is going to write, looked at before it does anything: they can be written, no two of them are
//! one file, and none of them is a file that the command reads. A mistyped name should not show after an hour.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::output::file;

/// Files that will be written, by the flags that name them.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    files: Vec<(&'static str, PathBuf, Place)>,
}

/// A file by its folder and its name there; both are what links lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    folder: PathBuf,
    name: OsString,
}

impl Outputs {
    /// Adds a file.
    ///
    /// # Errors
    /// [`Failure::File`] when it cannot be written, [`Failure::Usage`] when another flag names it, too.
    pub(crate) fn add(&mut self, flag: &'static str, path: &Path) -> Result<(), Failure> {
        let differs_by_case = file::probe(path)?;
        let place = Place::of(path, differs_by_case);
        let other = self.files.iter().find(|(_, _, p)| *p == place && !file::passes_on(path));
        if let Some((other, _, _)) = other {
            return Err(Failure::Usage {
                message: format!("{flag} {}: `{other}` names the same file", path.display()),
                help: Some("give every output a name of its own".to_owned()),
            });
        }
        self.files.push((flag, path.to_owned(), place));
        Ok(())
    }

    /// Refuses to write over a file that the command reads; `what` it is.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub(crate) fn spare(&self, what: &str, input: &Path) -> Result<(), Failure> {
        self.spare_but(&[], what, input)
    }

    /// The same for all flags but some.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub(crate) fn spare_but(&self, flags: &[&str], what: &str, input: &Path) -> Result<(), Failure> {
        let places = [true, false].map(|differs_by_case| Place::of(input, differs_by_case));
        let same = |path: &Path, place: &Place| is_same_file(path, input) || places.contains(place);
        let mut judged = self.files.iter().filter(|(flag, _, _)| !flags.contains(flag));
        let Some((flag, path, _)) = judged.find(|(_, path, place)| same(path, place)) else { return Ok(()) };
        Err(Failure::Usage {
            message: format!("{flag} {}: this is {what}, which it would replace", path.display()),
            help: Some("choose another name".to_owned()),
        })
    }
}

impl Place {
    fn of(path: &Path, differs_by_case: bool) -> Place {
        let target = file::target(path);
        let folder = file::folder(&target);
        let name = target.file_name().unwrap_or_default();
        let name = if differs_by_case { name.to_owned() } else { name.to_string_lossy().to_lowercase().into() };
        Place { folder: fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()), name }
    }
}

/// Two names of one file that is there, also by hard links. Replacing one would part it from the other, but whoever names
/// it so means the other.
fn is_same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id = |path: &Path| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|m| (m.dev(), m.ino()));
        id(a).is_some() && id(a) == id(b)
    }
    #[cfg(not(unix))]
    {
        fs::canonicalize(a).ok().is_some_and(|a| fs::canonicalize(b).is_ok_and(|b| a == b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(failure: Result<(), Failure>) -> String {
        match failure {
            Err(Failure::Usage { message, .. }) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn outputs_differ_from_each_other_and_from_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("p.blo"), "upper {}").unwrap();
        let mut outputs = Outputs::default();
        outputs.add("--out", &at("r.json")).unwrap();
        assert!(usage(outputs.add("--checkpoint", &at("sub/../r.json"))).contains("`--out` names the same file"));
        outputs.add("--trace", &at("sub/r.json")).unwrap();
        outputs.spare("the problem file", &at("p.blo")).unwrap();
        outputs.add("--checkpoint", &at("sub/../p.blo")).unwrap();
        assert!(usage(outputs.spare("the problem file", &at("p.blo"))).contains("this is the problem file"));
        assert!(outputs.add("--out", &at("none/r.json")).is_err() && outputs.add("--out", &at("sub")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_to_one_file_are_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("data.csv"), "1").unwrap();
        std::os::unix::fs::symlink("later.json", at("soft")).unwrap();
        fs::hard_link(at("data.csv"), at("hard")).unwrap();
        let mut outputs = Outputs::default();
        outputs.add("--out", &at("later.json")).unwrap();
        assert!(usage(outputs.add("--trace", &at("soft"))).contains("names the same file"));
        outputs.add("--checkpoint", &at("hard")).unwrap();
        assert!(usage(outputs.spare("a data file", &at("data.csv"))).contains("--checkpoint"));
    }
}
