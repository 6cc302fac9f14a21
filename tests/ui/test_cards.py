from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
import pytest

from gpr.data.dataset import Catalogue, Dataset, Finding
from gpr.recommendation import Recommendation
from gpr.ui.cards import card_list, percent
from gpr.ui.data.findings import finding_list
from gpr.ui.header import bar
from gpr.ui.messages import OURS, failure, in_words, notice, worded
from gpr.ui.press import button
from gpr.ui.tables import table

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def catalogue() -> Catalogue:
    """Two items that are markup everywhere; the second id is an alias of the first item."""
    row = {"title": EVIL, "description": EVIL * 20, "category": EVIL, EVIL: EVIL}
    plain = {"title": "Plain", "description": "", "category": "", EVIL: ""}
    return Catalogue(("a", "c"), pd.DataFrame([row, plain]), {"a": 0, EVIL: 0, "c": 1})


def data_with(*findings: Finding) -> Dataset:
    two = Catalogue(("a", "b"), pd.DataFrame({"title": ["A", "B"]}), {"a": 0, "b": 1})
    return Dataset("two", two, {"train": (), "valid": (), "test": ()}, findings=findings)


def recommendation(number: int, title: str) -> Recommendation:
    return Recommendation(number + 1, number, "a", title, 0.5, -0.7)


def is_text_only(html: str) -> bool:
    """No tag in it comes from EVIL, and no attribute was broken out of."""
    tags: list[tuple[str, str]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, found: tags.extend((tag, name) for name, _ in [("", ""), *found])  # type: ignore[method-assign]
    parser.feed(html)
    parser.close()
    return not any(tag in ("script", "img") or name.startswith("on") for tag, name in tags)


def test_cards_show_text_from_outside_as_text(catalogue: Catalogue) -> None:
    found = [recommendation(0, EVIL), recommendation(1, "Plain")]
    html = card_list(found, catalogue, {0: "good"}, line=EVIL, said=EVIL)
    assert is_text_only(html)
    assert html.count("&lt;script&gt;") >= 6
    assert html.count('aria-pressed="true"') == 1


def test_all_other_html_shows_text_as_text() -> None:
    finding = Finding("hurts", "code", EVIL, EVIL, 3, EVIL, 2)
    pieces = [
        notice(EVIL, "bad", EVIL),
        failure(KeyError(EVIL)),
        bar(EVIL, EVIL, "ready", EVIL, EVIL),
        button("text", EVIL, label=EVIL, item=EVIL),
        table((EVIL,), [(EVIL,)], label=EVIL),
        finding_list(data_with(finding), stored=False),
    ]
    assert [piece for piece in pieces if not is_text_only(piece)] == []


def test_what_the_check_of_this_file_finds() -> None:
    assert not is_text_only(f"<p>{EVIL}</p>")
    assert not is_text_only('<p title="" onclick="x">')


@pytest.mark.parametrize(
    ("probability", "text"),
    [(1.0, "100%"), (0.999, "99.9%"), (0.4213, "42%"), (0.0421, "4.2%"), (0.00042, "0.04%"), (1e-9, "<0.01%")],
)
def test_percentages(probability: float, text: str) -> None:
    assert percent(probability) == text


def test_findings_are_sorted_by_grade() -> None:
    notes = [Finding("info", "a", "third"), Finding("stops", "b", "first"), Finding("hurts", "c", "second")]
    html = finding_list(data_with(*notes), stored=False)
    places = [html.index(word) for word in ("first", "second", "third")]
    assert places == sorted(places)
    assert "Every row was read" in finding_list(data_with(), stored=False)


def test_a_fault_of_ours_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    assert in_words(KeyError("secret")) == OURS
    assert "secret" in caplog.text


def test_a_toast_is_text() -> None:
    import gradio as gr

    from gpr.errors import RequestError

    @worded
    def handler() -> None:
        raise RequestError(EVIL)

    with pytest.raises(gr.Error) as caught:
        handler()
    assert is_text_only(caught.value.message)
