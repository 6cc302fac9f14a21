"""Starts the page in the browser: flags, checks, launch. The heavy imports come after the flags are read."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
from pathlib import Path

SWITCH_SECONDS = 0.001
"""After this, a thread that computes lets one that answers a press have its turn."""


def parser() -> argparse.ArgumentParser:
    """The flags, each with its default in the help."""
    found = argparse.ArgumentParser(
        prog="app.py",
        description="GPR in the browser: check data, fine-tune, recommend, label, evaluate.",
        epilog="The same without a browser: python -m gpr --help",
    )
    add = found.add_argument
    workspace = Path(os.environ.get("GPR_WORKSPACE") or "workspace")
    add(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 is all of the network (default: %(default)s)"
    )
    add("--port", type=int, default=7860, help="(default: %(default)s)")
    add("--workspace", type=Path, default=workspace, help="all state (default: $GPR_WORKSPACE, else ./workspace)")
    add("--data", help="a sample's name, a folder or a file (default: that of --run, else movies)")
    add("--run", help="run to recommend with (default: the newest of the data, else the base model)")
    add("--base", help="base model where no run says otherwise: a name, a folder or a hub id")
    add("--auth", metavar="USER:PASSWORD[,...]", help="who may open the page (default: everybody who reaches it)")
    add("--owner", metavar="NAME", help="user of --auth who decides for all annotators (default: the first one)")
    add(
        "--labels-url",
        default=os.environ.get("GPR_LABELS_URL", ""),
        help="database of labels, such as postgresql://me@host/labels (default: $GPR_LABELS_URL, else a file)",
    )
    add("--mcp", action="store_true", help="also be an MCP server; needs `pip install 'gradio[mcp]'`")
    add("--language", choices=["en", "zh"], help="of the page (default: $GPR_LANGUAGE, else that of the browser)")
    return found


def users(text: str | None) -> list[tuple[str, str]] | None:
    """The pairs of --auth.

    Raises:
        ValueError: a part is not of the form user:password, or a user is named twice.
    """
    if text is None:
        return None
    pairs = [(name.strip(), password) for name, _, password in (part.partition(":") for part in text.split(","))]
    if not all(name and password for name, password in pairs):
        raise ValueError("--auth wants user:password, and a comma between users. A password cannot hold a comma.")
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("--auth names a user twice.")
    return pairs


def check_address(host: str, port: int) -> None:
    """Raises: ValueError: nothing can listen there."""
    if not 0 < port < 65536:
        raise ValueError(f"There is no port {port}. Ports go from 1 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise ValueError(f"There is no address '{host}' ({error.strerror}).") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            words = f"Port {port} is in use, perhaps by another GPR. Choose another one: --port {port + 1}"
        elif error.errno == errno.EACCES:
            words = f"Port {port} is for the administrator alone. Choose one above 1023."
        else:
            words = f"Nothing can listen on {host}, port {port} ({error.strerror})."
        raise ValueError(words) from None


def check_mcp() -> None:
    """Raises: ValueError: what an MCP server needs is not there, or not in a version that gradio knows."""
    try:
        from mcp.server import Server

        _ = Server.call_tool  # which gradio calls; later versions have it no more
    except (ImportError, AttributeError):
        raise ValueError(
            "--mcp needs a package that is not here, or not in gradio's version: pip install 'gradio[mcp]'"
        ) from None


def main(arguments: list[str] | None = None) -> int:
    """Runs until it is stopped. Returns the exit code: 1 after a mistake of the user."""
    given = parser().parse_args(arguments)
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    os.environ |= {"GPR_LANGUAGE": given.language} if given.language else {}
    from gpr.errors import GPRError

    try:
        allowed = users(given.auth)
        if given.owner and given.owner not in [name for name, _ in allowed or ()]:
            raise ValueError(f"--owner names '{given.owner}', who is no user of --auth.")
        check_address(given.host, given.port)
        if given.mcp:
            check_mcp()
        serve(given, allowed)
    except (GPRError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def serve(given: argparse.Namespace, allowed: list[tuple[str, str]] | None) -> None:
    """Raises: GPRError: of the workspace, or of the run."""
    sys.setswitchinterval(SWITCH_SECONDS)
    from gpr import jobs
    from gpr.lm.install import DEFAULT_BASE
    from gpr.ui.context import make_context
    from gpr.workspace import Workspace

    workspace = Workspace(given.workspace, given.base or DEFAULT_BASE, given.labels_url)
    _ = workspace.labels  # what is wrong with them is said now, not at the first label
    context = make_context(workspace, jobs, given.data, given.run)
    context.owner = given.owner or (allowed[0][0] if allowed else "")
    from gpr.ui.page import build, launch_settings

    print(f"GPR on http://{given.host}:{given.port}  (Ctrl-C stops it; a fine-tuning goes on)", flush=True)
    build(context).launch(
        server_name=given.host,
        server_port=given.port,
        auth=allowed,
        quiet=True,
        mcp_server=given.mcp,
        **launch_settings(context),
    )


if __name__ == "__main__":
    sys.exit(main())
