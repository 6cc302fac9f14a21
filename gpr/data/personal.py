"""Personal data in texts: found by pattern, confirmed by validators, masked as '[e-mail]'.

E-mail addresses, phone numbers, payment cards, IBANs, IP addresses, national ids. Numbers without any mark of what they
are (a bare phone number in another country's format) are not found: too many article numbers look the same.
"""

from __future__ import annotations

import html
import ipaddress
import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pandas as pd
import phonenumbers
from stdnum import iban, luhn
from stdnum.br import cpf
from stdnum.cn import ric
from stdnum.es import dni
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.us import ssn

NAMED = re.compile(r"\[([A-Za-z -]+) (u-[0-9a-f]{16})\]")
"""A finding with the pseudonym of whom it names."""
_MAYBE = (
    r"@|\d[\d .()/-]{5,}\d|\d\.\d|[A-Z]{2}\d{2}[A-Z0-9 ]{8}|[A-Za-z]{6}\d\d[A-Za-z]|[0-9a-f]:[0-9a-f:]{3}|\d{8}-?[A-Z]"
    r"|&#[xX]?[0-9a-fA-F]{1,5};|&(?:commat|period|plus|colon|lowbar);"
)
"""What any finding holds; for RE2, which reads millions of texts a second."""
_CODED = re.compile(r"&(?:#[xX]?[0-9a-fA-F]{1,5}|commat|period|plus|colon|lowbar);")
"""A character as HTML may write it."""
_MARKUP = "<>&\"'"


def _region(region: str | None) -> Callable[[str], bool]:
    @lru_cache(10_000)
    def valid(text: str) -> bool:
        try:
            return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, region)))
        except phonenumbers.NumberParseException:
            return False

    return valid


def _address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return len(digits) in (15, 16) and len(set(digits)) > 1 and bool(luhn.is_valid(digits))


_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("e-mail", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-zA-Z]{2,24}(?![\w-])"), lambda _: True),
    ("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b"), iban.is_valid),
    ("national id", re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"), ssn.is_valid),
    ("national id", re.compile(r"(?<!\d)[1-8]\d{16}[\dXx](?!\w)"), ric.is_valid),
    ("national id", re.compile(r"(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)"), cpf.is_valid),
    ("national id", re.compile(r"\b[A-Za-z]{6}\d\d[A-Za-z]\d\d[A-Za-z]\d{3}[A-Za-z]\b"), codicefiscale.is_valid),
    ("national id", re.compile(r"(?<![\w-])\d{8}-?[A-Z](?![\w-])"), dni.is_valid),
    ("national id", re.compile(r"(?<!\d)[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}(?!\d)"), nir.is_valid),
    ("card", re.compile(r"(?<![\d-])[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{4}(?![\d-])"), _card),
    ("card", re.compile(r"(?<![\d-])3[47]\d{2}[ -]?\d{6}[ -]?\d{5}(?![\d-])"), _card),
    ("IP address", re.compile(r"(?<![\d.v])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)"), _address),
    ("IP address", re.compile(r"(?<![\w:])(?=(?:[0-9a-fA-F]*:){3})[0-9a-fA-F:]{6,39}(?![\w:])"), _address),
    ("phone", re.compile(r"(?<![\w+])\+\d[\d ().-]{6,18}\d(?!\d)"), _region(None)),
    ("phone", re.compile(r"(?<![\w+.-])\(?\d{3}\)?[ .-]\d{3}[.-]\d{4}(?![\w.-])"), _region("US")),
    ("phone", re.compile(r"(?<![A-Za-z\d.-])1[3-9]\d{9}(?![A-Za-z\d.-])"), _region("CN")),
)  # fmt: skip
"""Kind, pattern, validator: the longest patterns first, since what is masked is not looked at again."""


def mask(text: str) -> tuple[str, Counter[str]]:
    """The text with every finding as its kind in brackets, and how many there were of each kind. What is hidden behind
    characters that HTML spells out, 'a&#64;b.org', is found too; such a text is then stored without them.
    """
    masked, found = _mask(text)
    if "&" in masked and (decoded := _CODED.sub(_character, masked)) != masked:
        again, more = _mask(decoded)
        if more:
            return again, found + more
    return masked, found


def _character(match: re.Match[str]) -> str:
    """What is spelled out, unless it is a character that HTML needs."""
    character = html.unescape(match[0])
    return match[0] if character in _MARKUP else character


def _mask(text: str) -> tuple[str, Counter[str]]:
    found: Counter[str] = Counter()

    def replace(match: re.Match[str], kind: str, valid: Callable[[str], bool]) -> str:
        if not valid(match[0]):
            return match[0]
        found[kind] += 1
        return f"[{kind}]"

    for kind, pattern, valid in _KINDS:
        text = pattern.sub(lambda match, kind=kind, valid=valid: replace(match, kind, valid), text)  # type: ignore[misc]
    return text, found


def mask_all(values: pd.Series, name: Callable[[str], str] | None = None) -> tuple[pd.Series, Counter[str], np.ndarray]:
    """The masked values, how many findings there were of each kind, and (rows,) which rows had some.

    Args:
        name: gives a pseudonym to a cell that is nothing but one finding, '[e-mail u-0123456789abcdef]': such a column
            may turn out to say who did what. `unnamed` takes it off.
    """
    maybe = values.str.contains(_MAYBE, regex=True).to_numpy(dtype=bool)
    hit = np.zeros(len(values), dtype=bool)
    total: Counter[str] = Counter()
    if not maybe.any():
        return values, total, hit
    changed = values.to_numpy(dtype=object, copy=True)
    for place in np.flatnonzero(maybe):
        text, found = mask(changed[place])
        if found:
            if name and found.total() == 1 and text.strip() == f"[{next(iter(found))}]":
                text = f"{text.strip()[:-1]} {name(changed[place])}]"
            changed[place], hit[place] = text, True
            total += found
    if not hit.any():
        return values, total, hit
    return pd.Series(changed, index=values.index, dtype="str"), total, hit


def unnamed(values: pd.Series) -> pd.Series:
    """The values without the pseudonyms of `mask_all`."""
    named = values.str.contains(r"\w u-[0-9a-f]{16}\]", regex=True).to_numpy(dtype=bool)
    if not named.any():
        return values
    changed = values.to_numpy(dtype=object, copy=True)
    changed[named] = [NAMED.sub(r"[\1]", text) for text in changed[named]]
    return pd.Series(changed, index=values.index, dtype="str")
