"""What a function refers to besides its arguments."""

from __future__ import annotations

from dis import get_instructions
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["reached"]

_LOADS = {"LOAD_GLOBAL", "LOAD_NAME"}
_SEVERAL = (list, tuple, set, frozenset)


def reached(function: Callable[..., object]) -> Iterator[object]:
    """
    Find what a function refers to besides its arguments: the sites that it was to do without.

    Followed are what it encloses, names of its module, defaults, bound arguments and objects,
    lists and dictionaries, and functions of its own module in turn.

    Parameters
    ----------
    function : callable
        Any.

    Yields
    ------
    object
        Each value once.

    Examples
    --------
    >>> from layers._reached import reached
    >>> sites = {"A1": "a mill"}
    >>> [value for value in reached(lambda view: (view, sites)) if isinstance(value, str)]
    ['a mill']
    """
    waiting: list[object] = [function, *_held(function)]
    home = getattr(getattr(function, "func", function), "__globals__", None)
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, partial):
            waiting += [value.func, *value.args, *value.keywords.values()]
        elif isinstance(value, MethodType):
            waiting += [value.__func__, *_held(value.__self__)]
        elif isinstance(value, FunctionType):
            home = value.__globals__ if home is None else home
            waiting += _referred(value) if value.__globals__ is home else _enclosed(value)
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, _SEVERAL):
            waiting += value
        else:
            yield value


def _held(thing: object) -> list[object]:
    """Values that an object holds, and the code that runs when it is called."""
    held = [thing, *getattr(thing, "__dict__", {}).values()]
    call = getattr(type(thing), "__call__", None)  # noqa: B004 - the function, not whether
    return [*held, call] if isinstance(call, FunctionType) else held


def _enclosed(function: FunctionType) -> list[object]:
    """Values that a function was made with."""
    values: list[object] = [
        *(function.__defaults__ or ()),
        *(function.__kwdefaults__ or {}).values(),
    ]
    for cell in function.__closure__ or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:  # a name that was not given a value yet
            continue
    return values


def _referred(function: FunctionType) -> list[object]:
    """Values that a function was made with, and those of the module's names in its code."""
    codes, names = [function.__code__], dict[str, None]()
    while codes:
        code = codes.pop()
        # an attribute may be called as something of the module is
        loads = (i.argval for i in get_instructions(code) if i.opname in _LOADS)
        names |= dict.fromkeys(loads)
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    known = [function.__globals__[name] for name in names if name in function.__globals__]
    return [*_enclosed(function), *known]
