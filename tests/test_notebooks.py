"""Every notebook runs from top to bottom and is committed without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])
def test_notebook_is_clean_and_runs(path, monkeypatch):
    # The kernel is a process of its own; it must find the same packages as this one.
    monkeypatch.setenv("PYTHONPATH", str(path.parents[1]))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    beside = {"metadata": {"path": str(path.parent)}}  # where Jupyter would run it
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=beside).execute()
    assert all(output.get("name") != "stderr" for cell in code for output in cell.outputs), (
        "a cell wrote to stderr"
    )
