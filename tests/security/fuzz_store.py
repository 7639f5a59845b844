"""Damaged stores at random: `python -m tests.security.fuzz_store --cases 100000 [--seed N] [--first N] [--only N]`.

Bytes of the database and of its side files are flipped, overwritten, cut or lost, and values in its tables are
replaced, also by paths of other files. Then a service is opened on the store, its routes are called, and a worker's
clean-up runs. Whatever happened to the store, there is an answer or one error of ours, in bounded time and memory, and
no file outside of the store is read, changed or removed.
"""

import argparse
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import httpx

from reconciler.domain.errors import UnusablePlaceError
from reconciler.foundation.private import NotPrivateError
from reconciler.service.context import ModelCache, ServiceContext
from reconciler.service.engines.registry import load_engines
from reconciler.service.factory import make_app
from reconciler.service.jobs.worker import clean
from reconciler.service.seeding import UPSTREAM_SUITES, plant_seeds
from reconciler.service.store import open_store, organization, remove_unlisted_files
from reconciler.service.store.database import Store
from tests.security.loop import add_arguments, run_cases
from tests.service.service_fixtures import client_of

CASE_SECONDS = 10.0
NOW = 1_790_000_000
SECRET = "a file of the person who runs this\n"
DATABASE = ("service.db", "service.db", "service.db", "service.db-wal", "service.db-shm")
JOB, FILE, MODEL, UPLOAD = (
    "ftjob-Abcdefghijklmnopqrstuv",
    "file-Abcdefghijklmnopqrstuv",
    "ft:base:org:x:1",
    "upload_abc123",
)

_ROWS = (
    f"INSERT INTO files (id, filename, purpose, size_bytes, created_at, expires_at) VALUES ('{FILE}', 'rows.jsonl',"
    f" 'fine-tune', 3, {NOW}, {NOW - 1})",
    "INSERT INTO jobs (id, base, training_file, suffix, seed, metadata, hyperparameters, status, created_at,"
    f" fine_tuned_model, result_file) VALUES ('{JOB}', 'test-echo', '{FILE}', 'x', 7, '{{\"a\": \"b\"}}',"
    f" '{{\"n_epochs\": 3}}', 'succeeded', {NOW}, '{MODEL}', '{FILE}')",
    "INSERT INTO models (id, base, job, folder, checkpoint, created_at)"
    f" VALUES ('{MODEL}', 'test-echo', '{JOB}', 'step-3', 0, {NOW})",
    "INSERT INTO checkpoints (id, job, created_at, model, step, metrics)"
    f" VALUES ('ftckpt_x', '{JOB}', {NOW}, '{MODEL}:ckpt', 3, '{{\"train_loss\": 0.5}}')",
    f"INSERT INTO parts (id, upload, size_bytes, created_at) VALUES ('part_x', '{UPLOAD}', 3, {NOW})",
    f"INSERT INTO fine_tunes (job, model, prompt_loss_weight, classes) VALUES ('{JOB}', 'ada', 0.1, NULL)",
)
_EVENT = "INSERT INTO events (id, job, created_at, level, type, message) VALUES (?, ?, ?, 'info', 'message', ?)"

ROUTES = (
    ("GET", "/files"),
    ("GET", f"/files/{FILE}"),
    ("GET", f"/files/{FILE}/content"),
    ("GET", "/fine_tuning/jobs"),
    ("GET", f"/fine_tuning/jobs/{JOB}"),
    ("GET", f"/fine_tuning/jobs/{JOB}/events"),
    ("GET", f"/fine_tuning/jobs/{JOB}/checkpoints"),
    ("GET", f"/fine_tuning/checkpoints/{MODEL}/permissions"),
    ("GET", "/models"),
    ("GET", f"/models/{MODEL}"),
    ("GET", "/fine-tunes"),
    ("GET", f"/fine-tunes/{JOB}"),
    ("POST", f"/fine_tuning/jobs/{JOB}/cancel"),
    ("POST", f"/uploads/{UPLOAD}/cancel"),
    ("DELETE", f"/files/{FILE}"),
    ("DELETE", f"/models/{MODEL}"),
)


def make_store(root: Path) -> None:
    """Make a store that holds one of everything, with changes that are still in its write-ahead log."""
    store = open_store(root)
    plant_seeds(store, UPSTREAM_SUITES, NOW)
    (store.files / FILE).write_bytes(b"{}\n")
    (store.models / JOB / "step-3").mkdir(parents=True)
    (store.models / JOB / "step-3" / "facts.json").write_text("{}", encoding="utf-8")
    (store.jobs / f"{JOB}.1").mkdir()
    with closing(sqlite3.connect(store.database)) as db:
        for number in range(60):
            db.execute(_EVENT, (f"ftevent-{number}", JOB, NOW, f"Step {number} of 60: {'x' * 80}"))
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for statement in _ROWS:
            db.execute(statement)
        db.commit()
        # A copy while it is open has the log of the last changes, as a killed process leaves it.
        shutil.copytree(root, root.with_name("template"))


@cache
def template(home: Path) -> Path:
    """Return a store to damage, made once for each directory."""
    make_store(home / "made")
    return home / "template"


def flip(chance: random.Random, root: Path, victim: Path) -> None:
    def change(content: bytearray) -> None:
        for _ in range(chance.choice((1, 1, 2, 8, 64))):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)

    _change_bytes(chance, root, change)


def overwrite(chance: random.Random, root: Path, victim: Path) -> None:
    def change(content: bytearray) -> None:
        start = chance.randrange(len(content))
        size = chance.choice((1, 16, 100, 4096, 20_000))
        filling = chance.choice((bytes(size), b"\xff" * size, chance.randbytes(size), bytes(content[:size])))
        content[start : start + size] = filling[: len(content) - start]

    _change_bytes(chance, root, change)


def cut(chance: random.Random, root: Path, victim: Path) -> None:
    def change(content: bytearray) -> None:
        del content[chance.randrange(len(content)) :]

    _change_bytes(chance, root, change)


def lose(chance: random.Random, root: Path, victim: Path) -> None:
    (root / chance.choice(DATABASE)).unlink(missing_ok=True)


def replace_values(chance: random.Random, root: Path, victim: Path) -> None:
    """Put values into the tables that this program never writes, above all paths in the place of ids."""
    paths = (
        str(victim),
        f"../../{victim.parent.name}/{victim.name}",
        "..",
        ".",
        "",
        "a/b",
        "../files",
        str(victim.parent),
    )
    others = (
        None,
        -1,
        2**62,
        1e300,
        "x",
        "{",
        "[1]",
        '{"a": {"b": []}}',
        "null",
        b"\xff\xfe",
        "a\0b",
        "9" * 400,
        NOW - 9,
    )
    with closing(sqlite3.connect(root / "service.db")) as db, db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        for _ in range(chance.choice((1, 1, 2, 6))):
            table = chance.choice([name for name in tables if not name.startswith("sqlite_")])
            column = chance.choice([row[1] for row in db.execute(f"PRAGMA table_info({table})")])
            value = chance.choice(
                paths if column in {"id", "job", "folder", "file"} and chance.random() < 0.8 else others
            )
            try:
                db.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))
            except sqlite3.Error:
                continue


def plant_links(chance: random.Random, root: Path, victim: Path) -> None:
    name = chance.choice(
        ("files", "incoming", "jobs", "models", "parts", "service.db-wal", f"files/{FILE}", "making.lock")
    )
    place = root / name
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    place.symlink_to(chance.choice((victim, victim.parent)))


DAMAGES: dict[Callable[[random.Random, Path, Path], None], int] = {
    flip: 30,
    overwrite: 25,
    cut: 10,
    lose: 3,
    replace_values: 25,
    plant_links: 7,
}


def _change_bytes(chance: random.Random, root: Path, change: Callable[[bytearray], None]) -> None:
    path = root / chance.choice(DATABASE)
    content = bytearray(path.read_bytes()) if path.exists() else bytearray()
    if content:
        change(content)
        path.write_bytes(content)


def use_store(chance: random.Random, root: Path) -> Iterator[str]:
    """Open a store, call some routes and clean up; yield how each ended."""
    store = open_store(root)
    yield "opened"
    remove_unlisted_files(store)
    client = client_of(_make_app(store))
    for method, path in chance.sample(ROUTES, 6):
        answer = client.request(method, path)
        _check_answer(answer)
        yield str(answer.status_code)
    clean(store)


def _make_app(store: Store) -> object:
    registry = load_engines(("tests.service.echo",), {})
    with store.read() as db:
        owner = organization(db)
    context = ServiceContext(
        store=store,
        organization=owner,
        models=ModelCache(store, registry),
        registry=registry,
        start_worker=lambda now: None,
        clock=lambda: float(NOW),
    )
    return make_app(context, None)


def _check_answer(answer: httpx.Response) -> None:
    assert SECRET.strip() not in answer.text, answer.request.url
    if answer.status_code >= 500:
        assert answer.json()["error"]["code"] in {"store_unusable", "server_is_overloaded"}, answer.text


def run_case(seed: int, number: int, home: Path) -> str:
    """Run one case; return how the damage was made and how the use of the store ended.

    Raises: whatever was not foreseen; AssertionError when a file outside of the store was touched
    """
    chance = random.Random(f"{seed}:{number}")
    root, outside = home / "case" / "store", home / "case" / "outside"
    shutil.rmtree(home / "case", ignore_errors=True)
    shutil.copytree(template(home), root)
    (outside / "deep").mkdir(parents=True)
    victim = outside / "victim.txt"
    for path in (victim, outside / "deep" / "more.txt", outside / "file-abc"):
        path.write_text(SECRET, encoding="utf-8")
    damage = chance.choices(list(DAMAGES), list(DAMAGES.values()))[0]
    damage(chance, root, victim)
    began = time.process_time()
    try:
        ends = list(use_store(chance, root))
        end = "5xx" if any(each.startswith("5") for each in ends) else "used"
    except (UnusablePlaceError, NotPrivateError):
        end = "refused"
    except sqlite3.Error:
        # The command line writes one sentence for it; see tests/acceptance/test_unusable_places.py.
        end = "sqlite"
    assert time.process_time() - began < CASE_SECONDS, time.process_time() - began
    left = {path.relative_to(outside).as_posix(): path.read_text(encoding="utf-8") for path in outside.rglob("*.*")}
    assert left == {"victim.txt": SECRET, "deep/more.txt": SECRET}, left
    assert (outside / "file-abc").read_text(encoding="utf-8") == SECRET
    return f"{damage.__name__}: {end}"


def main(arguments: list[str]) -> int:
    """Run cases and print their results; return 1 when one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.fuzz_store")
    add_arguments(parser, cases=2_000)
    return run_cases(parser.parse_args(arguments), run_case)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
