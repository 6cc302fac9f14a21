"""The kept data sets of a workspace: added, listed, renamed, deleted, exported, and rid of a person.

It knows nothing of runs; whoever deletes asks whether one needs the data.
"""

from __future__ import annotations

import difflib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from gpr.data.account import write_repaired, write_set_aside
from gpr.data.build import build
from gpr.data.choices import Choices
from gpr.data.dataset import Dataset
from gpr.data.kept import Kept, columns_key, is_kept, read_kept, read_tables, write_marker, write_tables
from gpr.data.protect import protect
from gpr.data.pseudonyms import Pseudonyms
from gpr.data.report import report
from gpr.data.samples import SAMPLES
from gpr.data.synonyms import Role
from gpr.data.table import Part, Table
from gpr.errors import DataError
from gpr.files import disk_error, written_whole

_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True)
class Forgotten:
    """What a data set lost with a person."""

    name: str
    rows: int
    before: Dataset
    after: Dataset | None
    """None where what is left is no data set any more; then it is deleted."""


class DataStore:
    """All kept data sets below one folder.

    Raises:
        WorkspaceError: the folder cannot be made or written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, root) from error
        self._lock = FileLock(root / ".lock")

    def folder(self, name: str) -> Path:
        return self.root / name

    def all(self) -> list[Kept]:
        """By name; damaged ones are left out."""
        found = []
        for path in sorted(self.root.iterdir()):
            if is_kept(path) and not path.name.startswith("."):
                try:
                    found.append(read_kept(path))
                except DataError:
                    continue
        return found

    def has(self, name: str) -> bool:
        return bool(_NAME.fullmatch(name)) and is_kept(self.folder(name))

    def find(self, name: str) -> Kept:
        """Raises: DataError: there is none of that name; names the closest."""
        if self.has(name):
            return read_kept(self.folder(name))
        names = [kept.name for kept in self.all()]
        close = difflib.get_close_matches(name, names, n=2) or names[:3]
        hint = f"Kept here: {', '.join(close)}." if close else "Nothing is kept yet; add a file or folder first."
        raise DataError(f"There is no kept data set '{name[:80]}'.", hint=hint)

    def add(
        self,
        name: str,
        tables: Mapping[Part, Table],
        *,
        source: str,
        choices: Choices | None = None,
        partial: bool = False,
    ) -> Kept:
        """Keeps tables under a new name. Columns that the user mapped before mean the same again.

        Args:
            partial: keep them also where the mapping is not complete, so that the user can complete it.

        Raises:
            DataError: the name is taken or no name, or the data cannot be used. WorkspaceError: the disk refused.
        """
        self._check_free(name)
        choices = self._with_remembered(choices or Choices(), tables)
        tables, hashed = self._protected(tables, choices)
        stored = datetime.now(UTC).isoformat(timespec="seconds")
        kept = Kept(name, source=source, stored=stored, choices=choices, hashed=hashed)
        return self._write(kept, tables, partial=partial)[0]

    def choose(self, name: str, choices: Choices) -> Kept:
        """Takes over what the user decided, and remembers the mapping for files with the same columns.

        Raises:
            DataError: the data cannot be used so; then nothing changes, unless it could not be used before either:
                several columns may have to be mapped, one after the other.
        """
        with self._lock:
            kept, tables = self.find(name), read_tables(self.folder(name))
            if (kept.choices.personal, choices.personal) == ("mask", "keep"):
                hint = "Add the files again, and choose to keep it then."
                raise DataError("Personal data was masked before this was stored, so it cannot be kept now.", hint=hint)
            tables, hashed = self._protected(tables, choices, kept.hashed)
            partial = not kept.hash
            kept, _ = self._write(replace(kept, choices=choices, hashed=hashed), tables, partial=partial)
            self._remember(choices, tables)
            return kept

    def rename(self, old: str, new: str) -> Kept:
        """Raises: DataError: no such data set, or the new name is taken or no name."""
        with self._lock:
            kept = replace(self.find(old), name=new)
            self._check_free(new)
            try:
                self.folder(old).rename(self.folder(new))
                write_marker(self.folder(new), kept)
            except OSError as error:
                raise disk_error(error, self.folder(new)) from error
            return kept

    def delete(self, name: str) -> None:
        """Raises: DataError: no such data set. WorkspaceError."""
        with self._lock:
            self.find(name)
            try:
                shutil.rmtree(self.folder(name))
            except OSError as error:
                raise disk_error(error, self.folder(name)) from error

    def dataset(self, name: str) -> Dataset:
        """Raises: DataError: no such data set, or its mapping is not complete."""
        kept = self.find(name)
        return build(read_tables(self.folder(name)), name=name, choices=kept.choices)

    def export(self, name: str, folder: Path) -> list[Path]:
        """The data as it is used, the rows set aside, and the report, into a new folder. The key stays here.

        Raises:
            DataError: no such data set, or the folder is there already. WorkspaceError.
        """
        if folder.exists():
            raise DataError("This folder exists already.", where=str(folder), hint="Name a new one.")
        dataset = self.dataset(name)
        files = write_repaired(dataset, folder)
        about = folder / "check"
        about.mkdir()
        if write_set_aside(dataset, about / "set-aside.csv"):
            files.append(about / "set-aside.csv")
        told = json.dumps(report(dataset), ensure_ascii=False, indent=1)
        (about / "report.json").write_text(told, encoding="utf-8")
        return [*files, about / "report.json"]

    def forget(self, user: str) -> list[Forgotten]:
        """Removes all rows of a user from all data sets; their hashes change and name the old ones.

        Raises:
            DataError, WorkspaceError.
        """
        found = []
        with self._lock:
            pseudonym = self._pseudonyms().of(user)
            for kept in self.all():
                lost = self._forget(kept, pseudonym) if pseudonym else None
                if lost:
                    found.append(lost)
        return found

    def _forget(self, kept: Kept, pseudonym: str) -> Forgotten | None:
        folder = self.folder(kept.name)
        tables, rows = read_tables(folder), 0
        for part, table in tables.items():
            mine = table.frame[list(kept.hashed.get(table.file, ()))].isin([pseudonym]).any(axis=1)
            if mine.any():
                rows += int(mine.sum())
                tables[part] = replace(table, frame=table.frame[~mine], rows=table.rows - int(mine.sum()))
        if not rows:
            return None
        before = self.dataset(kept.name)
        try:
            after: Dataset | None = self._write(kept, tables)[1]
        except DataError:
            self.delete(kept.name)
            after = None
        return Forgotten(kept.name, rows, before, after)

    def _write(self, kept: Kept, tables: Mapping[Part, Table], *, partial: bool = False) -> tuple[Kept, Dataset | None]:
        dataset: Dataset | None = None
        try:
            dataset = build(tables, name=kept.name, choices=kept.choices)
            kept = kept.with_hash(dataset.hash, len(dataset.catalogue))
        except DataError:
            if not partial:
                raise
        with written_whole(self.folder(kept.name)) as folder:
            folder.mkdir()
            write_tables(folder, tables)
            if dataset:
                told = json.dumps(report(dataset), ensure_ascii=False, indent=1)
                (folder / "report.json").write_text(told, encoding="utf-8")
            write_marker(folder, kept)
        return kept, dataset

    def _check_free(self, name: str) -> None:
        if not _NAME.fullmatch(name) or name in SAMPLES:
            hint = "Use up to 64 letters, digits, '.', '-' and '_'; names of samples are taken."
            raise DataError(f"'{name[:80]}' cannot name a data set.", hint=hint)
        if self.folder(name).exists():
            raise DataError(f"A data set named '{name}' is kept already.", hint="Choose another name.")

    def _protected(
        self, tables: Mapping[Part, Table], choices: Choices, hashed: Mapping[str, tuple[str, ...]] | None = None
    ) -> tuple[dict[Part, Table], dict[str, tuple[str, ...]]]:
        """The tables as they may be stored, and which columns are hashed by now."""
        pseudonyms, safe, columns = self._pseudonyms(), {}, {}
        for part, table in tables.items():
            before = (hashed or {}).get(table.file, ())
            safe[part], columns[table.file] = protect(part, table, choices, pseudonyms, before)
        return safe, columns

    def _pseudonyms(self) -> Pseudonyms:
        try:
            return Pseudonyms(self.root / ".key")
        except OSError as error:
            raise disk_error(error, self.root) from error

    def _mappings(self) -> dict[str, dict[str, Role]]:
        try:
            content = json.loads((self.root / ".mappings.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _with_remembered(self, choices: Choices, tables: Mapping[Part, Table]) -> Choices:
        known = self._mappings()
        found = {table.file: known.get(columns_key(table.frame), {}) for table in tables.values()}
        roles = {file: {**found.get(file, {}), **choices.roles.get(file, {})} for file in (*found, *choices.roles)}
        return replace(choices, roles={file: columns for file, columns in roles.items() if columns})

    def _remember(self, choices: Choices, tables: Mapping[Part, Table]) -> None:
        new = {columns_key(table.frame): dict(choices.roles.get(table.file, {})) for table in tables.values()}
        known = self._mappings() | {key: columns for key, columns in new.items() if columns}
        with written_whole(self.root / ".mappings.json") as partial:
            partial.write_text(json.dumps(known, ensure_ascii=False, indent=1), encoding="utf-8")
