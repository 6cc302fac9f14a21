"""An evaluation as a report to hand on: one self-contained HTML file, or Markdown. It knows the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from gpr.errors import RequestError
from gpr.evaluate.charts import bars, reliability
from gpr.files import written_whole

BEYOND = ("log-loss", "coverage", "novelty", "popularity", "diversity")
STYLE = """body{font:15px/1.5 sans-serif;color:#1a1f2b;max-width:960px;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;font-size:13px}th,td{padding:6px 10px;border-bottom:1px solid #dfe3ea;text-align:right}
th:first-child,td:first-child{text-align:left}.gpr-bars{list-style:none;padding:0;max-width:640px}
.gpr-bars li{display:grid;grid-template-columns:120px 1fr 50px;gap:12px;align-items:center;margin:8px 0}
.gpr-muted{color:#566074;font-size:13px}.wide{overflow-x:auto}"""
Rows = Sequence[Sequence[str]]


def write_report(table: dict[str, Any], file: Path) -> None:
    """Writes the report; the file's ending says which kind.

    Raises:
        RequestError: the ending is neither .html nor .md. WorkspaceError: the disk refused.
    """
    kinds = {".html": html, ".md": markdown}
    if file.suffix not in kinds:
        raise RequestError(f"'{file.name}' is no kind of report.", hint="Name a file that ends in .html or .md.")
    with written_whole(file) as partial:
        partial.write_text(kinds[file.suffix](table), encoding="utf-8")


def summary(table: dict[str, Any], titled: Callable[[str], str] = str) -> str:
    """What a reader should know first, in a sentence or two.

    Args:
        titled: what a scorer is called.
    """
    gpr, against = table["metrics"]["gpr"]["NDCG@10"], table["against"]
    peers = {name: row["NDCG@10"] for name, row in against.items()}
    better = [name for name, row in peers.items() if row["difference"] > 0 and row["p"] < 0.05]
    worse = [name for name, row in peers.items() if row["difference"] < 0 and row["p"] < 0.05]
    open_ = [name for name in peers if name not in better and name not in worse]
    parts = [f"GPR reaches NDCG@10 {gpr:.3f} on {table['n']:,} test requests of {table['data']}."]
    for words, names in (
        ("Significantly better than", better),
        ("Significantly worse than", worse),
        ("No significant difference from", open_),
    ):
        parts += [f"{words} {', '.join(map(titled, names))}."] if names else []
    return " ".join(parts)


def sections(table: dict[str, Any]) -> list[tuple[str, Rows]]:
    """Every table of the report: its title, and rows of which the first is the head."""
    names = list(table["metrics"]["gpr"])
    main = [["scorer", *names]]
    for scorer, row in table["metrics"].items():
        marks = [" (best)" if table["best"][name] == scorer else "" for name in names]
        cells = [_cell(row[name], table["intervals"][scorer][name]) for name in names]
        main.append([scorer, *(cell + mark for cell, mark in zip(cells, marks, strict=True))])
    against = [["gpr minus", "difference in NDCG@10", "p"]]
    for scorer, row in table["against"].items():
        at = row["NDCG@10"]
        against.append([scorer, _cell(at["difference"], at["interval"]), _cell(at["p"])])
    beyond = [["scorer", *BEYOND, "ECE"]]
    for scorer, row in table["beyond"].items():
        error = table["calibration"][scorer]
        beyond.append([scorer, *(_cell(row[name]) for name in BEYOND), _cell(error and error["ece"])])
    found: list[tuple[str, Rows]] = [
        ("Figures with 95 % intervals; best: significantly above every other", main),
        ("Comparisons", against),
        ("Besides right: lists of ten", beyond),
    ]
    for group, of in table["groups"].items():
        rows = [["scorer", *names]] + [[s, *(_cell(row[n]) for n in names)] for s, row in of["metrics"].items()]
        found.append((f"Only {group}: {of['n']:,} requests", rows))
    return found


def markdown(table: dict[str, Any]) -> str:
    """The report as Markdown."""
    parts = [f"# Evaluation of {_plain(table['data'])}", summary(table)]
    for title, (head, *rows) in sections(table):
        lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
        parts += [f"## {title}", "\n".join(f"| {' | '.join(map(_plain, line))} |" for line in lines)]
    return "\n\n".join([*parts, table["protocol"]]) + "\n"


def html(table: dict[str, Any]) -> str:
    """The report as one HTML file without scripts or links."""
    parts = [f"<h1>Evaluation of {escape(table['data'])}</h1><p>{escape(summary(table))}</p>"]
    parts += ["<h2>NDCG@10</h2>", bars(table, "NDCG@10")]
    for title, (head, *rows) in sections(table):
        top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        parts.append(f'<h2>{escape(title)}</h2><div class="wide"><table><tr>{top}</tr>{body}</table></div>')
    diagram = reliability(table["calibration"])
    parts += ["<h2>Do probabilities mean what they say?</h2>", diagram] if diagram else []
    parts.append(f'<p class="gpr-muted">{escape(table["protocol"])}</p>')
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(table["data"])}: evaluation</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _cell(value: float | None, interval: Sequence[float | None] = ()) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval and None not in interval else "")


def _plain(text: str) -> str:
    return text.replace("|", "\\|")
