"""Arrays and numbers of the caller, in the form in which the engine reads them."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ._found import wrong_argument

Array = npt.NDArray[Any]


def array(argument: str, value: npt.ArrayLike, declared: str) -> Array:
    """A row-major, aligned array of float64 or float32. An array that is one already is returned itself, without a copy;
    anything else is copied once. `declared` completes the sentence about a value that is no array of numbers."""
    if isinstance(value, np.ma.MaskedArray):
        raise wrong_argument(f"{argument} is a masked array, and every number counts", declared)
    try:
        found = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise wrong_argument(f"{argument} is not an array of numbers: {error}", declared) from None
    if found.dtype.kind not in "fiub":
        raise wrong_argument(f"{argument} has the dtype {found.dtype}, which is not one of real numbers", declared)
    dtype = found.dtype if found.dtype in (np.float64, np.float32) else np.dtype(np.float64)
    # `newbyteorder` makes the order of bytes that of the machine
    return np.require(found, dtype.newbyteorder("="), ["C_CONTIGUOUS", "ALIGNED"])


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays by the names that programs use: those of a dataset, which may come as a dict of its own, as `d.u`."""
    named: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            named.update({f"{name}.{column}": values for column, values in value.items()})
        else:
            named[name] = value
    return named


def number(argument: str, value: Any) -> float:
    """A param as a number."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, (str, bytes)):
        try:
            return float(value)
        except (TypeError, ValueError):
            pass
    raise wrong_argument(f"{argument} is {value!r}, and not a number", "give an int or a float; arrays go into `data`")


def whole(argument: str, value: Any) -> int:
    """A whole number of 0 or more."""
    try:
        found = operator.index(value)
    except TypeError:
        found = -1
    if not 0 <= found < 2**63:
        raise wrong_argument(f"{argument} is {value!r}, and not a whole number", "give an int of 0 or more")
    return found


def option(name: str, value: Any) -> str:
    """The value of an option as a program would write it."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    try:
        return str(operator.index(value))
    except TypeError:
        pass
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise wrong_argument(
            f"the option `{name}` is {value!r}, which no option can be",
            "give a number, or a text as a program would write it",
        ) from None
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    return repr(number)
