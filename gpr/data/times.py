"""Cells as numbers and as times, however people write them. It knows no table."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_THOUSANDS = r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$"
_DAY_OR_MONTH = r"^(\d{1,2})[./-](\d{1,2})[./-]\d{4}\b"


def parse_numbers(values: pd.Series) -> pd.Series:
    """(rows,) floats, NaN for what is no finite number; '1,234.5' and '3,5' are numbers."""
    quick = _cast(values, pa.float64())
    if quick is not None:
        return pd.Series(np.where(np.isfinite(quick), quick, np.nan), index=values.index)
    texts = values.str.strip()
    grouped = texts.str.match(_THOUSANDS)
    if grouped.any():
        texts = texts.mask(grouped, texts.str.replace(",", "", regex=False))
    numbers = pd.to_numeric(texts, errors="coerce").astype(float)
    if numbers.isna().any():
        decimal = texts.str.match(r"^[+-]?\d+,\d{1,2}$")
        if decimal.any():
            points = texts.where(decimal, "").str.replace(",", ".", regex=False)
            numbers = numbers.fillna(pd.to_numeric(points, errors="coerce"))
    return numbers.where(np.isfinite(numbers))


@dataclass(frozen=True)
class Times:
    """One time a row."""

    order: np.ndarray
    """(rows,) whole numbers that sort like the times; what is no time comes first."""
    bad: np.ndarray
    """(rows,) which values are no time."""
    future: np.ndarray
    """(rows,) which are more than a day from now."""

    @property
    def constant(self) -> bool:
        known = self.order[~self.bad]
        return len(known) > 1 and bool(known.min() == known.max())


def parse_times(values: pd.Series) -> Times:
    """Numbers if most are, dates otherwise. Numbers are seconds since 1970, large ones milliseconds and finer."""
    tomorrow = np.datetime64("now") + np.timedelta64(1, "D")
    whole = _cast(values, pa.int64())
    if whole is not None:
        limit = tomorrow.astype(int)
        finest = whole
        for _ in range(3):
            finest = np.where(np.abs(finest) < 100_000_000_000, finest, finest // 1_000)
        return Times(whole, np.zeros(len(whole), dtype=bool), finest > limit)
    codes, distinct = pd.factorize(values.str.strip())
    ranked = _ranked(pd.Series(distinct, dtype="str"))
    order = ranked.rank(method="dense", na_option="top").to_numpy()[codes].astype(np.int64)
    return Times(order, ranked.isna().to_numpy()[codes], (_instants(ranked) > tomorrow)[codes])


def instants(values: pd.Series) -> pd.Series:
    """(rows,) times in UTC, NaT for what is none."""
    codes, distinct = pd.factorize(values.str.strip())
    return pd.Series(_instants(_ranked(pd.Series(distinct, dtype="str")))[codes], index=values.index)


def _instants(ranked: pd.Series) -> np.ndarray:
    """What `_ranked` gives as `datetime64[s]`."""
    if not pd.api.types.is_datetime64_any_dtype(ranked):
        seconds = pd.to_numeric(ranked).astype(float)
        for _ in range(3):
            seconds = seconds.where(seconds.abs() < 1e11, seconds / 1e3)
        ranked = pd.to_datetime(seconds.where(seconds.abs() < 1e11), unit="s", utc=True, errors="coerce")
    naive: np.ndarray = ranked.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    return naive


def _cast(values: pd.Series, kind: pa.DataType) -> np.ndarray | None:
    """(rows,) numbers, if every value is one as Arrow reads it: without spaces, words and separators."""
    try:
        numbers: np.ndarray = pc.cast(values.array.__arrow_array__(), kind).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return numbers


def _ranked(texts: pd.Series) -> pd.Series:
    """Numbers or dates, whichever most of the distinct texts are."""
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().sum() * 2 >= (texts != "").sum():
        return numbers.mask(~np.isfinite(numbers.to_numpy(dtype=float, na_value=np.nan)))
    western = texts.str.replace("[年月]", "-", regex=True).str.replace("日", "", regex=False)
    with warnings.catch_warnings(action="ignore"):  # of time zones that pandas does not know
        return pd.to_datetime(western, errors="coerce", format="mixed", utc=True, dayfirst=_day_first(western))


def _day_first(texts: pd.Series) -> bool:
    """Whether 03/04/2020 is the third of April: only if another date says so, which has no month 13 or more."""
    parts = texts.str.extract(_DAY_OR_MONTH).dropna().astype(int)
    return bool(len(parts) and (parts[0] > 12).any() and not (parts[1] > 12).any())
