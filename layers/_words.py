"""Words of the page in English, marked so that its script can exchange them for Khmer ones."""

from __future__ import annotations

import json
import re
from functools import cache, reduce
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

from markupsafe import Markup

from layers.text import html, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Phrase", "joined", "known", "said_by", "sentence", "term", "word"]

_BRACES = re.compile(r"\{(\w+)\}")


@cache
def _strings() -> dict[str, dict[str, str]]:
    """Read the words of all languages."""
    text = (files("layers") / "assets" / "strings.json").read_text(encoding="utf-8")
    strings: dict[str, dict[str, str]] = json.loads(text)
    return strings


@cache
def _terms() -> dict[str, str]:
    """Return the key of each word of the schema and each name that our layers have."""
    return {s["en"]: key for key, s in _strings().items() if key.startswith("term-")}


def sentence(key: str, **values: int | str) -> str:
    """
    Write a sentence of the page in English.

    Parameters
    ----------
    key : str
        Its key in ``assets/strings.json``.
    **values : int or str
        What stands in its braces; ``n`` chooses between singular and plural.

    Returns
    -------
    str
        The sentence.

    Examples
    --------
    >>> from layers._words import sentence
    >>> sentence("reports", n=1), sentence("reports", n=1200)
    ('1 report', '1,200 reports')
    """
    forms = _strings()[key]["en"].split("|")
    written = {k: f"{v:,}" if isinstance(v, int) else str(v) for k, v in values.items()}
    # all at once: a value may have braces of its own
    return _BRACES.sub(
        lambda brace: written.get(brace[1], brace[0]), forms[0 if values.get("n") == 1 else -1]
    )


class Phrase(str):
    """
    An English sentence of the page that remembers how to be said in other languages.

    Everywhere but on the page it is the text that it is.

    Parameters
    ----------
    key : str
        Its key in ``assets/strings.json``.
    **values : int or str
        What stands in its braces; another phrase changes its language with this one, any other
        text stays as it is.

    Attributes
    ----------
    key, values
        As given.

    Examples
    --------
    >>> from layers._words import Phrase
    >>> Phrase("within", distance=Phrase("km", n="5"))
    'within 5 km'
    """

    __slots__ = ("key", "values")

    def __new__(cls, key: str, **values: int | str) -> Self:
        """Write the English sentence; other texts lose what cannot be shown."""
        clean = {
            name: value if isinstance(value, Phrase | int) else plain(value)
            for name, value in values.items()
        }
        phrase = super().__new__(cls, sentence(key, **clean))
        phrase.key = key
        phrase.values = clean
        return phrase

    key: str
    values: dict[str, int | str]

    def data(self) -> list[Any]:
        """
        Return what the page's script says it from.

        Returns
        -------
        list
            The key, and the values by name.
        """
        return [self.key, _data(self.values)]


def _data(values: dict[str, int | str]) -> dict[str, Any]:
    """Write the values of a sentence for the page."""
    return {k: v.data() if isinstance(v, Phrase) else v for k, v in values.items()}


def joined(phrases: Iterable[str], by: str = "both") -> str:
    """
    Put sentences in a row.

    Parameters
    ----------
    phrases : iterable of str
        The sentences; empty ones are left out.
    by : str, default "both"
        Key of a sentence with ``a`` and ``b``, of which each pair is made.

    Returns
    -------
    str
        One sentence; nothing, of none.

    Examples
    --------
    >>> from layers._words import joined
    >>> joined(["one", "", "two", "three"])
    'one, two, three'
    """
    found = [phrase for phrase in phrases if phrase]
    return reduce(lambda a, b: Phrase(by, a=a, b=b), found) if found else ""


def known(text: object) -> str:
    """
    Return a text as a phrase if it is a word of ours, as plain text otherwise.

    Parameters
    ----------
    text : object
        A label of a legend, or the name of a layer.

    Returns
    -------
    str
        The same words.

    Examples
    --------
    >>> from layers._words import known
    >>> known("confirmed"), known("mine")
    ('confirmed', 'mine')
    """
    if isinstance(text, Phrase):
        return text
    key = _terms().get(str(text))
    return Phrase(key) if key else plain(text)


def said_by(labels: Iterable[str]) -> dict[str, list[Any]]:
    """
    Tell the page how the labels of a layer are said in other languages.

    Parameters
    ----------
    labels : iterable of str
        Labels, of which some are phrases.

    Returns
    -------
    dict
        What a phrase is said from, by its English words, each once.

    Examples
    --------
    >>> from layers._words import Phrase, said_by
    >>> said_by(["mine", Phrase("km", n="5"), Phrase("km", n="5")])
    {'5 km': ['km', {'n': '5'}]}
    """
    return {str(label): label.data() for label in labels if isinstance(label, Phrase)}


def word(key: str, **values: int | str) -> Markup:
    """
    Write a sentence of the page as an element whose language can be changed.

    Parameters
    ----------
    key : str
        Its key in ``assets/strings.json``.
    **values : int or str
        What stands in its braces.

    Returns
    -------
    markupsafe.Markup
        A ``span`` with the English sentence.

    Examples
    --------
    >>> from layers._words import word
    >>> word("legend")
    Markup('<span data-word="legend">Legend</span>')
    """
    marked = Markup(' data-values="{}"').format(json.dumps(_data(values))) if values else Markup("")
    span = Markup('<span data-word="{}"{}>{}</span>')
    return span.format(key, marked, sentence(key, **values))


def term(text: object) -> Markup:
    """
    Write a label: a word of ours can change its language, any other text stays as it is.

    Parameters
    ----------
    text : object
        Label of a legend or name of a layer.

    Returns
    -------
    markupsafe.Markup
        Safe HTML.

    Examples
    --------
    >>> from layers._words import term
    >>> term("confirmed"), term("mine")
    (Markup('<span data-word="term-confirmed">confirmed</span>'), Markup('mine'))
    """
    said = known(text)
    return word(said.key, **said.values) if isinstance(said, Phrase) else html(text)
