"""What a phrase such as 'older than 1980' or 'no horror' says of a catalogue's columns, in English and Chinese.

Only phrases that say one thing as a whole become a filter; all others are left to the model.
"""

from __future__ import annotations

import re

from gpr.data.filters import Choice, Facet, Filter, Range

_NUMBER = r"(?P<number>\d+(?:\.\d+)?)"
_UNIT = r"(?:\s*(?:euros?|dollars?|pounds?|minutes?|mins?|hours?|pages?|years?|stars?|%|€|\$|元|分钟|小时|页|年|岁))?"
_NAME = r"(?:(?P<name>[^\d\s][^\d]*?)\s+)?"
_BELOW = "older than|earlier than|before|from before|under|below|less than|cheaper than|shorter than|at most|up to|<=?"
_ABOVE = "newer than|later than|after|since|from|over|above|more than|longer than|at least|>=?"
_LESS = (
    rf"{_NAME}(?:{_BELOW})\s*[€$£]?{_NUMBER}{_UNIT}",
    rf"(?P<name>[^\d]*?)(?:早于|低于|少于|不超过|小于|便宜于|短于)\s*{_NUMBER}{_UNIT}",
    rf"(?P<name>[^\d]*?){_NUMBER}{_UNIT}\s*(?:以前|之前|以下|以内)",
)
_MORE = (
    rf"{_NAME}(?:{_ABOVE})\s*[€$£]?{_NUMBER}{_UNIT}",
    rf"(?P<name>[^\d]*?)(?:晚于|高于|多于|超过|大于|长于|至少)\s*{_NUMBER}{_UNIT}",
    rf"(?P<name>[^\d]*?){_NUMBER}{_UNIT}\s*(?:以后|之后|以上)",
)
_STRICT = re.compile("than|before|under|below|after|over|above|[早晚低高少多小大]于|以前|之前")
"""What leaves out the number itself, where numbers are whole."""
_NOT = re.compile(r"(?:not|no|without|nothing|except|but no|不要|不是|没有|除了)\s*(?P<value>.+)", re.IGNORECASE)
_TIME = re.compile(r"older|newer|earlier|later|before|after|since|早于|晚于|年|以前|之前|以后|之后")
_PRICE = re.compile(r"cheap|euro|dollar|pound|[€$£]|元|便宜")
_LENGTH = re.compile(r"short|long|minute|hour|page|分钟|小时|页|短|长")
_KINDS = (
    (_TIME, re.compile(r"year|date|released|年")),
    (_PRICE, re.compile(r"price|cost|fee|价|费")),
    (_LENGTH, re.compile(r"length|duration|runtime|minutes|hours|pages|长|时")),
)
"""What a phrase sounds like -> what the column that it means is called."""


def filter_of(phrase: str, known: list[Facet]) -> Filter | None:
    """The filter that a phrase means as a whole; None if it is for the model to understand."""
    phrase = " ".join(phrase.split()).strip(" .,。，").casefold()
    if found := _NOT.fullmatch(phrase):
        return _without(found["value"], known)
    for forms, below in ((_LESS, True), (_MORE, False)):
        for form in forms:
            if (found := re.fullmatch(form, phrase)) and (column := _column(found["name"] or "", phrase, found, known)):
                return _bound(column, float(found["number"]), phrase, below=below)
    return None


def _bound(column: Range, number: float, phrase: str, *, below: bool) -> Filter:
    strict = column.whole and bool(_STRICT.search(phrase))
    if below:
        return Filter(column.column, high=number - 1 if strict else number)
    return Filter(column.column, low=number + 1 if strict else number)


def _column(name: str, phrase: str, found: re.Match[str], known: list[Facet]) -> Range | None:
    """The column of numbers that is meant: by its name, by what the words sound like, or as the only one that fits."""
    ranges = [facet for facet in known if isinstance(facet, Range)]
    name = name.strip()
    if named := [facet for facet in ranges if facet.column.casefold() == name]:
        return named[0]
    if name:
        return None
    number = float(found["number"])
    for sounds, called in _KINDS:
        if sounds.search(phrase) and (fits := [facet for facet in ranges if called.search(facet.column.casefold())]):
            return fits[0]
    fits = [facet for facet in ranges if facet.low <= number <= facet.high]
    return fits[0] if len(fits) == 1 and len(ranges) == 1 else None


def _without(value: str, known: list[Facet]) -> Filter | None:
    """'no horror': the items without the one value that is called so."""
    value = re.sub(r"^(?:any|a|an|the)\s+", "", value.strip())
    for facet in known:
        if isinstance(facet, Choice):
            for name, _ in facet.values:
                if name.casefold() in (value, value.removesuffix("s"), value.removesuffix("的")):
                    return Filter(facet.column, (name,), inverse=True)
    return None
