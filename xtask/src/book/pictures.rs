//! The pictures of the book. Each is what a command of `blo` draws; `cargo xtask pictures` draws all of them again, and a test
//! holds that those in the repository are what is drawn. So a picture has no axis of time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{SOURCE, workplace};

/// A picture: its name without `.svg`, and the command without `blo`, in which `{}` stands for the file.
pub type Picture = (&'static str, &'static str);

/// All pictures of the book. A command runs in the folder of [`workplace`].
pub const PICTURES: [Picture; 6] = [
    ("eq5_error", "compare specs/bda_eq5.blo -m rhg,bda,bda:long,iaptt,meha --of 'err(x)' --plot iterations={}"),
    ("eq5_start", "sweep specs/bda_eq5.blo -m rhg -D 'y0=linspace(-1, 3, 9)' --set polish=0 --of x_error --plot {}"),
    ("floor_meha", "solve floor.blo -m meha --plot landscape={}"),
    ("floor_rhg", "solve floor.blo -m rhg --polish 0 --trace-every 1 --plot landscape={}"),
    ("landscape", "solve specs/iaptt_eq10.blo -m iaptt --plot landscape={}"),
    ("penalty_curve", "sweep penalty.blo -m bda -D 'x=linspace(-8, 4, 25)' --of upper --plot {}"),
];

/// The command as a reader types it, with the file beside the program.
#[must_use]
pub fn typed((name, command): Picture) -> String {
    format!("blo {}", command.replace("{}", &format!("{name}.svg")))
}

/// The words of a command line, without quotes.
#[must_use]
pub fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut quote = None;
    let mut word: Option<String> = None;
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(q)) if c == q => quote = None,
            (' ', None) => found.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    found.extend(word);
    found
}

/// Draws a picture in a workplace, with the command `blo`.
///
/// # Errors
/// A command that does not end well, or a picture that it has not written.
pub fn draw((name, command): Picture, blo: &Path, workplace: &Path) -> Result<String, String> {
    let path = workplace.join(format!("{name}.svg"));
    let words = words(command).into_iter().map(|word| word.replace("{}", &format!("{name}.svg")));
    let run = Command::new(blo).args(words).current_dir(workplace).stdin(Stdio::null()).output();
    let run = run.map_err(|why| format!("{}: {why}", blo.display()))?;
    if !run.status.success() {
        return Err(format!("{command}: {}", String::from_utf8_lossy(&run.stderr)));
    }
    std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))
}

/// Builds the command and says where it is.
///
/// # Errors
/// A build that fails.
pub fn built(root: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let build = cargo.args(["build", "--quiet", "--profile", "fast", "-p", "blo-cli"]).current_dir(root);
    match build.status() {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("cargo build: {status}")),
        Err(why) => return Err(format!("cargo: {why}")),
    }
    Ok(root.join("target/fast").join(format!("blo{}", std::env::consts::EXE_SUFFIX)))
}

/// Draws all pictures where the book has them. Returns the names of those that have changed.
///
/// # Errors
/// As for [`draw`].
pub fn write(root: &Path, blo: &Path) -> Result<Vec<&'static str>, String> {
    let place = root.join("target/pictures");
    workplace(root, &place)?;
    let mut changed = Vec::new();
    for picture in PICTURES {
        let path = root.join(SOURCE).join(format!("pictures/{}.svg", picture.0));
        let drawn = draw(picture, blo, &place)?;
        if std::fs::read_to_string(&path).ok().as_ref() != Some(&drawn) {
            std::fs::write(&path, drawn).map_err(|why| format!("{}: {why}", path.display()))?;
            changed.push(picture.0);
        }
    }
    Ok(changed)
}
