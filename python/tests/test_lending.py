"""Memory: arrays are lent, not copied."""

import gc
import os
import subprocess
import sys
import textwrap
import weakref

import blo
import numpy as np
import pytest

MEAN = """data a[_] = csv("a.csv")
upper { var x  minimize mean((a[i] - x)^2 for i in 1..rows(a)) }
lower { var y  minimize (y - x)^2 }"""
# what the process has held at most is filled up before the measurement, so that every page that comes shows
PROGRAM = """
import resource, sys
import blo, numpy as np

dtype, precision, strided = sys.argv[1], sys.argv[2], len(sys.argv) > 3
COLUMNS = 500
text = '''data A[_, 500] = csv("a.csv")
  upper { var x in [-5, 5]  minimize normsq(A*y - 1)/rows(A) }
  lower { var y[500]  minimize normsq(A*y - 1)/rows(A) + exp(x)*normsq(y) }'''

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def now():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

def solve(megabytes):
    rows = megabytes * 1_000_000 // np.dtype(dtype).itemsize // COLUMNS
    if strided:
        values = np.full((rows, 2 * COLUMNS), 0.5, dtype=dtype)[:, ::2]
    else:
        values = np.full((rows, COLUMNS), 0.5, dtype=dtype)
    ballast = np.ones(max(peak() - now(), 0) // 8)
    before = peak()
    blo.load(text, data={"A": values}).solve("rhg", max_iter=2, K=2, polish=0, threads=1, precision=precision)
    return peak() - before + 0 * ballast.size

# what the engine takes for itself comes with the first run
solve(1)
print(solve(10))
"""


needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc/self/statm")


def grown(*arguments):
    """Bytes by which the peak of a process has grown while it used 10 MB. What it frees goes back to the system at once."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"},
    )
    return int(done.stdout)


@needs_proc
def test_ten_lent_megabytes_cost_less_than_two():
    assert grown("float64", "f64") < 2_000_000


@needs_proc
def test_a_run_in_f32_copies_nothing_but_for_its_end():
    # the end of a run is computed in f64, on numbers that take twice the memory
    assert grown("float32", "f32") < 20_000_000 + 2_000_000


@needs_proc
@pytest.mark.parametrize(("dtype", "precision"), [("float64", "f32"), ("float64 strided", "f64")])
def test_other_arrays_are_copied_once(dtype, precision):
    name, *strided = dtype.split()
    copy = 10_000_000 if precision == "f64" else 5_000_000
    # the measurement sees copies: one is there, and no second one
    assert 0.8 * copy < grown(name, precision, *strided) < 1.5 * copy + 2_000_000


def test_an_array_lives_as_long_as_its_problem():
    values = np.array([1.0, 2.0, 6.0])
    held = weakref.ref(values)
    problem = blo.load(MEAN, data={"a": values})
    del values
    gc.collect()
    assert held() is not None
    np.testing.assert_allclose(problem.solve().x, 3, atol=1e-3)
    del problem
    gc.collect()
    assert held() is None


def test_memory_that_is_lent_cannot_move():
    values = np.array([1.0, 2.0, 6.0])
    problem = blo.load(MEAN, data={"a": values})
    with pytest.raises(ValueError):
        values.resize((1000,))
    # between runs the numbers may change: the next run reads them where they are
    values[:] = [4.0, 5.0, 6.0]
    np.testing.assert_allclose(problem.solve().x, 5, atol=1e-3)


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 6],
        (1.0, 2.0, 6.0),
        np.array([1, 2, 6]),
        np.array([1, 2, 6], dtype=np.uint8),
        np.array([1, 2, 6], dtype=np.float16),
        np.array([1, 2, 6], dtype=np.float32),
        np.array([1, 2, 6], dtype=">f8"),
        np.array([1, 2, 6], dtype=">f4"),
        np.array([1, 0, 2, 0, 6, 0], dtype=float)[::2],
        np.array([6, 2, 1], dtype=float)[::-1],
        np.frombuffer(b"x" + np.array([1.0, 2.0, 6.0]).tobytes(), dtype=np.uint8)[1:].view(np.float64),
        np.array([1.0, 2.0, 6.0], dtype=np.longdouble),
    ],
)
def test_every_array_of_numbers_is_read_right(values):
    np.testing.assert_allclose(blo.load(MEAN, data={"a": values}).solve().x, 3, atol=1e-3)


def test_columns_first_and_transposed_arrays_are_read_right():
    text = """data A[2, 3] = csv("a.csv")
      upper { var x  minimize (x - A[1, 3])^2 }  lower { var y  minimize (y - x)^2 }"""
    rows = np.arange(6.0).reshape(2, 3)
    for values in (rows, np.asfortranarray(rows), rows.T.copy().T):
        np.testing.assert_allclose(blo.load(text, data={"A": values}).solve().x, 2, atol=1e-3)


def test_a_file_that_is_mapped_is_lent(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([1.0, 2.0, 6.0]))
    mapped = np.load(path, mmap_mode="r")
    np.testing.assert_allclose(blo.load(MEAN, data={"a": mapped}).solve().x, 3, atol=1e-3)


def test_a_forked_process_can_solve():
    if sys.platform == "win32":
        pytest.skip("Windows does not fork")
    program = textwrap.dedent(
        """
        import multiprocessing, sys
        import blo, numpy as np

        TEXT = '''data A[_, 300] = csv("a.csv")
          upper { var x in [-5, 5]  minimize normsq(A*y - 1) }
          lower { var y[300]  minimize normsq(A*y - 1) + exp(x)*normsq(y) }'''
        A = np.random.default_rng(0).normal(size=(2000, 300))

        def solve(options):
            solution = blo.load(TEXT, data={"A": A}).solve("rhg", max_iter=2, K=3, polish=0, **options)
            return float(solution.x)

        here = solve({"threads": 4})
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(solve, [{}, {}]) == [here, here]
            try:
                pool.map(solve, [{"threads": 4}])
            except blo.BloError as error:
                assert "spawn" in str(error)
            else:
                sys.exit("it had threads")
        """
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
