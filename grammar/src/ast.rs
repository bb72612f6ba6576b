//! The syntax tree. Every node has a span; `+ -` and `* /` chains are n-ary, so that no pass recurses over a
//! long sum. The tree keeps parentheses and literal texts, because the formatter prints from it.

use crate::span::Span;

/// An identifier as used or declared; NFKC-normalized.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The identifier.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A parsed file.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Ast {
    /// The items in source order.
    pub items: Vec<Item>,
}

/// One top-level item.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// From its keyword to its end.
    pub span: Span,
    /// Its `##` lines, without the marks.
    pub doc: Vec<String>,
}

/// The kinds of items.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `problem NAME (edition = 1)`
    Problem {
        /// The problem's name.
        name: Name,
        /// Its options.
        options: Vec<Assign>,
    },
    /// `param n = 50`, `param c[n] = fill(2, n)`
    Param {
        /// The declared name.
        name: Name,
        /// Declared dimensions; empty for a scalar.
        dims: Vec<Dimension>,
        /// Its value.
        value: Expr,
    },
    /// `let h = n/2`
    Let(Binding),
    /// `fn net(u) = ...`
    Function {
        /// The declared name.
        name: Name,
        /// Formal parameters.
        params: Vec<Name>,
        /// The body, inlined at each call.
        body: Expr,
    },
    /// `set X[n] = ...`
    Set {
        /// The declared name.
        name: Name,
        /// Declared dimensions.
        dims: Vec<Dimension>,
        /// The set expression.
        value: Expr,
    },
    /// `data A[_, m] = csv("a.csv")`
    Data(Column),
    /// `dataset d { u = idx(...)  v = idx(...) }`
    Dataset {
        /// The declared name.
        name: Name,
        /// Columns with a common number of rows.
        columns: Vec<Column>,
    },
    /// `split d (seed = 1) into train: 5000, val: 5000`
    Split {
        /// The dataset.
        source: Name,
        /// Options such as `seed`.
        options: Vec<Assign>,
        /// Names and sizes of the parts.
        parts: Vec<(Name, Expr)>,
    },
    /// `corrupt train.v (fraction = 0.5, ...)`
    Corrupt {
        /// The column, a field expression.
        target: Expr,
        /// Options.
        options: Vec<Assign>,
    },
    /// `episodes D from d (tasks = 16, ...)`
    Episodes {
        /// The declared name.
        name: Name,
        /// The dataset.
        source: Name,
        /// Options.
        options: Vec<Assign>,
    },
    /// `upper { ... }`, `upper pessimistic { ... }` (reserved)
    Upper {
        /// The span of the reserved word `pessimistic`, if present.
        pessimistic: Option<Span>,
        /// The statements.
        body: Vec<Statement>,
    },
    /// `lower { ... }`, `lower for j in D { ... }`
    Lower(Lower),
    /// `start { x = 0 }`
    Start(Vec<Assign>),
    /// `known { ... }`
    Known(Vec<Fact>),
    /// `metric acc = ...`
    Metric(Binding),
    /// `method bda fast { K = 16 }`
    Method {
        /// The method's name.
        method: Name,
        /// The preset's name, if named.
        preset: Option<Name>,
        /// Its options.
        options: Vec<Assign>,
    },
    /// `expect with bda:fast (K = 512) { err(x) <= 1e-2 }`
    Expect {
        /// The method's name; without `with` there is none, and the solvers' own choice runs.
        method: Option<Name>,
        /// The preset's name (`auto` ignores presets).
        preset: Option<Name>,
        /// Overrides.
        options: Vec<Assign>,
        /// The assertions.
        body: Vec<Expr>,
    },
    /// `option precision = f32`
    Option(Assign),
    /// `import "other.blo"` (reserved)
    Import(Expr),
}

/// `name = value`, in option lists, `start` and blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Assign {
    /// The left side.
    pub name: Name,
    /// The right side.
    pub value: Expr,
}

/// `let name = value` or `metric name = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The declared name.
    pub name: Name,
    /// The expression.
    pub value: Expr,
}

/// A data item or a column of a dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The declared name.
    pub name: Name,
    /// Declared dimensions; `None` where no brackets were written.
    pub dims: Option<Vec<Dimension>>,
    /// A reader or generator call.
    pub value: Expr,
}

/// A lower level.
#[derive(Clone, Debug, PartialEq)]
pub struct Lower {
    /// `for j in D`.
    pub each: Option<(Name, Expr)>,
    /// The statements.
    pub body: Vec<Statement>,
    /// The keyword `lower`.
    pub keyword: Span,
    /// The whole block.
    pub span: Span,
}

/// A declared dimension.
#[derive(Clone, Debug, PartialEq)]
pub enum Dimension {
    /// `_`: taken from the data.
    Deferred(Span),
    /// A size expression.
    Size(Expr),
}

/// A statement of a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// From its keyword to its end.
    pub span: Span,
    /// Its `##` lines.
    pub doc: Vec<String>,
}

/// The kinds of statements of a level.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `var x[n] in [0, 1]`, `var x[J] >= 0`
    Var {
        /// The declared name.
        name: Name,
        /// Declared dimensions; empty for a scalar.
        dims: Vec<Dimension>,
        /// The constraint, if any.
        domain: Option<Domain>,
    },
    /// `minimize e`
    Minimize(Expr),
    /// `maximize e`
    Maximize(Expr),
    /// `regularize e`
    Regularize(Expr),
    /// `let a = e`
    Let(Binding),
    /// `subject to { ... }`
    SubjectTo(Vec<Row>),
    /// A nested lower level (reserved)
    Lower(Lower),
}

/// A row of `subject to`: `name: e <= e <= e for i in S if c`.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name, if it has one.
    pub name: Option<Name>,
    /// The leftmost side.
    pub first: Expr,
    /// Each relation with its operator and the side after it. The checker says what is wrong with a row without any.
    pub rest: Vec<(Relation, Span, Expr)>,
    /// The generators, outermost first.
    pub generators: Vec<(Name, Expr)>,
    /// The filter.
    pub condition: Option<Expr>,
    /// From the name to the end.
    pub span: Span,
}

/// The constraint of a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// `in SET`; `[lo, hi]` is an array literal of two entries
    In(Expr),
    /// `>= e`
    AtLeast(Expr),
    /// `<= e`
    AtMost(Expr),
}

/// A fact of `known`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The variable with optional indices (`x[i]`), or `upper` / `lower`.
    pub target: Expr,
    /// `= value` or `in SET`.
    pub relation: FactRelation,
    /// The value or set.
    pub value: Expr,
    /// `for i in 1..h`.
    pub each: Option<(Name, Expr)>,
    /// The whole fact.
    pub span: Span,
}

/// How a fact binds its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactRelation {
    /// `=`
    Equals,
    /// `in`
    In,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number with its text.
    Number {
        /// The value.
        value: f64,
        /// As written.
        text: String,
    },
    /// A string literal, escapes resolved.
    Text(String),
    /// `true`, `false`
    Boolean(bool),
    /// A name.
    Name(String),
    /// `a + b - c`: the first term's sign is `Plus` unless written (a leading `-` is `Negate`).
    Sum(Vec<(Sign, Span, Expr)>),
    /// `a * b ./ c`: the first factor's operator is `Times` and its span empty.
    Product(Vec<(Factor, Span, Expr)>),
    /// `-a`
    Negate(Box<Expr>),
    /// `a^b`, `a.^b`
    Power {
        /// The base.
        base: Box<Expr>,
        /// The exponent.
        exponent: Box<Expr>,
        /// True for `.^`.
        elementwise: bool,
        /// The operator.
        operator: Span,
    },
    /// `a <= b`
    Compare {
        /// The relation.
        relation: Relation,
        /// Left side.
        left: Box<Expr>,
        /// Right side.
        right: Box<Expr>,
        /// The operator.
        operator: Span,
    },
    /// `a and b and c`
    And(Vec<Expr>),
    /// `a or b or c`
    Or(Vec<Expr>),
    /// `not a`
    Not(Box<Expr>),
    /// `a..b by s`
    Range {
        /// First element.
        start: Box<Expr>,
        /// Last element, inclusive.
        end: Box<Expr>,
        /// Stride, 1 if absent.
        step: Option<Box<Expr>>,
    },
    /// `a[i, _]`
    Index {
        /// The indexed expression.
        base: Box<Expr>,
        /// One entry per axis.
        indices: Vec<Subscript>,
    },
    /// `f(a, key = b)`
    Call {
        /// The function.
        function: Name,
        /// The arguments in order.
        arguments: Vec<Argument>,
    },
    /// `sum(e for i in S if c)`
    Reduce {
        /// The reduction: `sum`, `mean`, `max`, `min`.
        function: Name,
        /// The comprehension.
        comprehension: Box<Comprehension>,
    },
    /// `[e for i in S if c]`
    Comprehension(Box<Comprehension>),
    /// `[a, b, c]`
    Array(Vec<Expr>),
    /// `a.field`
    Field {
        /// The record.
        base: Box<Expr>,
        /// The field.
        field: Name,
    },
    /// `a'`
    Transpose(Box<Expr>),
    /// `if c then a else b`
    If {
        /// The condition.
        condition: Box<Expr>,
        /// Value where it holds.
        then: Box<Expr>,
        /// Value elsewhere.
        otherwise: Box<Expr>,
    },
    /// `(a)`
    Paren(Box<Expr>),
}

/// The sign of a term in a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// The operator before a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// `*`
    Times,
    /// `/`
    Over,
    /// `.*`
    DotTimes,
    /// `./`
    DotOver,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

/// One subscript.
#[derive(Clone, Debug, PartialEq)]
pub enum Subscript {
    /// `_`: the whole axis.
    All(Span),
    /// An index, a range or an index array.
    At(Expr),
}

/// A call argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// The key of a named argument.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// `body for i in S for j in T if condition`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comprehension {
    /// The value per index.
    pub body: Expr,
    /// The generators, outermost first; at least one.
    pub generators: Vec<(Name, Expr)>,
    /// The filter.
    pub condition: Option<Expr>,
}
