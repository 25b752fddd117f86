"""The report: complete and self-contained, with text from a study escaped."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from markupsafe import escape

from analysis import report
from analysis.claims.list_claims import (
    ANSWERS,
    list_answer_lines,
    list_claims,
    select_answers,
    select_matters,
)
from analysis.data.study import load_study
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.bounds_map import map_bounds
from analysis.findings.recommendation import recommend
from analysis.pages.best_cards import view_values
from analysis.pages.study_page import render_study_page
from study.records.study_folder import StudyFolder

Make = Callable[..., StudyFolder]


@pytest.fixture(scope="module")
def page(study_folder: StudyFolder, study_findings: Findings) -> str:
    return report.write_report(study_folder, study_findings).read_text()


def own_markup(page: str) -> str:
    """The page without plotly.js, which names addresses that it never fetches."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_page_fetches_nothing(page: str) -> None:
    addresses = re.findall(r"""(?:src|href)=["']([^"']{1,40})""", own_markup(page))
    assert addresses
    assert all(address.startswith(("data:image/", "#")) for address in addresses)


def test_page_has_each_section_each_trial_and_its_render(
    page: str, study_folder: StudyFolder
) -> None:
    markup = own_markup(page)
    for anchor in ("importance", "effects", "bounds", "curves", "trials"):
        assert f'<section id="{anchor}">' in markup
    trials = study_folder.read_trials()
    table = markup[markup.index('id="trial-table"') :]
    assert table.count('alt="render of trial') == len(trials)
    assert all(f'data-v="{name}"' in markup for name in trials["trial_id"])


def test_a_name_that_is_markup_shows_as_text(make_study: Make) -> None:
    folder = make_study("plain", explore=9, optimize=1)
    spec = folder.read_spec()
    spec["name"] = "<script>alert(1)</script>"
    spec["scene"]["name"] = "</script><img src=x onerror=alert(2)>"
    folder.write_spec(spec)
    page = report.write_report(folder).read_text()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<img src=x" not in page


class Texts(HTMLParser):
    """The text of each section, header and footer of a page, and its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.place = ""
        self.texts: dict[str, str] = {}
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("header", "section", "footer"):
            self.place = dict(attrs).get("id") or tag
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts[self.place] = self.texts.get(self.place, "") + data


@pytest.mark.usefixtures("few_resamples")
def test_markup_in_names_values_and_reasons_shows_as_text_in_every_section(
    make_study: Make,
) -> None:
    hostile = """</script><script>alert("1 & 2")</script><img src=x onerror='alert(3)'>"""
    folder = make_study("hostile", explore=24, optimize=2, replicates=4)
    spec = folder.read_spec()
    spec["name"] = spec["scene"]["name"] = spec["scene"]["source"] = hostile
    spec["command"] = [hostile]
    for dimension in spec["space"]["dimensions"]:
        dimension["label"] = f"{dimension['label']} {hostile}"
        if dimension["path"] == "field.density_activation":
            dimension["choices"] = [hostile if c == "relu" else c for c in dimension["choices"]]
    folder.write_spec(spec)
    trials = folder.read_trials()
    trials["field.density_activation"] = trials["field.density_activation"].replace("relu", hostile)
    trials.loc[trials["state"] == "collapsed", "reason"] = hostile
    trials.to_parquet(folder.trials_file, index=False)
    findings = analyze_study(folder)
    assert (findings.study.trials["field.density_activation"] == hostile).any()
    page = render_study_page(findings)
    texts = Texts()
    texts.feed(own_markup(page))
    for place in ("header", "breaking", "trials", "footer"):
        assert hostile in texts.texts[place], place
    sections = re.findall(r'<section id="(\w+)">', own_markup(page))
    assert sections == list(page_sections(page))
    for text in ("<script>alert", "</script><script>alert", "<img src=x"):
        assert text not in page
    figures = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert len(figures) >= 10
    assert all(json.loads(figure)["layout"] for figure in figures)
    # Plotly reads some HTML of its own, so text in figures is escaped once more.
    assert not any("<img" in text for figure in figures for text in strings_in(json.loads(figure)))


def page_sections(page: str) -> dict[str, str]:
    """Anchor -> markup of each section of a page."""
    parts = re.split(r'<section id="(\w+)">', own_markup(page))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def strings_in(value: object) -> list[str]:
    """Every string within a JSON value."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in strings_in(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in strings_in(inner)]
    return [value] if isinstance(value, str) else []


def test_few_trials_are_refused_a_ranking(make_study: Make) -> None:
    findings = analyze_study(make_study(explore=5, optimize=1))
    assert not findings.importance.ranked
    (refusal,) = select_matters(list_claims(findings))
    assert re.search(
        r"No ranking of the parameters among runs that trained: \d runs are too few", refusal.text
    )
    assert 'class="refusal"' in report.write_report(findings.study.folder, findings).read_text()


def test_a_study_without_trials_has_a_report(make_study: Make) -> None:
    path = report.write_report(make_study(explore=0, optimize=0))
    assert "none ended yet" in path.read_text()


def test_defaults_are_those_of_the_scene(make_study: Make) -> None:
    """Far is set through far - near, whose default is the distance that the scene suggests."""
    folder = make_study("bounded", explore=6, optimize=1)
    spec = folder.read_spec()
    spec["space"]["bounds"] = [2.5, 4.25]
    folder.write_spec(spec)
    findings = analyze_study(folder)
    assert findings.study.default_configuration["sampling.far"] == 4.25
    row = re.search(
        r"<tr[^>]*><th scope=row>far \(scene units\)</th>.*?</tr>", render_study_page(findings)
    )
    assert row is not None
    assert '<td class="n">4.25</td>' in row[0]


@pytest.mark.usefixtures("few_resamples")
def test_the_report_of_200_trials_stays_under_15_megabytes(make_study: Make) -> None:
    """With renders as large and as noisy as those of the built-in scene, 100 x 200 pixels."""
    folder = make_study("large", explore=30, optimize=170)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (100, 200, 3), dtype=np.uint8)
    for render in folder.render("x").parent.iterdir():
        imageio.imwrite(render, image)
    assert len(folder.read_trials()) == 200
    assert report.write_report(folder).stat().st_size < 15_000_000


def test_each_cell_of_the_map_of_bounds_links_to_its_trial(
    page: str, study_folder: StudyFolder
) -> None:
    plane = re.search(r'<table class="map">.*?</table>', page, flags=re.DOTALL)
    assert plane is not None
    cells = map_bounds(load_study(study_folder).trials)
    assert cells is not None
    filled = [cell for row in cells.cells for cell in row if cell]
    assert re.findall(r'data-trial="(\d+)"', plane[0]) == [cell.trial_id for cell in filled]
    assert plane[0].count('<img src="data:image/') == len(filled)
    assert plane[0].count("no trial") == 16 - len(filled)


def test_the_first_screen_answers_five_questions_in_their_order(
    replicated_findings: Findings,
) -> None:
    texts = Texts()
    texts.feed(own_markup(render_study_page(replicated_findings)))
    screen = texts.texts["header"].replace("\u00a0", " ")
    claims = list_claims(replicated_findings)
    place = -1
    for answer in select_answers(claims):
        found = re.search(rf"{ANSWERS[answer.kind]}\s*{re.escape(answer.text)}", screen)
        assert found is not None
        assert answer.command in screen
        assert found.start() > place
        place = found.start()
    assert len(select_answers(claims)) == 5
    first = r"What matters\s*The most important parameter is \w[\w ]+: \d+ % \[\d+, \d+\] of the"
    assert re.search(first, screen)
    assert re.search(r"What breaks\s*\d+ % \[\d+, \d+\] of 64 explored runs break", screen)
    assert re.search(r"86 on synthetic: \d+ trained, \d+ collapsed, \d pruned", screen)
    assert re.search(r"it beats the default by \d\.\d\d dB \[", screen)
    assert "Best configuration minus default" not in screen  # once is enough
    assert "that of the gain allows for lucky and unlucky random seeds" in screen
    assert re.search(r"\d of 86 trials were pruned: stopped because others did better", screen)


def test_no_values_are_called_good_of_a_parameter_without_a_clear_effect(
    replicated_findings: Findings,
) -> None:
    matters = {p.dimension.path: p.matters for p in recommend(replicated_findings).parameters}
    assert set(matters.values()) == {True, False}
    for effect, value in zip(
        replicated_findings.effects, view_values(replicated_findings), strict=True
    ):
        if effect.path in matters:
            assert (value.good == "no clear effect") is not matters[effect.path]


def test_no_sentence_stands_twice_in_a_section(replicated_findings: Findings) -> None:
    claims = [c.text for c in list_claims(replicated_findings)]
    sections = page_sections(render_study_page(replicated_findings))
    twice = [
        (anchor, text)
        for anchor, markup in sections.items()
        for text in claims
        if anchor != "claims" and markup.count(str(escape(text))) > 1
    ]
    assert twice == []


def test_the_table_has_the_reason_beside_the_outcome_and_phases_in_british_words(
    page: str,
) -> None:
    table = page_sections(page)["trials"]
    assert "collapsed<small>: density is zero everywhere</small>" in table
    assert ">optimise</td>" in table
    assert ">optimize<" not in table


def test_the_map_of_bounds_shows_counts_alone_where_few_cells_have_a_render(
    make_study: Make,
) -> None:
    folder = make_study("few renders", explore=24, optimize=1)
    for render in sorted(folder.render("x").parent.iterdir())[2:]:
        render.unlink()
    bounds = page_sections(render_study_page(analyze_study(folder)))["bounds"]
    assert '<table class="map counts">' in bounds
    assert "<img" not in bounds
    assert "whose render it shows" not in bounds


def test_contents_name_every_section_and_each_begins_with_its_answer(
    replicated_findings: Findings,
) -> None:
    page = own_markup(render_study_page(replicated_findings))
    linked = re.findall(r'<li><a href="#([\w-]+)">', page)
    assert linked == list(page_sections(page))
    identifiers = re.findall(r' id="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))
    for anchor, markup in page_sections(page).items():
        heading = re.match(r'<h2 id="[\w-]+">(.*?)</h2>\s*(<p class="answer">)?', markup)
        assert heading is not None
        assert heading[2] or not heading[1].endswith("?"), anchor


def explanations(page: str, anchor: str) -> str:
    """The small print of a section."""
    text = re.search(r'<p class="limits">(.*?)</p>', page_sections(page)[anchor], re.DOTALL)
    return " ".join(text[1].split()) if text else ""


def test_the_small_print_explains_only_what_is_drawn(
    make_study: Make, replicated_findings: Findings
) -> None:
    page = render_study_page(replicated_findings)
    assert "The dark line, or the dash over a choice, is the mean" in explanations(page, "effects")
    assert "▽ pruned; filled markers" in explanations(page, "effects")
    assert "; shares of the variance of PSNR" in explanations(page, "time")
    assert re.search("solid: trained.*dashed: pruned", explanations(page, "curves"))
    few = render_study_page(analyze_study(make_study(explore=9, optimize=0)))
    assert "pruned" not in explanations(few, "curves")
    effects = explanations(few, "effects")
    assert "● trained" in effects
    for absent in ("dark line", "dash", "band", "faint", "pruned", "hollow", "P(trains)"):
        assert absent not in effects, absent
    assert "P(trains)" not in explanations(few, "breaking")
    assert "hollow" not in explanations(few, "bounds")


def test_p_trains_is_explained_where_it_stands_above(replicated_findings: Findings) -> None:
    sections = page_sections(render_study_page(replicated_findings))
    explained = "P(trains) is the rate of explored runs that neither collapse nor show nothing."
    used = [
        anchor
        for anchor in ("breaking", "importance", "effects")
        if "P(trains)" in sections[anchor].replace(explained, "")
    ]
    assert used
    assert [anchor for anchor in sections if explained in sections[anchor]] == used


def test_a_section_with_nothing_to_say_is_one_line(make_study: Make) -> None:
    page = render_study_page(analyze_study(make_study(explore=5, optimize=1)))
    for anchor in ("top", "seeds", "time"):
        body = page_sections(page)[anchor].partition("</h2>")[2].partition("</section>")[0]
        assert re.fullmatch(r'\s*<p class="answer">Not known: .*?</p>\s*', body, re.DOTALL), anchor


def test_a_study_without_renders_or_baselines_has_a_report(make_study: Make) -> None:
    folder = make_study(explore=6, optimize=1)
    folder.render("00003").unlink()
    spec = folder.read_spec()
    del spec["scene"]["baselines"]
    folder.write_spec(spec)
    table = page_sections(report.write_report(folder).read_text())["trials"]
    row = re.search(r'<tr data-trial="00003".*?</tr>', table, re.DOTALL)
    assert row is not None
    assert "<img" not in row[0]


def test_command_refuses_a_folder_that_is_not_a_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.main([str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


BARRED = """
import sys
class Barred:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("ray", "torch", "optuna", "wandb"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Barred())
"""


def run_without_the_trainers(script: str, *arguments: str) -> str:
    """What a fresh Python prints that has neither Ray nor torch, Optuna or W&B."""
    command = [sys.executable, "-c", BARRED + script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_importing_needs_neither_ray_nor_torch() -> None:
    run_without_the_trainers("import analysis.report")


def test_the_command_writes_the_same_report_again_without_ray_and_torch(
    page: str, study_folder: StudyFolder, study_findings: Findings
) -> None:
    study_folder.report.unlink()
    script = "from analysis.report import main; sys.exit(main(sys.argv[1:]))"
    *headline, path = run_without_the_trainers(script, str(study_folder.path)).splitlines()
    assert headline == list_answer_lines(list_claims(study_findings))
    assert path == str(study_folder.report)
    assert page.startswith("<!doctype html>")
    assert study_folder.report.read_text() == page


@pytest.mark.parametrize("options", [["--nope"], ["--format", "docx"], ["--fromat=csv"]])
def test_a_misspelt_option_gives_one_line(
    options: list[str], study_folder: StudyFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.main([str(study_folder.path), *options]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    if options == ["--fromat=csv"]:
        assert "did you mean --format?" in captured.err


def test_heads_stand_over_their_numbers(page: str) -> None:
    tables = re.findall(r"<table.*?</table>", own_markup(page), re.DOTALL)
    aligned = [table for table in tables if '<td class="n"' in table or '" class="n">' in table]
    assert len(aligned) >= 3
    for table in aligned:
        heads, *rows = (re.findall(r"<t[hd]([^>]*)>", row) for row in table.split("<tr")[1:])
        for number, head in enumerate(heads):
            cells = [row[number] for row in rows if len(row) == len(heads)]
            assert ('class="n"' in head) == any('class="n"' in cell for cell in cells), head
