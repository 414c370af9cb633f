"""What README shows works as it is printed."""

import re
import shutil
from pathlib import Path

import geo

ROOT = Path(__file__).parents[1]


def test_the_ten_lines_of_python_run(tmp_path, monkeypatch, recwarn):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    shutil.copy(ROOT / "geo/data/reported_sites.csv", tmp_path / "reports.csv")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102  # our own README
    assert len(names["near"]) == len(names["sites"]) == 97
    assert names["clusters"].n_clusters > 0
    assert "Reported sites" in (tmp_path / "map.html").read_text(encoding="utf-8")
    # The one warning is the one that README promises.
    assert {type(w.message) for w in recwarn} == {geo.ResolutionWarning}


def test_what_readme_points_to_is_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", readme)
    assert targets
    assert not [t for t in targets if "://" not in t and not (ROOT / t).exists()]
