"""What comes out: solutions, gradients, comparisons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ._arrays import Array
from ._found import BloError, Diagnostic, diagnostics
from ._picture import Picture, curves, table

__all__ = ["Comparison", "Gradient", "Picture", "Run", "Solution"]


def _single(variables: dict[str, Array]) -> Array | dict[str, Array]:
    return next(iter(variables.values())) if len(variables) == 1 else variables


class Solution:
    """The result of a run. Printed, it is the summary of `blo solve`; a notebook shows a table and convergence curves.

    >>> import blo
    >>> solution = blo.load('''
    ...   upper { var x in [0, 5]  minimize (x - 1)^2 + (y - 1)^2 }
    ...   lower { var y            minimize (y - x)^2 }
    ... ''').solve()
    >>> solution.status, solution.verdict
    ('converged', 'certified')
    >>> solution.upper_objective < 1e-5, round(float(solution.y), 3)
    (True, 1.0)
    >>> list(solution.history)[:3]
    ['iteration', 'pass', 'seconds']
    """

    method: str
    """The method that has run."""
    status: str
    """How the run ended: `converged`, `stalled`, `iteration_limit`, `time_limit`, `stopped`, `interrupted`, `diverged`,
    `unbounded`, `infeasible`, `not_finite`."""
    verdict: str
    """What is known of y: `certified`, `plausible`, `not_lower_optimal`, `none`."""
    iterations: int
    """Iterations done."""
    seconds: float
    """Seconds spent iterating."""
    upper_objective: float
    """F(x, y), in the program's sign."""
    lower_objective: float
    """f(x, y) with the part from `regularize`, in the program's sign."""
    upper: dict[str, Array]
    """The upper variables by name; a number is an array of rank 0."""
    lower: dict[str, Array]
    """The lower variables by name."""
    residuals: dict[str, float]
    """The residuals at the end: `upper`, `lower`, `method`, and `gap`; nan where they are not measured."""
    metrics: dict[str, float]
    """The metrics of the program by name."""
    multipliers: dict[str, Array]
    """The multipliers of the rows of `subject to` by name, where they are known."""
    violations: dict[str, float]
    """The largest violation of each row of `subject to` by name."""
    warnings: list[Diagnostic]
    """Warnings of the check and of the run."""
    history: dict[str, Array]
    """The reported iterates as columns of equal length: `iteration`, `pass`, `seconds`, `upper`, `lower`,
    `residual_upper`, `residual_lower`, `residual_method`, `gap`, metrics by name, and, with `row_variables`, variables by
    name with a leading axis of rows. A name that is taken has an underscore behind it."""

    _NAMES = (
        "method",
        "status",
        "verdict",
        "iterations",
        "seconds",
        "upper_objective",
        "lower_objective",
        "upper",
        "lower",
        "residuals",
        "metrics",
        "multipliers",
        "violations",
        "history",
    )

    def __init__(self, found: dict[str, Any]) -> None:
        for name in self._NAMES:
            setattr(self, name, found[name])
        self.warnings = diagnostics(found["warnings"])
        self._json: str = found["json"]
        self._text: str = found["text"]
        self._warning_text: str = found["warning_text"]

    @property
    def x(self) -> Any:
        """The upper variable, an array; of several, a dict of arrays.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
        >>> problem.solve().x.shape
        ()
        """
        return _single(self.upper)

    @property
    def y(self) -> Any:
        """The lower variable, an array; of several, a dict of arrays.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize x^2 }  lower { var y[3]  minimize normsq(y - x) }")
        >>> problem.solve().y.shape
        (3,)
        """
        return _single(self.lower)

    def to_dict(self) -> dict[str, Any]:
        """The object that `blo solve --format json` prints. Numbers that are not finite are None, arrays nested lists.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
        >>> problem.solve().to_dict()["status"]
        'converged'
        """
        found: dict[str, Any] = json.loads(self._json)
        return found

    def to_json(self) -> str:
        """The same as a text.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
        >>> problem.solve().to_json().startswith('{"schema":1')
        True
        """
        return self._json

    def plot(self) -> Picture:
        """Convergence curves of the residuals, as svg; a notebook shows them.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
        >>> problem.solve().plot().svg.startswith("<svg")
        True
        """
        return curves(self.history)

    def __repr__(self) -> str:
        said = f"{self._warning_text}\n\n" if self._warning_text else ""
        return said + self._text.rstrip("\n")

    def _repr_html_(self) -> str:
        rows = [
            ("status", f"{self.status.replace('_', ' ')} after {self.iterations} iterations of {self.method}"),
            ("verdict", self.verdict.replace("_", " ")),
            ("upper objective", f"{self.upper_objective:.7g}"),
            ("lower objective", f"{self.lower_objective:.7g}"),
            ("residuals", ", ".join(f"{name} {value:.3g}" for name, value in self.residuals.items() if value == value)),
        ]
        rows += [(name, f"{value:.7g}") for name, value in self.metrics.items()]
        rows += [(name, _brief(values)) for name, values in (self.upper | self.lower).items()]
        rows += [(f"multiplier of {name}", _brief(values)) for name, values in self.multipliers.items()]
        rows += [(d.severity, str(d)) for d in self.warnings]
        return table(rows) + self.plot().svg

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class Gradient:
    """The reduced objective phi(x) = F(x, y(x)) at a point, with its gradient.

    >>> import blo
    >>> problem = blo.load("upper { var x[2]  minimize normsq(y - 1) }  lower { var y[2]  minimize normsq(y - 2*x) }")
    >>> at = problem.grad([1.0, 0.0])
    >>> at.x.round(4).tolist(), at.lower["y"].round(4).tolist(), at.is_exact
    ([4.0, -4.0], [2.0, 0.0], True)
    """

    value: float
    """phi(x)."""
    gradient: dict[str, Array]
    """The derivative of phi in each upper variable, of the variable's shape."""
    upper: dict[str, Array]
    """The x at which this is: what was asked for, moved into its sets."""
    lower: dict[str, Array]
    """The solution of the lower level there."""
    is_exact: bool
    """True where the lower level is solved and its solution moves smoothly with x; else the gradient is an estimate."""
    warnings: list[Diagnostic]
    """Doubts about the linear system, and about rows of `subject to`."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.value = found["value"]
        self.gradient, self.upper, self.lower = found["gradient"], found["upper"], found["lower"]
        self.is_exact = found["is_exact"]
        self.warnings = diagnostics(found["warnings"])

    @property
    def x(self) -> Any:
        """The derivative in the upper variable, an array; of several, a dict of arrays.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize y^2 }  lower { var y  minimize (y - x)^2 }")
        >>> round(float(problem.grad(3.0).x), 4)
        6.0
        """
        return _single(self.gradient)

    def __repr__(self) -> str:
        gradients = ", ".join(f"{name} = {_brief(values)}" for name, values in self.gradient.items())
        estimate = "" if self.is_exact else " (an estimate)"
        return f"value {self.value:.7g}, gradient{estimate} {gradients}"


@dataclass(frozen=True)
class Run:
    """What came of one method of a comparison.

    >>> import blo
    >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
    >>> [run] = problem.compare(["nomethod"])
    >>> run.solution is None, type(run.error).__name__
    (True, 'BloError')
    """

    method: str
    """The method as it was asked for."""
    solution: Solution | None
    """Its result."""
    error: BloError | None
    """Why it cannot take the problem."""


class Comparison(list[Run]):
    """Several methods on one problem, in the order in which they were asked for. Printed, it is a table.

    >>> import blo
    >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
    >>> comparison = problem.compare(["meha", "rhg"])
    >>> comparison["rhg"].status
    'converged'
    """

    def __init__(self, text: str, runs: list[tuple[str, dict[str, Any] | None, Any]]) -> None:
        super().__init__(Run(method, Solution(found) if found else None, error) for method, found, error in runs)
        self._text = text

    def __getitem__(self, key: Any) -> Any:
        """A run by its place, or a solution by the name of its method.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
        >>> problem.compare(["rhg"])[0].method
        'rhg'
        """
        if not isinstance(key, str):
            return super().__getitem__(key)
        for run in self:
            if run.method == key:
                if run.error is not None:
                    raise run.error
                return run.solution
        raise KeyError(key)

    def __iter__(self) -> Iterator[Run]:
        return super().__iter__()

    def __repr__(self) -> str:
        return self._text.rstrip("\n")

    def _repr_html_(self) -> str:
        rows = [
            (run.method, *_cells(run.solution)) if run.solution is not None else (run.method, "refused", "", "", "", "")
            for run in self
        ]
        return table([("method", "status", "iterations", "upper", "lower", "verdict"), *rows])

    def __reduce__(self) -> tuple[Any, ...]:
        return (_comparison, (self._text, list(self)))


def _comparison(text: str, runs: list[Run]) -> Comparison:
    made = Comparison(text, [])
    made.extend(runs)
    return made


def _cells(s: Solution) -> tuple[str, ...]:
    return (
        s.status.replace("_", " "),
        str(s.iterations),
        f"{s.upper_objective:.7g}",
        f"{s.lower_objective:.7g}",
        s.verdict.replace("_", " "),
    )


def _brief(values: Array) -> str:
    """The first numbers of an array."""
    most = 8
    if values.ndim == 0:
        return f"{float(values):.7g}"
    shown = ", ".join(f"{v:.7g}" for v in values.reshape(-1)[:most])
    rest = ", ..." if values.size > most else ""
    shape = "" if values.ndim == 1 and not rest else f" ({' x '.join(str(n) for n in values.shape)})"
    return f"[{shown}{rest}]{shape}"
