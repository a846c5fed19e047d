"""Make tables of counts safe to look at: hide small counts, round the others.

Called with the action's `config:` as `--config JSON`:

    {"tables": [{"from": "raw.csv", "to": "safe.csv", "columns": ["count"]}]}

In each listed column a count of 7 or fewer becomes `[REDACTED]`, any other is rounded to
the nearest 5 (so 8 shows as 10, and nothing shown stands for fewer than 8 rows). Blank
cells stay blank; all other columns are carried over as text, unchanged.
"""
import argparse
import csv
import json
import pathlib
import sys

REDACT_UP_TO = 7
ROUND_TO = 5
REDACTED = "[REDACTED]"


class Unsafe(Exception):
    """The table or the configuration cannot be made safe; the text says why."""


def safe_count(text):
    """Return the shown form of one count, given and returned as text."""
    text = text.strip()
    if not text:
        return ""
    # isdigit alone would let through digits that int() refuses, such as a superscript two.
    if not (text.isascii() and text.isdigit()):
        raise ValueError("not a whole number of zero or more")
    count = int(text)
    if count <= REDACT_UP_TO:
        return REDACTED
    return str((count + ROUND_TO // 2) // ROUND_TO * ROUND_TO)


def make_safe(source, target, columns):
    """Copy the csv file `source` to `target` with `columns` made safe."""
    # utf-8-sig: a byte-order mark must not become part of the first column's name.
    with source.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream)
        header = next(reader, None)
        if header is None:
            raise Unsafe(f"{source}: the file is empty, a header was expected")
        missing = [name for name in columns if name not in header]
        if missing:
            raise Unsafe(f"{source}: no column {', '.join(missing)}; there is {', '.join(header)}")
        positions = [i for i, name in enumerate(header) if name in columns]
        rows = []
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise Unsafe(f"{source}: line {reader.line_num} has not {len(header)} cells")
            for position in positions:
                try:
                    row[position] = safe_count(row[position])
                except ValueError as fault:
                    # The value itself is kept out of the log: it may be what must be hidden.
                    raise Unsafe(
                        f"{source}: line {reader.line_num}, column {header[position]}: {fault}"
                    ) from None
            rows.append(row)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def read_config(text):
    """Return (source, target, columns) for each table of the configuration."""
    try:
        tables = json.loads(text)["tables"]
        result = [
            (pathlib.Path(table["from"]), pathlib.Path(table["to"]), list(table["columns"]))
            for table in tables
        ]
    except (ValueError, KeyError, TypeError) as fault:
        raise Unsafe(f"--config: tables with from, to and columns expected ({fault!r})") from None
    if not result:
        raise Unsafe("--config: no table is listed")
    return result


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="JSON as described in this file")
    options = parser.parse_args(arguments)
    try:
        for source, target, columns in read_config(options.config):
            make_safe(source, target, columns)
            print(f"{source} -> {target}: made safe {', '.join(columns)}")
    except (Unsafe, OSError) as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
