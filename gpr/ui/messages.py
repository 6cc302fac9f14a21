"""What went wrong, in words on the page: a user's error as it is, a bug of ours without its traceback.

The traceback goes to the log. Toasts and boxes are HTML, so the words are escaped here.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from html import escape
from typing import Any, Literal

import gradio as gr

from gpr.errors import GPRError
from gpr.ui.language import say

logger = logging.getLogger(__name__)

OURS = "Something went wrong on our side. Nothing that was stored is lost; the details are in the log of the server."
Kind = Literal["info", "good", "warn", "bad"]


def in_words(error: Exception) -> str:
    """What to tell the user, as plain text. What no user can mend is logged with its traceback."""
    if isinstance(error, GPRError):
        return str(error)
    logger.error("a fault of the page", exc_info=error)
    return OURS


def notice(text: str, kind: Kind = "info", title: str = "") -> str:
    """A box with words, as HTML; '' for no text."""
    if not text:
        return ""
    head = f"<strong>{escape(say(title))}</strong> " if title else ""
    role = "alert" if kind == "bad" else "status"
    return f'<div class="gpr-notice gpr-{kind}" role="{role}">{head}<span>{escape(say(text))}</span></div>'


def failure(error: Exception) -> str:
    """The box of an error."""
    return notice(in_words(error), "bad")


def plural(number: int, word: str) -> str:
    """'1 label', '2,000 labels'."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def title(text: str, level: int = 2) -> str:
    """A title of a part of the page, as HTML."""
    return f'<h{level} class="gpr-title">{escape(say(text))}</h{level}>'


def empty(title: str, text: str) -> str:
    """What stands where there is nothing yet, as HTML."""
    return f'<div class="gpr-empty"><strong>{escape(say(title))}</strong><span>{escape(say(text))}</span></div>'


def worded(handler: Callable[..., Any], *, html: bool = True) -> Callable[..., Any]:
    """A handler whose errors are told in words: on the page as a toast, to a program as its error.

    Args:
        html: whether the words are shown as HTML, which a toast is.
    """

    @functools.wraps(handler)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            words = say(in_words(error))
            text = escape(words, quote=False) if html else words
            raise gr.Error(text, title=say("This did not work"), print_exception=False) from error

    return guarded
