"""The page in the visitor's language: one lookup, one file for each language in `assets/languages`.

English is what the code says, what is kept and what is logged; a text is put into the visitor's language where it is
shown, with `say`. So words of a thread that has no visitor, of an error or of another's run are heard in the language
of whoever looks at them. A key of a file is an English text with `{}` for each value in it; its translation names the
values by their place, `{0}`, or `{0:say}` where the value is a text of ours itself.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING

from gradio.context import LocalContext

if TYPE_CHECKING:
    from re import Pattern

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "languages"
ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "zh": "中文"}
"""Name of a file -> what its speakers call the language."""
COOKIE = "gpr-language"
"""What was chosen on the page."""
SETTING = "GPR_LANGUAGE"
"""Environment: the language of the server's visitors, where it is not that of their browser."""
KEPT = 4096
"""Texts whose translation is remembered."""
_SENTENCE = re.compile(r"(?<=[.!?…]) +(?=\S)")


class _Value(str):
    """A value of a text: `{0:say}` puts it into the language of the text."""

    language = ENGLISH

    def __format__(self, form: str) -> str:
        return _said(self.language, str(self)) if form == "say" else str(self)


def language_of(headers: Mapping[str, str]) -> str:
    """The language of who sent a request: as chosen on the page, else the server's, else the browser's."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    wanted = [cookie.value if cookie else "", os.environ.get(SETTING, ""), *_accepted(headers)]
    return next((language for language in wanted if language in LANGUAGES), ENGLISH)


def _accepted(headers: Mapping[str, str]) -> list[str]:
    """What the browser asks for, the dearest first, without the country."""
    parts = [part.partition(";") for part in headers.get("accept-language", "").split(",")]
    weighed = [(name.strip()[:2].lower(), _weight(rest)) for name, _, rest in parts]
    return [name for name, weight in sorted(weighed, key=lambda each: -each[1])]


def _weight(text: str) -> float:
    found = re.search(r"q=([01](?:\.\d+)?)", text)
    return float(found[1]) if found else 1.0


def language() -> str:
    """The language of the visitor whose event is being answered; English outside of one."""
    request = LocalContext.request.get(None)
    return language_of(request.headers) if request is not None else ENGLISH


def say(text: str) -> str:
    """An English text of ours in the visitor's language; what no file knows stays as it is."""
    return _said(language(), text)


@lru_cache(KEPT)
def _said(language: str, text: str) -> str:
    if language == ENGLISH or not text.strip():
        return text
    exact, _ = _dictionary(language)
    if text in exact:
        return exact[text]
    sentences = _SENTENCE.split(text)
    parts = [_whole(language, sentence) for sentence in sentences]
    if None in parts and (whole := _whole(language, text)) is not None:
        return whole
    return _joined(
        [_placed(language, text) if part is None else part for part, text in zip(parts, sentences, strict=True)]
    )


def _placed(language: str, sentence: str) -> str:
    """A sentence that no file knows; behind a place ('items.csv, row 3: ') what follows may be known."""
    place, colon, rest = sentence.partition(": ")
    said = _whole(language, rest) if colon else None
    return sentence if said is None else f"{place}: {said}"


def _joined(parts: list[str]) -> str:
    """Sentences after each other: Chinese ones need no space."""
    out = parts[0]
    for part in parts[1:]:
        out += part if ord(out[-1:] or " ") > 0x2E7F else f" {part}"
    return out


def _whole(language: str, text: str) -> str | None:
    """The translation of a text that a file knows as a whole."""
    exact, forms = _dictionary(language)
    if text in exact:
        return exact[text]
    for pattern, translation in forms:
        if found := pattern.fullmatch(text):
            values = [_Value(value) for value in found.groups()]
            for value in values:
                value.language = language
            return translation.format(*values)
    return None


@cache
def translations(language: str) -> dict[str, str]:
    """The file of a language as it is."""
    path = FOLDER / f"{language}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


@cache
def _dictionary(language: str) -> tuple[dict[str, str], list[tuple[Pattern[str], str]]]:
    """Texts without values, and patterns of those with some, the most definite first."""
    known = translations(language)
    exact = {text: said for text, said in known.items() if "{}" not in text}
    forms = sorted((text for text in known if "{}" in text), key=lambda text: (-len(text), text))
    return exact, [(_pattern(text), known[text]) for text in forms]


def _pattern(text: str) -> Pattern[str]:
    return re.compile("(.*?)".join(map(re.escape, text.split("{}"))), re.DOTALL)
