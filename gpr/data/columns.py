"""What each column of a table means, by its name in English or Chinese, with the reason in plain words.

It looks at values in one case only: no column is named like a title, and the one column of text has to be found.
"""

from __future__ import annotations

import itertools
import unicodedata
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from gpr.data.table import Part, Table
from gpr.errors import DataError

Role = Literal[
    "item_id", "title", "description", "category", "summary", "query",
    "user_id", "rating", "timestamp", "split", "user attribute", "other",
]  # fmt: skip


@dataclass(frozen=True)
class Meaning:
    """The role of one column, and why it has it."""

    role: Role
    reason: str


_NOUNS = (
    "item", "movie", "film", "product", "course", "fund", "article", "news", "book", "song", "video", "game", "job",
    "recipe", "goods", "track",
)  # fmt: skip
_NOUNS_ZH = ("物品", "项目", "电影", "影片", "商品", "产品", "课程", "基金", "文章", "新闻", "图书", "歌曲", "视频")


def _of_nouns(*endings: str) -> tuple[str, ...]:
    """'movieid' or '电影名称': each noun with each ending."""
    nouns = _NOUNS if endings[0].isascii() else _NOUNS_ZH
    return tuple(noun + ending for noun, ending in itertools.product(nouns, endings))


SYNONYMS: dict[Role, tuple[str, ...]] = {
    "item_id": (
        *_of_nouns("id"), "parentasin", "asin", "sku", "isin", "isbn", *_of_nouns("编号", "代码", "id"), "itemno",
        "id", "编号", "代码", "序号",
    ),
    "title": (
        "title", *_of_nouns("title", "name"), "name", "headline", "标题", *_of_nouns("标题", "名称", "名"), "名称",
        "片名", "书名", "题目", "名字",
    ),
    "description": (
        "description", "desc", *_of_nouns("description"), "overview", "plot", "synopsis", "content", "body", "text",
        "details", "abstract", "描述", *_of_nouns("描述", "介绍", "简介"), "介绍", "详情", "内容", "正文", "剧情",
        "简介",
    ),
    "category": (
        "category", "categories", *_of_nouns("category", "type", "class"), "categoryname", "maincategory", "genre",
        "genres", "type", "topic", "section", "tags", "类别",
        *_of_nouns("类别", "类型", "分类"), "类型", "分类", "题材", "标签", "板块",
    ),
    "summary": ("summary", "tagline", "blurb", "abstract", "摘要", "概要", "概述", "导语", "简介"),
    "query": (
        "query", "querytext", "userquery", "searchquery", "searchterm", "searchterms", "search", "request", "question",
        "prompt", "utterance", "查询", "查询词", "查询语句", "用户查询", "搜索", "搜索词", "检索词", "需求", "用户需求",
        "问题", "提问",
    ),
    "user_id": (
        "userid", "user", "uid", "customerid", "memberid", "reviewerid", "visitorid", "用户id", "用户编号", "用户",
        "会员id", "会员", "客户id", "客户编号", "客户",
    ),
    "rating": ("rating", "ratings", "score", "stars", "overall", "评分", "打分", "分数", "星级"),
    "timestamp": (
        "timestamp", "time", "datetime", "date", "unixtime", "unixreviewtime", "eventtime", "createdat", "ratedat",
        "时间戳", "时间", "日期",
    ),
    "split": ("split", "subset", "partition", "划分", "数据划分", "拆分"),
}  # fmt: skip
"""Role -> names without case, space and punctuation, the surest first."""

_OF_ITEM: tuple[Role, ...] = ("item_id", "title", "description", "category", "summary")
ROLES: dict[Part, tuple[Role, ...]] = {
    "items": _OF_ITEM,
    "pairs": ("query", "item_id", "title", "user_id", "split"),
    "interactions": ("user_id", "item_id", "title", "rating", "timestamp"),
    "users": ("user_id",),
    "single": (*_OF_ITEM, "query", "user_id", "rating", "timestamp", "split"),
}
_NEEDS: dict[Role, Role] = {"split": "query", "rating": "user_id", "timestamp": "user_id"}
"""In a single file a role counts only beside the one that it belongs to: a catalogue's 'rating' is one more column."""
_KEYS: dict[Part, Role] = {"pairs": "query", "interactions": "user_id", "users": "user_id"}
"""What a part cannot do without, besides the item."""
_BARE_IDS = {"id", "编号", "代码", "序号"}
"""Beside a title these may number the rows of pairs and interactions; the title is the surer way to the item."""
_LETTERS_SAMPLE = 1_000


def normalise(name: str) -> str:
    """The name without case, space and punctuation: 'Movie ID', 'movie_id' and full-width 'ＭovieId' are 'movieid'."""
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum())


def map_columns(table: Table, part: Part) -> dict[str, Meaning]:
    """The meaning of every column of a file that is known to be `part`, in the file's order.

    Raises:
        DataError: a column that the part cannot do without is missing; names what was seen and what is understood.
    """
    meanings = _by_name(list(table.frame.columns), part)
    if part == "single":
        _keep_supported(meanings)
    if part in ("items", "single") and "title" not in _roles(meanings):
        name = _lone_text(table, meanings)
        meanings[name] = Meaning("title", "no column is named like a title; this is the only column of text")
    needed = _KEYS.get(part)
    if needed and needed not in _roles(meanings):
        raise _missing(needed, table)
    if part in ("pairs", "interactions") and not {"item_id", "title"} & _roles(meanings):
        raise _missing("item_id", table)
    return {name: meanings[name] for name in table.frame.columns}


def column_of(meanings: dict[str, Meaning], role: Role) -> str:
    """The name of the column with this role, '' if there is none."""
    return next((name for name, meaning in meanings.items() if meaning.role == role), "")


def _roles(meanings: dict[str, Meaning]) -> set[Role]:
    return {meaning.role for meaning in meanings.values()}


def _by_name(names: list[str], part: Part) -> dict[str, Meaning]:
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(normalise(name), name)
    meanings: dict[str, Meaning] = {}
    for role in ROLES[part]:
        known = (*SYNONYMS[role], "id") if part == "users" else SYNONYMS[role]
        fitting = [plain[synonym] for synonym in known if synonym in plain and plain[synonym] not in meanings]
        if fitting:
            meanings[fitting[0]] = Meaning(role, f"the name '{fitting[0]}' means {role}")
    item_id = column_of(meanings, "item_id")
    if part in ("pairs", "interactions") and normalise(item_id) in _BARE_IDS and column_of(meanings, "title"):
        meanings[item_id] = Meaning("other", "may number the rows; the title says which item it is")
    for name in names:
        if name in meanings:
            continue
        if part == "users":
            meanings[name] = Meaning("user attribute", "every further column of the users describes the user")
        else:
            meanings[name] = Meaning("other", _why_other(name, part, meanings))
    return meanings


def _why_other(name: str, part: Part, meanings: dict[str, Meaning]) -> str:
    for role in ROLES[part]:
        taken = column_of(meanings, role)
        if taken and normalise(name) in SYNONYMS[role]:
            return f"could be {role}, but '{taken}' is the surer name"
    if part in ("items", "single"):
        return "no known name; kept as a further column of the item"
    return f"not needed in {part}"


def _keep_supported(meanings: dict[str, Meaning]) -> None:
    for name, meaning in list(meanings.items()):
        needed = _NEEDS.get(meaning.role)
        if needed and needed not in _roles(meanings):
            reason = f"'{name}' means {meaning.role} only beside a {needed}; kept as a further column of the item"
            meanings[name] = Meaning("other", reason)


def _lone_text(table: Table, meanings: dict[str, Meaning]) -> str:
    """The one column of text that can stand in for the title: a further one, else the description or summary."""
    if any(name[0].isdigit() for name in table.frame.columns) and _roles(meanings) == {"other"}:
        raise DataError(
            "The first line does not look like column names.",
            where=table.file,
            hint="Put a line such as 'item_id,title' on top.",
        )
    for roles in (("other",), ("description", "summary")):
        texts = [name for name, meaning in meanings.items() if meaning.role in roles and _is_text(table.frame[name])]
        if len(texts) == 1:
            return texts[0]
        if texts:
            break
    raise _missing("title", table)


def _is_text(values: pd.Series) -> bool:
    """Whether most of the first filled values hold a letter."""
    filled = [value for value in values.iloc[: 10 * _LETTERS_SAMPLE] if value.strip()][:_LETTERS_SAMPLE]
    lettered = sum(any(char.isalpha() for char in value) for value in filled)
    return bool(filled) and lettered > len(filled) / 2


def _missing(role: Role, table: Table) -> DataError:
    seen = ", ".join(f"'{name}'" for name in list(table.frame.columns)[:12])
    known = [name for name in SYNONYMS[role] if not name.startswith((*_NOUNS, *_NOUNS_ZH))]
    hint = f"Name it '{role}' (also understood: {', '.join(known[:10])}"
    return DataError(f"No column is the {role}; the columns are {seen}.", where=table.file, hint=f"{hint}).")
