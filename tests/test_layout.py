"""The layout: imports point down, the start is quick, modules are small, and the README's map is true."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS: tuple[tuple[str, ...], ...] = (
    ("app", "gpr.__main__"),
    ("gpr.cli",),
    (
        "gpr.ui",
        "gpr.cli_batch",
        "gpr.cli_data",
        "gpr.cli_bench",
        "gpr.cli_label",
        "gpr.cli_runs",
        "gpr.cli_teach",
        "gpr.cli_train",
        "gpr.cli_tasks",
        "gpr.cli_pretrain",
        "gpr.cli_gallery",
    ),
    ("gpr.bench",),
    ("gpr.keeping", "gpr.terminal"),
    ("gpr.workspace", "gpr.jobs"),
    ("gpr.kept_batch",),
    ("gpr.run_store", "gpr.packing", "gpr.batch", "gpr.cross_validation"),
    ("gpr.run_work",),
    ("gpr.run_plans",),
    ("gpr.bases",),
    ("gpr.gallery",),
    ("gpr.model_card", "gpr.tasks"),
    ("gpr.runs", "gpr.device_queue", "gpr.recommender"),
    ("gpr.learn", "gpr.evaluate", "gpr.explain", "gpr.stages"),
    ("gpr.ranking",),
    ("gpr.scorers",),
    ("gpr.lm", "gpr.labels"),
    ("gpr.data",),
    ("gpr.cache", "gpr.files", "gpr.latest", "gpr.recommendation", "gpr.printing"),
    ("gpr.errors",),
)
"""Top to bottom. A part imports from the floors below it and, if it is a package, from itself."""
TOGETHER = {
    "gpr.workspace",
    "gpr.jobs",
    "gpr.cli",
    "gpr.cli_bench",
    "gpr.cli_teach",
    "gpr.cli_label",
    "gpr.cli_runs",
    "gpr.cli_train",
    "gpr.cli_pretrain",
}
"""One concept in two modules, which may import each other."""
HEAVY = ("torch", "transformers", "peft", "gradio")
"""What `gpr --help` must not wait for."""
VAGUE = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}
MAX_LINES = 300

MODULES = sorted(path for path in [*ROOT.glob("app.py"), *ROOT.glob("gpr/**/*.py")] if not path.name.startswith("."))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(name: str) -> str | None:
    """The part of FLOORS that a dotted name belongs to; `gpr` itself (its version) belongs to none."""
    return next((part for floor in FLOORS for part in floor if name == part or name.startswith(f"{part}.")), None)


def imports_of(source: str, package: str) -> list[str]:
    """Dotted names of all that a module imports, at any depth; `package` is what relative imports start from."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            stem = ".".join([*above, *([node.module] if node.module else [])])
            found += [f"{stem}.{alias.name}" for alias in node.names]
    return found


def faults_of(name: str, imported: list[str]) -> list[str]:
    """What the module `name` must not import."""
    level = {part: number for number, floor in enumerate(FLOORS) for part in floor}
    own = part_of(name)
    if own is None:
        return [f"{name} is on no floor"] if name != "gpr" else []
    others = {part for target in imported if (part := part_of(target)) and part != own}
    others -= TOGETHER if own in TOGETHER else set()
    faults = [
        f"{name} imports {other}, which is not below it" for other in sorted(others) if level[other] <= level[own]
    ]
    if own not in ("gpr.ui", "app") and any(target.split(".")[0] == "gradio" for target in imported):
        faults.append(f"{name} imports gradio")
    return faults


@pytest.mark.parametrize(
    ("name", "source", "faults"),
    [
        ("gpr.data.read", "from gpr.errors import DataError\nfrom gpr.data import dataset\nimport numpy", []),
        ("gpr.data.read", "import gpr.lm.trie", ["gpr.data.read imports gpr.lm, which is not below it"]),
        ("gpr.lm.trie", "from gpr import labels", ["gpr.lm.trie imports gpr.labels, which is not below it"]),
        ("gpr.lm.trie", "from .. import workspace", ["gpr.lm.trie imports gpr.workspace, which is not below it"]),
        ("gpr.cli", "def f():\n    import gradio as gr", ["gpr.cli imports gradio"]),
        ("gpr.ui.page", "import gradio", []),
        ("gpr.stray", "", ["gpr.stray is on no floor"]),
        ("gpr", "", []),
    ],
)
def test_faults_are_found(name: str, source: str, faults: list[str]) -> None:
    assert faults_of(name, imports_of(source, name.rpartition(".")[0])) == faults


def test_imports_point_down() -> None:
    faults = []
    for path in MODULES:
        name = module_name(path)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        faults += faults_of(name, imports_of(path.read_text(encoding="utf-8"), package))
    assert faults == []


def test_the_command_line_starts_without_heavy_libraries() -> None:
    names = [name for name in map(module_name, MODULES) if name in ("gpr.cli", "gpr.__main__")]
    code = f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert set(HEAVY) & set(run.stdout.split()) == set()


def test_the_page_starts_without_what_a_model_needs() -> None:
    code = "import sys, gpr.ui.page\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert {"torch", "transformers", "peft", "sklearn"} & set(run.stdout.split()) == set()


def test_modules_are_small_and_named_for_what_they_do() -> None:
    lines = {module_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}
    assert [name for name in lines if VAGUE & set(name.split("."))] == []


def test_every_module_says_what_it_does() -> None:
    assert [
        module_name(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ] == []


def mapped_files(readme: str) -> set[str]:
    """The Python files in the README's fenced trees, one a line, in full or indented under their folders."""
    found, folders, fenced = set(), [(-1, "")], False
    for line in readme.splitlines():
        if line.lstrip().startswith("```"):
            fenced, folders = not fenced, [(-1, "")]
        elif fenced and line.strip():
            entry, indent = line.split()[0], len(line) - len(line.lstrip())
            while folders[-1][0] >= indent:
                folders.pop()
            if entry.endswith("/"):
                folders.append((indent, folders[-1][1] + entry))
            elif entry.endswith(".py"):
                found.add(folders[-1][1] + entry)
    return found


def test_a_map_is_read() -> None:
    tree = "```\napp.py   start\ngpr/   all\n  errors.py  errors\n  lm/\n    trie.py   the trie\n  cli.py\n```\n"
    assert mapped_files(tree) == {"app.py", "gpr/errors.py", "gpr/lm/trie.py", "gpr/cli.py"}


def test_the_readme_maps_every_module() -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in MODULES if path.name != "__init__.py"}
    mapped = {
        file for file in mapped_files((ROOT / "README.md").read_text(encoding="utf-8")) if not file.startswith("tests/")
    }
    assert sorted(modules - mapped) == [], "not in the README's map"
    assert sorted(mapped - modules) == [], "in the README's map, but not there"
