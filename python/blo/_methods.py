"""The methods, and the layout of programs."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import _blo


@dataclass(frozen=True)
class MethodOption:
    """An option of a method, for `Problem.solve`.

    >>> import blo
    >>> bome = next(m for m in blo.methods() if m.name == "bome")
    >>> [o.takes for o in bome.options if o.name == "T"]
    ['a whole number of at least 1']
    """

    name: str
    doc: str
    """What it is."""
    takes: str
    """What it takes, in words."""
    default: str | None
    """The default as a program would write it; `None` where the method chooses it for the problem."""


@dataclass(frozen=True)
class Method:
    """A method of the table.

    >>> import blo
    >>> print(next(m for m in blo.methods() if m.name == "auto").name)
    auto
    """

    name: str
    doc: str
    """What it does, in a sentence."""
    citation: str
    """Authors, venue, year, equation."""
    options: tuple[MethodOption, ...] = field(repr=False)
    """Its options, its own first."""


def methods() -> list[Method]:
    """All methods, as `blo methods` lists them.

    >>> import blo
    >>> "meha" in [m.name for m in blo.methods()]
    True
    """
    return [
        Method(m["name"], m["doc"], m["citation"], tuple(MethodOption(*o) for o in m["options"]))
        for m in _blo.methods()
    ]


def format(text: str) -> str:
    """A program in the canonical layout, as `blo fmt` writes it. Comments stay.

    >>> import blo
    >>> blo.format("let h=n/2")
    'let h = n/2\\n'

    Raises:
        BloError: The syntax is wrong.
    """
    return _blo.format(text)
