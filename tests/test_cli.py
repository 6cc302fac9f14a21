"""The command line: every form that others rely on, its exit code, what goes to stdout and what to stderr."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gpr import cli
from gpr.labels.label import Label, request_id
from gpr.workspace import Workspace
from tests.small_data import ITEMS

pytestmark = pytest.mark.usefixtures("cache")

ROOT = Path(__file__).parent.parent
Run = Callable[..., Result]
METRICS = {"R@1", "R@5", "R@10", "NDCG@10", "MRR"}


@pytest.fixture
def gpr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`gpr WORDS...` in a new workspace."""
    monkeypatch.setenv("GPR_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(cli.app, [str(word) for word in words], prog_name="gpr")


@pytest.fixture
def with_run(gpr: Run, trained: Workspace) -> Run:
    """`gpr WORDS...` in the workspace that has the run `films`."""
    return lambda command, *words: gpr(command, "--workspace", trained.root, *words)


@pytest.fixture
def signals() -> Iterator[None]:
    """Puts the handlers back that `gpr train` replaces."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def answer(result: Result) -> Any:
    """What a command that went well wrote as JSON, and nothing beside it on stdout."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(result: Result, *words: str) -> str:
    """The one message on stderr of a command that a user has to put right."""
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    *before, message = result.stderr.strip().splitlines()
    assert message.startswith("Error: ")
    assert not [line for line in before if "rror" in line or "Traceback" in line]
    for part in words:
        assert part in message
    return message


# help and usage


@pytest.mark.parametrize(
    "command", ["", "sample", "check", "train", "recommend", "evaluate", "label", "label export", "label stats"]
)
def test_every_command_has_help(gpr: Run, command: str) -> None:
    result = gpr(*command.split(), "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"Usage: gpr {command}".strip() in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["check"],
        ["check", "films", "--colour"],
        ["recommend", "query"],
        ["recommend", "query", "--data", "funds", "-k", "0"],
        ["recommend", "query", "--data", "funds", "-k", "many"],
        ["train", "funds"],
        ["train", "funds", "--run", "a", "--epochs", "two"],
        ["label", "export"],
        ["sample", "funds"],
    ],
)
def test_wrong_usage(gpr: Run, words: list[str]) -> None:
    result = gpr(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: gpr" in result.stderr


# sample and check


def test_sample(gpr: Run, tmp_path: Path) -> None:
    result = gpr("sample", "funds", tmp_path / "mine")
    assert result.exit_code == 0
    assert sorted(Path(line).name for line in result.stdout.splitlines()) == ["items.csv", "pairs.csv"]
    assert all(Path(line).is_file() for line in result.stdout.splitlines())
    assert answer(gpr("check", tmp_path / "mine", "--json"))["items"] >= 40


def test_sample_refusals(gpr: Run, tmp_path: Path) -> None:
    refused(gpr("sample", "fonds", tmp_path / "mine"), "There is no sample 'fonds'", "funds")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    refused(gpr("sample", "funds", tmp_path / "full"), "not empty")


def test_check(gpr: Run, films_folder: Path) -> None:
    report = answer(gpr("check", films_folder, "--json"))
    assert (report["name"], report["items"], report["sequences"]) == ("films", 10, 3)
    assert report["examples"] == {"train": 8, "valid": 6, "test": 7}
    assert report["files"]["items.csv"]["columns"]["item_id"]["role"] == "item_id"
    places = {(found["code"], found["file"], found["row"], found["column"]) for found in report["findings"]}
    assert ("duplicate-title", "items.csv", 11, "title") in places
    shown = gpr("check", films_folder)
    assert shown.exit_code == 0
    assert "10 items" in shown.stdout
    assert "items.csv, row 11, column title" in shown.stdout


def test_check_with_findings_that_stop_nothing(gpr: Run, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id,title\n1,A\n1,B\n2,\n3,C\n")
    codes = {finding["code"] for finding in answer(gpr("check", tmp_path / "items.csv", "--json"))["findings"]}
    assert {"duplicate-item-id", "empty-title"} <= codes


def test_brackets_are_shown_as_they_are(gpr: Run, tiny_base_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("id,[bold]title[/x]\n1,[rec]\n2,:smile: [/b]\n")
    checked = gpr("check", file)
    assert "[bold]title[/x]" in checked.stdout
    shown = gpr("recommend", "[red]", "--data", file, "--base", tiny_base_folder)
    assert "[rec]" in shown.stdout
    assert ":smile: [/b]" in shown.stdout
    assert (checked.exit_code, shown.exit_code) == (0, 0)


BAD_FILES = {
    "empty.csv": (b"", "The file is empty (0 bytes)"),
    "header.csv": (b"item_id,title\n", "header.csv"),
    "numbers.csv": (b"a,b\n1,2\n3,4\n", "numbers.csv"),
    "one.csv": (b"title\nA\n", "two or more"),
    "picture.png": (b"\x89PNG", "cannot be read"),
    "binary.csv": (bytes(range(256)) * 20, "binary.csv"),
    "cut.parquet": (b"PAR1 and no more", "cut.parquet"),
}


@pytest.mark.parametrize("name", [*BAD_FILES, "missing.csv"])
@pytest.mark.parametrize("command", [["check"], ["recommend", "q", "--data"], ["evaluate"]])
def test_files_that_cannot_be_used(gpr: Run, tmp_path: Path, name: str, command: list[str]) -> None:
    content, words = BAD_FILES.get(name, (b"", "is no sample, folder or file"))
    if name in BAD_FILES:
        (tmp_path / name).write_bytes(content)
    refused(gpr(*command, tmp_path / name), words)


# train


@pytest.mark.usefixtures("signals")
def test_train(gpr: Run, films_folder: Path, tiny_base_folder: Path, tmp_path: Path) -> None:
    words = ["train", films_folder, "--run", "a", "--base", tiny_base_folder, "--epochs", "1", "--max-minutes", "5"]
    result = gpr(*words, "--seed", "3")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"done: {tmp_path / 'ws' / 'runs' / 'a'} (")
    config = json.loads((tmp_path / "ws" / "runs" / "a" / "config.json").read_text())
    assert {key: config["options"][key] for key in ("epochs", "max_minutes", "seed")} == {
        "epochs": 1,
        "max_minutes": 5.0,
        "seed": 3,
    }
    refused(gpr(*words), "A run named 'a' exists", "--overwrite")
    assert gpr(*words, "--overwrite").exit_code == 0
    assert json.loads((tmp_path / "ws" / "runs" / "a" / "config.json").read_text())["options"]["seed"] == 0
    assert len(answer(gpr("recommend", "marines", "--run", "a", "--json"))) == 10


@pytest.mark.usefixtures("signals")
def test_ctrl_c_stops_and_keeps_what_was_learned(
    gpr: Run, films_folder: Path, tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpr.printing import TrainingBar

    def press(bar: TrainingBar, state: dict[str, Any]) -> None:
        if state["step"] == 2 and state["status"] == "running" and state["phase"] == "training":
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(TrainingBar, "update", press)
    result = gpr("train", films_folder, "--run", "a", "--base", tiny_base_folder, "--epochs", "500")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("stopped: ")
    assert "(2 steps" in result.stdout
    assert "Stopping: what was learned is kept." in result.stderr
    assert (tmp_path / "ws" / "runs" / "a" / "done.json").is_file()


@pytest.mark.usefixtures("signals")
def test_train_refusals(gpr: Run, films_folder: Path, tmp_path: Path) -> None:
    refused(gpr("train", films_folder, "--run", "../a"), "cannot name a run")
    refused(gpr("train", films_folder, "--run", "a", "--epochs", "0"), "The epochs is 0")
    refused(gpr("train", films_folder, "--run", "a", "--base", tmp_path / "no-model"), "There is no such folder")
    refused(gpr("train", tmp_path / "no.csv", "--run", "b"), "is no sample, folder or file")


# recommend


def test_recommend_with_a_run(with_run: Run) -> None:
    found = answer(with_run("recommend", "marines in space", "--run", "films", "-k", 3, "--json"))
    assert [item["rank"] for item in found] == [1, 2, 3]
    assert all(set(item) == {"rank", "item_id", "title", "probability", "log_prob"} for item in found)
    whole = answer(with_run("recommend", "marines in space", "--run", "films", "--json"))
    assert whole[:3] == found
    assert sum(item["probability"] for item in whole) == pytest.approx(1, abs=1e-5)
    shown = with_run("recommend", "marines in space", "--run", "films", "-k", 3)
    assert all(item["title"] in shown.stdout for item in found)
    assert "films · run films" in shown.stdout


def test_recommend_with_a_history(with_run: Run) -> None:
    words = ("recommend", "--run", "films", "--json", "--history")
    found = answer(with_run(*words, "m1", "--history", "m11"))
    assert len(found) == 8
    assert not {"m1", "m3"} & {item["item_id"] for item in found}  # m11 is another name of m3
    assert answer(with_run(*words, "The Matrix", "--history", "m3")) == found


def test_recommend_zero_shot(gpr: Run, films_folder: Path, tiny_base_folder: Path) -> None:
    found = answer(gpr("recommend", "dreams", "--data", films_folder, "--base", tiny_base_folder, "--json"))
    assert len(found) == 10
    assert sum(item["probability"] for item in found) == pytest.approx(1, abs=1e-5)


def test_recommend_from_another_catalogue(with_run: Run, tmp_path: Path) -> None:
    (tmp_path / "books.csv").write_text("item_id,title\nb1,Dracula\nb2,Emma\n")
    found = answer(with_run("recommend", "monster", "--run", "films", "--data", tmp_path / "books.csv", "--json"))
    assert sorted(item["item_id"] for item in found) == ["b1", "b2"]


def test_more_than_there_is(with_run: Run) -> None:
    result = with_run("recommend", "marines", "--run", "films", "-k", 1000, "--json")
    assert len(answer(result)) == 10
    assert "The catalogue has 10 items to recommend; 1,000 were asked for." in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["", "--run", "films"], "The request is empty. Type a query"),
        (["  ", "--run", "films"], "The request is empty"),
        (["x" * 10_000, "--run", "films"], "The query is 10,000 characters long; the limit is 2,000. Shorten it."),
        (["--run", "films", "--history", "m33"], "There is no item 'm33' in this catalogue. Did you mean m3"),
        (["q", "--run", "film"], "There is no run named 'film'. Runs here: films."),
        (["q", "--run", "film", "--data", "funds"], "There is no run named 'film'"),
        (["q", "--data", "fonds"], "Did you mean funds?"),
        (["q", "--data", "funds", "--base", "/no/model"], "/no/model: There is no such folder"),
    ],
)
def test_recommend_refusals(with_run: Run, words: list[str], message: str) -> None:
    refused(with_run("recommend", *words), message)
    refused(with_run("recommend", *words, "--json"), message)


def test_an_unfinished_run_is_refused(gpr: Run, films_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ws" / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"data": str(films_folder)}))
    refused(gpr("recommend", "q", "--run", "a"), "The run 'a' is interrupted")
    refused(gpr("evaluate", films_folder, "--run", "a"), "The run 'a' is interrupted")


@pytest.mark.parametrize("query", ["[red]dream[/red]", "梦 🎬", "'; drop table items", "-5 degrees"])
def test_a_query_is_only_words(with_run: Run, query: str) -> None:
    result = with_run("recommend", "--run", "films", "-k", 1, "--json", "--", query)
    assert len(answer(result)) == 1


# evaluate


def test_evaluate(with_run: Run, films_folder: Path) -> None:
    table = answer(with_run("evaluate", films_folder, "--run", "films", "--json"))
    assert (table["data"], table["split"], table["n"]) == ("films", "test", 7)
    assert {"gpr", "generate", "match", "base", "popular", "bm25"} <= set(table["metrics"])
    assert all(set(row) == METRICS for row in table["metrics"].values())
    shown = with_run("evaluate", films_folder, "--run", "films")
    assert shown.exit_code == 0
    assert all(name in shown.stdout for name in (*table["metrics"], *METRICS))


def test_evaluate_the_base_model(
    gpr: Run, films_folder: Path, tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_workspace", lambda root: Workspace(root, str(tiny_base_folder)))
    metrics = answer(gpr("evaluate", films_folder, "--json"))["metrics"]
    assert metrics["gpr"] == metrics["base"]


def test_evaluate_refusals(with_run: Run, films_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(ITEMS, encoding="utf-8")
    refused(with_run("evaluate", films_folder, "--run", "film"), "There is no run named 'film'")
    refused(with_run("evaluate", tmp_path / "items.csv", "--run", "films"), "the test split is empty")


# labels


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A workspace with two labels."""
    root = tmp_path / "ws"
    for item_id, verdict in (("m1", "good"), ("m2", "bad")):
        asked = request_id("films", "dreams")
        Workspace(root).labels.add(
            Label(asked, "dreams", (), item_id, f"Film {item_id}", "films", 0.5, -0.7, 1, verdict, "ada")  # type: ignore[arg-type]
        )
    return root


def test_label_export(gpr: Run, labelled: Path, tmp_path: Path) -> None:
    for suffix in (".csv", ".jsonl", ".parquet"):
        result = gpr("label", "export", tmp_path / f"labels{suffix}")
        assert result.exit_code == 0, result.output
        assert result.stdout == f"2 labels: {tmp_path / f'labels{suffix}'}\n"
    lines = (tmp_path / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    assert {(row["item_id"], row["verdict"]) for row in map(json.loads, lines)} == {("m1", "good"), ("m2", "bad")}


def test_label_stats(gpr: Run, labelled: Path) -> None:
    stats = answer(gpr("label", "stats", "--json"))
    assert (stats["total"], stats["by_verdict"]["good"], stats["by_verdict"]["bad"]) == (2, 1, 1)
    shown = gpr("label", "stats")
    assert shown.exit_code == 0
    assert "2 labels" in shown.stdout
    assert "ada" in shown.stdout


def test_label_stats_without_labels(gpr: Run) -> None:
    assert answer(gpr("label", "stats", "--json"))["total"] == 0
    assert "0 labels" in gpr("label", "stats").stdout


def test_label_refusals(gpr: Run, tmp_path: Path) -> None:
    refused(gpr("label", "export", tmp_path / "labels.csv"), "There are no labels yet.")
    assert not (tmp_path / "labels.csv").exists()


def test_label_export_refusals(gpr: Run, labelled: Path, tmp_path: Path) -> None:
    unknown = refused(gpr("label", "export", tmp_path / "labels.xls"), "Labels cannot be written as '.xls'")
    assert ".csv, .jsonl, .parquet" in unknown
    refused(gpr("label", "export", tmp_path / "none" / "labels.csv"), "The folder does not exist")
    assert [path.name for path in tmp_path.iterdir()] == ["ws"]


# the workspace


def test_the_workspace_is_named_by_option_or_environment(
    films_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    for words, environment, made in (
        ([], {}, "workspace"),
        ([], {"GPR_WORKSPACE": "mine"}, "mine"),
        (["--workspace", "here"], {"GPR_WORKSPACE": "mine"}, "here"),
    ):
        assert runner.invoke(cli.app, ["label", "stats", *words], env=environment).exit_code == 0
        assert (tmp_path / made / "labels.db").is_file()


def test_a_workspace_that_cannot_be_made(gpr: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(gpr("label", "stats", "--workspace", tmp_path / "file" / "ws"), "file")


def test_a_damaged_database(gpr: Run, tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "labels.db").write_bytes(b"this is no database, however long it may be " * 50)
    refused(gpr("label", "stats"), "labels.db")


# as a process


def process(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gpr", *map(str, words)], capture_output=True, text=True, cwd=ROOT, check=False
    )


def test_a_process_answers_in_json_alone() -> None:
    run = process("check", "courses-zh", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["name"] == "courses-zh"


def test_a_process_fails_with_one_message_and_its_code(tmp_path: Path) -> None:
    missing, usage = process("check", tmp_path / "no.csv"), process("check")
    assert (missing.returncode, missing.stdout, usage.returncode, usage.stdout) == (1, "", 2, "")
    assert missing.stderr.startswith("Error: ")
    assert len(missing.stderr.splitlines()) == 1
    assert "Traceback" not in missing.stderr + usage.stderr


def test_a_reader_that_has_read_enough_is_no_fault() -> None:
    shown = subprocess.Popen(
        [sys.executable, "-m", "gpr", "check", "movies", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert shown.stdout is not None
    shown.stdout.close()
    _, said = shown.communicate()
    assert b"Traceback" not in said
