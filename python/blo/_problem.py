"""Problems: a program with the params and data of its caller, and what can be asked of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy.typing as npt

from . import _blo
from ._arrays import Array, array, flat, number, option, whole
from ._forked import threads_after_fork
from ._found import Report, diagnostics, wrong_argument
from ._solution import Comparison, Gradient, Solution

Callback = Callable[[dict[str, Any]], object]


def load(
    path_or_text: str | os.PathLike[str],
    data: Mapping[str, Any] | None = None,
    params: Mapping[str, float] | None = None,
    *,
    folders: Sequence[str | os.PathLike[str]] = (),
    limits: Mapping[str, int] | None = None,
) -> Problem:
    """Reads a program.

    >>> import blo, numpy as np
    >>> problem = blo.load('''
    ...   param target = 2
    ...   data a[_] = csv("a.csv")
    ...   upper { var x  minimize (mean(a)*x - target)^2 + y^2 }
    ...   lower { var y  minimize (y - x + 1)^2 }
    ... ''', data={"a": np.array([1.0, 3.0])}, params={"target": 4})
    >>> round(float(problem.solve().x), 4)
    1.8

    Args:
        path_or_text: The path of a file, or a program. A `str` with a line break or a brace is a program; a path that
            has one goes in as a `pathlib.Path`. Data files are looked for in the file's folder; of a text, in the
            working folder.
        data: Arrays in the place of files and generators that the program names: `"A"` for `data A[..]`, `"d.u"`, or
            `"d": {"u": ..}`, for the column u of a dataset d, whose rows are the first axis. Row-major arrays of float64
            (of float32, for runs in f32) are read where they are, without a copy, so do not change them during a run.
            Others are copied once. Numbers must be finite; labels count from 0.
        params: Values of scalar params in the place of the program's.
        folders: Where else data files are looked for; of a text, instead of the working folder.
        limits: Raised limits on what the program may ask for: `entries`, `memory` (bytes).

    Raises:
        BloError: The file cannot be read, its syntax is wrong, or an argument is no array or number.
    """
    return Problem(path_or_text, data, params, folders=folders, limits=limits)


class Problem:
    """A program with the params and data of its caller. `blo.load` makes it.

    >>> import blo
    >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
    >>> problem.name
    'problem'
    """

    def __init__(
        self,
        path_or_text: str | os.PathLike[str],
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, float] | None = None,
        *,
        folders: Sequence[str | os.PathLike[str]] = (),
        limits: Mapping[str, int] | None = None,
    ) -> None:
        source = os.fspath(path_or_text)
        if not isinstance(source, str):
            raise wrong_argument(f"the path {source!r} is not a text", "give a str or a pathlib.Path")
        is_path = not isinstance(path_or_text, str) or not any(c in source for c in "\n{")
        program = _blo.Problem(source, is_path)
        declared = dict(program.data_items())
        self._data = {
            name: array(f'data["{name}"]', value, _declaration(name, declared))
            for name, value in flat(data or {}).items()
        }
        self._params = {name: number(f'params["{name}"]', value) for name, value in (params or {}).items()}
        self._folders = [os.fspath(folder) for folder in folders]
        self._limits = {name: whole(f'limits["{name}"]', value) for name, value in (limits or {}).items()}
        self._source = (path_or_text if is_path else source, is_path)
        self._inner = program.given(
            list(self._data.items()), list(self._params.items()), self._folders, list(self._limits.items())
        )

    @property
    def name(self) -> str:
        """What the program calls itself, else its file's name, else `problem`.

        >>> import blo
        >>> blo.load("problem toy  upper { var x  minimize x^2 }  lower { var y  minimize (y - x)^2 }").name
        'toy'
        """
        return self._inner.name()

    @property
    def text(self) -> str:
        """The text of the program.

        >>> import blo
        >>> "minimize" in blo.load("upper { var x  minimize x^2 }  lower { var y  minimize (y - x)^2 }").text
        True
        """
        return self._inner.text()

    @property
    def data_items(self) -> dict[str, str]:
        """The names that `data` takes, each with its shape as the program declares it.

        >>> import blo
        >>> text = '''data A[_, 2] = csv("a.csv")
        ...   upper { var x  minimize x^2 }  lower { var y[2]  minimize normsq(A*y - x) }'''
        >>> blo.load(text).data_items
        {'A': '[_, 2]'}
        """
        return dict(self._inner.data_items())

    def check(self, method: str | None = None, preset: str | None = None, **options: Any) -> Report:
        """Everything that can be said without solving, as a list of diagnostics: what `blo check` prints. With a method,
        also whether a run with these options is possible, and assumptions of the method that numbers refute.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize x^2 + z }  lower { var y  minimize (y - x)^2 }")
        >>> [(d.code, d.line, d.column) for d in problem.check()]
        [('B0201', 1, 31)]
        """
        if method is None and preset is None and not options:
            text, found = self._inner.check(None)
        else:
            text, found = self._inner.check(_request(method, preset, options))
        return Report(diagnostics(found), text)

    def solve(
        self,
        method: str = "auto",
        preset: str | None = None,
        callback: Callback | None = None,
        *,
        start_from: Mapping[str, npt.ArrayLike] | None = None,
        row_every: int = 0,
        row_variables: bool = False,
        sensitivity: bool = False,
        **options: Any,
    ) -> Solution:
        """Solves the problem: what `blo solve` does, to the last bit.

        The interpreter is released during the run. The interrupt key (KeyboardInterrupt) ends the run, which then
        returns the best point so far with the status `interrupted`.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
        >>> rows = []
        >>> solution = problem.solve("rhg", K=20, tol=1e-8, callback=rows.append)
        >>> solution.status, round(float(solution.x), 4)
        ('converged', 0.5)
        >>> rows[0]["iteration"], rows[0]["upper"]
        (0, 1.0)

        Args:
            method: A method by name (`blo.methods()` lists them). As on the command line, a preset of the file may
                follow, `meha:paper`, and options in parentheses, `rhg(K = 50)`.
            preset: A preset of the file for the method; `auto` for none.
            callback: Called with a dict for every reported row: at the iterations 0 and 1, 2, 5 times a power of ten,
                and every `row_every`. Its keys are those of `Solution.history`. Where it returns False, the run ends
                with the best point so far and the status `stopped`. An exception ends the run and is raised.
            start_from: Values of variables to start from, of either level.
            row_every: Rows every so many iterations beside those above; 0 for no others.
            row_variables: Whether rows hold the variables.
            sensitivity: Whether to compute the derivative of the optimal upper objective in every param; it is in
                `Solution.to_dict()["sensitivity"]`.
            **options: Options of the method, such as `max_iter`, `tol`, `max_time` (seconds), `seed`, `threads`,
                `precision="f32"`: numbers, or texts as a program would write them. `None` is the default.

        Raises:
            BloError: The program, its data or an option is wrong. Numerical trouble is no error but a status.
        """
        request = _request(method, preset, options, start_from)
        request.update(row_every=whole("row_every", row_every))
        request.update(row_variables=bool(row_variables), sensitivity=bool(sensitivity))
        if callback is not None and not callable(callback):
            raise wrong_argument(f"callback is {callback!r}, which cannot be called", "give a function of a dict")
        return Solution(self._inner.solve(request, callback))

    def grad(self, x: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None, **options: Any) -> Gradient:
        """The reduced objective phi(x) = F(x, y(x)) and its gradient, the hypergradient; y(x) solves the lower level.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize (y - 1)^2 + x^2 }  lower { var y  minimize (y - 2*x)^2 }")
        >>> at = problem.grad(3.0)     # phi(x) = (2 x - 1)^2 + x^2
        >>> round(at.value, 4), round(float(at.x), 4)
        (34.0, 26.0)

        Args:
            x: The point: an array for a program with one upper variable, else a dict of arrays. Variables that it lacks
                have the start of the program. Values of lower variables are where the solve of the lower level begins.
            **options: Of these, `seed` and `threads` count.

        Raises:
            BloError: As `solve`; also where no solution of the lower level is found at this x.
        """
        if x is None or isinstance(x, Mapping):
            start = x
        else:
            names = self._inner.upper_names()
            if len(names) != 1:
                raise wrong_argument(
                    f"x is one array, and the program has {len(names)} upper variables: {', '.join(names)}",
                    "give a dict of arrays",
                )
            start = {names[0]: x}
        return Gradient(self._inner.gradient(_request(None, None, options, start)))

    def compare(
        self,
        methods: Sequence[str],
        *,
        start_from: Mapping[str, npt.ArrayLike] | None = None,
        **options: Any,
    ) -> Comparison:
        """Runs methods one after the other, from the same start and with the same options; of those each takes what it
        has. A method that cannot take the problem has an error in its place.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
        >>> comparison = problem.compare(["meha", "rhg(K = 30)"], tol=1e-8)
        >>> [round(float(run.solution.x), 3) for run in comparison]
        [0.5, 0.5]

        Raises:
            BloError: A mistake in the program, which no method could take.
        """
        if isinstance(methods, str):
            methods = [methods]
        return Comparison(*self._inner.compare(list(methods), _request(None, None, options, start_from)))

    def plan(self, method: str = "auto", preset: str | None = None, **options: Any) -> Plan:
        """The compiled iteration: what `blo plan` prints. Data are read; nothing is run.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
        >>> problem.plan("rhg").flops > 0
        True
        """
        return Plan(*self._inner.plan(_request(method, preset, options)))

    def explain(self) -> Explanation:
        """What the program says, in words: what `blo explain` prints.

        >>> import blo
        >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
        >>> "upper level" in problem.explain()
        True
        """
        return Explanation(self._inner.explain())

    def __repr__(self) -> str:
        given = [f"{name}{list(values.shape)}" for name, values in self._data.items()]
        given += [f"{name} = {value:g}" for name, value in self._params.items()]
        return f"<blo.Problem {self.name}{': ' if given else ''}{', '.join(given)}>"

    def __getstate__(self) -> dict[str, Any]:
        names = ("_source", "_data", "_params", "_folders", "_limits")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(  # type: ignore[misc]
            state["_source"][0],
            state["_data"],
            state["_params"],
            folders=state["_folders"],
            limits=state["_limits"],
        )


class Plan:
    """The instructions of a method's iteration, with what each costs. Printed, it is what `blo plan` prints.

    >>> import blo
    >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
    >>> problem.plan("rhg").to_dict()["schema"]
    1
    """

    def __init__(self, text: str, json: str, flops: int, memory: int) -> None:
        self._text, self._json = text, json
        self.flops = flops
        """Floating-point operations of one iteration."""
        self.memory = memory
        """Bytes of the buffers, beside the data."""

    def to_dict(self) -> dict[str, Any]:
        """What `blo plan --format json` prints."""
        found: dict[str, Any] = json.loads(self._json)
        return found

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self._text)}</pre>"


class Explanation(str):
    """A text that a notebook shows with its line breaks.

    >>> Explanation("two\\nlines")
    two
    lines
    """

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self)}</pre>"


def _declaration(name: str, declared: Mapping[str, str]) -> str:
    if name in declared:
        return f"the program declares `{name}` with the shape {declared[name]}; give an array of float64 or float32"
    return f"the program has no `{name}`; it has {', '.join(declared) or 'no data items'}"


def _request(
    method: str | None,
    preset: str | None,
    options: Mapping[str, Any],
    start: Mapping[str, npt.ArrayLike] | None = None,
) -> dict[str, Any]:
    """What a run is asked for, as the extension module takes it."""
    for argument, word in (("method", method), ("preset", preset)):
        if word is not None and not isinstance(word, str):
            raise wrong_argument(f"{argument} is {word!r}, and not a name", "give a str; `blo.methods()` lists methods")
    values = {name: option(name, value) for name, value in options.items() if value is not None}
    threads_after_fork(values)
    variables: list[tuple[str, Array]] = [
        (name, array(f'start_from["{name}"]', value, "give a number or an array of the variable's shape"))
        for name, value in (start or {}).items()
    ]
    return {
        "method": method,
        "preset": preset,
        "options": list(values.items()),
        "start": variables,
        "row_every": 0,
        "row_variables": False,
        "sensitivity": False,
    }
