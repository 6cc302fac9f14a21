"""The page in another language, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import Visit

pytestmark = pytest.mark.browser
CHINESE = ["数据", "微调", "推荐", "标注", "评估"]
ENGLISH = ["Data", "Fine-tune", "Recommend", "Label", "Evaluate"]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a Chinese browser."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    yield context.new_page()
    context.close()


def test_the_browsers_language_at_first_and_the_switch_for_one_visitor_alone(visit: Visit, browser: Browser) -> None:
    page = visit.page
    page.goto(visit.url)
    expect(page.locator("#gpr-header")).to_contain_text("模型已就绪")
    assert page.get_by_role("tab").all_inner_texts() == CHINESE
    expect(page.get_by_label("你想找什么？")).to_be_visible()
    expect(page.locator("#gpr-answer")).to_contain_text("还没有提问")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    other = browser.new_context(locale="de-DE").new_page()
    other.goto(visit.url)
    expect(other.locator("#gpr-header")).to_contain_text("Model ready")
    assert other.get_by_role("tab").all_inner_texts() == ENGLISH
    page.get_by_role("button", name="English").click()
    expect(page.locator("#gpr-header")).to_contain_text("Model ready")
    visit.page.reload()
    expect(page.get_by_label("What are you looking for?")).to_be_visible()
    assert page.get_by_role("tab").all_inner_texts() == ENGLISH
    other.get_by_role("button", name="中文").click()
    expect(other.locator("#gpr-header")).to_contain_text("模型已就绪")
    other.context.close()
    expect(page.locator("#gpr-header")).to_contain_text("Model ready")


def test_the_servers_language_goes_before_the_browsers(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPR_LANGUAGE", "en")
    page = visit.open()
    assert page.get_by_role("tab").all_inner_texts() == ENGLISH


def test_choices_are_shown_in_chinese_and_mean_the_same(visit: Visit) -> None:
    page = visit.page
    page.goto(visit.url)
    expect(page.locator("#gpr-header")).to_contain_text("模型已就绪")
    page.get_by_role("tab", name="标注", exact=True).click()
    page.get_by_label("你的名字").fill("小明")
    page.get_by_label("你的名字").press("Enter")
    expect(page.locator(".gpr-judge")).to_be_visible()
    expect(page.get_by_label("单张")).to_be_checked()
    page.get_by_label("列表").check()
    expect(page.locator(".gpr-row").first).to_be_visible()


def test_faults_are_told_in_the_visitors_language(visit: Visit) -> None:
    visit.page.goto(visit.url)
    expect(visit.page.locator("#gpr-header")).to_contain_text("模型已就绪")
    visit.page.get_by_role("tab", name="微调", exact=True).click()
    visit.page.get_by_text("比较、重命名、导出、导入…").click()
    visit.page.get_by_role("button", name="导出", exact=True).click()
    expect(visit.page.locator("#gpr-manage-notice")).to_contain_text("没有选择训练。请在上面的列表中选择。")
