"""Exports programs for JAX and runs their own comparison with blo, in f64 and f32 and on eight virtual devices.

    python tests/python/check_exports.py target/fast/blo            # each method and each problem once
    python tests/python/check_exports.py target/fast/blo --all      # every case, each on eight devices too
    python tests/python/check_exports.py target/fast/blo bda_eq5    # every case whose name has this word

Needs jax and numpy. Data that are not in the repository are not needed.
"""
import concurrent.futures
import gzip
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def stated(**options):
    return [word for name, value in options.items() for word in ("--set", f"{name}={value}")]


def sizes(**params):
    return [word for name, value in params.items() for word in ("-D", f"{name}={value}")]


# steps are stated: those that a method chooses can be so long that the last digits of two machines part
PLAIN = {"s_l": 0.1, "alpha_x": 0.05, "K": 20}
GROUPS = {"s_l": 8e-4, "alpha_x": 1e-5, "K": 20}
CLEANING = [*sizes(examples=64), *stated(polish=0)]
LAYERS = [*sizes(examples=64, hidden=20), *stated(polish=0)]
SHOTS = [*sizes(width=16, ways=3, query=5, tasks=8), *stated(polish=0, resample=0)]
LEARNT = {"s_l": 0.1, "alpha_x": 0.01, "K": 5}
# problem, method, flags
CASES = [
    ("meha_eq18", "meha:tuned", []),
    ("meha_eq18", "rhg", stated(**PLAIN)),
    ("meha_eq18", "fhg", stated(**PLAIN)),
    ("meha_eq18", "trhg", stated(h=5, **PLAIN)),
    ("meha_eq18", "bda", stated(s_u=0.1, **PLAIN)),
    ("meha_eq18", "cg", []),
    ("meha_eq18", "iaptt", stated(**PLAIN)),
    ("meha_eq18", "bome", []),
    ("meha_eq18", "meha:auto", []),
    ("meha_eq19", "meha:tuned", []),
    ("meha_eq19", "meha:large", sizes(n=5)),
    ("meha_eq19", "rhg", stated(**PLAIN)),
    ("meha_eq19", "bda", stated(s_u=0.1, **PLAIN)),
    ("meha_eq19", "cg", stated(**PLAIN)),
    ("meha_eq19", "iaptt", stated(**PLAIN)),
    ("meha_eq19", "bome", []),
    ("meha_eq21", "meha", stated(alpha=1e-4, beta=1e-4, eta=1e-4, gamma=10, c=20)),
    ("meha_eq21", "rhg", stated(**GROUPS)),
    ("meha_eq21", "bda", stated(s_u=8e-4, **GROUPS)),
    ("meha_eq21", "cg", stated(cg_iter=20, **GROUPS)),
    ("meha_eq21", "iaptt", stated(alpha_z=1e-5, **GROUPS)),
    ("bda_eq5", "bome", stated(s_l=0.1, xi=0.05, T=10)),
    ("bda_eq5", "f2sa", stated(alpha=0.01, gamma=0.01)),
    ("ridge_study", "cg", []),
    ("ridge_study", "neumann", []),
    ("ridge_study", "soba", stated(rho=0.3, gamma=0.1)),
    ("cleaning_softmax", "meha:tuned", CLEANING),
    ("cleaning_softmax", "rhg:plain", CLEANING),
    ("cleaning_softmax", "bda:plain", CLEANING),
    ("cleaning_softmax", "cg", [*CLEANING, *stated(s_l=0.08, alpha_x=1, cg_iter=5, K=20)]),
    ("cleaning_softmax", "iaptt", CLEANING),
    ("cleaning_softmax", "bome", CLEANING),
    ("hyper_cleaning", "meha:tuned", LAYERS),
    ("hyper_cleaning", "rhg", [*LAYERS, *stated(s_l=0.1, alpha_x=1, K=20)]),
    ("hyper_cleaning", "bda", [*LAYERS, *stated(s_l=0.1, s_u=0.1, alpha_x=1, K=20)]),
    ("hyper_cleaning", "cg", [*LAYERS, *stated(s_l=0.1, alpha_x=1, cg_iter=5, K=20)]),
    ("hyper_cleaning", "iaptt", [*LAYERS, *stated(s_l=0.1, alpha_x=1, alpha_z=0.001, K=20)]),
    ("hyper_cleaning", "bome", [*LAYERS, *stated(s_l=0.02, xi=0.02, T=10)]),
    ("few_shot", "meha", [*SHOTS, *stated(alpha=0.01, beta=0.01, eta=0.01, gamma=10, c=1)]),
    ("few_shot", "rhg", [*SHOTS, *stated(**LEARNT)]),
    ("few_shot", "bda", [*SHOTS, *stated(s_u=0.1, **LEARNT)]),
    ("few_shot", "cg", [*SHOTS, *stated(s_l=0.1, alpha_x=0.001, K=5, cg_iter=5)]),
    ("few_shot", "iaptt", [*SHOTS, *stated(alpha_z=0.01, **LEARNT)]),
    ("few_shot", "bome", [*SHOTS, *stated(s_l=0.1, xi=0.01, T=5)]),
]
# what runs without `--all`: every problem and every method at least once
SHORT = [
    ("meha_eq18", "meha:tuned"),
    ("meha_eq18", "fhg"),
    ("meha_eq18", "trhg"),
    ("meha_eq18", "iaptt"),
    ("meha_eq19", "bda"),
    ("meha_eq21", "rhg"),
    ("bda_eq5", "bome"),
    ("bda_eq5", "f2sa"),
    ("ridge_study", "cg"),
    ("ridge_study", "neumann"),
    ("ridge_study", "soba"),
    ("cleaning_softmax", "meha:tuned"),
    ("hyper_cleaning", "meha:tuned"),
    ("few_shot", "meha"),
]
# of these, a problem without data, one with rows and one with followers run on eight devices
SHARED = ["meha_eq18 meha:tuned", "cleaning_softmax meha:tuned", "few_shot meha"]
EIGHT = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}


def images(folder, name, rows, seed):
    """Random images with labels, as the files of MNIST are written."""
    draw = np.random.default_rng(seed)
    with gzip.open(os.path.join(folder, f"{name}-images-idx3-ubyte.gz"), "wb") as file:
        file.write(struct.pack(">4I", 0x803, rows, 28, 28) + draw.integers(0, 256, (rows, 784), np.uint8).tobytes())
    with gzip.open(os.path.join(folder, f"{name}-labels-idx1-ubyte.gz"), "wb") as file:
        file.write(struct.pack(">2I", 0x801, rows) + draw.integers(0, 10, rows, np.uint8).tobytes())


def data_of(problem, folder):
    """The flag for data that the repository does not have, which are made here."""
    if problem != "hyper_cleaning":
        return []
    images(folder, "train", 200, 1)
    images(folder, "t10k", 200, 2)
    return ["--data-dir", folder]


def run(line, **more):
    done = subprocess.run(line, capture_output=True, text=True, env={**os.environ, "JAX_PLATFORMS": "cpu", **more})
    return done.returncode, done.stderr + done.stdout


# What a device holds of data and state, in bytes.
HELD = """
import sys; sys.path.insert(0, {folder!r})
import jax, run
arrays = jax.tree.leaves(run.begin(run.Config()))
print(sum(array.addressable_shards[0].data.nbytes for array in arrays), sum(array.nbytes for array in arrays))
"""


def shares_rows(blo, folder):
    """Eight devices hold an eighth of what has rows."""
    spec = os.path.join(ROOT, "specs", "cleaning_softmax.blo")
    program = os.path.join(folder, "run.py")
    line = [blo, "export", "jax", spec, "-m", "meha:tuned", *sizes(examples=1024), *stated(polish=0)]
    run([*line, "--iterations", "2", "-o", program])
    code, text = run([sys.executable, "-c", HELD.format(folder=folder)], **EIGHT)
    held, whole = map(int, text.split()[-2:]) if code == 0 else (1, 1)
    print(f"one of eight devices holds {held} of {whole} bytes" if code == 0 else text)
    return held < whole / 7


def goes_on(blo, folder):
    """A run from a checkpoint has the numbers of the run that was not stopped."""
    if run([sys.executable, "-c", "import orbax.checkpoint"])[0]:
        print("SKIPPED: checkpoints, since orbax is not here")
        return True
    program, kept = os.path.join(folder, "run.py"), os.path.join(folder, "kept")
    run([blo, "export", "jax", os.path.join(ROOT, "specs", "meha_eq18.blo"), "-m", "meha:tuned", "-o", program])
    run([sys.executable, program, "-n", "40", "--save", kept])
    ends = [run([sys.executable, program, "-n", "90", *more])[1].splitlines()[-2:] for more in ([], ["--resume", kept])]
    print("a checkpoint goes on" if ends[0] == ends[1] else f"a checkpoint does not go on: {ends}")
    return ends[0] == ends[1] and ends[0][0].startswith("F = ")


def short(cases, names):
    """The cases with these names, which leave out no problem and no method."""
    chosen = [case for case in cases if case[:2] in names]
    for column, what in ((0, "problem"), (1, "method")):
        all_of, some_of = ({case[column].split(":")[0] for case in some} for some in (cases, chosen))
        assert all_of == some_of, f"the short list has no {what} {all_of - some_of}"
    return chosen


def name_of(case):
    problem, method, flags = case
    return " ".join([os.path.basename(problem), method, *flags])


def asked(cases, names):
    """The command `blo` and the cases that the command line asks for: those with these names where it says nothing."""
    words = [word for word in sys.argv[2:] if word != "--all"]
    if words:
        cases = [case for case in cases if any(word in name_of(case) for word in words)]
    elif "--all" not in sys.argv:
        cases = short(cases, names)
    return os.path.abspath(sys.argv[1]), cases


def holds(blo, case, eight):
    """Exports a case and runs it: what to print, and whether all agrees."""
    problem, method, flags = case
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "run.py")
        spec = os.path.join(ROOT, "specs", problem + ".blo")
        code, text = run([blo, "export", "jax", spec, "-m", method, *flags, *data_of(problem, folder), "-o", program])
        if code:
            return f"FAILED {name_of(case)}\n{text}", False
        lines = sum(1 for _ in open(program))
        checks = {"f64": ([], {}), "f32": (["--dtype", "float32"], {})}
        if eight:
            checks["8 devices"] = ([], EIGHT)
        said, good = [], lines < 400
        for what, (more, environment) in checks.items():
            code, text = run([sys.executable, program, "--check", *more], **environment)
            last = text.strip().splitlines()[-1] if text.strip() else ""
            said.append(f"{what} {last}")
            if code or last != "agrees":
                good = False
                said.append("\n" + text)
    longer = "" if lines < 400 else "\nFAILED: a program has fewer than 400 lines"
    return f"{name_of(case)}: {lines} lines, {', '.join(said)}{longer}", good


def main():
    blo, cases = asked(CASES, SHORT)
    whole = len(sys.argv) > 2
    failed = 0
    # a case is a process that computes on one core for the most part
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        eight = [whole or f"{case[0]} {case[1]}" in SHARED for case in cases]
        for text, good in pool.map(lambda case, eight: holds(blo, case, eight), cases, eight):
            print(text, flush=True)
            failed += not good
    if not [word for word in sys.argv[2:] if word != "--all"]:
        with tempfile.TemporaryDirectory() as folder:
            failed += sum(not right(blo, folder) for right in (shares_rows, goes_on))
    print(f"{failed} failed" if failed else f"all {len(cases)} exports agree")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
