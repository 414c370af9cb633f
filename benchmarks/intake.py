"""Intake of 100,000 rows: seconds and peak memory, beside pandas reading the same file as text.

Run from the repository: ``python benchmarks/intake.py``. Each side runs in a process of its own,
one after the other, so that both peaks are their own.
"""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROWS = 100_000
MEASURE = """
import json, resource, sys, time
{imports}
start = time.perf_counter()
rows = {call}
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(json.dumps([seconds, peak, len(rows)]))
"""
SIDES = {
    "pandas.read_csv, text only": ("import pandas", "pandas.read_csv(sys.argv[1], dtype='str')"),
    "geo.read_sites": ("import geo", "geo.read_sites(sys.argv[1])"),
}


def sexagesimal(degrees: float, letters: str) -> str:
    """Degrees, minutes and seconds to a tenth, with the letter of the hemisphere."""
    tenths = round(abs(degrees) * 36_000)
    whole, rest = divmod(tenths, 36_000)
    minutes, tenths = divmod(rest, 600)
    return f"{whole}°{minutes:02d}'{tenths / 10:04.1f}\"{letters[degrees < 0]}"


def notation(number: int, lat: float, lon: float) -> str:
    """One of eight notations."""
    return (
        f"{lat:.5f}, {lon:.5f}",
        f"{sexagesimal(lat, 'NS')} {sexagesimal(lon, 'EW')}",
        f"N{int(lat)} {lat % 1 * 59.99:.3f} E{int(lon)} {lon % 1 * 59.99:.3f}",
        f"https://www.google.com/maps/@{lat:.4f},{lon:.4f},15z/data=!3d{lat:.6f}!4d{lon:.6f}",
        f"geo:{lat:.5f},{lon:.5f}",
        f"POINT ({lon:.5f} {lat:.5f})",
        f"{lat:.5f} N {lon:.5f} E",
        f"{lon:.5f}; {lat:.5f}",
    )[number % 8]


def write_table(path: Path) -> None:
    """Write reports at random places of Cambodia's rough outline."""
    chance = random.Random(1)  # noqa: S311 - a benchmark, not a secret
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "country", "coordinates", "location_level", "first_reported", "link"])
        for i in range(ROWS):
            text = notation(i, chance.uniform(10.5, 14.5), chance.uniform(102.5, 107.5))
            rows.writerow([f"r{i}", "KH", text, "compound", "2024-05", f"https://example.org/{i}"])


def main() -> None:
    """Print a line for each side, and the ratio."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "reports.csv")
        write_table(path)
        seconds = []
        for name, (imports, call) in SIDES.items():
            program = MEASURE.format(imports=imports, call=call)
            done = subprocess.run(  # noqa: S603 - this interpreter, our own words
                [sys.executable, "-c", program, path], check=True, capture_output=True, text=True
            )
            took, peak_gb, rows = json.loads(done.stdout)
            seconds.append(took)
            print(f"{name:28} {rows:>8,} rows  {took:6.2f} s  {peak_gb:5.2f} GB")
    print(f"ratio {seconds[1] / seconds[0]:.1f}")


if __name__ == "__main__":
    main()
