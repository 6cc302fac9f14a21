"""An answer as it is shown: its cards, the line above them, what can be taken away of it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from urllib.parse import quote

from gpr.data.dataset import Dataset, Request
from gpr.ranking import Scored, Wish, parts_to_weigh, rank
from gpr.recommendation import Recommendation
from gpr.scorers.feedback import Feedback
from gpr.scorers.popular import times_chosen
from gpr.ui.cards import card_list
from gpr.ui.language import say
from gpr.ui.messages import plural

FORGOTTEN = "This answer is no longer known here."
BETWEEN = " · "
"""Between the parts of a line, each of which is said by itself."""
COLUMNS = ("rank", "item_id", "title", "probability")


@dataclass(eq=False)
class Answer:
    """What is shown, so that a press can be stored: kept for the session, changed in place."""

    scored: Scored
    wish: Wish
    run: str
    title: str
    """What answered."""
    seconds: float
    recommendations: list[Recommendation]
    verdicts: dict[int, str] = field(default_factory=dict)
    """Item number -> verdict of the one who looks."""

    said: str = ""
    """What was labelled last, in words."""
    feedback: Feedback | None = None
    """The labels that counted."""
    reasons: dict[int, str] = field(default_factory=dict)
    """Item number -> its reasons as HTML, those that are open."""
    link: str = ""
    """The query of its address."""
    cold: frozenset[int] = frozenset()
    """Items that no training example mentions; empty where there are no examples at all."""

    @property
    def request(self) -> Request:
        return self.scored.request

    @property
    def dataset(self) -> Dataset:
        return self.scored.dataset

    @property
    def parts(self) -> list[str]:
        return parts_to_weigh(self.scored)

    def is_of(self, run: str, request: Request) -> bool:
        """Whether this request was asked of this run."""
        return run == self.run and request.history == self.request.history and request.query == self.request.query

    def rank_again(self, wish: Wish) -> None:
        """The same scores as another list. Raises: RequestError: nothing is left."""
        self.recommendations, self.wish = rank(self.scored, wish), wish
        self.reasons.clear()
        self.said = ""

    @property
    def line(self) -> str:
        """What answered, and how."""
        n_items, shown = len(self.dataset.catalogue), len(self.recommendations)
        k = self.wish.k
        spent = f"{1000 * self.seconds:.0f} ms" if self.seconds < 1 else f"{self.seconds:.1f} s"
        amount = f"top {shown} of {n_items:,} items"
        if self.scored.candidates is not None:
            among = f"probability among {int(self.scored.candidates.sum()):,} candidates"
        elif self.wish.allowed is not None:
            among = f"percentages are of the {int(self.wish.allowed.sum()):,} that pass the filters"
        else:
            among = "percentages are of the whole catalogue"
            amount = amount if k <= n_items else f"all {n_items:,} items, which is less than {k}"
        counted = [f"{plural(len(self.feedback), 'label')} counted"] if self.feedback else []
        return BETWEEN.join([self.title, amount, spent, among, *counted])

    def html(self) -> str:
        return card_list(
            self.recommendations,
            self.dataset.catalogue,
            self.verdicts,
            BETWEEN.join(map(say, self.line.split(BETWEEN))),
            self.said,
            self.reasons,
            cold=self.cold,
            link=self.link,
            files={"CSV": _address("text/csv", self._csv()), "JSON": _address("application/json", self._json())},
        )

    def _csv(self) -> str:
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(("query", *COLUMNS))
        for found in self.recommendations:
            values = (self.request.query, *(getattr(found, name) for name in COLUMNS))
            rows.writerow([_no_formula(value) for value in values])
        return out.getvalue()

    def _json(self) -> str:
        ids = [self.dataset.catalogue.item_ids[number] for number in self.request.history]
        found = [{name: getattr(one, name) for name in (*COLUMNS, "scores", "shares")} for one in self.recommendations]
        content = {"query": self.request.query, "history": ids, "run": self.run, "recommendations": found}
        return json.dumps(content, ensure_ascii=False, indent=1)


def _no_formula(value: object) -> object:
    """A text that a spreadsheet would compute gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t" and value else value


def _address(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8,{quote(text)}"


def cold_items(dataset: Dataset) -> frozenset[int]:
    """Items that no training example mentions; empty where there are no examples at all."""
    chosen = times_chosen(dataset)
    return frozenset((chosen == 0).nonzero()[0].tolist()) if chosen.any() else frozenset()
