"""What each column of a table means: by its name, by its values, or because the user says so, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gpr.data.guess import by_values, finest_classes, follows, is_review, is_text, names_items, review_text
from gpr.data.synonyms import ALL_ROLES, NOUNS, NOUNS_ZH, PERSONAL, SYNONYMS, Role, normalise
from gpr.data.table import Part, Table
from gpr.errors import DataError

__all__ = ["ALL_ROLES", "SYNONYMS", "Meaning", "Role", "column_of", "map_columns", "normalise"]


@dataclass(frozen=True)
class Meaning:
    """The role of one column, and why it has it."""

    role: Role
    reason: str


_OF_ITEM: tuple[Role, ...] = ("item_id", "title", "description", "category", "image", "summary")
ROLES: dict[Part, tuple[Role, ...]] = {
    "items": _OF_ITEM,
    "pairs": ("query", "item_id", "title", "user_id", "label", "split"),
    "interactions": ("user_id", "item_id", "title", "rating", "timestamp", "label", "split"),
    "users": ("user_id",),
    "single": (*_OF_ITEM, "query", "user_id", "rating", "timestamp", "label", "split"),
}
MANY: tuple[Role, ...] = ("user attribute", "other", "ignore")
"""Roles that any number of columns can have."""
_NEEDS: dict[Role, tuple[Role, ...]] = {
    "split": ("query", "user_id"), "label": ("query", "user_id"), "rating": ("user_id",), "timestamp": ("user_id",),
}  # fmt: skip
"""In a single file a role counts only beside one of those it belongs to: a catalogue's 'rating' is one more column."""
_KEYS: dict[Part, Role] = {"pairs": "query", "interactions": "user_id", "users": "user_id"}
"""What a part cannot do without, besides the item."""
_BARE_IDS = {"id", "编号", "代码", "序号"}
"""Beside a title these may number the rows of pairs and interactions; the title is the surer way to the item."""


def map_columns(
    table: Table, part: Part, chosen: Mapping[str, Role] | None = None, known: Collection[str] = ()
) -> dict[str, Meaning]:
    """The meaning of every column of a file that is known to be `part`, in the file's order.

    Args:
        chosen: column -> role, as the user says; columns that the file does not have are left out.
        known: the catalogue's ids and titles, by which a column of items is recognised.

    Raises:
        DataError: a column that the part cannot do without is missing; names what was seen and what is understood.
    """
    chosen = {name: role for name, role in (chosen or {}).items() if name in table.frame.columns}
    meanings = guess_columns(table, part, known)
    _choose(meanings, chosen)
    if part == "single":
        _keep_supported(meanings, chosen)
    if part in ("items", "single") and "title" not in _roles(meanings):
        if is_review(table) and not chosen:
            hint = "Add the file that does, with an id and a title for each (for Amazon's reviews: meta_*.jsonl)."
            raise DataError("These reviews do not name the items.", where=table.file, hint=hint)
        name = _lone_text(table, meanings)
        meanings[name] = Meaning("title", "no column is named like a title; this is the only column of text")
    needed = _KEYS.get(part)
    if needed and needed not in _roles(meanings):
        raise _missing(needed, table)
    if part in ("pairs", "interactions") and not {"item_id", "title"} & _roles(meanings):
        raise _missing("item_id", table)
    return meanings


def guess_columns(table: Table, part: Part, known: Collection[str] = ()) -> dict[str, Meaning]:
    """What GPR would say by itself, complete or not."""
    meanings = _by_name(list(table.frame.columns), part)
    review = part in ("interactions", "single") and is_review(table)
    if review:
        _as_review(table, meanings)
    free = [name for name, meaning in meanings.items() if meaning.role == "other"]
    for name, (role, reason) in by_values(table, part, free, _roles(meanings)).items():
        if not review:
            meanings[name] = Meaning(role, reason)
    if part in ("pairs", "interactions") and known and not {"item_id", "title"} & _roles(meanings):
        free = [name for name, meaning in meanings.items() if meaning.role == "other"]
        if name := names_items(table, free, known):
            meanings[name] = Meaning("item_id", "most values are ids or titles of the catalogue")
    return {name: meanings[name] for name in table.frame.columns}


def chosen_columns(table: Table, part: Part, chosen: Mapping[str, Role] | None = None) -> dict[str, Meaning]:
    """What GPR would say with the user's word, complete or not."""
    meanings = guess_columns(table, part)
    _choose(meanings, {name: role for name, role in (chosen or {}).items() if name in meanings})
    return meanings


def _choose(meanings: dict[str, Meaning], chosen: Mapping[str, Role]) -> None:
    """The user's word counts; a role that only one column can have is taken from the others."""
    for name, role in chosen.items():
        for other, meaning in meanings.items():
            if other != name and meaning.role == role and role not in MANY and chosen.get(other) != role:
                meanings[other] = Meaning("other", f"you chose '{name}' as the {role}")
        meanings[name] = Meaning(role, "you chose it")


_PER_REVIEW: tuple[Role, ...] = ("other", "category", "item_id", "rating", "timestamp")


def _as_review(table: Table, meanings: dict[str, Meaning]) -> None:
    """The title is the review's. A file of reviews on its own has classes to choose from, if any."""
    title = column_of(meanings, "title")
    if title and normalise(title) in ("title", "标题"):
        meanings[title] = Meaning("ignore", "the title of the review, not of the item")
    for role in ("description", "summary"):
        if name := column_of(meanings, role):
            meanings[name] = Meaning("ignore", "what the reviewer says, not what the item is")
    text = review_text(table)
    if column_of(meanings, "user_id") or column_of(meanings, "title"):
        meanings[text] = Meaning("ignore", "what the reviewer says, not what the item is")
        return
    names = [name for name, meaning in meanings.items() if meaning.role in ("other", "category")]
    if classes := finest_classes(table, names):
        for name, meaning in list(meanings.items()):
            if normalise(name) in PERSONAL:
                meanings[name] = Meaning("user attribute", f"the name '{name}' means something about the reviewer")
            elif meaning.role in _PER_REVIEW and not follows(table, name, classes):
                meanings[name] = Meaning("ignore", f"says nothing about '{classes}': it differs from review to review")
        meanings[classes] = Meaning("title", "no column names the items; this names their classes, the finest")
        meanings[text] = Meaning("query", "the text of a review asks for the class that it is about")


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


def _keep_supported(meanings: dict[str, Meaning], chosen: Mapping[str, Role]) -> None:
    for name, meaning in list(meanings.items()):
        needed = _NEEDS.get(meaning.role, ())
        if needed and not set(needed) & _roles(meanings) and name not in chosen:
            beside = " or a ".join(needed)
            reason = f"'{name}' means {meaning.role} only beside a {beside}; kept as a further column of the item"
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
        texts = [name for name, meaning in meanings.items() if meaning.role in roles and is_text(table.frame[name])]
        if len(texts) == 1:
            return texts[0]
        if texts:
            break
    raise _missing("title", table)


def _missing(role: Role, table: Table) -> DataError:
    seen = ", ".join(f"'{name}'" for name in list(table.frame.columns)[:12])
    known = [name for name in SYNONYMS[role] if not name.startswith((*NOUNS, *NOUNS_ZH))]
    hint = f"Name it '{role}' (also understood: {', '.join(known[:10])}"
    return DataError(f"No column is the {role}; the columns are {seen}.", where=table.file, hint=f"{hint}).")
