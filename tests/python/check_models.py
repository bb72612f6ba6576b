"""Exports problems to AMPL and GAMS, reads the files with a reader of its own, and compares objectives with blo's.

    python tests/python/check_models.py target/fast/blo [WORD...]

At the start of the program and at the point that blo finds, both objectives have to agree; at the latter the KKT
conditions of the AMPL file have to hold. Where AMPL (with amplpy) is installed and licensed, it reads the file, too; where
it is not, a line says so. Needs Python alone.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import model_reader as reader

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXACT = 1e-12
HOLDS = 1e-5

# problem, flags; where the conditions at blo's point are looked at
CASES = [
    ("specs/toll", [], True),
    ("specs/electricity_market", [], True),
    ("specs/inverse_optimization", [], True),
    ("specs/optimal_design", [], True),
    ("specs/stackelberg_cournot", [], True),
    ("specs/portfolio", [], True),
    ("specs/meha_eq18", ["-D", "n=6"], True),
    ("specs/meha_eq19", ["-D", "n=6"], True),
    ("specs/meha_eq20", ["-D", "n=4"], True),
    ("specs/ridge_study", [], True),
    ("specs/ridge_folds", [], True),
    ("specs/lasso_study", [], True),
    ("specs/lasso_folds", [], True),
    ("specs/logistic_study", [], True),
    ("specs/minnorm", ["-D", "m=4", "-D", "n=6"], True),
    ("tests/suite/literature/bard1984a", [], True),
    ("tests/suite/literature/bard1988ex1", [], True),
    ("tests/suite/literature/calamai_vicente1994a", [], True),
    ("tests/suite/literature/colson2002bipa3", [], True),
    ("tests/suite/literature/network_design_p2", [], True),
    ("tests/suite/literature/outrata_cervinka2009", [], True),
    ("tests/suite/literature/smd1_2x3", [], True),
    ("tests/suite/literature/toll_setting_p4", [], True),
    ("tests/suite/tables/affine", [], True),
    ("tests/suite/tables/halfspace", [], True),
    ("tests/suite/tables/huber_term", [], True),
]


def run(line):
    done = subprocess.run(line, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def entries(value, place=()):
    """Nested lists as a dict by places, counted from 1."""
    if not isinstance(value, list):
        return {place: float(value)}
    found = {}
    for i, part in enumerate(value):
        found.update(entries(part, place + (i + 1,)))
    return found


def differ(a, b):
    return abs(a - b) / max(1.0, abs(a), abs(b))


def put(model, point):
    for level in ("upper", "lower"):
        for name, value in point[level]["variables"].items():
            key = next(n for n in model.values if n.lower() in (name.lower(), name.lower() + "_"))
            model.values[key].update(entries(value))
    model.cache.clear()


def ampl_objectives(model):
    return model.objective[1]({}), model.at("lower_objective", ())


def gams_objectives(model, point):
    for name in [n for n in model.values if n.startswith("size_")]:
        model.values[name] = {p: abs(v) for p, v in model.values[name[5:]].items()}
    found = []
    for word in ("upper", "lower"):
        row = next(r for r in model.rows if r[0] == f"define_{word}")
        found.append(row[5]({}))
    return found


def sought(model):
    """Multipliers and slopes that meet the conditions best: least squares with their signs, over what enters linearly."""
    unknowns = []         # name, place, least, most
    for name, lengths, _ in model.variables:
        for place in reader.places(lengths):
            if name.startswith("multiplier"):
                model.values[name][place] = 0.0
                unknowns.append([name, place, -math.inf, math.inf])
            elif name.startswith("slope_"):
                v = model.values[name[6:]][place]
                ends = (-1.0, 1.0) if abs(v) < 1e-6 else (math.copysign(1.0, v),) * 2
                model.values[name][place] = 0.0
                unknowns.append([name, place, *ends])
    by_place = {(u[0], u[1]): u for u in unknowns}
    equations, slack = [], []
    for row, domain, body in model.rows:
        for e in reader.instances(model, domain):
            sides = body.split("complements")
            terms, _ = reader.chain(model, sides[-1])
            if row.startswith("stationary"):
                equations.append((terms[0], e))
                if len(sides) == 2:
                    ends, signs = reader.chain(model, sides[0])
                    values = [t(e) for t in ends]
                    at = [abs(x - y) < 1e-6 for x, y in zip(values, values[1:])]
                    # the derivative may push against an end: at the lower one it is at least 0
                    low, high = at if len(at) == 2 else (at[0] and signs[0] == ">=", at[0] and signs[0] == "<=")
                    slack.append((len(equations) - 1, low, high))
            elif len(sides) == 2 and sides[0].startswith(" multiplier"):
                name, _, rest = sides[0].split(">=")[0].strip().partition("[")
                place = tuple(int(reader.Parser(t, model, False).sum()(e)) for t in rest.rstrip("]").split(",") if t)
                by_place[(name, place)][2:] = [0.0, math.inf if terms[0](e) > -1e-5 else 0.0]
    if unknowns and equations:
        fit(model, unknowns, equations, slack)


def fit(model, unknowns, equations, slack):
    """Coordinate descent within the intervals."""
    def values():
        model.cache.clear()
        return [f(e) for f, e in equations]
    rest = values()
    columns = []
    for name, place, _, _ in unknowns:
        model.values[name][place] = 1.0
        columns.append([b - a for a, b in zip(rest, values())])
        model.values[name][place] = 0.0
    limits = [u[2:] for u in unknowns]
    for at, low, high in slack:
        columns.append([-1.0 if i == at else 0.0 for i in range(len(rest))])
        limits.append([-math.inf if high else 0.0, math.inf if low else 0.0])
    # what enters with weight 0 is still within its interval
    found = [min(max(0.0, low), high) for low, high in limits]
    for value, column in zip(found, columns):
        rest = [r + value * c for r, c in zip(rest, column)]
    for _ in range(20000):
        moved = 0.0
        for j, column in enumerate(columns):
            size = sum(c * c for c in column)
            if size == 0.0:
                continue
            new = found[j] - sum(c * r for c, r in zip(column, rest)) / size
            new = min(max(new, limits[j][0]), limits[j][1])
            step, found[j] = new - found[j], new
            if step:
                rest = [r + step * c for r, c in zip(rest, column)]
                moved = max(moved, abs(step))
        if moved < 1e-11:
            break
    for (name, place, _, _), value in zip(unknowns, found):
        model.values[name][place] = value
    model.cache.clear()


def worst(model):
    off, where = 0.0, "nothing"
    for row, domain, body in model.rows:
        for e in reader.instances(model, domain):
            v = reader.violation(model, body, e)
            if not v <= off:
                off, where = v, row
    return off, where


def main():
    blo, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    failed = 0
    try:
        from amplpy import AMPL
        AMPL()
        ampl = AMPL
    except Exception as why:
        ampl = None
        print(f"SKIPPED: AMPL does not read the models ({str(why).splitlines()[0][:60]})")
    with tempfile.TemporaryDirectory() as folder:
        for problem, flags, conditions in CASES:
            name = f"{problem} {' '.join(flags)}".strip()
            if wanted and not any(word in name for word in wanted):
                continue
            path = os.path.join(ROOT, problem + ".blo")
            said = []
            ask = [blo, "solve", path, *flags, "--format", "json", "-q"]
            start = json.loads(run([*ask, "-m", "meha:auto", "--max-iter", "0", "--polish", "0"])[1] or "null")
            end = json.loads(run([*ask, "--max-time", "20s"])[1] or "null")
            for language, ending in (("ampl", "mod"), ("gams", "gms")):
                out = os.path.join(folder, f"{language}.{ending}")
                code, _, errors = run([blo, "export", language, path, *flags, "-o", out])
                if code:
                    said.append(f"{language} refused: {errors.splitlines()[0].split('] ')[-1][:60]}")
                    failed += "B0640" not in errors
                    continue
                text = open(out).read()
                model = reader.read_ampl(text) if language == "ampl" else reader.read_gams(text)
                if language == "ampl":
                    sizes = {n: l for n, l, _ in model.variables}
                    for n, lengths in sizes.items():
                        for p in reader.places(lengths):
                            model.values[n].setdefault(p, 0.0)
                for word, point in (("start", start), ("end", end)):
                    if point is None:
                        continue
                    if word == "end":
                        put(model, point)
                        if language == "ampl":
                            sought(model)
                    if language == "ampl" and word == "start" and problem == "specs/electricity_market":
                        continue
                    found = ampl_objectives(model) if language == "ampl" else gams_objectives(model, point)
                    off = max(differ(f, point[level]["objective"]) for f, level in zip(found, ("upper", "lower")))
                    tolerance = EXACT if word == "start" else 1e-9
                    if language == "ampl" and problem == "specs/electricity_market":
                        tolerance = 1e-5
                    said.append(f"{language} {word} {off:.0e}")
                    if not off <= tolerance:
                        failed += 1
                        said.append(f"FAILED {found} {[point[l]['objective'] for l in ('upper', 'lower')]}")
                if language == "ampl" and end and conditions:
                    off, where = worst(model)
                    said.append(f"conditions {off:.0e}")
                    if not off <= HOLDS:
                        failed += 1
                        said.append(f"FAILED at {where}")
                if language == "ampl" and ampl:
                    try:
                        ampl().read(out)
                        said.append("read by AMPL")
                    except Exception as why:
                        failed += 1
                        said.append(f"FAILED in AMPL: {why}")
            print(f"{name}: {', '.join(said)}", flush=True)
    print(f"{failed} failed" if failed else "all models agree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
