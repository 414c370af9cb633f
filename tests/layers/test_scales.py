"""Scales: classes hold what their labels say, and colours stay apart for every reader."""

import re
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import layers
from layers import STATUS_SCALE
from layers.scales import TOO_FEW, greens

SIX = sorted(f"category {i}" for i in range(7))
# Linear RGB of what dichromats see: Machado, Oliveira and Fernandes (2009), "A
# Physiologically-based Model for Simulation of Color Vision Deficiency", table of severity 1.0.
VISIONS = {
    "common": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# sRGB to CIE XYZ under D65 (IEC 61966-2-1), and the white it gives.
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    """Linear RGB of #rrggbb."""
    value = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(colour, vision="common"):
    """CIE L*a*b* of a colour as a kind of vision sees it."""
    seen = np.clip(VISIONS[vision] @ linear(colour), 0, 1)
    ratio = TO_XYZ @ seen / TO_XYZ.sum(axis=1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one, other):
    """Contrast ratio of two colours (WCAG 2.2)."""
    light, dark = sorted((TO_XYZ[1] @ linear(c) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_colour_arithmetic_gives_published_values():
    assert lab("#ff0000") == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("vision", VISIONS)
def test_categories_stay_apart_under_every_kind_of_vision(vision):
    colours = layers.categorical_scale(SIX).colours
    assert len(set(colours)) == 7
    # CIE76: 2.3 is just noticeable (Mahy et al. 1994); 10 is seen at a glance.
    near = {
        p: np.linalg.norm(lab(p[0], vision) - lab(p[1], vision)) for p in combinations(colours, 2)
    }
    assert min(near.values()) >= 10, min(near.items(), key=lambda item: item[1])


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("classes", [2, 3, 4, 5])
def test_sequential_colours_darken_in_steps_that_can_be_seen(vision, classes):
    scale = layers.sequential_scale(range(1, 9), breaks=[*range(1, classes), 8])
    lightness = [lab(c, vision)[0] for c in scale.colours]
    assert len(lightness) == classes
    assert all(before - after >= 8 for before, after in pairwise(lightness))


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("classes", [1, 2, 3, 4, 5])
def test_the_hue_of_surfaces_darkens_in_steps_that_can_be_seen(vision, classes):
    lightness = [lab(c, vision)[0] for c in greens(classes)]
    assert len(lightness) == classes
    assert all(before - after >= 8 for before, after in pairwise(lightness))
    # a symbol of a confirmed report stays apart from every class beneath it
    symbol = lab(STATUS_SCALE.colours[0], vision)
    assert min(np.linalg.norm(lab(c, vision) - symbol) for c in greens(classes)) >= 15


@pytest.mark.parametrize("vision", VISIONS)
def test_both_sides_of_a_diverging_scale_differ_in_hue_and_in_grey_print(vision):
    colours = layers.diverging_scale().colours
    lightness = [lab(c, vision)[0] for c in colours]
    assert min(abs(a - b) for a, b in combinations(lightness, 2)) >= 8
    assert lightness[0] < lightness[1] < lightness[2] > lightness[3] > lightness[4]
    assert min(np.linalg.norm(lab(a, vision) - lab(b, vision)) for a, b in pairwise(colours)) >= 10


def test_too_few_to_say_is_lighter_than_every_class_and_no_missing_value():
    classes = [*layers.sequential_scale(range(9)).colours, *greens(5), STATUS_SCALE.missing]
    assert min(lab(TOO_FEW)[0] - lab(c)[0] for c in classes) >= 5


def test_missing_values_look_like_no_class():
    used = {*layers.categorical_scale(SIX).colours, *layers.sequential_scale(range(9)).colours}
    assert STATUS_SCALE.missing not in used


def test_confirmed_and_suspected_differ_in_grey_print_and_against_the_rim():
    confirmed, suspected, rejected, unknown = STATUS_SCALE.colours
    assert len(set(STATUS_SCALE.colours)) == 4
    assert contrast(confirmed, suspected) >= 4.5
    assert contrast(suspected, "#7c1b13") >= 4.5  # the rim round a hollow symbol
    assert contrast(suspected, rejected) >= 3
    assert contrast(rejected, unknown) >= 1.5
    for vision in VISIONS:
        assert np.linalg.norm(lab(confirmed, vision) - lab(rejected, vision)) >= 10


NUMBERS = st.integers(-1000, 1000) | st.integers(-9000, 9000).map(lambda n: n / 8)
ENDS = re.compile(r"^(-?[\d.,]+(?:e[+-]\d+)?)(?: to (-?[\d.,]+(?:e[+-]\d+)?))?$")


def ends(label):
    """The numbers that a label names."""
    low, high = ENDS.match(label).groups()
    return float(low.replace(",", "")), float((high or low).replace(",", ""))


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=30))
@example([0])
@example([-5, -5])
@example([0, 0, 0, 1])
@example([-3, 0, 7])
def test_every_whole_number_falls_in_the_one_class_whose_label_holds_it(numbers):
    scale = layers.sequential_scale(numbers)
    spans = [ends(label) for label in scale.labels]
    for number in numbers:
        holding = [i for i, (low, high) in enumerate(spans) if low <= number <= high]
        assert holding == [scale.index(number)]
        assert scale(number) == scale.colours[holding[0]]
    assert spans[0][0] == min(numbers)
    assert spans[-1][1] == max(numbers)


@given(st.lists(st.integers(-9999, 9999).map(lambda n: n / 10), min_size=1, max_size=30))
@example([0.0, 0.5])
def test_every_decimal_falls_in_a_class_whose_label_holds_it(numbers):
    scale = layers.sequential_scale(numbers)
    low, high = zip(*map(ends, scale.labels), strict=True)
    for number in numbers:
        index = scale.index(number)
        slack = 1e-5 * max(1, abs(number))  # labels are written with six figures
        assert low[index] - slack <= number <= high[index] + slack
    assert list(high) == sorted(high)
    assert len(set(scale.colours)) == len(scale.keys) <= 5


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.randoms())
def test_the_order_of_rows_changes_no_class(numbers, random):
    shuffled = random.sample(numbers, len(numbers))
    assert layers.sequential_scale(numbers) == layers.sequential_scale(shuffled)


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.lists(NUMBERS, min_size=1, max_size=5))
def test_given_breaks_are_the_upper_ends(numbers, breaks):
    bounds = sorted({float(b) for b in breaks})
    assume(bounds[-1] >= max(numbers))
    scale = layers.sequential_scale(numbers, breaks=bounds)
    assert scale.keys == tuple(bounds)
    for number in numbers:
        assert scale.index(number) == next(i for i, b in enumerate(bounds) if number <= b)


def test_a_class_below_the_smallest_value_still_reads_upwards():
    labels = layers.sequential_scale([10, 20], breaks=[5, 20]).labels
    assert labels == ("up to 5", "10 to 20")


def test_labels_of_large_numbers_keep_every_figure():
    numbers = [1234567, 1234568, 2234568, 9999999]
    labels = layers.sequential_scale(numbers).labels
    assert ends(labels[-1])[1] == 9999999
    assert not any("e+" in label for label in labels)


def test_zero_is_a_class_of_its_own():
    scale = layers.sequential_scale([0, 0, 0.5, 2.5])
    assert scale.labels[0] == "0"
    assert scale.index(0) == 0
    assert scale.index(0.5) == 1


def test_what_a_scale_does_not_hold_is_missing():
    scale = layers.sequential_scale(pd.Series([1, None, 4], dtype="Int64"))
    assert scale(None) == scale(pd.NA) == scale(np.nan) == scale(5) == scale.missing
    assert STATUS_SCALE("no such status") == STATUS_SCALE(pd.NA) == STATUS_SCALE.missing
    assert STATUS_SCALE("confirmed") == STATUS_SCALE.colours[0]


def test_truth_values_are_numbers_to_a_scale_of_classes():
    scale = layers.sequential_scale([True, False])
    assert (scale.index(False), scale.index(True)) == (0, 1)  # the values under test


def test_categories_keep_their_order_or_are_sorted_as_text():
    assert layers.categorical_scale(["b", None, "a", "b"]).keys == ("a", "b")
    ordered = pd.Categorical(["low", "high"], categories=["low", "none", "high"], ordered=True)
    assert layers.categorical_scale(ordered).keys == ("low", "high")
    assert layers.categorical_scale([2, "1"]).keys == ("1", 2)
    assert layers.categorical_scale(["b", "a"]) == layers.categorical_scale(["a", "b"])
    words = layers.categorical_scale(["a", "b"], name="Kind", labels={"a": "first"})
    assert (words.name, words.labels) == ("Kind", ("first", "b"))


@pytest.mark.parametrize("values", [[], [None, np.nan]])
def test_no_value_has_no_classes_but_an_empty_set_of_categories(values):
    assert layers.categorical_scale(values).keys == ()
    scale = layers.sequential_scale(values)
    assert (scale.keys, scale(1.0)) == ((), scale.missing)


@pytest.mark.parametrize(
    ("breaks", "words"),
    [
        ([], "one to 5"),
        ([1, 2, 3, 4, 5, 6], "one to 5"),
        ([5, 3, 9], "must rise"),
        ([3, 3, 9], "must rise"),
        ([1, 2], "the last break is 2, but the largest value is 9"),
    ],
)
def test_breaks_that_cannot_serve_are_refused(breaks, words):
    with pytest.raises(ValueError, match=words):
        layers.sequential_scale([1, 9], breaks=breaks)


SCHEMES = {
    "quantiles": "Quantiles",
    "equal_interval": "EqualInterval",
    "fisher_jenks": "FisherJenks",
    "head_tail": "HeadTailBreaks",
}
SAMPLES = [
    np.random.default_rng(7).lognormal(0, 1.5, 40),
    np.random.default_rng(8).normal(0, 2, 25),
    np.random.default_rng(9).integers(1, 400, 30).astype(float),
    np.array([1.0, 1.0, 1.0, 2.0, 2.5, 9.75]),
]


@pytest.mark.parametrize("numbers", SAMPLES, ids=["skewed", "signed", "whole", "tied"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_values_keep_the_classes_that_mapclassify_gives_them(scheme, numbers):
    import mapclassify

    scale = layers.sequential_scale(numbers, scheme=scheme)
    k = min(5, len(set(numbers)))
    options = {} if scheme == "head_tail" else {"k": k}
    theirs = getattr(mapclassify, SCHEMES[scheme])(numbers, **options)
    ours = [scale.index(value) for value in numbers]
    expected = np.minimum(theirs.yb, 4) if scheme == "head_tail" else theirs.yb
    # empty classes have no colour of their own
    assert ours == np.unique(expected, return_inverse=True)[1].tolist()
    spans = [ends(label) for label in scale.labels]
    for value, index in zip(numbers, ours, strict=True):
        assert spans[index][0] - 1e-9 <= value <= spans[index][1] + 1e-9
    assert max(len(label) for label in scale.labels) <= 16


def spread(parts):
    return sum(((part - part.mean()) ** 2).sum() for part in map(np.array, parts))


@pytest.mark.parametrize("seed", range(4))
def test_no_other_five_classes_have_less_variance_than_fisher_jenks(seed):
    numbers = np.sort(np.random.default_rng(seed).exponential(3, 14))
    scale = layers.sequential_scale(numbers, scheme="fisher_jenks")
    kinds = np.array([scale.index(value) for value in numbers])
    found = spread([numbers[kinds == kind] for kind in range(5)])
    best = min(spread(np.split(numbers, cuts)) for cuts in combinations(range(1, 14), 4))
    assert found == pytest.approx(best)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("numbers", [[0], [3.3], [0, 0.5], [0, 0, 7], [1, 1, 1], [-1, 0, 1]])
def test_a_scheme_of_few_values_has_few_classes(scheme, numbers):
    scale = layers.sequential_scale(numbers, scheme=scheme)
    assert len(scale.keys) <= len(set(numbers))
    assert all(scale.index(value) >= 0 for value in numbers)
    if min(numbers) == 0:
        assert scale.labels[0] == "0"


def test_a_scheme_must_be_known_alone_and_finite():
    with pytest.raises(ValueError, match="it must be one of 'quantiles'"):
        layers.sequential_scale([1, 2], scheme="jenks")
    with pytest.raises(ValueError, match="leave one out"):
        layers.sequential_scale([1, 2], scheme="quantiles", breaks=[2])
    for options in ({}, {"scheme": "quantiles"}, {"breaks": [9]}):
        with pytest.raises(ValueError, match="1 values are infinite"):
            layers.sequential_scale([1, np.inf], **options)


@pytest.mark.parametrize("value", [1e-9, 0.5, 0.51, 0.8, 1, 1.25, 1.9, 2, 2.01, 1e9])
def test_a_ratio_falls_in_the_class_whose_label_holds_it(value):
    scale = layers.diverging_scale()
    low, high = [0, 0.5, 0.8, 1.25, 2], [0.5, 0.8, 1.25, 2, np.inf]
    assert low[scale.index(value)] < value <= high[scale.index(value)]
    assert layers.diverging_scale(breaks=[-20, -5, 5, 20]).labels[2] == "-5 to 5"


@pytest.mark.parametrize("breaks", [[1, 2, 3], [1, 2, 3, 3], [4, 3, 2, 1], [1, 2, 3, np.nan]])
def test_a_diverging_scale_needs_four_rising_breaks(breaks):
    with pytest.raises(ValueError, match="four numbers that rise"):
        layers.diverging_scale(breaks=breaks)


def test_the_lowest_value_is_told_in_three_figures_downwards():
    assert layers.sequential_scale([0.0171330879, 2.0]).labels[0].startswith("0.0171 to")
    assert layers.sequential_scale([-0.0171330879, 2.0]).labels[0].startswith("-0.0172 to")


def test_more_categories_than_colours_are_refused():
    assert len(layers.categorical_scale(range(7)).keys) == 7
    with pytest.raises(ValueError, match="8 categories were found"):
        layers.categorical_scale(range(8))


def test_a_scale_must_be_whole():
    with pytest.raises(ValueError, match="1 keys, 2 colours and 1 labels"):
        layers.Scale("x", ("a",), ("#000000", "#ffffff"), ("a",))
