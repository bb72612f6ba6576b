"""Examples run: docstrings, the notebook, the scripts, the pages."""

import ast
import doctest
import importlib
import inspect
import json
import pkgutil
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import blo
import numpy as np
import pytest

PYTHON = Path(__file__).resolve().parents[1]
ROOT = PYTHON.parent
MODULES = [f"blo.{m.name}" for m in pkgutil.iter_modules(blo.__path__) if m.name != "_blo"]


@pytest.mark.parametrize("name", ["blo", *MODULES])
def test_docstrings(name):
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0


def test_everything_public_has_an_example():
    lacking = []
    for name in blo.__all__:
        item = getattr(blo, name)
        if name == "__version__":
            continue
        members = [(name, item)]
        if inspect.isclass(item):
            own = ((f"{name}.{m}", v) for m, v in vars(item).items() if not m.startswith("_"))
            members += [(m, v) for m, v in own if callable(v) or isinstance(v, property)]
        lacking += [m for m, v in members if m.split(".")[-1] not in NO_EXAMPLE and ">>>" not in (v.__doc__ or "")]
    assert not lacking


# one line says it
NO_EXAMPLE = {"is_sound", "to_dict"}


def test_the_notebook():
    notebook = json.loads((PYTHON / "examples/blo.ipynb").read_text())
    names = {"__name__": "__main__"}
    shown = []
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == [], "the notebook is kept without outputs"
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "blo.ipynb", "exec"), names)
        if last is not None:
            shown.append(eval(compile(ast.Expression(last.value), "blo.ipynb", "eval"), names))
    # what a notebook shows of the last line of a cell
    shown = [value._repr_html_() for value in shown if hasattr(value, "_repr_html_")]
    assert any("<polyline" in html for html in shown)


def test_the_tuned_ridge(capsys):
    example = runpy.run_path(str(PYTHON / "examples/tune_a_penalty.py"))
    rows, targets, new_rows, new_targets = example["study"]()
    model = example["TunedRidge"](held_out=0.3).fit(rows, targets)
    assert model.solution_.status == "converged"
    # the penalty is as good on the held-out rows as the best of a grid
    order = np.random.default_rng(0).permutation(60)
    a, b = (rows - rows.mean(axis=0))[order], (targets - targets.mean())[order]

    def held_out(x):
        left = a[:42].T @ a[:42] / 42 + np.exp(x) * np.eye(40)
        return np.mean((a[42:] @ np.linalg.solve(left, a[:42].T @ b[:42] / 42) - b[42:]) ** 2)

    assert model.solution_.upper_objective <= min(held_out(x) for x in np.linspace(-12, 8, 401)) + 1e-6
    plain = np.linalg.lstsq(rows - rows.mean(axis=0), targets - targets.mean(), rcond=None)[0]
    rest = new_targets - targets.mean() - (new_rows - rows.mean(axis=0)) @ plain
    assert model.score(new_rows, new_targets) > 1 - np.mean(rest**2) / np.var(new_targets)
    assert model.set_params(seed=1).get_params() == {"held_out": 0.3, "seed": 1}
    example["main"]()
    assert "score, tuned" in capsys.readouterr().out


def pages():
    """The pages with blocks that run: of other tools' programs there is a second word behind `python`."""
    chapters = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/book/src").glob("*.md"))
    shown = [page for page in ["README.md", "python/README.md", *chapters] if "```python\n" in (ROOT / page).read_text()]
    assert len(shown) > 2
    return shown


@pytest.mark.parametrize("page", pages())
def test_the_pages(page, monkeypatch):
    """Each ```python block of a page runs after those before it, in the root of the repository."""
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    names = {"__name__": "__main__"}
    for block in blocks:
        exec(compile(block, page, "exec"), names)


def test_the_types():
    if shutil.which("mypy") is None and importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    # by name, as whoever has installed it
    for checked in (["-p", "blo"], [str(PYTHON / "examples/tune_a_penalty.py")]):
        command = [sys.executable, "-m", "mypy", "--strict", *checked]
        done = subprocess.run(command, capture_output=True, text=True, cwd=PYTHON / "tests")
        assert done.returncode == 0, done.stdout + done.stderr
    assert (Path(blo.__file__).parent / "py.typed").exists()
