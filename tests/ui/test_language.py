"""The lookup of texts: whose language, which translation, and that none is missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from gradio.context import LocalContext

from gpr.ui.language import COOKIE, LANGUAGES, language_of, say, translations

ROOT = Path(__file__).parents[2]
NOT_YET: set[str] = set()
"""Files whose texts still wait for a translation."""
NO_TEXTS = {"gpr/ui/theme.py", "gpr/ui/press.py", "gpr/ui/language.py"}
"""Files with names of fonts, a script, names of languages."""
NAMES = {"Parquet", "Argilla", "Label Studio", "CSV", "JSONL", "Alpha", "Dropout"}
"""Names that are the same everywhere."""
ERRORS = {"GPRError", "DataError", "RequestError", "ModelError", "RunError", "WorkspaceError"}
NOT_SHOWN = ("gpr/bench/", "gpr/cli")
"""Whose errors no page shows."""
TAG, WORDS = re.compile(r"<[^<>]*>"), re.compile(r"[A-Za-z]{2,}[,.;:]? [A-Za-z']{2,}|^[A-Z][a-z]+[.…]?$")
CODE = re.compile(r"^\s*const |^[a-z]+ \{\}$|gpr-|^\w+\(|=>|[a-z]=")


class _Request:
    def __init__(self, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def chinese() -> Iterator[None]:
    token = LocalContext.request.set(_Request(accept_language="zh-CN,zh;q=0.9"))  # type: ignore[arg-type]
    yield
    LocalContext.request.reset(token)


@pytest.mark.parametrize(
    ("headers", "setting", "language"),
    [
        ({}, "", "en"),
        ({"accept-language": "*"}, "", "en"),
        ({"accept-language": "fr-FR,zh-TW;q=0.8,en;q=0.5"}, "", "zh"),
        ({"accept-language": "zh;q=0.2,en-GB;q=0.9"}, "", "en"),
        ({"accept-language": "zh;q=x"}, "", "zh"),
        ({"accept-language": "en"}, "zh", "zh"),
        ({"accept-language": "en", "cookie": f"a=b; {COOKIE}=en"}, "zh", "en"),
        ({"accept-language": "zh", "cookie": f"{COOKIE}=xx"}, "", "zh"),
        ({"accept-language": "zh", "cookie": '"\x00'}, "", "zh"),
    ],
)
def test_the_switch_goes_before_the_server_and_the_server_before_the_browser(
    headers: dict[str, str], setting: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPR_LANGUAGE", setting)
    assert language_of(headers) == language


def test_without_a_visitor_everything_is_english() -> None:
    assert say("Model ready") == "Model ready"


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("english", "said"),
    [
        ("Model ready", "模型已就绪"),
        ("12 labels", "12 条标注"),
        ("1 label counted", "已计入 1 条标注"),
        ("percentages are of the whole catalogue", "百分比以整个目录为准"),
        ("It is called {funds} now.", "现已更名为 {funds}。"),
        ("Taken back: Bad: Heat", "已撤回：不合适：Heat"),
        ("Stored as good by Ann: Good", "Ann 已标为“合适”：Good"),
        ("The number of minutes is missing. Type one.", "缺少分钟数的数值。请输入一个数字。"),
        ("items.csv, row 3: No run is chosen.", "items.csv, row 3: 没有选择训练。"),
        ("Nothing of ours. Nor this.", "Nothing of ours. Nor this."),
        ("", ""),
    ],
)
def test_a_text_is_said_in_the_visitors_language(english: str, said: str) -> None:
    assert say(english) == said


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_a_translation_has_the_values_of_its_text(language: str) -> None:
    faults = []
    for text, said in translations(language).items():
        if "{}" not in text:
            continue
        used = {name for _, name, _, _ in Formatter().parse(said) if name is not None}
        if not used or not used <= {str(place) for place in range(text.count("{}"))}:
            faults.append(text)
    assert faults == []


def literals(source: str) -> list[str]:
    """All texts that a module writes, `{}` for each value in them; without docstrings, the log, keys and types."""
    tree = ast.parse(source)
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)
        if isinstance(node, ast.JoinedStr):
            skipped.update(node.values)
        if isinstance(node, ast.Assert) and node.msg:
            skipped.add(node.msg)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger."):
            skipped.update(node.args)
        if isinstance(node, ast.Subscript | ast.AnnAssign):
            skipped.update(ast.walk(node.slice if isinstance(node, ast.Subscript) else node.annotation))
    texts = []
    for node in ast.walk(tree):
        if node in skipped:
            continue
        texts += written(node)
    return texts


def written(node: ast.AST) -> list[str]:
    """The text of a literal, if it is one."""
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def heard(text: str, known: set[str]) -> bool:
    """Whether all of a text has a translation, as a whole or sentence by sentence."""
    return text in known or set(re.split(r"(?<=[.!?]) ", text)) <= known


def wanting(source: str, known: set[str]) -> list[str]:
    """Sentences that no translation knows, and texts between the tags of HTML, where nothing can be said."""
    found = []
    for text in literals(source):
        parts = TAG.split(text) if TAG.search(text) else [text]
        for part in parts:
            part = part.strip(" ·")
            if (
                part not in NAMES
                and WORDS.search(part)
                and not CODE.search(part)
                and (len(parts) > 1 or not heard(part, known))
            ):
                found.append(part)
    return found


def test_missing_and_hard_coded_texts_are_found() -> None:
    source = 'a = f"<p>Run the model {x}</p>"\nb = "No run is chosen."\nc = f"{n} new things here"\nd = "data-key"'
    assert wanting(source, {"No run is chosen."}) == ["Run the model {}", "{} new things here"]


@pytest.mark.parametrize("path", sorted(ROOT.glob("gpr/ui/**/*.py")), ids=lambda path: path.stem)
def test_every_text_of_the_page_has_its_translation(path: Path) -> None:
    if path.relative_to(ROOT).as_posix() in NOT_YET | NO_TEXTS:
        return
    assert wanting(path.read_text(encoding="utf-8"), set(translations("zh"))) == []


def told(source: str) -> list[str]:
    """What the errors that a module raises say, `{}` for each value."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    raised = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in ERRORS]
    said = [part for call in raised for part in [*call.args[:1], *(k.value for k in call.keywords if k.arg == "hint")]]
    return [text for part in said for text in written(part) if re.search("[a-z]{3}", text)]


def test_every_error_that_a_page_may_show_has_its_translation() -> None:
    paths = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("gpr/**/*.py")]
    shown = [path for path in paths if not path.startswith(NOT_SHOWN)]
    texts = {text for path in shown for text in told((ROOT / path).read_text(encoding="utf-8"))}
    assert len(texts) > 150
    known = set(translations("zh"))
    assert sorted(text for text in texts if not heard(text, known)) == []
