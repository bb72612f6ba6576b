//! The rooms of each crate, from the ground up, and what the rules of the house leave open. A room may import the rooms
//! above it in this list, which lie below it in the house; rooms on one line may not import each other. Whoever adds a
//! folder adds it here.

/// A crate and its rooms.
pub(super) struct House {
    /// The folder of the crate.
    pub(super) folder: &'static str,
    /// Modules, each with all that is below it and has no line of its own; the root of the crate is above all.
    pub(super) floors: &'static [&'static [&'static str]],
    /// Rooms of tables: entries and their table import each other.
    pub(super) tables: &'static [(&'static str, &'static str)],
}

/// All crates.
pub(super) const HOUSES: [House; 7] = [
    House {
        folder: "grammar",
        floors: &[&["span"], &["diagnostic", "ast"], &["message", "token"], &["cut"], &["parse"], &["format"]],
        tables: &[],
    },
    House {
        folder: "engine",
        floors: &[
            &["limits"],
            &["sign", "stop", "profile"],
            &["shape"],
            &["kernel"],
            &["arena"],
            &["machine"],
            &["elementwise"],
            &["opaque"],
            &["graph"],
            &["diff"],
            &["oracle"],
            &["prox", "set"],
            &["calculus"],
            &["data"],
            &["model::message"],
            &["model::problem"],
            &["model::value", "model::meaning"],
            &["model::first_input"],
            &["model::checker"],
            &["model::size"],
            &["model::names"],
            &["model::function"],
            &["model::rows"],
            &["model::levels"],
            &["model::named"],
            &["model::bind"],
            &["model"],
            &["gradient_check"],
            &["program"],
            &["finite"],
            &["prelude"],
        ],
        tables: &[
            // a derivative builds nodes, and a node names the entry it applies
            ("elementwise", "graph"),
            ("opaque", "graph"),
            // a call looks its function up, and a function checks its arguments
            ("model::names", "model::function"),
        ],
    },
    House {
        folder: "solvers",
        floors: &[
            &["tolerances", "conic", "vectors"],
            &["options"],
            &["message"],
            &["iteration"],
            &["solution"],
            &["formula"],
            &["nlp"],
            &["lower"],
            &["hypergradient"],
            &["reduced", "small"],
            &["method"],
            &["audit"],
            &["run"],
            &["sensitivity", "reduced_gradient", "warm_start", "landscape"],
            &["pipeline"],
            &["profile", "export"],
        ],
        tables: &[],
    },
    House {
        folder: "blo",
        floors: &[
            &["document"],
            &["output", "latex"],
            &["input"],
            &["editor"],
            &["ended"],
            &["report"],
            &["error"],
            &["stack", "stop", "data", "observer"],
            &["options", "solution"],
            &["problem"],
            &["run"],
            &["asked"],
        ],
        tables: &[],
    },
    House {
        folder: "cli",
        floors: &[
            &["exit", "codes"],
            &["clock"],
            &["args"],
            &["output"],
            &["picture"],
            &["input"],
            &["server", "play"],
            &["command"],
        ],
        tables: &[],
    },
    House {
        folder: "tests",
        floors: &[
            &["repository"],
            &["real_data", "reference", "draw", "scalar"],
            &["program"],
            &["case", "answer"],
            &["judge", "variant", "families", "random"],
            &["suite"],
            &["skipped"],
        ],
        tables: &[],
    },
    House {
        folder: "xtask",
        floors: &[
            &["attack", "bench", "literature", "parts", "words"],
            &["codes"],
            &["book"],
            &["dictionary", "editor", "gallery", "language"],
            &["docs"],
        ],
        tables: &[],
    },
];

/// No folder has more files beside each other, but those that hold the entries of a table.
pub(super) const FILES: usize = 14;

/// Folders with an entry per file.
pub(super) const TABLE_FOLDERS: [&str; 7] = [
    "cli/src/command",
    "engine/src/data/format",
    "engine/src/elementwise",
    "engine/src/model/function",
    "engine/src/prox",
    "engine/src/set",
    "solvers/src/method",
];

/// No file has more lines, but flat tables.
pub(super) const FILE_LINES: usize = 600;

/// Flat tables, each with the reason why it is not split.
pub(super) const FLAT: [(&str, &str); 1] =
    [("engine/src/model/message/mod.rs", "a constructor per message, all of one form and none longer than a screen")];

/// No function has more lines.
pub(super) const FUNCTION_LINES: usize = 80;
