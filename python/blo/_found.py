"""What a check finds, and the exception for what cannot be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from textwrap import fill
from typing import Any


@dataclass(frozen=True)
class Diagnostic:
    """One finding about a program, its data or a run.

    >>> import blo
    >>> try:
    ...     blo.load("upper { var x  minimise x^2 }")
    ... except blo.BloError as error:
    ...     first = error.diagnostics[0]
    >>> first.severity, first.line, first.column
    ('error', 1, 16)
    """

    code: str
    """The stable code: `B....` for errors, `W....` for warnings, `N....` for notes. `blo explain CODE` has a page on it."""
    severity: str
    """`error`, `warning` or `note`."""
    line: int
    """The line of the place, from 1; 0 for what has no place in the text, such as an option or an array."""
    column: int
    """Its column in characters, from 1; 0 as for `line`."""
    message: str
    """What is wrong, in a sentence."""
    label: str = ""
    """What the place is, in a few words; may be empty."""
    help: tuple[str, ...] = ()
    """What to do."""

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}: " if self.line else ""
        return f"{place}{self.severity}[{self.code}]: {self.message}"


class BloError(Exception):
    """Why a call has no result: the program, its data, an argument or an option is wrong.

    `str(error)` is the text that the command `blo` prints.

    >>> import blo
    >>> problem = blo.load("upper { var x  minimize x^2 + z }  lower { var y  minimize (y - x)^2 }")
    >>> try:
    ...     problem.solve()
    ... except blo.BloError as error:
    ...     print(error.diagnostics[0])
    1:31: error[B0201]: unknown name `z`
    """

    diagnostics: list[Diagnostic]
    """The findings, in the order of the text."""

    def __init__(self, text: str, diagnostics: Iterable[Diagnostic] = ()) -> None:
        super().__init__(text)
        self.diagnostics = list(diagnostics)

    def __reduce__(self) -> tuple[Any, ...]:
        return (BloError, (self.args[0], self.diagnostics))


class Report(list[Diagnostic]):
    """The list of what a check has found. Printed, it is the text of `blo check`.

    >>> import blo
    >>> report = blo.load("upper { var x  minimize x^2 }  lower { var y  minimize (y - x)^2 }").check()
    >>> report.is_sound
    True
    """

    def __init__(self, found: Iterable[Diagnostic] = (), text: str = "") -> None:
        super().__init__(found)
        self.text = text

    @property
    def is_sound(self) -> bool:
        """True without errors."""
        return not any(d.severity == "error" for d in self)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text or "no findings"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Report, (list(self), self.text))


def diagnostics(found: Iterable[dict[str, Any]]) -> list[Diagnostic]:
    """Findings of the extension module as objects."""
    return [Diagnostic(**{**f, "help": tuple(f["help"])}) for f in found]


def refusal(text: str, found: Iterable[dict[str, Any]]) -> BloError:
    """The exception for an error of the extension module, which calls this."""
    return BloError(text, diagnostics(found))


def wrong_argument(message: str, help: str) -> BloError:
    """The exception for an argument that no program could take, in the form of the command's messages."""
    diagnostic = Diagnostic("B0508", "error", 0, 0, message, "", (help,))
    page = [("error: ", "  ", message), ("  = help: ", "          ", help)]
    lines = (fill(text, 80, initial_indent=first, subsequent_indent=rest) for first, rest, text in page)
    return BloError("\n".join(lines), [diagnostic])
