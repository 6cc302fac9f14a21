"""HTML whose buttons the server hears. It knows nothing of what they mean.

A button with `data-press="good" data-item="3"` calls the listener of `.press` with that data, all of it strings; inside
of a `data-turn`, what its fields (`data-field`) hold and its flag come along. `data-press="why"` calls that of `.why`,
since a reason takes its time and a label must not wait for it, and "like" that of `.like`, which asks anew. A field
with `data-press` calls `.press` when it has changed, with its `value` and whether it is `on`.

`answering` HTML asks one function instead, whatever is pressed, which is quicker than an event.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from gpr.ui.language import say

_LISTEN = """
const own = new Set(['why', 'like']), fields = 'select[data-press], input[data-press]';
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-press]');
  if (!button || button.disabled || button.matches(fields)) return;
  const turn = button.closest('[data-turn]'), data = {...turn?.dataset, ...button.dataset};
  for (const field of turn?.querySelectorAll('[data-field]') ?? []) data[field.dataset.field] = field.value;
  tell(own.has(data.press) ? data.press : 'press', data);
});
element.addEventListener('change', (event) => {
  const field = event.target.closest(fields);
  if (field) tell('press', {...field.dataset, value: field.value, on: Boolean(field.checked)});
});
element.addEventListener('input', (event) => {
  const said = event.target.closest('input[type=range]')?.parentElement.querySelector('output');
  if (said) said.value = event.target.value + said.dataset.unit;
});
"""

_BY_EVENT = "const tell = trigger;"
_BY_CALL = """
let answered = Promise.resolve(), told = null, after = 0, count = 0, lost = null;
const around = () => element.querySelector('[data-around]')?.dataset;
const late = () => new Promise((resolve) => setTimeout(resolve, 10000));
const show = (html, press) => {
  told?.remove();
  lost = typeof html === 'string' ? null : press;
  if (typeof html === 'string') {
    props.value = html;
  } else { // gradio (6.31) swallows what went wrong
    const words = element.querySelector('template[data-unheard]');
    told = words?.content.firstElementChild.cloneNode(true);
    words?.after(told);
  }
  clearTimeout(after);
  after = setTimeout(() => trigger('heard', {...around()}), 150);
};
const tell = (event, data) => {
  const page = around();
  if (!page) return;
  const press = {...page, ...data, along: document.querySelector(page.along)?.value ?? ''};
  const again = lost && ['press', 'turn', 'item', 'sitting'].every((name) => lost[name] === press[name]);
  press.number = again ? lost.number : ++count;
  const call = () => Promise.race([server.hear(press), late()]);
  answered = answered.then(call).catch(() => null).then((html) => show(html, press));
};
"""
"""One press after the other, each with what the page holds when it is pressed; whichever it is, the same function hears
it. The event, which holds the page up for a moment, comes once behind several quick ones (ms).
"""

KEEPS_FOCUS = """
const told = (button) => button.ariaLabel || button.textContent;
let held = '';
element.addEventListener('focusin', (event) => { held = told(event.target.closest('button') ?? element); });
element.addEventListener('focusout', (event) => { if (event.relatedTarget) held = ''; });
document.addEventListener('pointerdown', (event) => { if (!element.contains(event.target)) held = ''; });
new MutationObserver(() => {
  if (!held || document.activeElement !== document.body) return;
  [...element.querySelectorAll('button')].find((button) => told(button) === held)?.focus({preventScroll: true});
}).observe(element, {childList: true, subtree: true});
"""
"""For HTML that is written anew by itself: the button that had the focus keeps it."""

KEEPS_ROOM = """
const kept = `gpr-room-${element.closest('.block').id}`;
element.style.minHeight = localStorage.getItem(kept) ?? '';
new MutationObserver(() => {
  element.style.minHeight = '';
  localStorage.setItem(kept, `${element.offsetHeight}px`);
}).observe(element, {childList: true, subtree: true});
"""
"""For HTML that comes a moment after the page: until then it has the height that it had last, so that nothing jumps."""

KEEPS_OPEN = """
const open = new Set();
const told = (fold) => fold.querySelector('summary')?.textContent;
element.addEventListener('toggle', ({target}) => open[target.open ? 'add' : 'delete'](told(target)), true);
new MutationObserver(() => {
  for (const fold of element.querySelectorAll('details')) if (open.has(told(fold))) fold.open = true;
}).observe(element, {childList: true, subtree: true});
"""
"""For HTML that is written anew by itself: the folds that were opened stay open."""


def pressable(value: str = "", *, more: str = "", **settings: Any) -> gr.HTML:
    """A piece of HTML with the event `.press`; `pressed()` reads what it brings.

    Args:
        more: further JavaScript for when it is there.
    """
    return gr.HTML(value, js_on_load=_BY_EVENT + _LISTEN + more, apply_default_css=False, **settings)


def answering(answer: Callable[[dict[str, str]], str], **settings: Any) -> gr.HTML:
    """Pressable HTML of which each press is answered by its next HTML.

    `.heard` comes a moment later, with the data of the `around` that the page shows by then.

    An event costs 25 ms and more in the browser on a page like this one: gradio (6.31) looks through all components for
    each one that ever was in an event. This call costs none of it.

    Args:
        answer: gets what a listener of `.press` gets, with the data of `around` and, as `along`, what its field holds.
            Must not raise. What is pressed again because no answer came has the same `number` as before.
    """

    def hear(data: object) -> str:
        return answer(_texts(data))

    return gr.HTML(js_on_load=_BY_CALL + _LISTEN, apply_default_css=False, server_functions=[hear], **settings)


def around(html: str, along: str, unheard: str, **data: str) -> str:
    """What all presses inside bring with them.

    Args:
        along: CSS selector of a field of the page.
        unheard: HTML that is shown where a press could not be answered.
    """
    names = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    words = f"<template data-unheard>{unheard}</template>"
    return f'<div data-around data-along="{escape(along)}"{names}>{words}{html}</div>'


def pressed(event: gr.EventData) -> dict[str, str]:
    """The data of the button that was pressed."""
    return _texts(event._data)


def _texts(data: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in data.items()} if isinstance(data, dict) else {}


def button(text: str, press: str, *, style: str = "", label: str = "", on: bool | None = None, **data: object) -> str:
    """A button of pressable HTML. `text` is HTML; all else is escaped here.

    Args:
        label: what a screen reader says instead of the text.
        on: whether it is pressed in, for a button that stays.
        data: what else comes along.
    """
    attributes = {"class": f"gpr-button {style}".strip(), "data-press": press}
    attributes |= {f"data-{name}": str(value) for name, value in data.items()}
    attributes |= {"aria-label": say(label)} if label else {}
    attributes |= {"aria-pressed": str(on).lower()} if on is not None else {}
    inside = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f'<button type="button" {inside}>{text}</button>'
