"""The command line: every outcome is a sentence and an exit code, never a traceback."""

import re
import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

import geo
from layers import cli

ROOT = Path(__file__).parents[2]
HEADER = "site_id,name,status,country,admin1,locality,latitude,longitude,uncertainty_m"
GOOD = f"""{HEADER}
a,First,confirmed,KH,Phnom Penh,Phnom Penh,11.55,104.92,5000
b,ភ្នំពេញ,suspected,KH,Phnom Penh,រាជធានីភ្នំពេញ,11.56,104.91,5000
c,,suspected,KH,Kampot,,,,
"""
BAD = f"""{HEADER}
a,First,confirmed,KH,Phnom Penh,Phnom Penh,95,104.92,5000
a,Second,perhaps,KH,Phnom Penh,Phnom Penh,11.55,104.92,5000
c,Third,suspected,KH,Kampot,Kampot,0,0,5000
"""


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process: exit code, standard output, standard error."""

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["compound-atlas", *map(str, words)])
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capsys.readouterr()

    return command


@pytest.fixture
def good(tmp_path):
    file = tmp_path / "good.csv"
    file.write_bytes(GOOD.replace("\n", "\r\n").encode("utf-8-sig"))
    return file


@pytest.fixture
def bad(tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text(BAD, encoding="utf-8")
    return file


def test_version_is_the_distributions(run):
    assert run("--version") == (0, f"{version('compound-atlas')}\n", "")


def test_a_good_file_is_checked_with_exit_0(run, good):
    code, out, err = run("check", good)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["step", "column", "n_rows", "rows", "detail"]
    assert "recognised" in lines[1]
    assert lines[-1] == "good.csv: no problems in 3 rows; 2 have a location, 1 do not."


def test_a_bad_file_is_checked_with_exit_1_and_every_problem_with_its_row(run, bad):
    code, out, _ = run("check", bad)
    assert code == 1
    with pytest.raises(geo.SchemaError) as caught:
        geo.read_sites(bad)
    problems = caught.value.problems
    assert len(problems) >= 4
    lines = out.splitlines()
    for problem in problems.itertuples():
        pattern = rf"^row {problem.row}, {problem.column}\b.*: {re.escape(problem.problem)}"
        assert [line for line in lines if re.search(pattern, line)], problem
    assert "95" in out
    assert "perhaps" in out


def test_a_long_list_of_problems_is_printed_whole(run, tmp_path):
    file = tmp_path / "long.csv"
    rows = [f"s{i},,perhaps,KH,Kampot,,,," for i in range(60)]
    file.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    _, out, _ = run("check", file)
    assert out.count("perhaps") >= 60


def test_hostile_text_in_a_bad_file_cannot_steer_the_terminal(run, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text(f"{HEADER}\na,,\x1b[31mred\x07,KH,Kampot,,,,\n", encoding="utf-8")
    code, out, err = run("check", file)
    assert code == 1
    assert not set(out + err) & {"\x1b", "\x07"}


def test_a_users_file_with_windows_lines_and_khmer_becomes_a_map(run, good, tmp_path):
    target = tmp_path / "map.html"
    code, out, err = run("map", good, "-o", target, "--title", "<b>ផែនទី</b>", "--source", "S")
    assert (code, err) == (0, "")
    assert out == f"2 shown, 1 without a location: {target}\n"
    page = target.read_text(encoding="utf-8")
    assert "ភ្នំពេញ" in page
    assert "&lt;b&gt;ផែនទី&lt;/b&gt;</title>" in page
    assert "2 shown, 1 without a location." in page


def test_a_map_is_named_after_its_file_unless_it_has_a_title(run, good, tmp_path):
    run("map", good, "-o", tmp_path / "map.html")
    assert "<title>good</title>" in (tmp_path / "map.html").read_text(encoding="utf-8")


def test_a_bad_file_makes_no_map(run, bad, tmp_path):
    code, out, err = run("map", bad, "-o", tmp_path / "map.html")
    assert (code, out) == (1, "")
    assert err.startswith("compound-atlas: bad.csv: ")
    assert not (tmp_path / "map.html").exists()


@pytest.mark.parametrize("command", ["map", "check"])
def test_the_file_that_is_read_is_never_written_over(run, good, command):
    before = good.read_bytes()
    option = "-o" if command == "map" else "--repair"
    code, _, err = run(command, good, option, good.parent / "." / good.name)
    assert code == 1
    assert "is the file that is read" in err
    assert good.read_bytes() == before


def test_columns_and_a_level_are_given_as_options(run, tmp_path):
    file = tmp_path / "theirs.csv"
    file.write_text("Breite,Claim,Where,lon\n13.65,confirmed,x,102.56\n", encoding="utf-8")
    code, _, err = run("check", file)
    assert code == 1
    assert "--column 'their name=latitude'" in err
    words = ["--column", "Breite=latitude", "--column", "Claim=status"]
    code, out, _ = run("check", file, *words)
    assert code == 1
    assert "--level for a whole file" in out
    code, out, _ = run("check", file, *words, "--level", "town")
    assert code == 0
    assert re.search(r"^mapped +Claim +1 +as status$", out, re.MULTILINE)
    assert re.search(r"^kept +Where +1 +as it is: not a column of Sites$", out, re.MULTILINE)
    assert run("check", file, "--column", "Breite")[0] == 2


def test_a_repair_is_written_beside_the_file_and_only_when_all_is_well(run, tmp_path):
    file = tmp_path / "swapped.csv"
    file.write_text("lat,lon,uncertainty_m\n104.92,11.55,500\n", encoding="utf-8")
    repaired = tmp_path / "repaired.csv"
    code, out, _ = run("check", file)
    assert code == 1
    assert "use --repair" in out
    code, out, _ = run("check", file, "--repair", repaired)
    assert code == 0
    assert "repaired" in out
    assert geo.read_sites(repaired).geometry.y.tolist() == [11.55]
    file.write_text("lat,lon,uncertainty_m\n104.92,11.55,500\n195,11.55,500\n", encoding="utf-8")
    repaired.unlink()
    assert run("check", file, "--repair", repaired)[0] == 1
    assert not repaired.exists()


def test_every_ragged_row_is_printed(run, tmp_path):
    file = tmp_path / "ragged.csv"
    file.write_text("lat,lon,radius_m\n" + "1,2\n" * 9, encoding="utf-8")
    code, out, _ = run("check", file)
    assert code == 1
    assert len(re.findall(r"^row \d+", out, re.MULTILINE)) == 9


def failing(tmp_path):
    """Commands that cannot work, by what is wrong with them."""
    good = tmp_path / "good.csv"
    good.write_text(GOOD, encoding="utf-8")
    odd = tmp_path / "sites.odd"
    odd.write_text("x")
    empty = tmp_path / "empty.csv"
    empty.touch()
    binary = tmp_path / "binary.csv"
    binary.write_bytes(bytes(range(256)) * 4)
    page = tmp_path / "map.html"
    return {
        "missing file": ("check", tmp_path / "missing.csv"),
        "missing file to map": ("map", tmp_path / "missing.csv", "-o", page),
        "unknown suffix": ("check", odd),
        "empty file": ("check", empty),
        "binary file": ("map", binary, "-o", page),
        "folder as file": ("check", tmp_path),
        "missing folder": ("map", good, "-o", tmp_path / "no" / "map.html"),
        "folder as page": ("map", good, "-o", tmp_path),
        "file as folder": ("demo", "-o", good),
        "file as parent": ("demo", "-o", good / "demo"),
    }


@pytest.mark.parametrize(
    "what",
    [
        "missing file",
        "missing file to map",
        "unknown suffix",
        "empty file",
        "binary file",
        "folder as file",
        "missing folder",
        "folder as page",
        "file as folder",
        "file as parent",
    ],
)
def test_what_cannot_work_ends_with_one_sentence_and_exit_1(run, tmp_path, what):
    code, out, err = run(*failing(tmp_path)[what])
    assert code == 1
    said = (out + err).strip()
    assert said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said
    assert not (tmp_path / "map.html").exists()


def test_wrong_usage_is_exit_2(run):
    assert run("nonsense")[0] == 2
    assert run("map")[0] == 2


def test_the_installed_command_shows_no_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "from layers.cli import main; main()", "check", tmp_path / "no.csv"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("compound-atlas: ")
    assert len(done.stderr.splitlines()) == 1


def test_demo_writes_its_files_and_again_over_them(run, tmp_path):
    folder = tmp_path / "new" / "demo"
    code, out, err = run("demo", "-o", folder)
    assert (code, err) == (0, "")
    first = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert all(str(path) in out for path in first)
    (folder / "map.html").write_text("old")
    assert run("demo", "--output", folder)[0] == 0
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == first


def test_demo_does_not_replace_a_folder_of_somebodys_own(run, tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    code, _, err = run("demo", "-o", tmp_path)
    assert code == 1
    assert "mine.txt" in err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


PROMISES = ["--contact", "c@example.org", "--licence", "CC BY 4.0", "--citation", "Example (2026)"]
SIGNED = [
    word for rule in ("G04", "G05") for word in ("--override", f"{rule}|Named in court.|Editor")
]


@pytest.fixture
def canaries(tmp_path):
    file = tmp_path / "sites.csv"
    rows = [
        f"{HEADER},sensitivity",
        "a,,confirmed,KH,Kampong Thom,,12.8512345,104.5512345,500,restricted",
        "b,,suspected,KH,Kampong Thom,,12.8698765,104.5698765,500,public",
    ]
    file.write_text("\n".join(rows), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", ["page.html", "folder", "rows.csv", "rows.geojson", "rows.gpkg"])
def test_publish_gives_away_nothing_and_scan_says_so(run, canaries, tmp_path, name):
    output = tmp_path / name
    code, out, err = run("publish", canaries, "-o", output, *PROMISES, "--date", "2026-12-01")
    assert (code, err) == (0, "")
    assert "2 rows were published (2 district area)" in out
    code, out, _ = run("scan", output, "--against", canaries)
    assert (code, out.splitlines()[-1]) == (0, f"{name}: nothing of 2 sites was found")


def test_what_was_released_on_purpose_is_no_leak_where_scan_is_given_it(run, canaries, tmp_path):
    folder = tmp_path / "folder"
    options = [*SIGNED, "--date", "2026-12-01"]
    assert run("publish", canaries, "-o", folder, *PROMISES, *options)[0] == 0
    code, out, _ = run("scan", folder, "--against", canaries)
    assert (code, "G10 b: layer geometry" in out, " a: " in out) == (1, True, False)
    released = folder / "data" / "released.geojson"
    code, out, _ = run("scan", folder, "--against", canaries, "--released", released)
    assert (code, out) == (0, "folder: nothing of 2 sites was found\n")
    assert run("scan", canaries, "--against", canaries, "--released", released)[0] == 1


@pytest.mark.parametrize(
    ("option", "rule"),
    [
        ("--names", "G13"), ("--previous", "G18"), ("--candidates", "1 withheld"),
        ("--conflict-areas", "G21"), ("--note", "Said to whoever reads."),
    ],
)  # fmt: skip
def test_publish_takes_every_promise_of_a_policy(run, canaries, tmp_path, option, rule):
    page, given = tmp_path / "page.html", tmp_path / "given.geojson"
    options = [*PROMISES, *SIGNED]
    square = gpd.GeoDataFrame(geometry=[shapely.box(104, 12, 105, 13)], crs=4326)
    match option:
        case "--names":
            given.write_text("Compound Atlas\n\nExample (2026)\n", encoding="utf-8")
        case "--previous":
            geo.public_view(geo.read_sites(canaries)).iloc[:1].to_file(given)
        case "--candidates":
            square.assign(geometry=square.translate(9).representative_point()).to_file(given)
        case _:
            square.to_file(given)
    value = rule if option == "--note" else given
    code, out, err = run("publish", canaries, "-o", page, *options, option, value)
    assert (code, page.exists()) == ((1, False) if rule.startswith("G") else (0, True))
    told = page.read_text(encoding="utf-8") if page.exists() else err
    assert rule in out + told


@pytest.mark.parametrize("text", ["not a file of shapes", "a,b\n1,2\n", "{}"])
def test_files_without_shapes_are_refused_in_a_sentence(run, canaries, tmp_path, text):
    given = tmp_path / "given.csv"
    given.write_text(text, encoding="utf-8")
    words = ["publish", canaries, "-o", tmp_path / "page.html", *PROMISES, "--candidates"]
    for file, said in ((given, "holds no shapes"), (tmp_path / "no.gpkg", "There is no file")):
        code, _, err = run(*words, file)
        assert (code, said in err) == (1, True)


@pytest.mark.filterwarnings("ignore::geo.errors.SensitivityWarning")
def test_scan_names_rows_and_ends_with_an_error(run, canaries, tmp_path):
    assert run("map", canaries, "-o", tmp_path / "page.html")[0] == 0
    code, out, _ = run("scan", tmp_path / "page.html", "--against", canaries)
    assert code == 1
    assert "G10 a: layer geometry, in page.html" in out
    assert "12.85" not in out


def test_publish_says_by_rule_why_it_refuses(run, canaries, tmp_path):
    code, _, err = run("publish", canaries, "-o", tmp_path / "page.html")
    assert code == 1
    assert "G20" in err
    assert not (tmp_path / "page.html").exists()
    code, _, err = run("publish", canaries, "-o", tmp_path / "page.html", "--override", "G10|x|y")
    assert code == 2
    assert "cannot be overridden" in err


def test_publish_asks_for_a_decision_on_each_row(run, tmp_path):
    file = tmp_path / "sites.csv"
    row = "a,,confirmed,KH,Kampong Thom,,12.8512345,104.5512345,500"
    file.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    words = ["publish", file, "-o", tmp_path / "page.html", *PROMISES]
    code, _, err = run(*words)
    assert code == 1
    assert "sensitivity" in err
    assert run(*words, "--sensitivity", "restricted")[0] == 0


def test_restricted_rows_are_announced_as_a_note(tmp_path):
    file = tmp_path / "sites.csv"
    rows = [f"{HEADER},sensitivity", "a,,confirmed,KH,Kampot,,10.6,104.2,5000,restricted"]
    file.write_text("\n".join(rows), encoding="utf-8")
    words = ["map", file, "-o", tmp_path / "map.html"]
    done = subprocess.run(
        [sys.executable, "-c", "from layers.cli import main; main()", *words],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stderr.startswith("Note: reports that are not public are shown")
    assert "layers.publish" in done.stderr
    assert len(done.stderr.splitlines()) == 1
