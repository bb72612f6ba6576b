"""Exports programs for JAX and runs their own comparison with blo, in f64 and f32 and on eight virtual devices.

    python tests/python/check_exports.py target/fast/blo

Needs jax and numpy. Data that are not in the repository are not needed.
"""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

STEPS = ["--set", "s_l=0.1", "--set", "alpha_x=0.05"]
SMALL = ["-D", "examples=64", "--set", "polish=0"]
CLEANING = ["cleaning_softmax", *SMALL]
# problem, method, flags
CASES = [
    ("meha_eq18", "meha:tuned", []),
    ("meha_eq19", "meha:tuned", []),
    ("meha_eq19", "meha:large", ["-D", "n=5"]),
    ("meha_eq21", "meha", ["--set", "alpha=1e-4", "--set", "beta=1e-4", "--set", "eta=1e-4", "--set", "gamma=10", "--set", "c=20"]),
    ("meha_eq18", "rhg", ["--set", "K=20", *STEPS]),
    ("meha_eq18", "fhg", ["--set", "K=20", *STEPS]),
    ("meha_eq18", "trhg", ["--set", "K=20", "--set", "h=5", *STEPS]),
    ("meha_eq18", "bda", ["--set", "K=20", "--set", "s_u=0.1", *STEPS]),
    ("meha_eq18", "iaptt", ["--set", "K=20", *STEPS]),
    ("bda_eq5", "bome", ["--set", "s_l=0.1", "--set", "xi=0.05", "--set", "T=10"]),
    ("bda_eq5", "f2sa", ["--set", "alpha=0.01", "--set", "gamma=0.01"]),
    ("ridge_study", "cg", []),
    ("ridge_study", "neumann", []),
    ("meha_eq18", "meha:auto", []),
    ("cleaning_softmax", "meha:tuned", SMALL),
    ("cleaning_softmax", "rhg:plain", [*SMALL, "--set", "K=10"]),
    ("cleaning_softmax", "bda:plain", [*SMALL, "--set", "K=10"]),
]
EIGHT = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}


def run(line, **more):
    done = subprocess.run(line, capture_output=True, text=True, env={**os.environ, "JAX_PLATFORMS": "cpu", **more})
    return done.returncode, done.stdout + done.stderr


def main():
    blo, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for problem, method, flags in CASES:
            name = f"{problem} {method} {' '.join(flags)}"
            if wanted and not any(word in name for word in wanted):
                continue
            program = os.path.join(folder, "run.py")
            spec = os.path.join(ROOT, "specs", problem + ".blo")
            code, text = run([blo, "export", "jax", spec, "-m", method, *flags, "-o", program])
            if code:
                print(f"FAILED {name}\n{text}")
                failed += 1
                continue
            lines = sum(1 for _ in open(program))
            checks = {"f64": ([], {}), "f32": (["--dtype", "float32"], {}), "8 devices": ([], EIGHT)}
            said = []
            for what, (more, environment) in checks.items():
                code, text = run([sys.executable, program, "--check", *more], **environment)
                last = text.strip().splitlines()[-1] if text.strip() else ""
                said.append(f"{what} {last}")
                if code or last != "agrees":
                    failed += 1
                    said.append("\n" + text)
            print(f"{name}: {lines} lines, {', '.join(said)}", flush=True)
            if lines >= 400:
                print(f"FAILED {name}: a program has fewer than 400 lines")
                failed += 1
    print(f"{failed} failed" if failed else "all exports agree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
