"""Text from strangers stays text in every channel."""

import json
import unicodedata
from html.parser import HTMLParser

import folium
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup

from layers.text import Inert, folium_html, html, plain, safe_url, script_json, srcdoc

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=60)  # lone surrogates too
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # A lone surrogate has no JSON in UTF-8; `plain` removes them before.
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Reader(HTMLParser):
    """What a parser finds: the text, and every tag with its attributes."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.text, self.tags = "", []
        self.feed(page)
        self.close()

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@given(ANY_TEXT)
@example("e\x00\u0301")
@example("\ud800\udc00")
def test_plain_text_is_composed_has_no_controls_and_stays_as_it_is(text):
    once = plain(text)
    assert unicodedata.is_normalized("NFC", once)
    assert not {unicodedata.category(c) for c in once} & {"Cc", "Cs"}
    assert once == once.strip()
    assert plain(once) == once
    once.encode("utf-8")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_plain_loses_nothing_a_reader_could_see(text):
    assert plain(text) == unicodedata.normalize("NFC", text).strip()


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, float("nan")])
def test_a_missing_value_is_no_text(missing):
    assert plain(missing) == html(missing) == folium_html(missing) == safe_url(missing) == ""


@given(ANY_TEXT)
@example("</title><!--")
def test_html_reads_back_as_the_plain_text_inside_an_element_and_an_attribute(text):
    page = Reader(f'<p title="{html(text)}">{html(text)}</p>')
    assert page.text == plain(text)
    assert page.tags == [("p", {"title": plain(text)})]
    assert Reader(f"<p title='{html(text)}'></p>").tags == page.tags


def test_only_markup_of_ours_passes_unescaped():
    assert html(Markup("<b>")) == "<b>"
    assert html("<b>") == "&lt;b&gt;"


@given(ANY_TEXT)
@example("`${alert(1)}\\{x}{{7*7}}{% if %}<>\"'")
def test_folium_html_holds_no_character_that_any_template_or_parser_acts_on(text):
    escaped = folium_html(text)
    assert not set(escaped) & set("`$\\{}<>\"'")
    assert Reader(escaped).text == plain(text)


@given(JSON)
@example({"</script>": ["<!--", "&amp;", "\u2028\u2029"]})
def test_script_json_reads_back_and_cannot_end_its_script(value):
    text = script_json(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")
    assert script_json(value) == text


def test_script_json_writes_numpy_numbers_and_refuses_what_json_cannot_say():
    assert script_json([np.int64(3), np.float64(0.5), np.array([1, 2])]) == "[3,0.5,[1,2]]"
    assert script_json({"b": 1, "a": 2}) == '{"b":1,"a":2}'
    for value in (float("nan"), np.float64("inf"), [np.array([np.nan])]):
        with pytest.raises(ValueError, match="JSON"):
            script_json(value)
    with pytest.raises(TypeError, match="set cannot be written as JSON"):
        script_json({1, 2})


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "\u200bjavascript:alert(1)",
        " javascript://example.org/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "vbscript:x",
        "blob:https://example.org/1",
        "view-source:https://example.org",
        "//example.org/a",
        "\\\\example.org\\a",
        "/a",
        "example.org/a",
        "http:example.org",
        "https:///a",
        "http://",
        "http:\\\\example.org",
        "https://[::1",
        "https://ex\u2100ample.org",
        "",
        None,
    ],
)
def test_what_is_not_a_web_address_is_no_link(address):
    assert safe_url(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a?b=c&d=<e>#f",
        "HTTP://EXAMPLE.ORG",
        "http://user:word@example.org/",  # misleading, yet an ordinary web page
        "https://example.org@example.com/",
        "https://ឧទាហរណ៍.example/ភ្នំពេញ",
    ],
)
def test_web_addresses_stay_as_they_are(address):
    assert safe_url(f"  {address}\r\n") == address


@given(ANY_TEXT | st.builds("{}:{}".format, st.sampled_from(["http", "https"]), ANY_TEXT))
def test_a_link_always_starts_with_http(text):
    address = safe_url(text)
    assert address == "" or address.lower().startswith(("http://", "https://"))


@given(ANY_TEXT)
def test_srcdoc_changes_nothing_in_the_page(page):
    assert Reader(f'<iframe srcdoc="{srcdoc(page)}">').tags == [("iframe", {"srcdoc": page})]


@pytest.mark.parametrize("text", ["{{ 7*7 }}", "{% raw %}", "{% if %}", "{# note #}", "{{"])
def test_inert_text_is_never_compiled(text):
    page = folium.Figure()
    page.html.add_child(Inert(f"<i>{text}</i>"))
    assert f"<i>{text}</i>" in page.render()
