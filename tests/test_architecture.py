"""The house: public names, direction of imports, and what an import may load."""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import geo
import layers

ROOT = Path(__file__).parents[1]
PACKAGES = {"geo": geo, "layers": layers}


def modules():
    """Map each module's dotted name to its file."""
    files = [f for p in PACKAGES for f in (ROOT / p).rglob("*.py") if "build" not in f.parts]
    names = {}
    for file in files:
        parts = file.relative_to(ROOT).with_suffix("").parts
        names[".".join(p for p in parts if p != "__init__")] = file
    return names


def imported(file):
    """Names of our own modules that a file imports at run time, within functions too."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    known = modules()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            children = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (children & known.keys()) or {node.module}
    return {name for name in found if name in known}


GRAPH = {name: imported(file) for name, file in modules().items()}


def place_in_all(name):
    """Constants in capitals, then classes, then functions, each from A to Z."""
    return (not name.isupper(), not name[:1].isupper(), name)


@pytest.mark.parametrize("package", PACKAGES.values(), ids=PACKAGES)
def test_all_is_sorted_and_complete(package):
    exposed = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and not isinstance(value, type(sys))
    }
    assert set(package.__all__) == exposed
    assert list(package.__all__) == sorted(package.__all__, key=place_in_all)
    assert len(package.__all__) == len(set(package.__all__))


def test_geo_never_imports_layers():
    assert not {
        (name, target)
        for name, targets in GRAPH.items()
        for target in targets
        if name.split(".")[0] == "geo" and target.split(".")[0] == "layers"
    }


def test_layers_use_only_the_public_names_of_geo():
    allowed = {"geo", "geo.errors", "geo._files"}
    assert not {
        (name, target)
        for name, targets in GRAPH.items()
        for target in targets - allowed
        if name.startswith("layers") and target.startswith("geo")
    }


def test_imports_have_no_cycle():
    # A package's __init__ only gathers names; its own modules never import through it.
    graph = {n: t for n, t in GRAPH.items() if n not in PACKAGES}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"import cycle: {error.args[1]}")
    assert not [n for n in graph if n.startswith("geo.") and "geo" in graph[n]]
    assert not [n for n in graph if n.startswith("layers.") and "layers" in graph[n]]


def test_errors_import_nothing_and_geodesy_knows_no_sites():
    assert GRAPH["geo.errors"] == set()
    searching = ("threads", "trees", "kernels", "feet", "linkage", "spanning", "index", "search")
    below = {"geo.errors", "geo.geodesy", *(f"geo._{name}" for name in (*searching, "pieces"))}
    for name in ("geo.projection", "geo._edges", *sorted(below - {"geo.errors"})):
        assert GRAPH[name] <= below
        text = modules()[name].read_text(encoding="utf-8")
        assert "uncertainty_m" not in text
        assert "site_id" not in text


def test_import_geo_stays_light():
    code = "import sys, geo; print(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout.split()
    heavy = {"folium", "layers", "matplotlib", "numba", "scipy", "sklearn", "tzfpy"}
    assert not heavy & set(loaded)


def test_readme_commands_are_what_ci_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    commands = re.findall(r"^(?:\d\. )?`?(python -m pip install .*?)`?$", readme, re.MULTILINE)
    assert commands == [
        "python -m pip install . && compound-atlas demo",
        "python -m pip install '.[test]' && python -m pytest -n auto --dist worksteal",
    ]
    assert all(command in ci for command in commands)


def test_nothing_names_a_machine_or_a_registry():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], check=False, capture_output=True, text=True, cwd=ROOT
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    words = re.compile(r"/(?:work|root|home|tmp)/\w|pypi\.org/simple|/opt/")
    for name in filter(None, listed.stdout.split("\0")):
        file = ROOT / name
        if file.suffix in {".py", ".md", ".toml", ".js", ".css", ".ipynb", ".txt", ".cff", ""}:
            found = words.search(file.read_text(encoding="utf-8"))
            assert not found or name == "tests/test_architecture.py", f"{name}: {found}"
