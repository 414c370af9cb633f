"""Words of the page in English, marked so that its script can exchange them for Khmer ones."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from layers.text import html

__all__ = ["sentence", "term", "word"]


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
    text = forms[0 if values.get("n") == 1 else -1]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", f"{value:,}" if isinstance(value, int) else value)
    return text


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
    marked = Markup(' data-values="{}"').format(json.dumps(values)) if values else Markup("")
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
    key = _terms().get(str(text))
    return word(key) if key else html(text)
