"""Measures blo beside JAX and writes docs/book/src/performance.md: `python3 benches/peers/run.py`, with `--quick` to try it out.
Needs Python and a network for the first run, which puts JAX into target/peers; see ../README.md. This process imports
nothing large, since the memory of the processes that it starts would begin with its own."""

import argparse
import datetime
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import harness
import importlib
from harness import ROOT, Blo, Row

# What the design asks for: blo / JAX at most.
ROWS = [
    *[Row("eq19", {"n": n}, "f64", threads) for n in [1, 100, 1000, 100_000] for threads in [1, 2]],
    *[
        Row("eq18", {"n": n, "variant": variant}, "f64", threads)
        for variant in ["general", "gamma1"]
        for n in [100, 1000, 100_000]
        for threads in [1, 2]
    ],
    *[Row("cleaning_mlp", {"rows": 5000, "hidden": 300}, p, t) for p in ["f32", "f64"] for t in [1, 2]],
    *[Row("cleaning_softmax", {"rows": 5000, "K": 100}, p, t, 3) for p in ["f32", "f64"] for t in [1, 2]],
    *[
        Row("few_shot_conv", {"tasks": 4, "ways": 10, "query": 50, "width": 32}, "f32", threads, 3)
        for threads in [1, 2]
    ],
]
TARGETS = {
    ("eq19", 1): 2.5, ("eq19", 100): 0.4, ("eq19", 1000): 0.33, ("eq19", 100_000): 0.33,
    ("eq18", "general", 100): 0.8, ("eq18", "general", 1000): 0.8, ("eq18", "general", 100_000): 0.5,
    ("eq18", "gamma1", 1000): 1, ("eq18", "gamma1", 100_000): 0.6,
    ("cleaning_mlp", "f32"): 0.95, ("cleaning_mlp", "f64"): 0.85,
    ("cleaning_softmax",): 0.6, ("few_shot_conv",): 1,
}  # fmt: skip
GROWTH = [10**k for k in range(7)]
STEPS = [1, 10, 100, 1000]
TOYS = ["meha_eq18", "meha_eq19", "bda_eq5", "iaptt_eq10"]


def target(row):
    names = {row.problem, row.precision, *row.size.values()}
    return next((str(most) for key, most in TARGETS.items() if set(key) <= names), "")


def environment(python):
    """The interpreter that has JAX, installed where it is not there yet."""
    if python:
        return python
    folder = ROOT / "target/peers"
    python = folder / "bin/python"
    if subprocess.run([python, "-c", "import jax"], capture_output=True).returncode if python.exists() else True:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "jax", "numpy"], check=True)
    return python


def time(seconds):
    for unit, size in [("s", 1), ("ms", 1e-3), ("us", 1e-6)]:
        if seconds >= size or unit == "us":
            return f"{seconds / size:.3g} {unit}"


def spread(values):
    """The median with its quartiles."""
    if len(values) < 2:
        return f"{values[0]:.2g}"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.2g} ({low:.2g} to {high:.2g})"


def table(title, rows):
    lines = [title, ["---"] * len(title), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


class Bench:
    """Measures rows, each in a folder with its data, and says what it does."""

    def __init__(self, binary, python, runs, seconds):
        self.binary, self.python, self.runs, self.seconds = binary, python, runs, seconds

    def measure(self, row, peer=True):
        print(f"{row.problem} {row.size} {row.precision}, {row.threads} threads", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            harness.files(self.python, row, folder)
            problem = importlib.import_module(row.problem)
            python = self.python if peer else None
            return harness.side_by_side(row, problem, self.binary, python, self.runs, self.seconds, folder)

    def once(self, row, count):
        """One run of blo."""
        print(f"{row.problem} {row.size} {row.precision}, {count} iterations", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            harness.files(self.python, row, folder)
            return Blo(self.binary, row, importlib.import_module(row.problem), folder).run(count)

    def whole(self, name):
        """Seconds of a whole process of a spec with 1000 iterations."""
        command = [self.binary, "solve", ROOT / f"specs/{name}.blo", "-m", "meha", "--max-iter", "1000", "-q"]
        return statistics.median(harness.process(command)[0] for _ in range(self.runs))


def side_by_side(bench, rows):
    lines, starts, memory = [], [], []
    for row in rows:
        found = bench.measure(row)
        size = ", ".join(f"{k} = {v}" for k, v in row.size.items())
        name = [row.problem, size, row.precision, row.threads]
        times = [time(statistics.median(t)) for t in (found.blo, found.jax)]
        shares = " / ".join("-" if share is None else f"{share:.2f}" for share in found.threads)
        lines.append([*name, *times, spread(found.ratio()), target(row), shares])
        if row.threads == 2:
            starts.append([*name[:3], *map(time, found.before)])
            memory.append([*name[:3], *(f"{bytes / 1e6:.0f} MB" for bytes in found.memory)])
    title = ["problem", "size", "precision", "threads", "blo", "JAX", "blo / JAX", "target", "CPU / wall"]
    return (
        "## Time per iteration\n\nOne upper step of `cleaning_softmax` and `few_shot_conv`; else an iteration of MEHA. "
        "Ratios are medians with quartiles. Where an iteration of blo takes 5 ms or more, it is measured by `plan --profile`, "
        "without the looks that short runs take in every iteration.\n\n" + table(title, lines)
        + "\n## Before the first iteration\n\nOf a whole process; of JAX with its import and compiling.\n\n"
        + table(["problem", "size", "precision", "blo", "JAX"], starts)
        + "\n## Memory of these runs\n\nMost bytes of the process.\n\n"
        + table(["problem", "size", "precision", "blo", "JAX"], memory)
    )  # fmt: skip


def growth(bench, sizes):
    lines = []
    for n in sizes:
        cells = [n]
        for problem, size in [("eq18", {"n": n, "variant": "general"}), ("eq19", {"n": n})]:
            found = bench.measure(Row(problem, size))
            cells += [time(statistics.median(found.blo)), time(statistics.median(found.jax)), spread(found.ratio())]
        lines.append(cells)
    title = ["n", "eq18 blo", "JAX", "ratio", "eq19 blo", "JAX", "ratio"]
    return "\n## Growth with n\n\nSeconds per iteration of MEHA, f64, two threads.\n\n" + table(title, lines)


def steps_of_rhg(bench, steps):
    lines = []
    for k in steps:
        cells = [k]
        for memory in ["8GB", "1MB"]:
            row = Row("cleaning_softmax", {"rows": 1000, "K": k, "memory": memory}, "f64", 2, 2)
            found = bench.measure(row, peer=memory == "8GB")
            cells += [time(statistics.median(found.blo)), f"{found.memory[0] / 1e6:.0f} MB"]
            if found.jax:
                cells += [time(statistics.median(found.jax)), f"{found.memory[1] / 1e6:.0f} MB"]
        lines.append(cells)
    title = ["K", "all states", "memory", "JAX", "memory", "checkpoints within 1 MB", "memory"]
    return (
        "\n## Growth with K\n\nAn upper step of RHG on `cleaning_softmax` with 1000 rows, f64, two threads. A state is "
        "63 kB, the data 13 MB.\n\n" + table(title, lines)
    )


def memory(bench, rows):
    lines = []
    for count in rows:
        row = Row("cleaning_mlp", {"rows": count, "hidden": 30}, "f64")
        data = 2 * count * 784 * 8
        used = bench.once(row, 5).memory
        lines.append([count, f"{data / 1e6:.0f} MB", f"{used / 1e6:.0f} MB", f"{used / data:.2f}"])
    title = ["rows", "data", "blo", "ratio"]
    return (
        "\n## Memory and data\n\nMEHA on `cleaning_mlp` with 30 hidden units, f64. The target is the data and 30 %.\n\n"
        + table(title, lines)
    )


def toys(bench):
    lines = [[name, time(bench.whole(name))] for name in TOYS]
    text = "\n## Whole process\n\n1000 iterations of MEHA at most, from start to exit. The target is 20 ms.\n\n"
    return text + table(["spec", "seconds"], lines)


def machine(bench):
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    versions = subprocess.run(
        [bench.python, "-c", "import jax, jaxlib, numpy; print(jax.__version__, jaxlib.__version__, numpy.__version__)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    blo = subprocess.run([bench.binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}; {blo}; JAX {versions[0]}, jaxlib {versions[1]}, numpy "
        f"{versions[2]}; {datetime.date.today()}; load average at the start {os.getloadavg()[0]:.1f}."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blo", type=pathlib.Path, default=ROOT / "target/release/blo")
    parser.add_argument("--python", help="an interpreter that has JAX")
    parser.add_argument("--runs", type=int, default=7, help="alternations")
    parser.add_argument("--seconds", type=float, default=1, help="length of a long run")
    parser.add_argument("--quick", action="store_true", help="few short runs: says whether the script works")
    parser.add_argument("--only", default="", help="print rows of this problem, and write nothing")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.runs, arguments.seconds = 2, 0.1
    bench = Bench(arguments.blo.resolve(), environment(arguments.python), arguments.runs, arguments.seconds)
    if arguments.only:
        print(side_by_side(bench, [row for row in ROWS if row.problem == arguments.only]))
        return
    quick = "**A quick reading on a machine that was not quiet: it shows the form, not the speed.**\n\n"
    text = (
        "# Performance\n\nWritten by `benches/peers/run.py`; `benches/README.md` says how it "
        f"measures.\n\n{quick if arguments.quick else ''}{machine(bench)} {arguments.runs} alternations.\n\n"
    )
    # one thread more would double the time of a trial
    text += side_by_side(bench, [row for row in ROWS if row.threads == 2] if arguments.quick else ROWS)
    text += toys(bench)
    # before the results of a million numbers: a process begins with the memory of the one that starts it
    text += steps_of_rhg(bench, STEPS[:2] if arguments.quick else STEPS)
    text += memory(bench, [1250, 5000] if arguments.quick else [1250, 2500, 5000, 10_000])
    text += growth(bench, GROWTH[:4] if arguments.quick else GROWTH)
    (ROOT / "docs/book/src/performance.md").write_text(text)


if __name__ == "__main__":
    main()
