"""What is repaired and what is warned of: personal data, HTML, words for nothing, odd letters, verdicts, numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpr.data.checks import mixes_scripts
from gpr.data.choices import Choices
from gpr.data.clean import plain
from gpr.data.dataset import Dataset, Example, Finding, Request
from gpr.data.load import load
from gpr.data.personal import mask
from gpr.data.times import instants, parse_numbers, parse_times
from gpr.errors import DataError


def dataset(folder: Path, choices: Choices | None = None, **files: str) -> Dataset:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return load(folder, cache=folder, choices=choices)


def finding(data: Dataset, code: str) -> Finding:
    return next(note for note in data.findings if note.code == code)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to jane.doe+x@mail.example.co.uk now", "write to [e-mail] now"),
        ("call +49 30 901820 or (212) 555-2368", "call [phone] or [phone]"),
        ("手机13812345678。", "手机[phone]。"),
        ("pay 4111 1111 1111 1111 or 378282246310005", "pay [card] or [card]"),
        ("to GB82 WEST 1234 5698 7654 32.", "to [IBAN]."),
        ("from 192.168.0.1 and 2001:db8::8a2e:370:7334", "from [IP address] and [IP address]"),
        (
            "SSN 536-90-4399, CPF 390.533.447-05, DNI 54362315K",
            "SSN [national id], CPF [national id], DNI [national id]",
        ),
        ("身份证11010519491231002X", "身份证[national id]"),
        ("RCCMNL83S18D969H", "[national id]"),
        ("&lt;jane&#64;b&#x2E;org&gt; &amp; a@b.org", "&lt;[e-mail]&gt; &amp; [e-mail]"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mask(text)[0] == masked


@pytest.mark.parametrize(
    "text",
    [
        "ISBN 978-3-16-148410-0", "EAN 4006381333931", "4111 1111 1111 1112", "version 10.2.3", "1999-12-31 10:20:30",
        "a@b", "Fahrenheit 9/11", "27\" 3840x2160", "GB00 WEST 1234 5698 76 32", "000-12-3456", "SKU 1234567890123456",
        "2001: A Space Odyssey", "@home", "12345678", "1,234,567.89", "192.168.0.999",
        "it&#39;s 5 &#x2B; 3",
    ],
)  # fmt: skip
def test_what_only_looks_personal_stays(text: str) -> None:
    assert mask(text)[0] == text


PERSONAL = "item_id,title,description\n1,Alien,mail a@b.org\n2,Big,none\n3,Cop,a@b.org and c@d.org\n"


def test_personal_data_is_masked_before_training_unless_it_is_to_stay(tmp_path: Path) -> None:
    data = dataset(tmp_path, items=PERSONAL)
    assert data.catalogue.details(2)["description"] == "[e-mail] and [e-mail]"
    note = finding(data, "personal-data")
    assert (note.grade, note.count, note.rows.tolist() if note.rows is not None else []) == ("info", 2, [1, 3])
    assert "description: e-mail 3. It is masked" in note.message
    kept = dataset(tmp_path, Choices(personal="keep"), items=PERSONAL)
    assert kept.catalogue.details(0)["description"] == "mail a@b.org"
    assert finding(kept, "personal-data").grade == "hurts"
    assert kept.hash != data.hash


def test_html_goes_from_descriptions_and_stays_in_titles(tmp_path: Path) -> None:
    items = (
        "item_id,title,description\n1,<script>alert(1)</script>,<p>A &amp; B</p><style></style>\n2,a < b,c < d > e\n"
    )
    data = dataset(tmp_path, items=items)
    assert data.catalogue.titles[0] == "<script>alert(1)</script>"
    assert [data.catalogue.details(number)["description"] for number in (0, 1)] == ["A & B", "c < d > e"]
    assert finding(data, "html").count == 1
    kept = dataset(tmp_path, Choices(html="keep"), items=items)
    assert kept.catalogue.details(0)["description"].startswith("<p>")


def test_plain() -> None:
    assert plain("<!-- x -->a<br/>b<STYLE>p{}</STYLE >&#39;").split() == ["a", "b", "'"]


def test_words_for_nothing(tmp_path: Path) -> None:
    data = dataset(tmp_path, items="item_id,title\n1,nan\n2,Big\nNaN,Cop\n4,inf\n5,None of us\n")
    assert data.catalogue.titles == ("Big", "Cop", "None of us")
    assert data.catalogue.item_ids == ("2", "row-3", "5")
    assert finding(data, "empty-title").count == 2


def test_odd_letters(tmp_path: Path) -> None:
    data = dataset(tmp_path, items="item_id,title\n1,A\u200blien\n2,B\x01ig\n3,M\u0430trix\n4,Солярис\n")
    assert data.catalogue.titles == ("Alien", "B ig", "M\u0430trix", "Солярис")
    assert finding(data, "control-characters").count == 2
    assert finding(data, "mixed-scripts").row == 3
    assert [mixes_scripts(text) for text in ("Сoлярис", "Solaris Солярис", "α-wave")] == [True, False, True]


def test_titles_that_are_nearly_equal(tmp_path: Path) -> None:
    data = dataset(
        tmp_path, items='item_id,title\n1,The Matrix\n2,Big\n3,"Matrix, THE!"\n4,Amélie\n5,amelie\n6,!!\n7,??\n'
    )
    rows = finding(data, "near-duplicate-title").rows
    assert rows is not None
    assert rows.tolist() == [3, 5]


RATED = "user_id,item_id,rating,timestamp\n" + "".join(
    f"u,{item},{rating},{item}\n" for item, rating in enumerate("54321")
)
FILMS = "item_id,title\n" + "".join(f"{item},Film {item}\n" for item in range(5))


@pytest.mark.parametrize(("good_from", "history"), [(None, (0, 1, 2, 3, 4)), (1.0, (0, 1, 2, 3, 4)), (3.0, (0, 1, 2))])
def test_a_threshold_makes_ratings_good_or_bad(
    tmp_path: Path, good_from: float | None, history: tuple[int, ...]
) -> None:
    data = dataset(tmp_path, Choices(good_from=good_from), items=FILMS, interactions=RATED)
    assert data.examples["test"] == (Example(Request("", history[:-1]), history[-1]),)
    assert ("rated-bad" in {note.code for note in data.findings}) == (len(history) < 5)


@pytest.mark.parametrize("rows", ["u,1,5\nu,2,5\n", "u,1,\nu,2,\n"])
def test_ratings_that_say_nothing_are_implicit(tmp_path: Path, rows: str) -> None:
    data = dataset(tmp_path, items=FILMS, interactions=f"user_id,item_id,rating\n{rows}")
    assert "implicit" in {note.code for note in data.findings}


def test_labels_that_contradict_each_other(tmp_path: Path) -> None:
    pairs = "query,item_id,label\na,1,good\nA,1,bad\nb,2,1\nb,3,0\nc,1,perhaps\nd,4,\n"
    data = dataset(tmp_path, items=FILMS, pairs=pairs)
    assert sum(map(len, data.examples.values())) == 3
    places = {code: finding(data, code).rows for code in ("labelled-bad", "odd-label", "conflicting-labels")}
    assert {code: rows.tolist() for code, rows in places.items() if rows is not None} == {
        "labelled-bad": [2, 4],
        "odd-label": [5],
        "conflicting-labels": [1, 2],
    }


def test_ids_that_are_written_as_other_numbers(tmp_path: Path) -> None:
    items = "item_id,title\n1,Alien\n1234,Big\n"
    data = dataset(tmp_path, items=items, pairs='query,item_id,split\na,1.0,train\nb,"1,234",train\nc,01,train\n')
    assert [example.item for example in data.examples["train"]] == [0, 1]
    assert finding(data, "id-spelling").count == 2
    assert finding(data, "unknown-item").row == 3


def test_equal_titles_can_be_told_apart(tmp_path: Path) -> None:
    data = dataset(tmp_path, Choices(equal_titles="apart"), items="item_id,title\n1,Heat\n2,Big\n3,Heat\n")
    assert data.catalogue.titles == ("Heat (1)", "Big", "Heat (3)")


def test_times_that_cannot_be(tmp_path: Path) -> None:
    rows = "".join(f"u,{item},4102444800\n" for item in range(3))
    data = dataset(tmp_path, items=FILMS, interactions=f"user_id,item_id,timestamp\n{rows}")
    assert {"constant-timestamp", "future-timestamp", "timestamp-ties"} <= {note.code for note in data.findings}
    assert finding(data, "timestamp-ties").count == 2


def test_dates_in_five_ways() -> None:
    dates = ["2020-01-05", "2020/01/04 10:00", "3 January 2020", "Jan 2, 2020", "2020年1月1日"]
    times = parse_times(pd.Series(dates, dtype="str"))
    assert times.order.argsort().tolist() == [4, 3, 2, 1, 0]
    assert not times.bad.any()
    assert instants(pd.Series(["13/01/2020", "02/02/2020"], dtype="str")).dt.month.tolist() == [1, 2]
    assert instants(pd.Series(["1577836800", "1577836800000"], dtype="str")).dt.year.tolist() == [2020, 2020]


def test_numbers_however_they_are_written() -> None:
    values = parse_numbers(pd.Series(["1,234.5", " 7", "3,5", "inf", "nan", "x", ""], dtype="str"))
    assert np.array_equal(values.to_numpy(), [1234.5, 7, 3.5, *[np.nan] * 4], equal_nan=True)


@pytest.mark.parametrize(
    "content", [{"pairs": "x"}, {"good_from": float("nan")}, {"roles": {"items.csv": {"title": "hero"}}}]
)
def test_choices_that_are_none(content: dict[str, object]) -> None:
    with pytest.raises(DataError, match="Use"):
        Choices.from_json(content)


def test_choices_survive_being_written() -> None:
    choices = Choices(good_from=3.5, html="keep").with_role("a.csv", "x", "title").with_role("a.csv", "y", "ignore")
    assert Choices.from_json({**choices.as_json(), "later": 1}) == choices
