"""Exports iterations as StableHLO, runs them with JAX's own compiler, and compares them with blo.

    python tests/python/check_stablehlo.py target/fast/blo          # each method, each problem and each operation once
    python tests/python/check_stablehlo.py target/fast/blo --all

They are compared with what the Python export of the same problem expects: F, f, g and the variables after 1 and after all
iterations. The text is parsed, verified, compiled and run on the CPU; iterations are a loop here. Needs jax and numpy.
"""
import concurrent.futures
import importlib.util
import multiprocessing
import os
import sys
import tempfile

import jax
import numpy as np
from jax._src import compiler, xla_bridge
from jax._src.interpreters import mlir
from jax._src.lib import xla_client
from jaxlib.mlir import ir

import check_exports

ROOT = check_exports.ROOT
PROGRAMS = os.path.join(ROOT, "tests", "python", "programs")
STEPS = ["--set", "K=8", "--set", "s_l=0.05", "--set", "alpha_x=0.005"]
MEHA = [flag for name in ("alpha", "beta", "eta") for flag in ("--set", f"{name}=0.002")]
MEHA += ["--set", "gamma=5", "--set", "c=2"]
# the operations of the language: programs of their own, by methods that need first and second derivatives
OPERATIONS = [
    (os.path.join(PROGRAMS, name), method, flags)
    for name in ("functions", "windows", "slices", "matrices")
    for method, flags in (("meha", MEHA), ("rhg", STEPS), ("fhg", STEPS), ("cg", STEPS))
]
CASES = [
    # every method on small problems, and meha on all: the rules are those of an operation, whatever the problem
    *(case for case in check_exports.CASES if case[0] in ("meha_eq18", "bda_eq5", "ridge_study") or "meha" in case[1]),
    *OPERATIONS,
    ("few_shot_conv", "rhg", [
        *(flag for size in ("width=4", "ways=3", "query=2", "tasks=2", "judged=2") for flag in ("-D", size)),
        *(flag for choice in ("K=2", "s_l=0.1", "alpha_x=0.01", "resample=0", "polish=0") for flag in ("--set", choice)),
        "--iterations", "10",
    ]),
]

# what runs without `--all`: every method, every problem and every program of operations
SHORT = [
    *(case for case in check_exports.SHORT if case[0] in ("meha_eq18", "bda_eq5", "ridge_study") or "meha" in case[1]),
    ("meha_eq18", "rhg"),
    ("meha_eq18", "bda"),
    ("meha_eq19", "meha:tuned"),
    ("meha_eq21", "meha"),
    *((os.path.join(PROGRAMS, name), method)
      for name, method in (("functions", "cg"), ("windows", "meha"), ("slices", "fhg"), ("matrices", "rhg"))),
    ("few_shot_conv", "rhg"),
]


class Module:
    """A module of StableHLO: its public functions, compiled."""

    def __init__(self, path, single):
        self.text = open(path).read()
        self.backend = xla_bridge.get_backend("cpu")
        self.compiled = {}
        self.real, self.whole = ("float32", "int32") if single else ("float64", "int64")

    def function(self, name):
        if name not in self.compiled:
            self.compiled[name] = self.compile(name)
        return self.compiled[name]

    def compile(self, name):
        """The function under the name `main`, which is where a compiler begins."""
        with mlir.make_ir_context() as context, ir.Location.unknown(context):
            module = ir.Module.parse(self.text)
            assert module.operation.verify(), "the module does not verify"
            functions = {ir.StringAttr(op.attributes["sym_name"]).value: op for op in module.body.operations}
            if name not in functions:
                return None
            if name != "main":
                functions["main"].erase()
                functions[name].attributes["sym_name"] = ir.StringAttr.get("main")
            devices = self.backend.local_devices()[:1]
            options = compiler.get_compile_options(num_replicas=1, num_partitions=1)
            listed = xla_client.DeviceList(tuple(devices))
            return compiler.backend_compile_and_load(self.backend, module, listed, options, [])

    def array(self, value):
        value = np.asarray(value)
        return jax.device_put(value.astype(self.real if value.dtype.kind == "f" else self.whole))

    def __call__(self, name, *arguments):
        results = self.function(name).execute_sharded(list(arguments))
        return [part[0] for part in results.disassemble_into_single_device_arrays()]


def expected(program):
    """The Python export as a module: what it expects, and the names of its state and data."""
    spec = importlib.util.spec_from_file_location("exported", program)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compare(path, program, single):
    """The largest relative error."""
    module, right = Module(path, single), expected(program)
    arrays = np.load(path.replace(".mlir", ".npz"))
    assert list(arrays) == list(np.load(program.replace(".py", ".npz"))), "other arrays than the Python export"
    data = [module.array(arrays[name]) for name in arrays]
    state = module("init", *data)
    worst, done, tolerance = 0.0, 0, 1e-4 if single else 1e-9
    for count, values in sorted(right.EXPECTED.items()):
        while done < count:
            done += 1
            state = module("main", module.array(done), *state, *data)
        for name, wanted in values.items():
            if name in ("F", "f", "g"):
                found = [float(module(name, *state, *data)[0])]
            else:
                array = np.asarray(state[right.State._fields.index(name)], "float64").ravel()
                found = [np.linalg.norm(array), array.sum(), *array[:3]]
            difference = np.max(np.abs(np.array(found) - wanted))
            floor = max(tolerance * np.max(np.abs(other[name])) for other in right.EXPECTED.values())
            error = difference / max(np.max(np.abs(wanted)), floor) if difference else 0.0
            worst = max(worst, error if np.isfinite(error) else np.inf)
    return worst


def holds(blo, case):
    """Exports a case as both and compares: what to print, and whether they agree."""
    jax.config.update("jax_enable_x64", True)
    problem, method, flags = case
    spec = os.path.join(ROOT, "specs", problem + ".blo")
    said, lines = [], 0
    with tempfile.TemporaryDirectory() as folder:
        program, step = os.path.join(folder, "run.py"), os.path.join(folder, "step.mlir")
        line = [blo, "export", "jax", spec, "-m", method, *flags, *check_exports.data_of(problem, folder)]
        for single in (False, True):
            precision = ["--set", "precision=f32"] if single else []
            for more in (["-o", program], [*precision, "--format", "stablehlo", "-o", step]):
                code, text = check_exports.run([*line, *more])
                if code:
                    return f"FAILED {check_exports.name_of(case)}\n{text}", False
            lines = sum(1 for _ in open(step))
            try:
                error = compare(step, program, single)
            except Exception as found:  # what a parser or a compiler finds is the result of this check
                return f"FAILED {check_exports.name_of(case)}\n{type(found).__name__}: {found}", False
            ok = error <= (1e-4 if single else 1e-9)
            said.append((f"{'f32' if single else 'f64'} {'agrees' if ok else 'DIFFERS'} {error:.1e}", ok))
    shown = ", ".join(text for text, _ in said)
    return f"{check_exports.name_of(case)}: {lines} lines, {shown}", all(ok for _, ok in said)


def main():
    blo, cases = check_exports.asked(CASES, SHORT)
    failed = 0
    # processes of their own, since a compiler that runs twice in one process shares its threads
    fresh = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), mp_context=fresh) as pool:
        for text, good in pool.map(holds, [blo] * len(cases), cases):
            print(text, flush=True)
            failed += not good
    print(f"{failed} failed" if failed else f"all {len(cases)} modules agree")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
