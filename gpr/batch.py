"""Many requests at once: a file of them in, a file of recommendations out. Broken off, it goes on where it ended.

What is answered is kept line by line beside the file that is made, one file for each process; the last step puts them
together. It knows a recommender by its `recommend` alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from gpr.data.account import harmless_cells
from gpr.data.dataset import Dataset, Request
from gpr.errors import DataError, RequestError
from gpr.files import written_whole
from gpr.labels.formats import read_rows
from gpr.recommendation import Recommendation

COLUMNS = ("request", "query", "rank", "item_id", "title", "probability")
KINDS = (".csv", ".jsonl", ".parquet")
SEPARATOR = "|"
"""Between the ids of a history that is written as text."""


class Recommends(Protocol):
    """What answers."""

    dataset: Dataset

    @property
    def title(self) -> str: ...

    def recommend(self, request: Request, k: int = 10) -> list[Recommendation]: ...


def read_requests(path: Path, dataset: Dataset) -> list[Request]:
    """The requests of a file with a column `query`, a column `history` (a list of item ids, or ids with '|' between
    them), or both, row by row.

    Raises:
        DataError: the file cannot be read, has neither column or no row.
        RequestError: a row that cannot be answered, with its number.
    """
    rows = read_rows(path)
    if not rows or not {"query", "history"} & set(rows[0]):
        raise DataError(
            "The file holds no requests.",
            where=str(path),
            hint="Give it a column 'query', a column 'history', or both.",
        )
    found = []
    for number, row in enumerate(rows, 1):
        try:
            if not isinstance(row, dict):
                raise RequestError("The row has no columns.", hint="Write it as a record with 'query' or 'history'.")
            history = tuple(dataset.catalogue.number(item) for item in _ids(row.get("history")))
            found.append(Request(_text(row.get("query")), history).checked(len(dataset.catalogue)))
        except RequestError as error:
            raise RequestError(error.what, where=f"{path.name}, row {number}", hint=error.hint) from None
    return found


def _text(value: Any) -> str:
    return "" if value is None or value != value else " ".join(str(value).split())


def _ids(value: Any) -> list[str]:
    """The ids of a cell. Raises: RequestError: it is no list."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else value.split(SEPARATOR)
        except ValueError:
            hint = f"Write item ids with '{SEPARATOR}' between them, or a JSON list of them."
            raise RequestError("The history is no list of item ids.", hint=hint) from None
    elif value is None or isinstance(value, float):
        return []
    return [str(item).strip() for item in value if str(item).strip()]


class Batch:
    """One file of requests on its way.

    Args:
        out: the file to make: .csv, .jsonl or .parquet.
        k: recommendations for each request.
        rank, world: which of how many processes this is; each takes its part of what is left.

    Raises:
        DataError: no such kind of file.
    """

    def __init__(
        self, recommender: Recommends, requests: Sequence[Request], out: Path, k: int, *, rank: int = 0, world: int = 1
    ) -> None:
        if out.suffix.lower() not in KINDS:
            raise DataError(
                f"'{out.name}' has no known ending.", where=str(out), hint=f"End it with one of {', '.join(KINDS)}."
            )
        self.recommender, self.requests, self.out, self.k = recommender, requests, out, k
        self.rank, self.world = rank, world
        self.folder = out.with_name(f"{out.name}.parts")
        asked = [recommender.title, recommender.dataset.hash, k, [(one.query, one.history) for one in requests]]
        self._mark = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]

    def answered(self) -> dict[int, list[dict[str, Any]]]:
        """Number of a request -> its rows, as far as they are kept; what was asked otherwise does not count."""
        found: dict[int, list[dict[str, Any]]] = {}
        for path in sorted(self.folder.glob(f"{self._mark}-*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    kept = json.loads(line)
                except ValueError:  # the process ended while it wrote
                    continue
                found[kept["request"]] = kept["rows"]
        return found

    def left(self) -> list[int]:
        """Numbers of the requests that this process has to answer."""
        kept = self.answered()
        return [number for number in range(1, len(self.requests) + 1) if number not in kept][self.rank :: self.world]

    def run(self, numbers: Sequence[int], stop: Callable[[], bool] = lambda: False) -> Iterator[int]:
        """Answers these requests, and names each that is kept. Ends early when `stop` says so."""
        if not numbers:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self._mark}-{self.rank}.jsonl"
        torn = path.exists() and not path.read_bytes().endswith(b"\n")
        with path.open("a", encoding="utf-8") as kept:
            kept.write("\n" if torn else "")
            for number in numbers:
                if stop():
                    return
                line = {"request": number, "rows": self._rows(number)}
                kept.write(json.dumps(line, ensure_ascii=False) + "\n")
                kept.flush()
                yield number

    def _rows(self, number: int) -> list[dict[str, Any]]:
        request = self.requests[number - 1]
        found = self.recommender.recommend(request, self.k)
        return [
            {"request": number, "query": request.query, "rank": one.rank, "item_id": one.item_id, "title": one.title,
             "probability": one.probability}
            for one in found
        ]  # fmt: skip

    def finish(self) -> bool:
        """Writes the file if every request is answered; then what was kept on the way goes."""
        kept = self.answered()
        if len(kept) < len(self.requests):
            return False
        table = pd.DataFrame([row for number in sorted(kept) for row in kept[number]], columns=list(COLUMNS))
        with written_whole(self.out) as partial:
            _WRITERS[self.out.suffix.lower()](table, partial)
        shutil.rmtree(self.folder, ignore_errors=True)
        return True


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    ".csv": lambda table, path: harmless_cells(table).to_csv(path, index=False),
    ".jsonl": lambda table, path: table.to_json(path, orient="records", lines=True, force_ascii=False),
    ".parquet": lambda table, path: table.to_parquet(path, index=False),
}
