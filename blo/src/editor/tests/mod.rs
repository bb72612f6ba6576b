//! Every feature on small texts. `^` is the cursor.

mod answers;
mod completion;
mod hover;
mod names;

use blo_engine::model::Settings;

use super::{Judged, Syntax};
use crate::document::Document;
use crate::input::checked::Asked;

/// A text without its cursor, and where that stood.
fn cursor(text: &str) -> (Syntax, usize) {
    let offset = text.find('^').expect("a cursor");
    (Syntax::new(text.replacen('^', "", 1)), offset)
}

/// What the check says of a text; no data are looked at.
fn judged(text: &str) -> Judged {
    let document = Document { name: "p.blo".into(), path: None, text: text.to_owned() };
    let asked = Asked { settings: Settings::default(), data: None, request: None, seed: 0 };
    Judged::new(document, &asked, &|| false).expect("nobody stops it")
}

/// A program with a name of most kinds.
const PROGRAM: &str = "\
## How well it fits.
problem p
param n = 3
## Weights.
let w = fill(2, n)
fn loss(u) = normsq(u)
set X = [0, 1]
dataset d { u[n] = csv(\"a.csv\")  v = csv(\"a.csv\", classes = 2) }
split d (seed = 1) into train: 5, val: 5
corrupt train.v (fraction = 0.5, mask = bad)
upper { var x in X  minimize loss(val.u*y) + sum(w[i] for i in 1..n) }
lower {
  ## The fit.
  var y[n] >= 0
  let r = train.u*y - x
  minimize normsq(r)
  regularize norm1(y)
  subject to { demand: sum(y) <= 1 }
}
start { y = 1/n }
known { y[i] = 0 for i in 1..n }
metric a = sum(train.bad) + multiplier(demand)
method meha fast { alpha = 0.1/n }
expect with meha:fast { a <= n }
";
