"""The report: complete, self-contained, honest and safe."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import report
from analysis.findings import findings
from study.folder import StudyFolder

Make = Callable[..., StudyFolder]


@pytest.fixture(scope="module")
def page(study_folder: StudyFolder) -> str:
    return report.write_report(study_folder).read_text()


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
    assert markup.count('alt="render of trial') == len(trials)
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


def test_two_runs_say_the_same(study_folder: StudyFolder) -> None:
    first, second = findings(study_folder), findings(study_folder)
    assert first.importance == second.importance


def test_few_trials_are_not_ranked_and_more_are_asked_for(make_study: Make) -> None:
    found = findings(make_study(explore=5, optimize=1))
    assert not found.importance.ranked
    assert re.search(r"No ranking: \d+ comparable trials are too few", found.headline)
    assert 'class="refusal"' in report.write_report(found.study.folder, found).read_text()


def test_a_study_without_trials_has_a_report(make_study: Make) -> None:
    path = report.write_report(make_study(explore=0, optimize=0))
    assert "none ended yet" in path.read_text()


def test_missing_renders_and_baselines_are_done_without(make_study: Make) -> None:
    folder = make_study(explore=10, optimize=1)
    folder.render("00003").unlink()
    spec = folder.read_spec()
    del spec["scene"]["baselines"]
    folder.write_spec(spec)
    assert "none</span>" in report.write_report(folder).read_text()


def test_command_writes_the_report(
    study_folder: StudyFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.main([str(study_folder.path)]) == 0
    headline, path = capsys.readouterr().out.strip().splitlines()
    assert headline.startswith("What moves the final PSNR most")
    assert Path(path).read_text().startswith("<!doctype html>")


def test_command_refuses_a_folder_that_is_no_study(
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


def test_importing_is_fast_and_needs_neither_ray_nor_torch() -> None:
    script = "import time; start = time.process_time(); import analysis.report\n"
    printed = run_without_the_trainers(script + "print(time.process_time() - start)")
    assert float(printed) < 1.0


def test_a_report_is_written_where_neither_ray_nor_torch_is_there(
    study_folder: StudyFolder,
) -> None:
    script = "from analysis.report import main; sys.exit(main(sys.argv[1:]))"
    printed = run_without_the_trainers(script, str(study_folder.path))
    assert printed.splitlines()[-1] == str(study_folder.report)
