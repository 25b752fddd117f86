"""Formats are recognised by their content; damaged files give one line, never a traceback."""

from __future__ import annotations

import gzip
import pickle
import random
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from analysis.external.identify import read_sweeps
from nerf.common.errors import InputError
from tests.analysis.external.mlflow_files import FakeRun, write_database, write_file_store
from tests.analysis.external.optuna_files import open_journal, run_states, write_optuna_2_10
from tests.analysis.external.ray_files import FAILURE, falling, write_ray_state, write_ray_trial


def write_sqlite(path: Path) -> Path:
    run_states(optuna.create_study(storage=f"sqlite:///{path}", study_name="s"))
    return path


def write_old_sqlite(path: Path) -> Path:
    write_optuna_2_10(path, [(1e-3, 64.0, 0.25, 4.0, 0.5, 1.0, 2.5)])
    return path


def write_journal(path: Path) -> Path:
    run_states(optuna.create_study(storage=open_journal(path), study_name="s"))
    return path


def write_ray(path: Path) -> Path:
    folders = [
        write_ray_trial(path, 0, {"lr": 0.1, "model": {"layers": [1, 2]}}, falling(3)),
        write_ray_trial(path, 1, {"lr": 0.2}, falling(2), error=FAILURE),
    ]
    progress = write_ray_trial(path, 2, {"lr": 0.3}, [])
    (progress / "result.json").unlink()
    (progress / "progress.csv").write_text('loss,"a\nb"\n1.0,2.0\n')
    write_ray_state(path, dict.fromkeys(folders, "TERMINATED"))
    return path


RUNS = {
    "nets": [
        FakeRun("a" * 32, {"lr": "0.1"}, {"loss": [(1, 2.0, 0), (2, 1.0, 1)]}, parent="b" * 32),
        FakeRun("b" * 32, {"lr": "0.2"}, status="FAILED"),
    ]
}

WRITERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "sqlite": ("Optuna", write_sqlite),
    "old sqlite": ("Optuna", write_old_sqlite),
    "journal": ("Optuna", write_journal),
    "ray": ("Ray Tune", write_ray),
    "mlflow folder": ("MLflow", lambda path: write_file_store(path, RUNS)),
    "mlflow database": ("MLflow", lambda path: write_database(path, RUNS)),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("originals")
    return {name: write(folder / name) for name, (_, write) in WRITERS.items()}


@pytest.mark.parametrize("name", WRITERS)
def test_formats_are_recognised_whatever_their_name(
    name: str, originals: dict[str, Path], tmp_path: Path
) -> None:
    original = originals[name]
    renamed = tmp_path / "results.csv"
    (shutil.copytree if original.is_dir() else shutil.copyfile)(original, renamed)
    assert {sweep.tool for sweep in read_sweeps(renamed)} == {WRITERS[name][0]}


def test_tables_are_read_as_tables(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("lr,loss\n0.1,1.0\n0.2,2.0\n")
    (sweep,) = read_sweeps(path)
    assert [column.role for column in sweep.columns] == ["setting", "outcome"]


@pytest.mark.parametrize("suffix", [".tab", ".txt", ".csv.gz", ".zip", ".csv"])
def test_tables_are_read_in_any_encoding_and_packing(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"runs{suffix}"
    data = "lr\tloss\n0.1\t1.0\n0.2\t2.0\n".encode("utf-16")
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inner/runs.csv", data)
    else:
        path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    (sweep,) = read_sweeps(path)
    assert [trial.settings["lr"] for trial in sweep.trials] == [0.1, 0.2]


def test_archives_that_do_not_hold_one_table_are_refused(tmp_path: Path) -> None:
    for names, message in ((["a.csv", "b.csv"], "of 2 files"), (["xl/workbook.xml"], "workbook")):
        with zipfile.ZipFile(tmp_path / "runs.zip", "w") as archive:
            for name in names:
                archive.writestr(name, "x")
        with pytest.raises(InputError, match=message):
            read_sweeps(tmp_path / "runs.zip")


def test_what_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.external.packed._MAX_BYTES", 1000)
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"0" * 100_000))
    with pytest.raises(InputError, match="more than a gigabyte"):
        read_sweeps(tmp_path / "bomb.csv.gz")


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "is empty"),
    "blank.db": (b" \n\n", "is empty"),
    "study.pkl": (pickle.dumps({"a": 1}), "is a pickle"),
    "study.csv": (pickle.dumps([1, 2], protocol=2), "is a pickle"),
    "runs.zip": (b"PK\x03\x04abc", "is compressed and damaged"),
    "runs.csv.gz": (b"\x1f\x8b\x08abc", "is compressed and damaged"),
    "run.wandb": (b":W&B\x00\x01abc", "is a W&B run's log"),
    "model.bin": (b"\x01\x00\x02\x00", "is a binary file of no known format"),
    "notes.txt": (b"lr was good\n", "has a heading but no rows|single column"),
    "notes.md": (b"lr was good\n", "is text of no known format"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_other_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    content, message = UNREADABLE[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as refusal:
        read_sweeps(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_other_folders_and_databases_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_sweeps(tmp_path / "none")
    with pytest.raises(InputError, match=r"Ray Tune or MLflow \(1 folder was looked into, down to"):
        read_sweeps(tmp_path)
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("CREATE TABLE cats (name)")
    with pytest.raises(InputError, match=r"of neither Optuna nor MLflow \(cats\)"):
        read_sweeps(tmp_path / "other.db")


def test_a_storage_without_studies_holds_no_sweep(tmp_path: Path) -> None:
    study = optuna.create_study(storage=open_journal(tmp_path / "s.journal"), study_name="s")
    optuna.delete_study(study_name="s", storage=study._storage)
    with pytest.raises(InputError, match="holds no sweep"):
        read_sweeps(tmp_path / "s.journal")
    write_file_store(tmp_path / "mlruns", {"Default": []})
    with pytest.raises(InputError, match="holds no sweep"):
        read_sweeps(tmp_path / "mlruns")


def damage(content: bytes, rng: random.Random) -> bytes:
    """Cuts, overwrites, removes, doubles or inserts bytes at a random place."""
    if not content:
        return b"\xff"
    at = rng.randrange(len(content))
    length = rng.choice([1, 4, 64, 512])
    noise = bytes(rng.randrange(256) for _ in range(min(length, 64)))
    swaps = [b"null", b"[[]]", b"-1", b"1e999", b'"\xff"', b"NaN", b"9" * 400, b"{}", b"\0" * 8]
    return rng.choice(
        [
            content[:at],
            content[:at] + noise + content[at + len(noise) :],
            content[:at] + content[at + length :],
            content[:at] + content[max(0, at - length) :],
            content[:at] + rng.choice(swaps) + content[at + rng.choice([0, 1, 5]) :],
        ]
    )


@pytest.mark.parametrize("name", WRITERS)
def test_random_damage_gives_a_result_or_one_line(
    name: str, originals: dict[str, Path], tmp_path: Path
) -> None:
    original, rng = originals[name], random.Random(name)
    for attempt in range(25):
        copy = tmp_path / str(attempt)
        (shutil.copytree if original.is_dir() else shutil.copyfile)(original, copy)
        files = sorted(p for p in copy.rglob("*") if p.is_file()) if copy.is_dir() else [copy]
        for file in rng.sample(files, min(len(files), 3)):
            file.write_bytes(damage(file.read_bytes(), rng))
        assert "\n" not in describe(copy)


def describe(path: Path) -> str:
    """The sweeps in `path` by name, or the message that refuses it."""
    try:
        return ", ".join(repr(sweep.name) for sweep in read_sweeps(path))
    except InputError as error:
        return str(error)
