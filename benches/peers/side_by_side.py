"""Runs blo and its peers one after the other and prints microseconds per iteration and ratios. Needs only Python;
peers run under the interpreter given with --python and are left out where they are not installed. See README.md."""

import argparse
import json
import pathlib
import subprocess
import sys

from problems import SIZES, constants

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def blo(binary, problem, n, iterations):
    alpha = constants(problem, n)[0]
    command = [binary, "solve", ROOT / f"specs/meha_{problem}.blo", "-D", f"n={n}", "--method", "meha:tuned"]
    command += ["--set", f"alpha={alpha!r}", "--set", "polish=0", "--set", "threads=2", "--tol", "0"]
    command += ["--max-iter", str(iterations), "--format", "json"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    found = json.loads(done.stdout)
    return 1e6 * found["seconds"]["solve"] / max(1, found["iterations"]), found["upper"]["objective"]


def measure_blo(binary, problem, n, check, seconds):
    upper = blo(binary, problem, n, check)[1]
    count, us = 100, 0.0
    while count * us < 0.2e6 * seconds:
        count *= 4
        us = blo(binary, problem, n, count)[0]
    count = max(1, int(1e6 * seconds / us))
    return min(blo(binary, problem, n, count)[0] for _ in range(3)), upper


def peer(python, script, arguments):
    command = [python, script, "--check", str(arguments.check), "--seconds", str(arguments.seconds)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{script}: left out, {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return {}
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {(r["problem"], r["n"]): (r["us"], r["upper"]) for r in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blo", default=str(ROOT / "target/release/blo"))
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the peers")
    parser.add_argument("--check", type=int, default=100, help="iterations after which objectives are compared")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of one measurement")
    arguments = parser.parse_args()
    rows = [(problem, n) for problem, sizes in SIZES.items() for n in sizes]
    own = {row: measure_blo(arguments.blo, *row, arguments.check, arguments.seconds) for row in rows}
    peers = {name: peer(arguments.python, f"meha_{name}.py", arguments) for name in ["jax", "torch"]}
    print("| problem | n | blo us | JAX us | PyTorch us | blo / JAX | blo / PyTorch |\n|---|---|---|---|---|---|---|")
    for row in rows:
        us, upper = own[row]
        cells, ratios = [], []
        for name in ["jax", "torch"]:
            if row not in peers[name]:
                cells.append("-")
                ratios.append("-")
                continue
            other, theirs = peers[name][row]
            # the same iteration ends in the same place; rounding differs in the order of sums
            if abs(theirs - upper) > 1e-8 * max(1.0, abs(upper)):
                sys.exit(f"{row}: upper objective {upper!r} here, {theirs!r} in {name}")
            cells.append(f"{other:.3g}")
            ratios.append(f"{us / other:.2g}")
        print(f"| {row[0]} | {row[1]} | {us:.3g} | {' | '.join(cells)} | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()
