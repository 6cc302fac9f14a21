"""What the tab Fine-tune says of learning from labels, before and after."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpr.errors import RunError
from gpr.labels.label import Label
from gpr.ui.context import Active, Context
from gpr.ui.teach_panel import TeachPanel
from tests.ui.fake import FakeRun, FakeWorkspace


def test_a_run_is_taught_once_at_a_time_and_only_what_is_new(
    context: Context, workspace: FakeWorkspace, data: str
) -> None:
    panel, name = TeachPanel(context), workspace.dataset(data).name
    run = FakeRun("a", data, taught={"good": 1}, started="2999-01-01T00:00:00+00:00")
    workspace.known = [run]
    said = Label("q", "toys", (), "m7", "Toy Story", "a", 0.5, -0.7, 1, "good", "ada", dataset=name)
    workspace.labels.add(replace(said, item_id="m1", verdict="skip"))
    assert "Label some recommendations" in panel.show(Active(data, "a"))[0]
    workspace.labels.add(said)
    text, *buttons = panel.show(Active(data, "a"))
    assert "a has learned from all labels so far. Label more" in text
    assert not any(button.interactive for button in buttons)
    workspace.labels.add(replace(said, verdict="bad", time="2999-02-01T00:00:00+00:00"))
    text, *buttons = panel.show(Active(data, "a"))
    assert "a can learn from 0 good and 1 bad labels. It takes some minutes" in text
    assert all(button.interactive for button in buttons)
    workspace.known.append(FakeRun("a-taught", data, status="queued", config={"teaches": "a"}))
    with pytest.raises(RunError, match="a is being taught already, as a-taught"):
        panel.start(Active(data, "a"))
    with pytest.raises(RunError, match="No run is in use"):
        panel.start(Active(data))
