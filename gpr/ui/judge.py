"""What is judged as HTML: one recommendation, a list, two lists; and the line below with what was done last.

Every text from outside is escaped here. A button with `data-key` is pressed by the key of that name, which
`assets/keys.js` knows and shows on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gpr.data.dataset import Catalogue, Request
from gpr.recommendation import Recommendation
from gpr.ui.cards import BAD, GOOD, asked, details, facts, percent
from gpr.ui.language import say
from gpr.ui.press import button
from gpr.ui.turns import Answer, CardTurn, ListTurn, PairTurn

KEYS = {
    "good": "G", "bad": "B", "skip": "Space", "all": "A", "rest": "R", "flag": "F", "note": "N", "details": "D",
    "undo": "U", "redo": "Y", "guidelines": "I", "summary": "S", "help": "?",
}  # fmt: skip
"""What stands on a button until the page's own keyboard has filled it in."""


def key(name: str) -> str:
    """The mark of a key on a button."""
    return f'<kbd data-of="{name}">{KEYS[name]}</kbd>'


def local(text: str, name: str, *, on: bool | None = None) -> str:
    """A button that the page's own keyboard answers, without the server."""
    pressed = f' aria-pressed="{str(on).lower()}"' if on is not None else ""
    return (
        f'<button type="button" class="gpr-button gpr-small" data-local="{name}" data-key="{name}"{pressed}>'
        f"{say(text)}{key(name)}</button>"
    )


def one_card(turn: CardTurn, *, blind: bool = False) -> str:
    """The one recommendation to judge. Blind, neither the model nor its score is shown."""
    found, catalogue = turn.card.recommendation, turn.dataset.catalogue
    choices = (
        ("bad", f"{BAD}<span>{say('Bad')}</span>"),
        ("skip", f"<span>{say('Skip')}</span>"),
        ("good", f"{GOOD}<span>{say('Good')}</span>"),
    )
    buttons = "".join(
        button(f"{text}{key(name)}", name, style=f"gpr-verdict gpr-{name} gpr-large", key=name)
        for name, text in choices
    )
    about = "" if blind else _about(turn.title, found)
    parts = "" if blind else _parts(found)
    return (
        f'<article class="gpr-judge" data-turn="{turn.token}" data-flag="{str(turn.flagged).lower()}" data-swipe>'
        f"{_header(turn.card.request, catalogue)}"
        f'<div class="gpr-body"><span class="gpr-eyebrow">{say("Recommended")}{about}</span>'
        f"<h3>{escape(found.title)}</h3>"
        f"{details(catalogue, found.number)}{parts}{_note(turn.note)}</div>"
        f'<div class="gpr-keys">{buttons}</div>'
        f'<div class="gpr-tools">{local("Flag", "flag", on=turn.flagged)}{local("Note", "note")}'
        f"{local('Details', 'details')}</div></article>"
    )


def _header(request: Request, catalogue: Catalogue) -> str:
    return f'<header><span class="gpr-eyebrow">{say("Asked for")}</span>{asked(request, catalogue)}</header>'


def _about(title: str, found: Recommendation) -> str:
    rank = say(", ") + say(f"place {found.rank}") if found.rank else ""
    odds = f", {percent(found.probability)}" if found.probability == found.probability else ""
    return f" · <span>{escape(say(title))}{rank}{odds}</span>"


def _parts(found: Recommendation) -> str:
    """The parts' own probabilities, shown with the details."""
    parts = "".join(
        f"<span><i>{escape(name)}</i> {say(f'log-probability {score:.2f}')}</span>"
        for name, score in found.scores.items()
    )
    return f'<p class="gpr-facts gpr-more">{parts}</p>' if parts else ""


def _note(text: str) -> str:
    hidden = "" if text else " hidden"
    words = say("A note, kept with your verdict. Enter goes back to the keys.")
    return (
        f'<textarea class="gpr-note" data-field="note" rows="2" maxlength="2000" aria-label="{say("Note")}"'
        f' placeholder="{words}"{hidden}>{escape(text)}</textarea>'
    )


def one_list(turn: ListTurn) -> str:
    """A request with all of its recommendations; the first without a verdict has the keys."""
    catalogue, ahead = turn.dataset.catalogue, turn.open
    focus = ahead[0].recommendation.item_id if ahead else ""
    rows = "".join(_row(turn, card.recommendation, catalogue, focus) for card in turn.cards)
    choices = (
        ("rest", "bad", f"{BAD}<span>{say('Rest bad')}</span>"),
        ("all", "good", f"{GOOD}<span>{say('All good')}</span>"),
    )
    buttons = "".join(
        button(text + key(name), name, style=f"gpr-verdict gpr-{verdict}", key=name) for name, verdict, text in choices
    )
    return (
        f'<article class="gpr-judge" data-turn="{turn.token}">{_header(turn.request, catalogue)}'
        f'<ol class="gpr-rows" aria-label="{escape(say(f"Recommendations of {turn.title}"))}">{rows}</ol>'
        f'<div class="gpr-keys gpr-two">{buttons}</div></article>'
    )


def _row(turn: ListTurn, found: Recommendation, catalogue: Catalogue, focus: str) -> str:
    verdict = turn.verdicts.get(found.item_id, "")
    buttons = "".join(
        button(f"{text}{key(name)}", name, style=f"gpr-verdict gpr-{name}", label=f"{name.capitalize()}: {found.title}",
               on=verdict == name, item=found.item_id, key=name)
        for name, text in (("bad", BAD), ("skip", f"<span>{say('Skip')}</span>"), ("good", GOOD))
    )  # fmt: skip
    return (
        f'<li class="gpr-row{" gpr-focus" if found.item_id == focus else ""}" data-verdict="{escape(verdict)}">'
        f'<span class="gpr-rank">{found.rank}</span><div class="gpr-body"><h3>{escape(found.title)}</h3>'
        f'{facts(catalogue.details(found.number))}</div><div class="gpr-choices">{buttons}</div></li>'
    )


def two_lists(turn: PairTurn) -> str:
    """The lists of two runs, without their names."""
    catalogue = turn.dataset.catalogue
    lists = _list("Left", turn.left, catalogue) + _list("Right", turn.right, catalogue)
    choices = (
        ("left", "bad", "Left is better"),
        ("tie", "skip", "No difference"),
        ("right", "good", "Right is better"),
    )
    buttons = "".join(
        button(f"<span>{say(text)}</span>{key(name)}", press, style="gpr-verdict gpr-large", key=name)
        for press, name, text in choices
    )
    return (
        f'<article class="gpr-judge" data-turn="{turn.token}">{_header(turn.request, catalogue)}'
        f'<div class="gpr-lists">{lists}</div><div class="gpr-keys">{buttons}</div>'
        f'<div class="gpr-tools">{local("Note", "note")}</div><div class="gpr-body">{_note("")}</div></article>'
    )


def _list(name: str, answer: Answer, catalogue: Catalogue) -> str:
    rows = "".join(
        f"<li><b>{escape(found.title)}</b>{facts(catalogue.details(found.number))}</li>"
        for found in answer.recommendations
    )
    head = f'<span class="gpr-eyebrow">{say(name)}</span>'
    return f'<section aria-label="{say(f"{name} list")}">{head}<ol>{rows}</ol></section>'


def last_line(said: str, reasons: Sequence[str], given: Sequence[str]) -> str:
    """What was done last, the reasons that may be added to it by number, and the buttons that are always there.

    Args:
        reasons: offered; empty unless the last thing said was 'bad'.
        given: those that were added already.
    """
    chips = "".join(
        button(
            f"{escape(say(reason))}<kbd>{number}</kbd>", "reason", style="gpr-chip", on=reason in given, reason=reason
        )
        for number, reason in enumerate(reasons, 1)
    )
    why = (
        f'<div class="gpr-reasons" role="group" aria-label="{say("Why bad?")}"><span>{say("Why?")}</span>{chips}</div>'
        if chips
        else ""
    )
    undo = button(f"{say('Undo')}{key('undo')}", "undo", style="gpr-small", key="undo")
    redo = button(f"{say('Redo')}{key('redo')}", "redo", style="gpr-small", key="redo")
    tools = local("Guidelines", "guidelines") + local("Keys", "help")
    return (
        f'{why}<div class="gpr-last"><span role="status">{escape(say(said))}</span>'
        f'<span class="gpr-tools">{undo}{redo}{tools}</span></div>'
    )
