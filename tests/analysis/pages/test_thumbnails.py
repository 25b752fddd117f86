"""A committed thumbnail stands in for a render that was not kept."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from analysis.pages.thumbnails import MANIFEST, has_thumbnails, thumbnail, thumbnail_file
from study.records.study_folder import StudyFolder


def test_a_thumbnail_takes_the_place_of_a_missing_render_alone(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    assert thumbnail(folder.render("00001")) == ""
    assert not has_thumbnails(folder)
    committed = thumbnail_file(folder, "00001")
    committed.parent.mkdir()
    Image.new("RGB", (20, 10), "red").save(committed)
    (folder.path / MANIFEST).write_text("{}")
    shown = thumbnail(folder.render("00001"))
    assert shown.startswith("data:image/jpeg;base64,")
    assert has_thumbnails(folder)
    folder.render("00001").parent.mkdir()
    Image.new("RGB", (20, 10), "blue").save(folder.render("00001"))
    assert thumbnail(folder.render("00001")) not in ("", shown)
