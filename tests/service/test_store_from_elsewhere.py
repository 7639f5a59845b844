"""A store that comes from a commit, a damaged disk or another user: nothing outside of it is opened or removed."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.domain.errors import UnusablePlaceError
from reconciler.service.jobs.worker import clean
from reconciler.service.store import Store, StoreError, open_store
from tests.service.service_fixtures import error_of, open_local


def change(root: Path, *statements: str) -> None:
    with closing(sqlite3.connect(root / "service.db")) as db, db:
        for statement in statements:
            db.execute(statement)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "home" / "store")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file that is not the store's."""
    (tmp_path / "theirs" / "deep").mkdir(parents=True)
    path = tmp_path / "theirs" / "victim.txt"
    path.write_text("mine\n", encoding="utf-8")
    (tmp_path / "theirs" / "deep" / "more.txt").write_text("mine too\n", encoding="utf-8")
    return path


NAMES = ["../../../theirs/victim.txt", "{victim}", "..", "a/../../../../theirs/victim.txt", "", "x\\y", ".hidden"]


def add_file(root: Path, name: str, expires_at: int | None = None) -> None:
    change(
        root,
        "INSERT INTO files (id, filename, purpose, size_bytes, created_at, expires_at)"
        f" VALUES ('{name}', 'f', 'fine-tune', 5, 1, {expires_at or 'NULL'})",
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_file_whose_id_is_a_path_is_not_removed_when_it_expires(store: Store, victim: Path, name: str) -> None:
    add_file(store.root, name.format(victim=victim), 2)
    open_local(store.root).client.get("/files")
    assert victim.read_text(encoding="utf-8") == "mine\n"


def test_a_file_whose_id_is_a_path_is_neither_sent_nor_deleted(store: Store, victim: Path) -> None:
    add_file(store.root, str(victim))
    client = open_local(store.root).client
    for method, path in (("GET", f"/files/{victim}/content"), ("DELETE", f"/files/{victim}")):
        answer = client.request(method, path.replace(str(victim), str(victim).replace("/", "%2F")))
        assert answer.status_code in {404, 500}
        assert "mine" not in answer.text
    assert victim.exists()


def test_a_part_whose_id_is_a_path_is_not_removed_with_its_upload(store: Store, victim: Path) -> None:
    change(
        store.root,
        "INSERT INTO uploads (id, filename, purpose, size_bytes, created_at, expires_at, status)"
        " VALUES ('upload_x', 'f', 'fine-tune', 5, 1, 2, 'pending')",
        f"INSERT INTO parts (id, upload, size_bytes, created_at) VALUES ('{victim}', 'upload_x', 5, 1)",
    )
    open_local(store.root).client.get("/files")
    assert victim.exists()


@pytest.mark.parametrize("job", ["../../../theirs", "{theirs}", ".."])
def test_a_model_whose_job_is_a_path_takes_no_folder_with_it(store: Store, victim: Path, job: str) -> None:
    job = job.format(theirs=victim.parent)
    change(
        store.root,
        "INSERT INTO models (id, base, job, folder, checkpoint, created_at)"
        f" VALUES ('ft:x', 'tfidf-logreg', '{job}', 'deep', 0, 1)",
    )
    open_local(store.root).client.delete("/models/ft:x")
    assert (victim.parent / "deep" / "more.txt").exists()
    assert store.database.exists()


@pytest.mark.parametrize("folder", ["files", "incoming", "jobs", "models", "parts"])
def test_a_folder_that_is_a_link_is_refused_and_what_it_leads_to_stays(store: Store, victim: Path, folder: str) -> None:
    (store.root / folder).rmdir()
    (store.root / folder).symlink_to(victim.parent)
    (victim.parent / "file-abc").write_text("looks like ours\n", encoding="utf-8")

    with pytest.raises(UnusablePlaceError, match=f"cannot be used \\(.*/{folder}: it is a link"):
        open_local(store.root)

    assert sorted(path.name for path in victim.parent.iterdir()) == ["deep", "file-abc", "victim.txt"]


@pytest.mark.parametrize("name", ["service.db", "service.db-wal", "service.db-shm", "serve.lock", "worker.lock"])
def test_a_file_of_the_store_that_is_a_link_is_refused_and_its_target_is_not_written(
    store: Store, victim: Path, name: str
) -> None:
    (store.root / name).unlink(missing_ok=True)
    (store.root / name).symlink_to(victim)

    with pytest.raises(UnusablePlaceError, match=f"cannot be used \\(.*/{name}: it is a link"):
        open_local(store.root)

    assert victim.read_text(encoding="utf-8") == "mine\n"


def test_links_below_the_folders_are_neither_sent_nor_followed_by_a_clean_up(store: Store, victim: Path) -> None:
    add_file(store.root, "file-x")
    (store.files / "file-x").symlink_to(victim)
    (store.files / "file-y").symlink_to(victim)
    (store.jobs / "ftjob-x.1").symlink_to(victim.parent)

    service = open_local(store.root)
    clean(store)

    status, error = error_of(service.client.get("/files/file-x/content"))
    assert (status, error["code"]) == (500, "store_unusable")
    assert victim.exists()
    assert (victim.parent / "deep" / "more.txt").exists()


def test_files_of_a_person_in_the_directory_of_a_store_stay(tmp_path: Path) -> None:
    for path in ("files/report.pdf", "models/notes/one.txt", "jobs/applications/cv.txt", "parts/wheel.stl"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("mine\n", encoding="utf-8")

    with pytest.raises(StoreError, match=r"service\.db is missing, and .*/files is not empty"):
        open_store(tmp_path)

    assert (tmp_path / "files/report.pdf").exists()
    assert not (tmp_path / "service.db").exists()


def test_a_clean_up_removes_only_names_of_our_own_form(store: Store) -> None:
    for path in ("files/report.pdf", "files/file-left", "models/notes/one.txt", "models/ftjob-left/w", "jobs/cv/x"):
        (store.root / path).parent.mkdir(parents=True, exist_ok=True)
        (store.root / path).write_text("mine\n", encoding="utf-8")

    open_local(store.root)
    clean(store)

    left = sorted(path.relative_to(store.root).as_posix() for path in store.root.glob("*/*"))
    assert left == ["files/report.pdf", "jobs/cv", "models/notes"]


def empty(store: Store) -> None:
    for end in ("-wal", "-shm"):
        store.database.with_name(store.database.name + end).unlink(missing_ok=True)
    store.database.write_bytes(b"")


def remove(store: Store) -> None:
    empty(store)
    store.database.unlink()
    (store.files / "file-x").write_bytes(b"{}\n")


def scramble(store: Store) -> None:
    for number in range(300):
        add_file(store.root, f"file-{number:022}")
    whole = bytearray(store.database.read_bytes())
    whole[8192:] = os.urandom(len(whole) - 8192)
    store.database.write_bytes(whole)


def cut(store: Store) -> None:
    scramble(store)
    store.database.write_bytes(store.database.read_bytes()[:9000])


def plant_trigger(store: Store) -> None:
    change(store.root, "CREATE TRIGGER t AFTER INSERT ON files BEGIN DELETE FROM jobs; END")


def drop_table(store: Store) -> None:
    change(store.root, "DROP TABLE permissions")


def forget_owner(store: Store) -> None:
    change(store.root, "DELETE FROM about")


@pytest.mark.parametrize("damage", [empty, remove, scramble, cut, plant_trigger, drop_table, forget_owner])
def test_a_damaged_store_is_named_with_the_way_to_mend_it_and_not_begun_anew(
    store: Store, damage: Callable[[Store], None]
) -> None:
    damage(store)
    with pytest.raises(StoreError, match=r"from a backup, or\s+move .* away to begin an empty store"):
        open_local(store.root)


@pytest.mark.parametrize(
    ("value", "fault"),
    [("'many'", "size_bytes is str"), ("1.5", "size_bytes is float"), ("1e999", "size_bytes is")],
)
def test_a_value_of_another_kind_is_an_answer_and_no_traceback(store: Store, value: str, fault: str) -> None:
    add_file(store.root, "file-x")
    change(store.root, f"UPDATE files SET size_bytes = {value}")
    status, error = error_of(open_local(store.root).client.get("/files"))
    assert (status, error["code"]) == (500, "store_unusable")
    assert f"a FileRecord of the store is damaged ({fault}" in error["message"]


NOT_NUMBERS = (
    "started_at = 1e999",
    """hyperparameters = '{"n_epochs": 1e999}'""",
    """hyperparameters = '{"n_epochs": NaN}'""",
)


@pytest.mark.parametrize("change_job", NOT_NUMBERS)
def test_a_number_that_is_none_is_an_answer_and_no_traceback(store: Store, change_job: str) -> None:
    change(
        store.root,
        "INSERT INTO jobs (id, base, training_file, suffix, seed, hyperparameters, status, created_at)"
        " VALUES ('ftjob-x', 'test-echo', 'file-x', '', 1, '{}', 'succeeded', 1)",
        f"UPDATE jobs SET {change_job}",
    )
    status, error = error_of(open_local(store.root).client.get("/fine_tuning/jobs"))
    assert (status, error["code"]) == (500, "store_unusable")
