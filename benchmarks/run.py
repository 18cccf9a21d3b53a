"""Run all benchmarks and write the results as a table into the documentation."""

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "docs" / "benchmarks_table.rst"
PACKAGES = ("numpy", "scikit-learn", "skorch", "torch")


def rows_of(script):
    """Run one script and return the rows it prints."""
    print(f"{script.name} ...", flush=True)
    command = [sys.executable, str(script), "--json"]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = [json.loads(line) for line in lines.splitlines()]
    for row in rows:
        print(f"    {row['what']}: {row['figure']} ({row['promise']})", flush=True)
    return rows


def processor():
    """Return the name of the CPU and its instruction sets for small floating-point types."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    flags = facts.get("flags", "").split()
    extras = [flag for flag in ("avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    name = facts.get("model name", platform.machine())
    return f"{name}, {os.cpu_count()} cores" + (f" ({', '.join(extras)})" if extras else "")


def as_rst(rows):
    """Format the rows as a list table, after a line about the machine."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [
        f"Measured on {processor()}, with Python {platform.python_version()}, {versions}.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 45 15 40",
        "",
    ]
    for cells in [("What", "Promised", "Measured"), *map(_cells, rows)]:
        marks = ("   * -", "     -", "     -")
        lines += [f"{mark} {cell}" for mark, cell in zip(marks, cells, strict=True)]
    return "\n".join(lines) + "\n"


def _cells(row):
    figure = row["figure"] if row["kept"] else f"**{row['figure']}**"
    return row["what"].replace("`", "``"), row["promise"], figure


def main():
    scripts = sorted(path for path in HERE.glob("*.py") if path.stem[0] != "_")
    rows = [row for script in scripts if script.stem != "run" for row in rows_of(script)]
    TABLE.write_text(as_rst(rows), encoding="utf-8")
    print(f"{TABLE}")
    return 0 if all(row["kept"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
