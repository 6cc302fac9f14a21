"""The nested layouts of other labelling programs, out of and into flat rows; preference pairs out of labels; and what
was preferred side by side.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from gpr.labels.label import Label, Preference

Row = dict[str, Any]
JUDGED = ("query", "history", "title")
"""What an annotator of another program sees."""
SAID = ("verdict", "reason", "note")
"""What an annotator answers."""
KNOWN = ("request_id", "item_id", "run", "probability", "time")


def argilla(rows: Sequence[Row]) -> list[Row]:
    """Records as Argilla's `Dataset.records.to_list()` gives them: one record a label, the answers with their user."""
    return [
        {
            "id": f"{row['request_id']}-{row['item_id']}-{row['annotator']}",
            "status": "completed",
            "fields": {name: row[name] for name in JUDGED},
            "metadata": {name: row[name] for name in KNOWN},
            "suggestions": {},
            "responses": {
                name: [{"value": row[name], "user_id": row["annotator"]}]
                for name in SAID
                if row[name] or name == "verdict"
            },
        }
        for row in rows
    ]


def label_studio(rows: Sequence[Row]) -> list[Row]:
    """Tasks as Label Studio exports them as JSON: one task a label, choices and text areas as its results."""

    def result(name: str, value: str) -> Row:
        kind = "choices" if name == "verdict" else "textarea"
        inner = {"choices": [value]} if kind == "choices" else {"text": [value]}
        return {"from_name": name, "to_name": "title", "type": kind, "value": inner}

    shown = (*JUDGED, *(name for name in KNOWN if name != "time"))
    return [
        {
            "id": number,
            "data": {name: row[name] for name in shown},
            "annotations": [
                {
                    "completed_by": {"email": row["annotator"]},
                    "created_at": row["time"],
                    "result": [result(name, row[name]) for name in SAID if row[name] or name == "verdict"],
                }
            ],
        }
        for number, row in enumerate(rows, 1)
    ]


def flattened(records: Sequence[Row]) -> list[Row]:
    """Flat rows out of records of Argilla, tasks of Label Studio, or flat rows."""
    rows: list[Row] = []
    for record in records:
        if "responses" in record and "fields" in record:
            rows += _of_argilla(record)
        elif "annotations" in record and "data" in record:
            rows += [
                {**record["data"], **_of_annotation(annotation)}
                for annotation in record["annotations"]
                if not annotation.get("was_cancelled")
            ]
        else:
            rows.append(record)
    return rows


def _of_argilla(record: Row) -> list[Row]:
    by_user: dict[str, Row] = {}
    for name, answers in record["responses"].items():
        for answer in answers:
            by_user.setdefault(str(answer.get("user_id", "")), {})[name] = answer.get("value")
    known = {**record["fields"], **(record.get("metadata") or {})}
    return [{**known, "annotator": user, **said} for user, said in by_user.items()]


def _of_annotation(annotation: Row) -> Row:
    who = annotation.get("completed_by", "")
    name = who.get("email", who.get("id", "")) if isinstance(who, dict) else who
    row: Row = {"annotator": str(name), "time": annotation.get("created_at", "")}
    for result in annotation.get("result", ()):
        value = result.get("value", {})
        answer = value.get("choices") or value.get("text") or [""]
        row[result.get("from_name", "")] = answer[0] if isinstance(answer, list) else answer
    return row


def preferred(preferences: Sequence[Preference]) -> list[Row]:
    """Of two runs' lists, which one was liked more: all that is known of it."""
    return [vars(one) | {"history": list(one.history)} for one in preferences]


def pairs(labels: Sequence[Label]) -> list[Row]:
    """For each request and annotator, each good item beside each bad one: `prompt`, `chosen`, `rejected`."""
    found: dict[tuple[str, str], dict[str, list[Label]]] = {}
    for label in labels:
        found.setdefault((label.request_id, label.annotator), {}).setdefault(label.verdict, []).append(label)
    return [
        {
            "request_id": good.request_id, "prompt": good.query, "history": list(good.history),
            "chosen": good.title, "rejected": bad.title, "chosen_id": good.item_id, "rejected_id": bad.item_id,
            "annotator": good.annotator,
        }
        for said in found.values()
        for good, bad in itertools.product(said.get("good", ()), said.get("bad", ()))
    ]  # fmt: skip
