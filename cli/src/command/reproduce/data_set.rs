//! Data sets that experiments read from a folder of the user: where they come from, and what their files are called.

use std::path::{Path, PathBuf};

/// A data set.
pub(crate) struct DataSet {
    /// Its folder, as `--data-dir` names it on a command line.
    pub(crate) folder: &'static str,
    /// Where to get it.
    pub(crate) from: &'static str,
    /// Its files.
    pub(crate) files: &'static [&'static str],
}

/// The files of MNIST and of what takes its place.
const IDX: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

/// All of them.
pub(crate) const DATA_SETS: [DataSet; 2] = [
    DataSet {
        folder: "fashion-mnist",
        from: "https://github.com/zalandoresearch/fashion-mnist, folder `data/fashion`",
        files: &IDX,
    },
    DataSet { folder: "mnist", from: "https://yann.lecun.com/exdb/mnist or a mirror of it", files: &IDX },
];

/// The data set of a folder.
pub(crate) fn by_folder(folder: &str) -> Option<&'static DataSet> {
    DATA_SETS.iter().find(|set| set.folder == folder)
}

impl DataSet {
    /// Where it is: a folder of that name in one of `places`, or such a place itself.
    pub(crate) fn find(&self, places: &[PathBuf]) -> Option<PathBuf> {
        let named = |place: &Path| place.canonicalize().is_ok_and(|p| p.file_name().is_some_and(|n| n == self.folder));
        places.iter().find_map(|place| {
            let within = place.join(self.folder);
            if within.is_dir() { Some(within) } else { Some(place.clone()).filter(|place| named(place)) }
        })
    }

    /// What somebody without it has to do.
    pub(crate) fn wanted(&self) -> String {
        format!(
            "put {} of {} into a folder `{}` and name the folder that holds it with `--data-dir`",
            self.files.iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", "),
            self.from,
            self.folder
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_set_is_in_a_place_or_is_one() {
        let place = tempfile::tempdir().unwrap();
        let set = by_folder("mnist").unwrap();
        let places = [place.path().to_owned()];
        assert_eq!(set.find(&places), None);
        let folder = place.path().join("mnist");
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(set.find(&places), Some(folder.clone()));
        assert_eq!(set.find(std::slice::from_ref(&folder)), Some(folder));
        assert!(set.wanted().contains("`train-images-idx3-ubyte.gz`") && set.wanted().contains("`mnist`"));
    }
}
