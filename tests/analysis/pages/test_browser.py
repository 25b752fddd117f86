"""The report in a real browser: it draws, sorts, filters, opens a trial, and logs no error."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.findings.analyze_study import Findings
from analysis.pages.study_page import render_study_page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

NAME = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(replicated_findings: Findings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = dataclasses.replace(replicated_findings.study, name=NAME)
    path = tmp_path_factory.mktemp("browser") / "report.html"
    path.write_text(render_study_page(dataclasses.replace(replicated_findings, study=study)))
    return path


@pytest.fixture(scope="module", params=[(1280, 900), (375, 740)], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Any, report: Path) -> Iterator[Any]:
    """The report, drawn once for each screen; any error or request of the browser fails.

    Tests share the page and restore what they change.
    """
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append("a dialog opened"), dialog.dismiss()))
    page.on(
        "request",
        lambda sent: (
            complaints.append(sent.url)
            if not sent.url.startswith(("file:", "data:", "blob:"))
            else None
        ),
    )
    page.goto(report.as_uri(), timeout=120_000)  # all figures are drawn before it returns
    page.wait_for_selector("html[data-drawn]", timeout=120_000)
    yield page
    context.close()
    assert complaints == []


def test_every_figure_is_drawn_within_the_width_of_the_screen(page: Any) -> None:
    places = page.locator(".figure").count()
    assert places >= 15
    assert page.locator(".figure .main-svg").first.is_visible()
    assert page.locator(".figure:has(.main-svg)").count() == places
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_name_that_is_markup_shows_as_text(page: Any) -> None:
    assert page.locator("h1").inner_text() == NAME


def test_the_table_filters_and_sorts(page: Any) -> None:
    rows = page.locator("#trial-table tbody tr:visible")
    every = rows.count()
    scroll = "[scrollY, document.documentElement.scrollHeight, "
    scroll += "document.querySelector('#trial-table th:last-child').offsetWidth]"
    page.locator("#filter").scroll_into_view_if_needed()
    before = page.evaluate(scroll)
    page.locator("#filter").fill("collapsed")
    assert page.evaluate(scroll) == before  # neither the page nor the columns jump
    shown = rows.count()
    assert 0 < shown < every
    assert all("collapsed" in text for text in rows.all_inner_texts())
    assert page.locator("#shown").inner_text() == f"{shown} of {every} trials"
    page.locator("#filter").fill("")
    heading = page.locator("#trial-table th button", has_text="PSNR").first
    heading.click()
    values = [
        float(v)
        for v in page.locator("#trial-table tbody tr td:nth-child(5)").evaluate_all(
            "cells => cells.map(c => c.dataset.v)"
        )
    ]
    assert values == sorted(values, reverse=True)
    heading.press("Enter")
    assert page.locator("#trial-table th[aria-sort=ascending]").count() == 1
    page.locator("#trial-table th button").first.click()


def test_a_render_opens_its_trial_with_the_keyboard(page: Any) -> None:
    page.locator(".thumb").nth(2).focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#look")
    assert dialog.is_visible()
    assert "PSNR" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_a_button_copies_a_command(page: Any) -> None:
    command = page.locator(".command").first
    command.locator("button").click()
    page.wait_for_function(
        "() => document.querySelector('.command button').textContent === 'copied'"
    )
    assert page.evaluate("getSelection().toString()") == command.locator("code").inner_text()


def test_figures_follow_the_theme(page: Any) -> None:
    def ink() -> str:
        return str(
            page.evaluate("getComputedStyle(document.querySelector('.figure .xtick text')).fill")
        )

    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(500)
    light = ink()
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "light => getComputedStyle(document.querySelector('.figure .xtick text')).fill !== light",
        arg=light,
    )
    assert ink() != light
    page.emulate_media(color_scheme="light")


def test_another_tools_page_is_drawn_and_a_trial_opens_with_its_metric(
    browser: Any, minimised_findings: Findings, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(render_study_page(minimised_findings))
    page = browser.new_page(offline=True)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri(), timeout=120_000)
    page.wait_for_selector("html[data-drawn]", timeout=120_000)
    page.evaluate("look('00041')")
    facts = page.locator("#look dl").inner_text().split("\n")
    assert facts[:6] == ["trial", "00041", "state", "completed", "val_loss", "0.09195"]
    page.close()
    assert complaints == []
