"""How two systems are measured side by side: both run two lengths, in turn, and the time per iteration is the difference,
so that neither start-up nor compiling counts. All timing is here; problems and pages know nothing of it."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Shares of the long run that the short one has, and how far objectives of one iteration may lie apart: sums are taken in
# other orders.
SHORT = 8
AGREE = {"f64": 1e-8, "f32": 2e-3}


@dataclass
class Reading:
    """One run of so many iterations."""

    seconds: float  # of the iterations
    wall: float  # of all that `cpu` is of
    cpu: float  # seconds of all threads
    objective: float
    before: float = 0.0  # seconds before the first iteration
    memory: int = 0  # bytes at the most


@dataclass
class Row:
    """What is compared: a problem (a module of this folder), its size, precision and threads."""

    problem: str
    size: dict
    precision: str = "f64"
    threads: int = 2
    check: int = 20  # iterations after which objectives are compared


@dataclass
class Result:
    """Readings of a row, one entry per alternation; empty for a system that did not run."""

    blo: list
    jax: list
    threads: tuple  # CPU seconds per second while iterating, blo and JAX; none where the runs do not tell
    before: tuple
    memory: tuple

    def ratio(self):
        return [b / j for b, j in zip(self.blo, self.jax)]


def pinned(threads, command):
    """The command on the first cores only."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    return ["taskset", "-c", ",".join(map(str, cores)), *map(str, command)]


def process(command):
    """Runs a command: seconds, seconds of CPU, bytes at the most, and what it printed."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        begun = time.perf_counter()
        child = subprocess.Popen(list(map(str, command)), stdout=out, stderr=errors)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), errors.seek(0)
        if child.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}\n{errors.read()}")
        return wall, used.ru_utime + used.ru_stime, 1024 * used.ru_maxrss, out.read()


class Blo:
    """A process per run."""

    def __init__(self, binary, row, problem, folder):
        arguments, options = problem.blo(row.size)
        file, *arguments = arguments
        options = [*options, "polish=0"]
        self.command = [binary, "solve", ROOT / file, *arguments, "--data-dir", folder, "--tol", "0"]
        self.command += [word for option in options for word in ["--set", option]]
        self.command += ["--precision", row.precision, "--threads", row.threads, "--format", "jsonl"]
        self.threads = row.threads

    def run(self, count):
        command = pinned(self.threads, [*self.command, "--max-iter", count])
        wall, cpu, memory, said = process(command)
        *rows, found = map(json.loads, said.splitlines())
        if found["iterations"] != count:
            sys.exit(f"{' '.join(command)}\nended after {found['iterations']} iterations: {found['status']}")
        # the row of the last iteration has its time; what a run does to judge its end comes after it
        seconds = next(row["seconds"] for row in reversed(rows) if row["iteration"] == count)
        return Reading(seconds, wall, cpu, rows[-1]["upper"], wall - found["seconds"]["solve"], memory)

    def alone(self, seconds):
        """Seconds of an iteration without looks at the iterate: a run has one in each of its first twenty iterations, as
        dear as an iteration, and one in a hundred later. For problems whose runs cannot be made that long."""
        options = [word for word in self.command[2:] if word != "jsonl"]
        command = [self.command[0], "plan", *options, "json", "--profile", "--max-time", f"{seconds}s"]
        return json.loads(process(pinned(self.threads, command))[3])["untimed"]["seconds"]

    def close(self):
        pass


class Jax:
    """One process that compiles once and runs as often as it is asked."""

    def __init__(self, python, row, folder):
        many = row.threads > 1
        flags = f"--xla_cpu_multi_thread_eigen={str(many).lower()} intra_op_parallelism_threads={row.threads}"
        environment = os.environ | {"XLA_FLAGS": flags, "NPROC": str(row.threads), "OMP_NUM_THREADS": str(row.threads)}
        environment |= {"JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "2"}
        command = [python, HERE / "worker.py", row.problem, json.dumps(row.size), row.precision, folder]
        command = pinned(row.threads, command)
        begun = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.version = self.answer()["version"]
        self.before = time.perf_counter() - begun

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(self.process.args)}\nended with {self.process.wait()}")
        return json.loads(line)

    def run(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        found = self.answer()
        return Reading(found["seconds"], found["seconds"], found["cpu"], found["objective"], self.before, found["memory"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def files(python, row, folder):
    """Writes the data of a row."""
    subprocess.run([python, HERE / "worker.py", row.problem, json.dumps(row.size), "files", folder], check=True)


def lengths(system, seconds):
    """A long run of about so many seconds beyond the short one, and the short one."""
    first, count = system.run(1).seconds, 2
    while (spent := system.run(count).seconds - first) < seconds / 4:
        count *= 4
    count = max(2, round(count * seconds / spent))
    return count, max(1, count // SHORT)


# Seconds of an iteration from which runs are too short to have few looks.
HEAVY = 5e-3


@dataclass
class Timed:
    """One measurement of a system: seconds per iteration, and the runs that it is made of."""

    seconds: float
    long: Reading
    short: Reading


def each(system, long, short):
    """A time per iteration, by difference."""
    a, b = system.run(long), system.run(short)
    return Timed(max(a.seconds - b.seconds, 1e-12) / (long - short), a, b)


def heavy(system, timed, seconds):
    """The same measurement with the time of iterations alone, where they are heavy and the system is blo."""
    if isinstance(system, Blo) and timed.seconds > HEAVY:
        timed.seconds = system.alone(seconds)
    return timed


def cores(column):
    """CPU seconds per second in what long runs have more than short ones; none where that is a small part of them."""
    wall, cpu = (sum(getattr(t.long, k) - getattr(t.short, k) for t in column) for k in ["wall", "cpu"])
    return cpu / wall if wall > 0.2 * sum(t.long.wall for t in column) else None


def side_by_side(row, problem, binary, python, runs, seconds, folder):
    """Measures a row; ends the program where both systems do not compute the same."""
    systems = [Blo(binary, row, problem, folder)] + ([Jax(python, row, folder)] if python else [])
    checked = [system.run(row.check).objective for system in systems]
    far = max(abs(value - checked[0]) for value in checked)
    if not far <= AGREE[row.precision] * max(1.0, abs(checked[0])):
        sys.exit(f"{row}: the upper objective after {row.check} iterations is {checked[0]!r} in blo, {checked[1:]} in JAX")
    chosen = [lengths(system, seconds) for system in systems]
    measure = lambda i: heavy(systems[i], each(systems[i], *chosen[i]), seconds)
    readings = [[measure(i) for i in range(len(systems))] for _ in range(runs)]
    for system in systems:
        system.close()
    columns = [[reading[i] for reading in readings] for i in range(len(systems))]
    times = [[t.seconds for t in column] for column in columns] + [[]]
    return Result(
        times[0],
        times[1],
        tuple(map(cores, columns)),
        tuple(statistics.median(t.long.before for t in column) for column in columns),
        tuple(max(t.long.memory for t in column) for column in columns),
    )
