"""Arguments that are lists: a lone text would be taken apart into its letters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

__all__ = ["several"]

T = TypeVar("T")


def several(values: Iterable[T], kind: type[T], argument: str) -> tuple[T, ...]:
    """Return the members of a list, or say that it is no list of that kind."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        message = (
            f"`{argument}` is {_words(values)}, where a list is needed: "
            f"put it into brackets, {argument}=[...]"
        )
        raise TypeError(message)
    members = tuple(values)
    wrong = [member for member in members if not isinstance(member, kind)]
    if wrong:
        message = (
            f"`{argument}` holds {_words(wrong[0])}, where every member must be of type "
            f"{kind.__name__}"
        )
        raise TypeError(message)
    return members


def _words(value: object) -> str:
    """Name a value: a text by its beginning, anything else by its type."""
    return f"the text {value[:40]!r}" if isinstance(value, str) else f"a {type(value).__name__}"
