"""Rows of a file -> labels in the store: what is there is understood, completed from the data sets, and reported."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gpr.data.dataset import Catalogue
from gpr.errors import DataError, GPRError
from gpr.labels.label import Label, Preference, Verdict, now, request_id
from gpr.labels.store import LabelStore

VERDICT_WORDS: dict[str, Verdict] = {
    "good": "good", "1": "good", "true": "good", "yes": "good", "accept": "good", "positive": "good",
    "bad": "bad", "0": "bad", "false": "bad", "no": "bad", "reject": "bad", "negative": "bad",
    "skip": "skip", "ignore": "skip", "unsure": "skip",
}  # fmt: skip
DEFAULT_ANNOTATOR = "import"


@dataclass
class Imported:
    """What an import did."""

    labels: list[Label] = field(default_factory=list)
    """New ones, kept."""
    preferences: list[Preference] = field(default_factory=list)
    """The same between runs."""
    known: int = 0
    """Rows that say what the store says already, or what was said before that."""
    unknown_items: list[str] = field(default_factory=list)
    """Items of kept labels that no data set has that was looked at."""
    left_out: list[str] = field(default_factory=list)
    """Rows that cannot be a label, each with its number and why."""


def import_rows(
    rows: Sequence[Mapping[str, Any]], store: LabelStore, catalogues: Mapping[str, Catalogue], annotator: str = ""
) -> Imported:
    """Adds what the rows say to the store, in one step. What the store has of later is kept.

    Args:
        catalogues: data set's name -> its catalogue; where items and titles are looked up.
        annotator: whose the rows are that name nobody.

    Raises:
        DataError: no row has a verdict together with an item_id or a title. WorkspaceError: the store does not work.
    """
    done = Imported()
    _take_preferences([row for row in rows if _is_preference(row)], store, done)
    standing = {(label.request_id, label.item_id, label.annotator): label for label in store.current()}
    names = list(dict.fromkeys([*catalogues, *(label.dataset for label in standing.values() if label.dataset)]))
    missing: dict[str, None] = {}
    for number, row in enumerate(rows, 1):
        if _is_preference(row):
            continue
        label = _label(row, catalogues, names, annotator)
        if isinstance(label, str):
            done.left_out.append(f"row {number}: {label}")
            continue
        if not any(label.item_id in catalogue.numbers for catalogue in catalogues.values()):
            missing[label.item_id or label.title] = None
        key = (label.request_id, label.item_id, label.annotator)
        if key in standing and not _is_news(label, standing[key], timed=bool(row.get("time"))):
            done.known += 1
            continue
        standing[key] = label
        done.labels.append(label)
    if rows and len(done.left_out) == len(rows):
        raise DataError(
            f"No row is a label ({done.left_out[0]}).", hint="Each needs `verdict`, and `item_id` or `title`."
        )
    done.unknown_items = list(missing)
    store.add(*done.preferences, *done.labels)
    return done


def _is_news(label: Label, standing: Label, *, timed: bool) -> bool:
    """Whether it says something else than what stands, and not earlier; or of which data set it is, which was unknown.

    Args:
        timed: the file says when it was said.
    """
    if label.dataset and not standing.dataset:
        return True
    other = (label.verdict, label.reason, label.note) != (standing.verdict, standing.reason, standing.note)
    if not timed or label.time == standing.time:
        return other
    return label.time > standing.time


def _is_preference(row: Mapping[str, Any]) -> bool:
    return "winner" in row and "loser" in row


def _take_preferences(rows: Sequence[Mapping[str, Any]], store: LabelStore, done: Imported) -> None:
    """Those of an export, each as it was."""
    standing = {_pair(one): one for one in store.preferences()} if rows else {}
    for row in rows:
        try:
            one = Preference(**{**row, "history": tuple(row["history"])})
        except (TypeError, KeyError, GPRError) as error:
            done.left_out.append(f"a preference: {error}")
            continue
        known = standing.get(_pair(one))
        if known and one.time <= known.time:
            done.known += 1
            continue
        standing[_pair(one)] = one
        done.preferences.append(one)


def _pair(one: Preference) -> tuple[str, frozenset[str], str]:
    return one.request_id, frozenset((one.winner, one.loser)), one.annotator


def _label(
    row: Mapping[str, Any], catalogues: Mapping[str, Catalogue], names: Sequence[str], annotator: str
) -> Label | str:
    """The label of a row, or why it is none."""
    text = {name: "" if value is None else str(value) for name, value in row.items() if name}
    verdict = VERDICT_WORDS.get(text.get("verdict", "").strip().casefold())
    if verdict is None:
        said = text.get("verdict", "")[:40]
        return f"'{said}' is no verdict" if said else "it has no verdict"
    item_id, title = text.get("item_id", ""), text.get("title", "")
    if not item_id and not title:
        return "it has neither item_id nor title"
    history = _history(row.get("history"))
    if history is None:
        return "its history is no list of ids"
    query, given = text.get("query", ""), text.get("request_id", "")
    dataset, item_id, title = _found(item_id, title, catalogues, lambda name: given == request_id(name, query, history))
    dataset = next((name for name in names if given == request_id(name, query, history)), dataset)
    probability = _number(text.get("probability", ""))
    return Label(
        request_id=given or request_id(dataset, query, history),
        query=query,
        history=history,
        item_id=item_id or title,
        title=title or item_id,
        run=text.get("run", ""),
        probability=probability,
        log_prob=math.log(probability) if probability > 0 else math.nan,
        rank=0,
        verdict=verdict,
        annotator=text.get("annotator", "") if text.get("annotator", "").strip() else annotator or DEFAULT_ANNOTATOR,
        dataset=dataset,
        reason=text.get("reason", ""),
        note=text.get("note", ""),
        time=text.get("time", "") or now(),
    )


def _found(item_id: str, title: str, catalogues: Mapping[str, Catalogue], fits: Any) -> tuple[str, str, str]:
    """The data set that has an item, preferably the one that the request is of, with the item's id and title there."""
    for name, catalogue in sorted(catalogues.items(), key=lambda part: not fits(part[0])):
        number = catalogue.numbers.get(item_id) if item_id else _by_title(catalogue, title)
        if number is not None:
            return name, item_id or catalogue.item_ids[number], title or catalogue.titles[number]
    return "", item_id, title


def _by_title(catalogue: Catalogue, title: str) -> int | None:
    return catalogue.titles.index(title) if title in catalogue.titles else None


def _history(value: Any) -> tuple[str, ...] | None:
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return None
    return tuple(map(str, value)) if isinstance(value, list) else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def resolved(labels: Sequence[Label], rulings: Sequence[Label]) -> list[Label]:
    """One label for each (request, item): the owner's ruling where there is one, else what most annotators say.

    A tie is left out; a 'skip' counts for nothing.
    """
    ruled = {(label.request_id, label.item_id): label for label in rulings}
    votes: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        if label.verdict != "skip":
            votes.setdefault((label.request_id, label.item_id), []).append(label)
    for key, said in votes.items():
        good = [label for label in said if label.verdict == "good"]
        bad = [label for label in said if label.verdict == "bad"]
        if key not in ruled and len(good) != len(bad):
            ruled[key] = max(good, bad, key=len)[-1]
    return [replace(label, kind="label") for label in ruled.values() if label.verdict != "skip"]
