"""The large things that were asked for last, by key. It knows nothing of what they are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


class Latest(Generic[T]):
    """Keeps up to `number` values. An older one is found only as long as somebody else still uses it, so that nothing
    large is held for nobody, nor twice. Not safe for several threads at once."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._known: WeakValueDictionary[Hashable, T] = WeakValueDictionary()

    def get(self, key: Hashable) -> T | None:
        """The value of a key, which is the latest from now on; None if there is none any more."""
        value = self._known.get(key)
        return value if value is None else self.put(key, value)

    def put(self, key: Hashable, value: T) -> T:
        """Keeps a value, and lets the one go that was not asked for the longest."""
        self._kept[key] = self._known[key] = value
        self._kept.move_to_end(key)
        while len(self._kept) > self._number:
            self._kept.popitem(last=False)
        return value
