"""Batches that are kept in the workspace, so that one goes on after its page, or the server, was closed.

A folder each, by a name that nobody guesses: `requests.jsonl`, of which other columns than the request's own are left
out, the file that is made and what `gpr.batch` keeps beside it, and `batch.json`, written last.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from gpr.batch import Batch, Recommends, read_requests
from gpr.data.dataset import Dataset, Request
from gpr.errors import GPRError
from gpr.files import written_whole
from gpr.labels.label import request_id

BATCHES = "batches"
"""Folder of a workspace."""
ABOUT, REQUESTS = "batch.json", "requests.jsonl"
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class KeptBatch:
    """One file of requests, and who answers them."""

    folder: Path
    data: str
    run: str
    """'' is the base model as it is."""
    k: int
    kind: str
    """The ending of the file that is made."""
    count: int
    """Requests in the file."""
    name: str
    """Of the file as it was brought."""

    @property
    def key(self) -> str:
        return self.folder.name

    @property
    def out(self) -> Path:
        """The file that is made; there once all is answered."""
        return self.folder / f"recommendations{self.kind}"

    def answered(self) -> int:
        """Requests whose answers are kept."""
        if self.out.is_file():
            return self.count
        parts = self.folder.glob(f"{self.out.name}.parts/*.jsonl")
        return min(self.count, sum(part.read_bytes().count(b"\n") for part in parts))

    def batch(self, recommender: Recommends) -> Batch:
        """To go on with. Raises: DataError or RequestError, if the data has changed since."""
        return Batch(recommender, self.requests(recommender.dataset), self.out, self.k)

    def requests(self, dataset: Dataset) -> list[Request]:
        """What is asked. Raises: DataError or RequestError, if the data has changed since."""
        return read_requests(self.folder / REQUESTS, dataset)

    def delete(self) -> None:
        """With the requests and all that was answered."""
        shutil.rmtree(self.folder, ignore_errors=True)


class BatchStore:
    """The batches of a workspace.

    Args:
        root: a folder; made when the first comes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, source: Path, dataset: Dataset, data: str, run: str, k: int, kind: str) -> KeptBatch:
        """Keeps a file of requests, once all of them can be answered.

        Args:
            dataset, data: what the requests are about, and its name or path.

        Raises:
            DataError: the file cannot be read. RequestError: a row of it cannot be answered.
            WorkspaceError: the disk refused.
        """
        requests = read_requests(source, dataset)
        kept = KeptBatch(self.root / secrets.token_hex(16), data, run, k, kind, len(requests), source.name)
        self.root.mkdir(parents=True, exist_ok=True)
        with written_whole(kept.folder) as partial:
            partial.mkdir()
            rows = [{"query": one.query, "history": ids} for one in requests for ids in [_ids(one, dataset)]]
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (partial / REQUESTS).write_text(lines, encoding="utf-8")
            about = {name: value for name, value in asdict(kept).items() if name != "folder"}
            (partial / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        return kept

    def forget(self, data: str, dataset: Dataset, gone: set[str]) -> int:
        """Deletes the batches about this data that hold any of these requests, by their ids; how many those are."""
        keys = [folder.name for folder in self.root.iterdir()] if self.root.is_dir() else []
        found = [kept for key in keys if (kept := self.get(key)) and kept.data == data]
        hit = [kept for kept in found if not gone.isdisjoint(_named(kept, dataset))]
        for kept in hit:
            kept.delete()
        return len(hit)

    def get(self, key: object) -> KeptBatch | None:
        """The batch of a key, None where there is none."""
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            return None
        try:
            about = json.loads((self.root / key / ABOUT).read_text(encoding="utf-8"))
        except OSError:
            return None
        return KeptBatch(self.root / key, **about)


def _ids(request: Request, dataset: Dataset) -> list[str]:
    """The items of a request's history."""
    return [dataset.catalogue.item_ids[number] for number in request.history]


def _named(kept: KeptBatch, dataset: Dataset) -> set[str]:
    """The ids of its requests; none where they do not fit the data any more."""
    try:
        return {request_id(dataset.name, one.query, _ids(one, dataset)) for one in kept.requests(dataset)}
    except GPRError:
        return set()
