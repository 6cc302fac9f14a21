"""What is asked as the query of an address, so that a link opens the same answer. It knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from gpr.data.dataset import Catalogue
from gpr.errors import RequestError
from gpr.ui.recommend.asking import WISHES, Asking, number_of

MAX_CHARS = 8_000
"""A longer address is not read."""
LIMITS = {"popularity": (-1.0, 1.0), "novelty": (0.0, 1.0), "diversity": (0.0, 0.9), "weight": (0.0, 3.0)}


@dataclass(frozen=True)
class Link:
    """What a link says."""

    data: str = ""
    """The name of the data."""
    run: str = ""
    query: str = ""
    items: tuple[str, ...] = ()
    """Ids of the history."""
    k: int = 0
    """0 where it says nothing."""
    asking: Asking = field(default_factory=Asking)

    @property
    def asks(self) -> bool:
        return bool(self.query or self.items)

    def history(self, catalogue: Catalogue) -> list[int]:
        """Item numbers; ids that this catalogue does not have are left out."""
        return [catalogue.numbers[item] for item in self.items if item in catalogue.numbers]


def link_of(data: str, run: str, query: str, items: Sequence[str], k: int, asking: Asking) -> str:
    """The query of an address, with its question mark."""
    pairs: list[tuple[str, object]] = [("data", data), ("run", run), ("q", " ".join(query.split()))]
    pairs += [("item", item) for item in items]
    pairs += [("turn", turn) for turn in asking.turns]
    for one in asking.filters:
        pairs += [(f"is.{one.column}", value) for value in one.values]
        pairs += [(f"min.{one.column}", _plain(one.low)), (f"max.{one.column}", _plain(one.high))]
    pairs += [(f"weight.{part}", _plain(times)) for part, times in asking.weights]
    pairs += [(name, _plain(getattr(asking, name) or None)) for name in WISHES]
    return "?" + urlencode([(key, value) for key, value in [*pairs, ("k", k)] if value not in ("", None)])


def read_link(address: str) -> Link:
    """What an address says; whatever in it is wrong counts as not said."""
    if len(address) > MAX_CHARS:
        return Link()
    pairs = parse_qsl(urlsplit(address).query)
    said = dict(pairs)
    asking = Asking(turns=tuple(value for key, value in pairs if key == "turn"))
    for key, value in pairs:
        asking = _heard(asking, key, value)
    items = tuple(value for key, value in pairs if key == "item")
    k = int(said["k"]) if said.get("k", "").isdecimal() and len(said["k"]) < 4 else 0
    return Link(said.get("data", ""), said.get("run", ""), said.get("q", ""), items, k, asking)


def _heard(asking: Asking, key: str, value: str) -> Asking:
    kind, _, name = key.partition(".")
    if kind == "is" and name:
        return asking.with_value(name, value, on=True)
    number = number_of(value)
    if number is None:
        return asking
    if kind in ("min", "max") and name:
        return asking.with_bound(name, "low" if kind == "min" else "high", number)
    if kind in LIMITS and (kind == "weight") == bool(name):
        low, high = LIMITS[kind]
        number = min(max(number, low), high)
        return asking.with_weight(name, number) if name else asking.with_wish(kind, number)
    return asking


def found_data(name: str, known: Sequence[tuple[str, str]]) -> str:
    """The data of a link.

    Args:
        known: data and its name.

    Raises:
        RequestError: there is none of this name.
    """
    for data, called in known:
        if called == name:
            return data
    raise RequestError(f"The link is about data '{name[:80]}', which is not here.", hint="Load it on the tab Data.")


def _plain(number: float | None) -> str | None:
    return None if number is None else f"{number:g}" if abs(number) < 1e5 else f"{number:.0f}"
