"""Reverse-mode hypergradients through K lower-level gradient steps of softmax regression on weighted rows (data
hyper-cleaning, generated data): blo's `rhg` against JAX, and both against the lower steps alone. Needs numpy, and JAX in
the interpreter that runs it. See README.md."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = """
param m
data U[m, 784] = npy("u.npy")
data Q[m, 784] = npy("q.npy")
data hot[m, 10] = npy("hot.npy")
fn row(z, h) = logsumexp(z) - sum(h .* z)
upper { var x[m]   minimize sum(row((Q*W)[i, _], hot[i, _]) for i in 1..m)/m }
lower { var W[784, 10]   minimize sum(sigmoid(x[i])*row((U*W)[i, _], hot[i, _]) for i in 1..m)/m }
"""


def blo(binary, folder, method, iterations, steps):
    command = [binary, "solve", "p.blo", "--method", method, "--set", f"K={steps}", "--set", "s_l=0.1"]
    command += ["--set", "alpha_x=10", "--set", "start=fixed", "--set", "polish=0", "--tol", "0"]
    command += ["--max-iter", str(iterations), "--format", "json"]
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True)
    if done.returncode not in (0, 2):
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    found = json.loads(done.stdout)
    return found["seconds"]["solve"], found["upper"]["objective"]


def jax_times(u, q, hot, steps, iterations):
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    import jax.numpy as jnp

    u, q, hot = map(jnp.asarray, (u, q, hot))
    loss = lambda z: jax.nn.logsumexp(z, axis=1) - (hot * z).sum(1)
    lower = lambda x, w: (jax.nn.sigmoid(x) * loss(u @ w)).mean()
    step = jax.grad(lower, 1)

    def end(x):
        w = jnp.zeros((784, 10))
        w = jax.lax.scan(lambda w, _: (w - 0.1 * step(x, w), None), w, None, length=steps)[0]
        return loss(q @ w).mean()

    both, forward = jax.jit(jax.value_and_grad(end)), jax.jit(end)

    def timed(one):
        one()
        found = []
        for _ in range(iterations):
            began = time.perf_counter()
            one()
            found.append(time.perf_counter() - began)
        return min(found)

    x = jnp.zeros(u.shape[0])
    reverse, alone = timed(lambda: both(x)[1].block_until_ready()), timed(lambda: forward(x).block_until_ready())
    for _ in range(3):
        x = x - 10 * both(x)[1]
    return reverse, alone, float(end(x))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blo", default=str(ROOT / "target/release/blo"))
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=100, help="K")
    parser.add_argument("--iterations", type=int, default=5)
    a = parser.parse_args()
    generator = numpy.random.default_rng(0)
    u, q = (generator.standard_normal((a.rows, 784)) / 28 for _ in range(2))
    hot = numpy.eye(10)[numpy.arange(a.rows) % 10]
    with tempfile.TemporaryDirectory() as folder:
        for name, values in [("u", u), ("q", q), ("hot", hot)]:
            numpy.save(pathlib.Path(folder, name + ".npy"), values)
        pathlib.Path(folder, "p.blo").write_text(PROGRAM.replace("param m", f"param m = {a.rows}"))

        def each(method):
            """Seconds per upper iteration: long runs less short ones, which start the same."""
            short, long = (min(blo(a.blo, folder, method, n, a.steps)[0] for _ in range(2)) for n in (1, 1 + a.iterations))
            return (long - short) / a.iterations

        reverse, alone = each("rhg"), each("rank1")
        upper = blo(a.blo, folder, "rhg", 3, a.steps)[1]
    theirs = jax_times(u, q, hot, a.steps, a.iterations)
    if abs(theirs[2] - upper) > 1e-8 * abs(upper):
        sys.exit(f"upper objective {upper!r} here, {theirs[2]!r} in JAX")
    print("| | hypergradient ms | lower steps ms | ratio |\n|---|---|---|---|")
    print(f"| blo | {1e3 * reverse:.1f} | {1e3 * alone:.1f} | {reverse / alone:.2f} |")
    print(f"| JAX | {1e3 * theirs[0]:.1f} | {1e3 * theirs[1]:.1f} | {theirs[0] / theirs[1]:.2f} |")
    print(f"blo / JAX {reverse / theirs[0]:.2f}")


if __name__ == "__main__":
    main()
