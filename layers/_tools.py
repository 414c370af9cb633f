"""What readers work with on a page: the search, the line of what is shown, link and files."""

from __future__ import annotations

from markupsafe import Markup

from layers._words import sentence, word

__all__ = ["TOOL_ASSETS", "search_box", "state_line", "tool_bar"]

TOOL_ASSETS = (
    "tools.css",
    "filters.js",
    "choosing.js",
    "search.js",
    "downloads.js",
    "permalink.js",
)


def search_box() -> Markup:
    """
    Write the field in which names are searched, and the list of what is found.

    Returns
    -------
    markupsafe.Markup
        A field of the role ``combobox``.
    """
    return Markup(
        '<div class="ca-search"><label for="ca-find">{}</label>'
        '<input type="search" id="ca-find" role="combobox" aria-autocomplete="list" '
        'aria-expanded="false" aria-controls="ca-found" autocomplete="off" spellcheck="false">'
        '<div class="ca-results"><ul id="ca-found" role="listbox" data-label="found" '
        'aria-label="{}" hidden></ul><p class="ca-found-note" role="status"></p></div></div>'
    ).format(word("find"), sentence("found"))


def state_line(reports: int) -> Markup:
    """
    Write the line that says how many reports are shown, read aloud when that changes.

    Parameters
    ----------
    reports : int
        All reports of the page.

    Returns
    -------
    markupsafe.Markup
        A paragraph with a button that shows all again.
    """
    return Markup(
        '<p class="ca-state"><span role="status">{}</span>'
        '<button type="button" class="ca-link" hidden>{}</button></p>'
    ).format(sentence("state-all", n=reports), word("show-all"))


def tool_bar() -> Markup:
    """
    Write the buttons that copy the link to a view and save the reports shown.

    Returns
    -------
    markupsafe.Markup
        The buttons; those that save open beneath theirs.
    """
    kinds = Markup("").join(
        Markup('<button type="button" data-download="{}">{}</button>').format(
            kind, word(f"download-{kind}")
        )
        for kind in ("csv", "geojson")
    )
    return Markup(
        '<div class="ca-tools"><button type="button" class="ca-copy" hidden>{copy}</button>'
        '<input id="ca-link" type="text" readonly hidden data-label="link-select" '
        'aria-label="{link}"><button type="button" class="ca-save" aria-expanded="false" '
        'aria-controls="ca-files">{save}</button><div id="ca-files" role="group" '
        'data-label="download" aria-label="{label}" hidden><p></p>{kinds}</div></div>'
    ).format(
        copy=word("copy-link"),
        link=sentence("link-select"),
        save=word("download"),
        label=sentence("download"),
        kinds=kinds,
    )
