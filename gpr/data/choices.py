"""What a user may decide about a data set. It knows names and values, not what follows from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from gpr.data.synonyms import ALL_ROLES, Role
from gpr.errors import DataError

Histories = Literal["file", "last", "date"]
Pairs = Literal["file", "random"]


@dataclass(frozen=True)
class Choices:
    """Everything has a default that is sound; `Choices()` is what GPR does by itself.

    Raises:
        DataError: a value that is none of those that are understood.
    """

    roles: Mapping[str, Mapping[str, Role]] = field(default_factory=dict)
    """File -> column -> its role, where it is not the one that GPR guesses."""
    good_from: float | None = None
    """Ratings below it are bad; None: every interaction counts as chosen."""
    pairs: Pairs = "file"
    """How pairs are split: as the file's split column says (at random where there is none), or at random by query."""
    histories: Histories = "file"
    """How histories are split: as the file's split column says (the last two items of each user where there is none),
    the last two in any case, or by two dates for all."""
    equal_titles: Literal["merge", "apart"] = "merge"
    """Items with equal titles are one item, or are told apart by their id in the title."""
    html: Literal["strip", "keep"] = "strip"
    personal: Literal["mask", "keep"] = "mask"
    """Personal data in texts."""

    def __post_init__(self) -> None:
        for name, kind in _CLOSED.items():
            if getattr(self, name) not in get_args(kind):
                known = ", ".join(get_args(kind))
                raise DataError(f"'{getattr(self, name)}' is no choice for {name}.", hint=f"Use one of {known}.")
        if self.good_from is not None and not math.isfinite(self.good_from):
            raise DataError("The rating that counts as good is no number.", hint="Use a rating such as 4.")
        unknown = {role for columns in self.roles.values() for role in columns.values()} - set(ALL_ROLES)
        if unknown:
            raise DataError(f"'{min(unknown)}' is no role of a column.", hint=f"Use one of {', '.join(ALL_ROLES)}.")

    def with_role(self, file: str, column: str, role: Role) -> Choices:
        """The same, with another role for one column."""
        return replace(self, roles={**self.roles, file: {**self.roles.get(file, {}), column: role}})

    def as_json(self) -> dict[str, Any]:
        """For `from_json`."""
        return asdict(self) | {"roles": {file: dict(columns) for file, columns in self.roles.items()}}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Choices:
        """What `as_json` gave; names that are not known are left out.

        Raises:
            DataError: a value that is not understood.
        """
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in content.items() if name in known})


_CLOSED: dict[str, Any] = {
    "pairs": Pairs,
    "histories": Histories,
    "equal_titles": Literal["merge", "apart"],
    "html": Literal["strip", "keep"],
    "personal": Literal["mask", "keep"],
}
