"""Texts with answers -> columns `query` and `title`: prompts, chats, exports of Argilla and Label Studio.

It knows how these files nest; it does not know what a query is good for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from gpr.data.records import text_of
from gpr.data.table import Table

Row = dict[str, str]
_QUERY_FIELDS = ("query", "prompt", "instruction", "question", "text", "input")
_ITEM_FIELDS = ("title", "item", "item_id", "completion", "response", "chosen", "output")


def from_annotations(table: Table) -> Table:
    """The table with `query` and `title` in place of what was nested; as it was if it is no such file."""
    columns = set(table.frame.columns)
    for needed, turn in _KINDS:
        if needed <= columns:
            texts = [{str(name): str(value) for name, value in row.items()} for row in table.frame.to_dict("records")]
            rows = [turn(row) for row in texts]
            frame = pd.DataFrame(rows, index=table.frame.index).fillna("").astype("str")
            return replace(table, frame=frame) if "query" in frame else table
    if {"prompt", "completion"} <= columns:
        return replace(table, frame=table.frame.rename(columns={"prompt": "query", "completion": "title"}))
    return table


def _instruction(row: Row) -> Row:
    return {"query": f"{row['instruction']} {row.get('input', '')}".strip(), "title": row["output"]}


def _chat(row: Row) -> Row:
    """The last question and its answer."""
    parts = [part for part in _list(_parsed(row["messages"])) if isinstance(part, dict)]
    said = {text_of(part.get("role", part.get("from"))): part for part in parts}
    texts = {role: text_of(part.get("content", part.get("value"))) for role, part in said.items()}
    return {"query": texts.get("user", texts.get("human", "")), "title": texts.get("assistant", texts.get("gpt", ""))}


def _argilla(row: Row) -> Row:
    """The fields, and the first answer of a person, else the suggestion, to the first question."""
    fields = _parsed(row["fields"])
    answers = _parsed(row.get("responses", "")) or {}
    suggested = _parsed(row.get("suggestions", "")) or {}
    answer = ""
    for given in (answers, suggested):
        values = [_value(part) for part in given.values()] if isinstance(given, dict) else []
        answer = answer or next((value for value in values if value), "")
    return _pair(fields if isinstance(fields, dict) else {}, answer) | _extra(row, "id", "status")


def _label_studio(row: Row) -> Row:
    """The task's data, and the first choice, text or rating of its last annotation that was not cancelled."""
    data = _parsed(row["data"])
    annotations = _parsed(row.get("annotations", "")) or _parsed(row.get("completions", "")) or []
    answer = ""
    for annotation in _list(annotations):
        if isinstance(annotation, dict) and text_of(annotation.get("was_cancelled")) not in ("true", "True"):
            results = [part.get("value", {}) for part in _list(annotation.get("result")) if isinstance(part, dict)]
            answer = next((value for value in map(_value, results) if value), answer)
    return _pair(data if isinstance(data, dict) else {}, answer) | _extra(row, "id")


def _pair(fields: dict[str, Any], answer: str) -> Row:
    """With an item among the fields the answer is a label of the pair, else it is the item."""
    texts = {str(name): text_of(value) for name, value in fields.items()}
    query = next((texts.pop(name) for name in _QUERY_FIELDS if texts.get(name)), "")
    if not query and texts:
        query = texts.pop(next(iter(texts)))
    item = next((name for name in _ITEM_FIELDS if texts.get(name)), "")
    if item:
        return {"query": query, "item_id" if item == "item_id" else "title": texts[item], "label": answer}
    return {"query": query, "title": answer}


def _value(part: Any) -> str:
    """The text in '[{"value": "good"}]', '{"choices": ["good"]}' and their kin."""
    if isinstance(part, list):
        return next((value for value in map(_value, part) if value), "")
    if isinstance(part, dict):
        return next((value for value in map(_value, part.values()) if value), "")
    return text_of(part)


def _extra(row: Row, *names: str) -> Row:
    return {f"record {name}": row[name] for name in names if name in row}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


_KINDS: tuple[tuple[set[str], Callable[[Row], Row]], ...] = (
    ({"instruction", "output"}, _instruction),
    ({"messages"}, _chat),
    ({"fields", "responses"}, _argilla),
    ({"data", "annotations"}, _label_studio),
)
