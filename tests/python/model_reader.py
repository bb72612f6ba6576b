"""A reader of its own for exported models: the part of AMPL and of GAMS that `blo export` writes, evaluated at a point.

It shares nothing with blo. Statements end with `;`; expressions become Python functions of the indices around them.
"""
import math
import re

TOKEN = re.compile(r'\s*(?:(\d+(?:\.(?!\.)\d*)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|("[^"]*")|(\.\.|:=|=e=|=l=|=g=|\*\*|<>|<=|>=|.))', re.S)
FUNCTIONS = {
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "tanh": math.tanh, "sinh": math.sinh, "cosh": math.cosh, "atan": math.atan, "arctan": math.atan, "abs": abs,
    "max": max, "min": min, "sqr": lambda a: a * a, "power": lambda a, n: a ** int(n),
    "ifthen": lambda c, a, b: a if c else b, "sign": lambda a: (a > 0) - (a < 0),
    "errorf": lambda a: (1 + math.erf(a / math.sqrt(2))) / 2,
}


class Model:
    """Names with values or formulas, objectives and rows."""

    def __init__(self):
        self.values = {}      # name -> {place: number}
        self.formulas = {}    # name -> (indices, function)
        self.variables = []
        self.rows = []        # (name, index domain, text of the body)
        self.objective = None
        self.emp = None
        self.cache = {}

    def at(self, name, place):
        if name in self.formulas:
            key = (name, place)
            if key not in self.cache:
                indices, formula = self.formulas[name]
                self.cache[key] = formula(dict(zip(indices, place)))
            return self.cache[key]
        if place not in self.values[name] and name in self.defaults:
            return 0.0
        return self.values[name][place]

    defaults = ()


class Parser:
    """An expression of either language as a function of a dict of indices."""

    def __init__(self, text, model, gams):
        self.tokens = [m.group(0).strip() for m in TOKEN.finditer(text) if m.group(0).strip()]
        self.at, self.model, self.gams = 0, model, gams

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self, wanted=None):
        token = self.peek()
        if wanted is not None and token != wanted:
            raise SyntaxError(f"{wanted!r} is missing before {' '.join(self.tokens[self.at:self.at + 12])}")
        self.at += 1
        return token

    def condition(self):
        parts = [self.relation()]
        words = []
        while self.peek() in ("and", "or"):
            words.append(self.take())
            parts.append(self.relation())
        if not words:
            return parts[0]
        assert len(set(words)) == 1, "one kind of word"
        return (lambda e: all(p(e) for p in parts)) if words[0] == "and" else (lambda e: any(p(e) for p in parts))

    def relation(self):
        start = self.at
        if self.peek() == "(":
            # a condition in parentheses, or an expression that begins with one
            self.take()
            try:
                inner = self.condition()
                self.take(")")
                if self.peek() in ("and", "or", ")", "]", "}", "then", ",", "", ".."):
                    return inner
            except SyntaxError:
                pass
            self.at = start
        left = self.sum()
        sign = self.peek()
        if sign not in ("=", "<", ">", "<=", ">=", "<>"):
            return left
        self.take()
        right = self.sum()
        return {
            "=": lambda e: left(e) == right(e), "<": lambda e: left(e) < right(e), ">": lambda e: left(e) > right(e),
            "<=": lambda e: left(e) <= right(e), ">=": lambda e: left(e) >= right(e), "<>": lambda e: left(e) != right(e),
        }[sign]

    def sum(self):
        value = self.product()
        while self.peek() in ("+", "-"):
            value = self.joined(value, self.take(), self.product())
        return value

    def product(self):
        value = self.unary()
        while self.peek() in ("*", "/", "div", "mod"):
            value = self.joined(value, self.take(), self.unary())
        return value

    @staticmethod
    def joined(a, sign, b):
        return {
            "+": lambda e: a(e) + b(e), "-": lambda e: a(e) - b(e), "*": lambda e: a(e) * b(e),
            "/": lambda e: a(e) / b(e), "div": lambda e: int(a(e)) // int(b(e)), "mod": lambda e: int(a(e)) % int(b(e)),
        }[sign]

    def unary(self):
        if self.peek() == "-":
            self.take()
            inner = self.unary()
            return lambda e: -inner(e)
        return self.power()

    def power(self):
        base = self.dollar()
        if self.peek() in ("^", "**"):
            self.take()
            exponent = self.unary()
            return lambda e: base(e) ** exponent(e)
        return base

    def dollar(self):
        value = self.atom()
        if self.gams and self.peek() == "$":
            self.take()
            test = self.relation()
            return lambda e: value(e) if test(e) else 0.0
        return value

    def atom(self):
        token = self.take()
        if token == "(":
            inner = self.sum()
            self.take(")")
            return inner
        if token[0].isdigit() or token[0] == ".":
            number = float(token)
            return lambda e: number
        if token == "if":
            test = self.condition()
            self.take("then")
            yes = self.sum()
            self.take("else")
            no = self.sum()
            return lambda e: yes(e) if test(e) else no(e)
        if token in ("sum", "max", "smax") and (self.peek() == "{" or token != "max" and self.gams):
            return self.gams_sum(token) if self.gams else self.ampl_sum(token)
        if token == "Infinity":
            return lambda e: math.inf
        if token == "ord":
            self.take("(")
            name = self.take()
            self.take(")")
            return lambda e: e[name]
        if token in FUNCTIONS and self.peek() == "(":
            arguments = self.list(")", self.condition)
            return lambda e: FUNCTIONS[token](*[a(e) for a in arguments])
        if not re.match(r"[A-Za-z_]", token):
            raise SyntaxError(f"{token!r} begins no value")
        known = token in self.model.values or token in self.model.formulas
        opening = "(" if self.gams else "["
        if known and self.peek() == opening:
            places = self.list(")" if self.gams else "]", self.label if self.gams else self.sum)
            return lambda e: self.model.at(token, tuple(int(p(e)) for p in places))
        if known:
            return lambda e: self.model.at(token, ())
        return lambda e: e[token]

    def label(self):
        if self.peek().startswith('"'):
            place = int(self.take().strip('"'))
            return lambda e: place
        name = self.take()
        return lambda e: e[name]

    def list(self, close, what):
        self.take()
        found = [what()]
        while self.peek() == ",":
            self.take()
            found.append(what())
        self.take(close)
        return found

    def ampl_sum(self, token):
        self.take("{")
        over, test = self.ampl_domain()
        body = self.product()
        return self.summed(token, over, test, body)

    def ampl_domain(self):
        over = []
        while True:
            name = self.take()
            self.take("in")
            first = self.sum()
            self.take("..")
            over.append((name, first, self.sum()))
            if self.peek() != ",":
                break
            self.take()
        test = None
        if self.peek() == ":":
            self.take()
            test = self.condition()
        self.take("}")
        return over, test

    def gams_sum(self, token):
        self.take("(")
        names = self.list(")", self.take) if self.peek() == "(" else [self.take()]
        self.take("$")
        test = self.relation()
        self.take(",")
        body = self.sum()
        self.take(")")
        size = self.model.size
        over = [(name, lambda e: 1, lambda e: size) for name in names]
        return self.summed(token, over, test, body)

    @staticmethod
    def summed(token, over, test, body):
        def value(e):
            found = []

            def go(depth, inner):
                if depth == len(over):
                    if test is None or test(inner):
                        found.append(body(inner))
                    return
                name, first, last = over[depth]
                for i in range(int(first(inner)), int(last(inner)) + 1):
                    go(depth + 1, {**inner, name: i})
            go(0, dict(e))
            return math.fsum(found) if token == "sum" else max(found)
        return value


def places(lengths):
    found = [()]
    for n in lengths:
        found = [p + (i,) for p in found for i in range(1, n + 1)]
    return found


def number(text):
    return float(text.replace("Infinity", "inf"))


def read_ampl(text):
    model = Model()
    text = re.sub(r"#[^\n]*", "", text)
    statements, _, data = text.partition("\ndata;")
    for statement in filter(None, (s.strip() for s in statements.split(";"))):
        declare_ampl(model, statement)
    for statement in filter(None, (s.strip() for s in data.split(";"))):
        fill_ampl(model, statement)
    return model


def declare_ampl(model, statement):
    word = statement.split()[0]
    if word in ("param", "var"):
        m = re.match(r"(param|var) (\w+)\s*(\{.*?\})?\s*(.*)$", statement, re.S)
        name, domain, rest = m.group(2), m.group(3), m.group(4)
        indices = re.findall(r"(\w+) in", domain or "")
        if rest.startswith("="):
            model.formulas[name] = (indices, Parser(rest[1:], model, False).sum())
        else:
            model.values[name] = {}
            if word == "var":
                lengths = [int(n) for n in re.findall(r"1\.\.(\d+)", domain or "")]
                model.variables.append((name, lengths, rest))
    elif word in ("minimize", "maximize"):
        head, _, body = statement.partition(":")
        model.objective = (word, Parser(body, model, False).sum())
    elif word == "subject":
        m = re.match(r"subject to (\w+)\s*(\{(?:[^{}])*\})?\s*:(.*)$", statement, re.S)
        name, domain, body = m.groups()
        if domain:
            parser = Parser(domain[1:], model, False)
            model.rows.append((name, parser.ampl_domain(), body))
        else:
            model.rows.append((name, ([], None), body))
    else:
        raise SyntaxError(statement[:60])


def fill_ampl(model, statement):
    m = re.match(r"(param|var) (\w+)\s*(.*)$", statement, re.S)
    name, rest = m.group(2), m.group(3).strip()
    values = model.values[name]
    if rest.startswith(":="):
        words = rest[2:].split()
        if len(words) == 1:
            values[()] = number(words[0])
        else:
            values.update({(int(i),): number(v) for i, v in zip(words[::2], words[1::2])})
    else:
        columns, _, rows = rest[1:].partition(":=")
        columns, rows = columns.split(), rows.split()
        step = len(columns) + 1
        for at in range(0, len(rows), step):
            values.update({(int(rows[at]), int(c)): number(v) for c, v in zip(columns, rows[at + 1:at + step])})


def instances(model, domain):
    """The index dicts of a domain."""
    over, test = domain
    found = [{}]
    for name, first, last in over:
        found = [{**e, name: i} for e in found for i in range(int(first(e)), int(last(e)) + 1)]
    return [e for e in found if test is None or test(e)]


def violation(model, body, e):
    """How far a row, or a pair of rows that complement each other, is from holding."""
    sides = [s.strip() for s in body.split("complements")]
    parsed = [chain(model, s) for s in sides]
    terms = [[t(e) for t in p[0]] for p in parsed]
    off = 0.0
    if len(parsed) == 1:
        return row_violation(terms[0], parsed[0][1])
    (a, signs), (b, others) = (terms[0], parsed[0][1]), (terms[1], parsed[1][1])
    if not others:
        low, v, high = a
        g = b[0]
        # between the ends g is 0, at the lower end at least 0, at the upper at most 0
        off = abs(v - min(max(v - g, low), high))
    else:
        room = [abs(t[0] - t[1]) for t in (a, b)]
        off = max(min(room), row_violation(a, signs), row_violation(b, others))
    return off


def row_violation(terms, signs):
    off = 0.0
    for left, sign, right in zip(terms, signs, terms[1:]):
        off = max(off, {"=": abs(left - right), "<=": left - right, ">=": right - left}[sign])
    return off


def chain(model, text):
    parser = Parser(text, model, False)
    terms, signs = [parser.sum()], []
    while parser.peek() in ("=", "<=", ">="):
        signs.append(parser.take())
        terms.append(parser.sum())
    if parser.peek():
        raise SyntaxError(f"{parser.peek()!r} after a row")
    return terms, signs


def read_gams(text):
    model = Model()
    model.lengths = {}
    model.equations = []
    head, _, rest = text.partition("$onEcho")
    model.emp = rest.partition("$offEcho")[0].split("\n", 1)[1] if rest else None
    body = head + rest.partition("$offEcho")[2]
    body = re.sub(r"(?m)^\*[^\n]*", "", body)
    model.size = int(re.search(r"Set \w+ / 1\*(\d+) /", body).group(1))
    for statement in filter(None, (s.strip() for s in body.split(";"))):
        declare_gams(model, statement)
    return model


def declare_gams(model, statement):
    word = statement.split()[0]
    if word in ("Set", "Alias", "display", "Model", "solve"):
        if word == "solve":
            model.objective = re.match(r"solve \w+ using emp (\w+) (\w+)$", statement).groups()
        return
    if word == "Scalar":
        name, value = re.match(r"Scalar (\w+) / (\S+) /$", statement).groups()
        model.values[name] = {(): number(value)}
    elif word == "Variables":
        for name in statement[9:].split(","):
            model.values[name.strip()] = {}
    elif word in ("Parameter", "Variable", "Equation"):
        m = re.match(r"\w+ (\w+)(\(.*?\))?\s*(?:/(.*)/)?$", statement, re.S)
        name, domain, entries = m.groups()
        if word == "Equation":
            model.equations.append(name)
            return
        model.values[name] = {}
        if word == "Variable":
            model.variables.append((name, domain))
        for entry in (entries or "").replace("\n", " ").split(","):
            if entry.strip():
                place, value = entry.split("=")
                model.values[name][tuple(int(p) for p in place.strip().split("."))] = number(value.strip())
    elif ".." in statement:
        left, _, right = statement.partition("..")
        m = re.match(r"(\w+)(\(.*?\))?(\$.*)?$", left.strip(), re.S)
        indices = re.findall(r"\w+", m.group(2) or "")
        test = Parser(m.group(3)[1:], model, True).relation() if m.group(3) else None
        parser = Parser(right, model, True)
        a = parser.sum()
        sign = parser.take()
        b = parser.sum()
        if parser.peek() or sign not in ("=e=", "=l=", "=g="):
            raise SyntaxError(statement[:80])
        model.rows.append((m.group(1), indices, test, a, sign, b))
    else:
        assign_gams(model, statement)


def assign_gams(model, statement):
    m = re.match(r"(\w+)(\.\w+)?(\([^$]*?\))?(\$.*?)? = (.*)$", statement, re.S)
    name, field, domain, _, _ = m.groups()
    left, value = assignment(statement)
    test = Parser(left.partition("$")[2], model, True).relation() if "$" in left else None
    indices = re.findall(r"\w+", domain or "")
    formula = Parser(value, model, True).sum() if value.strip() not in ("inf", "-inf") else None
    if field in (".lo", ".up", ".fx"):
        return
    for place in places([model.size] * len(indices)):
        e = dict(zip(indices, place))
        if test is None or test(e):
            model.values[name][place] = formula(e)


def assignment(statement):
    """The sides of an assignment: its `=` is the one outside of all parentheses."""
    depth = 0
    for at, c in enumerate(statement):
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "=" and depth == 0:
            return statement[:at], statement[at + 1:]
    raise SyntaxError(statement[:80])
