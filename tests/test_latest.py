from __future__ import annotations

from gpr.latest import Latest


class Thing:
    pass


def test_the_one_that_was_not_asked_for_the_longest_goes() -> None:
    kept: Latest[Thing] = Latest(2)
    for key in ("a", "b"):
        kept.put(key, Thing())
    first = id(kept.get("a"))
    kept.put("c", Thing())
    assert id(kept.get("a")) == first
    assert kept.get("b") is None
    assert kept.get("c") is not None


def test_what_somebody_still_uses_is_found_and_not_held_twice() -> None:
    kept: Latest[Thing] = Latest(1)
    used = kept.put("a", Thing())
    kept.put("b", Thing())
    assert kept.get("a") is used
    assert kept.get("b") is None
    del used
    kept.put("c", Thing())
    assert kept.get("a") is None
