from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import app
from gpr.ui.api import Api
from gpr.ui.context import Context
from tests.ui.fake import FakeWorkspace

ROOT = Path(__file__).parents[2]


def test_the_help_is_quick_and_names_every_flag() -> None:
    code = "import sys, app\ntry: app.main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    for flag in (
        "--host",
        "--port",
        "--workspace",
        "--data",
        "--run",
        "--base",
        "--auth",
        "--owner",
        "--labels-url",
        "--language",
        "--mcp",
    ):
        assert flag in run.stdout
    assert not {"gradio", "torch", "pandas", "gpr"} & set(run.stdout.splitlines()[-1].split())


def test_users() -> None:
    assert app.users(None) is None
    assert app.users("anna:a:b,ben:c") == [("anna", "a:b"), ("ben", "c")]


@pytest.mark.parametrize("auth", ["", "anna", "anna:", ":secret", "anna:a,,ben:b", "anna:a,anna:b"])
def test_a_bad_auth_is_one_message(auth: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--auth", auth]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: --auth ")


def test_a_port_in_use_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert app.main(["--port", str(port)]) == 1
    assert capsys.readouterr().err.startswith(f"Error: Port {port} is in use")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--port", "70000"], "There is no port 70000"),
        (["--host", "no such host"], "There is no address 'no such host'"),
        (["--owner", "olga"], "--owner names 'olga', who is no user of --auth."),
        (["--owner", "olga", "--auth", "anna:a"], "--owner names 'olga', who is no user of --auth."),
    ],
)
def test_an_address_that_is_none_is_one_message(
    flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main(flags) == 1
    assert words in capsys.readouterr().err


def test_mcp_without_its_package_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.delitem(sys.modules, "gradio.mcp", raising=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    assert app.main(["--mcp", "--port", port, "--workspace", str(tmp_path)]) == 1
    assert "pip install 'gradio[mcp]'" in capsys.readouterr().err


def test_a_run_or_data_that_is_not_there_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    for flags, words in ((["--run", "x"], "no run named 'x'"), (["--data", "nowhere"], "'nowhere' is no sample")):
        assert app.main(["--port", port, "--workspace", str(tmp_path / "workspace"), *flags]) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert words in line


def test_programs_recommend_and_label_over_http(url: str, workspace: FakeWorkspace) -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    client = Client(url, verbose=False)
    assert set(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == {"/recommend", "/label"}
    found = client.predict(query="simulation hacker", k=2, api_name="/recommend")
    assert found[0]["item_id"] == "m1"
    assert set(found[0]) == {"rank", "item_id", "title", "probability", "log_prob"}
    client.predict(item_id="m1", verdict="good", annotator="bot", query="simulation hacker", api_name="/label")
    [label] = workspace.labels.current()
    assert (label.item_id, label.annotator, label.rank) == ("m1", "bot", 1)
    with pytest.raises(AppError, match="The request is empty."):
        client.predict(query="", api_name="/recommend")
    with pytest.raises(AppError, match="There is no data '/etc' here."):
        client.predict(query="x", data="/etc", api_name="/recommend")


def test_a_history_of_ids_is_answered(context: Context) -> None:
    found = Api(context).recommend(history=["m1", "m8"], k=3)
    assert {"m1", "m5"} & {item["item_id"] for item in found} == set(), "m8 is an alias of m5"
