"""Render output/report.html from every table in output/safe."""
import csv
import pathlib
import sys

import jinja2

SAFE = pathlib.Path("output/safe")
REPORT = pathlib.Path("output/report.html")
TEMPLATES = pathlib.Path(__file__).resolve().parent / "templates"
REDACTED = "[REDACTED]"


def read_table(path):
    """Read one safe table; says which columns hold numbers, so that they are aligned."""
    with path.open(newline="", encoding="utf-8") as stream:
        header, *rows = list(csv.reader(stream)) or [[]]
    columns = [
        {
            "name": name,
            "heading": name.replace("_", " "),
            "is_number": bool(cells) and all(c == REDACTED or not c or c.isdigit() for c in cells),
        }
        for name, cells in zip(header, [list(c) for c in zip(*rows)] or [[] for _ in header])
    ]
    hidden = sum(REDACTED in row for row in rows)
    return {
        "id": path.stem,
        "title": path.stem.replace("_", " "),
        "columns": columns,
        "rows": rows,
        "hidden": hidden,
        "shown": len(rows) - hidden,
    }


def render(tables):
    """Return the report as HTML; every text from a table is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(TEMPLATES)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html").render(tables=tables, redacted=REDACTED)


def main():
    paths = sorted(SAFE.glob("*.csv"))
    if not paths:
        print(f"error: no csv file in {SAFE}; run the action make_safe first", file=sys.stderr)
        return 1
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(render([read_table(path) for path in paths]), encoding="utf-8")
    print(f"{REPORT}: {len(paths)} table(s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
