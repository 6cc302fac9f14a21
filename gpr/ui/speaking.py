"""What the page is built with once, for visitors of all languages: labels, choices, the scripts, the switch.

Labels are put into a language by gradio in the browser, which is told here which one the visitor has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import gradio as gr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gpr.ui.language import COOKIE, ENGLISH, LANGUAGES, language, language_of, say, translations

NAMES = {"zh": "zh-CN"}
"""What gradio's own texts call a language."""
SIGNS = ("label", "info", "placeholder")
"""Of a component, the texts that stand on it."""
KEY = "gpr:{}"
"""Gradio looks up whatever a component holds, values too: with a key of its own only a sign is ever found."""
_TEXT = re.compile(r">([^<>]+)<")


def gradio_texts() -> gr.I18n:
    """All that may stand on a component, for gradio."""
    texts = {text for name in LANGUAGES for text in translations(name) if "{" not in text}
    said = {
        NAMES.get(name, name): {KEY.format(text): translations(name).get(text, text) for text in texts}
        for name in LANGUAGES
    }
    return gr.I18n(**said)


def put_up_signs(page: gr.Blocks) -> None:
    """Marks what stands on the components of a page for the lookup in the browser, and says the rest at each visit:
    choices, and HTML that never changes.
    """
    known = {text for name in LANGUAGES for text in translations(name) if "{" not in text}
    late: list[tuple[Any, Callable[[], Any]]] = []
    for block in page.blocks.values():
        names = (*SIGNS, "value") if isinstance(block, gr.Button | gr.UploadButton | gr.DownloadButton) else SIGNS
        for name in names:
            if isinstance(text := getattr(block, name, None), str) and text in known:
                setattr(block, name, gr.i18n.I18nData(KEY.format(text)))
        if isinstance(block, gr.Radio | gr.Dropdown) and block.choices:
            late.append((block, _choices(block)))
        elif isinstance(block, gr.HTML) and isinstance(block.value, str) and block.value:
            late.append((block, _html(block.value)))
    page.load(
        lambda: [make() for _, make in late] if language() != ENGLISH else [gr.skip() for _ in late],
        None,
        [block for block, _ in late],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )


def _choices(block: Any) -> Callable[[], Any]:
    pairs = [(str(words), value) for words, value in block.choices]
    return lambda: type(block)(choices=[(say(words), value) for words, value in pairs])


def _html(value: str) -> Callable[[], str]:
    return lambda: _TEXT.sub(lambda found: f">{say(found[1])}<", value)


def switch() -> str:
    """Buttons for the other languages, which `assets/language.js` answers."""
    now = language()
    return "".join(
        f'<button type="button" class="gpr-button gpr-small" data-language="{name}" lang="{name}">'
        f"{escape(own)}</button>"
        for name, own in LANGUAGES.items()
        if name != now
    )


def script(language: str, texts: Mapping[str, str]) -> str:
    """What a page starts with: its language, and the texts of its scripts."""
    name = json.dumps(NAMES.get(language, language))
    words = json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c")
    return (
        f"<script>Object.defineProperty(navigator,'language',{{get:()=>{name}}});"
        f"Object.defineProperty(navigator,'languages',{{get:()=>[{name}]}});"
        f"window.gprWords={words};window.gprCookie={json.dumps(COOKIE)};</script>"
    )


class Speaking:
    """Tells each page its language before gradio's own script starts.

    Args:
        scripts: the source of the page's scripts: the texts that occur in them come along.
    """

    def __init__(self, app: ASGIApp, scripts: str = "") -> None:
        self.app = app
        self.texts = {
            name: {text: said for text, said in translations(name).items() if f'"{text}"' in scripts}
            for name in LANGUAGES
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("method") != "GET":
            await self.app(scope, receive, send)
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        spoken = language_of(headers)
        start = f"<head>{script(spoken, self.texts[spoken])}".encode()
        await self.app(scope, receive, _Telling(send, start))


class _Telling:
    """Sends a response on; into that of a page it writes the script."""

    def __init__(self, send: Send, start: bytes) -> None:
        self.send, self.start = send, start
        self.held: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self.held = message
            return
        if self.held is not None and message["type"] == "http.response.body":
            held, self.held = self.held, None
            body = message.get("body", b"")
            changed = body.replace(b"<head>", self.start, 1)
            headers = [
                (key, str(int(value) + len(changed) - len(body)).encode() if key == b"content-length" else value)
                for key, value in held["headers"]
            ]
            await self.send({**held, "headers": headers})
            message = {**message, "body": changed}
        await self.send(message)


def _is_page(message: Message) -> bool:
    return any(key == b"content-type" and value.startswith(b"text/html") for key, value in message["headers"])
