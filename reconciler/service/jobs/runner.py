"""Runs one job: prepares its directory, starts the engine's process, and passes what it reports to `updates`."""

import json
import os
import selectors
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from reconciler.foundation.private import check_regular, child_path
from reconciler.foundation.stop import Stop
from reconciler.service.engines.reporting import read_report_line
from reconciler.service.jobs.launcher import child_environment, python_command
from reconciler.service.jobs.updates import JobUpdates, last_line
from reconciler.service.store.database import Store
from reconciler.service.store.files import content_path
from reconciler.service.store.fine_tunes import find_fine_tune
from reconciler.service.store.jobs import JobRecord, get_job

POLL_SECONDS = 0.05
_BLOCK = 64 * 1024
_ERRORS = "errors.log"

# One thread for the mathematics: on a machine that does other work, more threads cost much and gain little.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class JobRun(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at one job, by an engine that its module names."""

    store: Store
    job: JobRecord
    engine: str
    clock: Callable[[], float]
    stop: Stop
    on_poll: Callable[[], None] = lambda: None

    def run(self) -> bool:
        """Run the job. Return whether it ended; it does not when the worker is asked to stop."""
        with self.folder() as folder:
            progress = JobUpdates(self.store, self.job, self.clock)
            with self._child(folder) as child:
                end = self._follow(child, progress)
            if self.stop.is_set() and child.returncode != 0:
                return False
            if not self._is_ours():
                return True
            if end is None:
                progress.fail("server_error", _why(child.returncode, folder))
            elif end["kind"] == "refused":
                progress.fail(end["code"], end["message"], end["param"])
            else:
                progress.complete(folder / "out", end["tokens"])
            return True

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield the directory of the job as its engine reads it, removed when the block ends."""
        folder = child_path(self.store.jobs, f"{self.job.id}.{self.job.attempts}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            _lend(content_path(self.store, self.job.training_file), folder / "train.jsonl")
            if self.job.validation_file:
                _lend(content_path(self.store, self.job.validation_file), folder / "valid.jsonl")
            (folder / "job.json").write_text(json.dumps(self._facts()), encoding="utf-8")
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _facts(self) -> dict[str, object]:
        with self.store.read() as db:
            fine_tune = find_fine_tune(db, self.job.id)
        return {
            "seed": self.job.seed,
            "hyperparameters": dict(self.job.hyperparameters),
            "compiled": fine_tune is not None,
            "classes": msgspec.to_builtins(fine_tune.classes) if fine_tune and fine_tune.classes else None,
        }

    @contextmanager
    def _child(self, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
        with (
            (folder / _ERRORS).open("wb") as errors,
            self.start_child(folder, subprocess.PIPE, errors=errors) as child,
        ):
            try:
                yield child
            finally:
                # Its own session is its own process group, so that every process that it started ends with it.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.pid, signal.SIGKILL)

    def start_child(
        self, folder: Path, output: int | IO[bytes], *more: str, errors: int | IO[bytes] = subprocess.DEVNULL
    ) -> "subprocess.Popen[bytes]":
        """Start the process of the engine on the directory of the job."""
        return subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            python_command("reconciler.service.engines.run", str(folder), "--engine", self.engine, *more),
            cwd=folder,
            env={**child_environment(), **_ONE_THREAD},
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=errors,
        )

    def _follow(self, child: "subprocess.Popen[bytes]", progress: JobUpdates) -> dict[str, Any] | None:
        """Pass on what the child reports until it ends or is no longer wanted. Return its final report, if any."""
        assert child.stdout is not None
        end: dict[str, Any] | None = None
        for line in _lines(child, child.stdout.fileno(), self._is_wanted):
            report: dict[str, Any] = read_report_line(line)
            match report["kind"]:
                case "validated":
                    progress.start(report["hyperparameters"])
                case "note":
                    progress.add_note(report["message"])
                case "metrics":
                    progress.add_metrics(report["message"], report["data"])
                case "checkpoint":
                    progress.add_checkpoint(report["step"], report["folder"], report["metrics"])
                case "trained" | "refused":
                    end = report
        return end if child.poll() == 0 else None

    def _is_wanted(self) -> bool:
        self.on_poll()
        return not self.stop.is_set() and self._is_ours()

    def _is_ours(self) -> bool:
        # A job that was paused and resumed since then is active, but another attempt runs it.
        with self.store.read() as db:
            found = get_job(db, self.job.id)
        return found.is_active and found.pauses == self.job.pauses


def _lines(child: "subprocess.Popen[bytes]", descriptor: int, wanted: Callable[[], bool]) -> Iterator[bytes]:
    """Yield whole lines as they arrive, until the child has ended and all is read, or it is no longer wanted."""
    rest = b""
    with selectors.DefaultSelector() as ears:
        ears.register(descriptor, selectors.EVENT_READ)
        while wanted():
            ended = child.poll() is not None
            if ears.get_map() and ears.select(0 if ended else POLL_SECONDS):
                block = os.read(descriptor, _BLOCK)
                if not block:
                    ears.unregister(descriptor)
                *whole, rest = (rest + block).split(b"\n")
                yield from whole
            elif ended:
                return
            elif not ears.get_map():
                with suppress(subprocess.TimeoutExpired):
                    child.wait(POLL_SECONDS)


def _lend(content: Path, path: Path) -> None:
    check_regular(content)
    # The bytes of a file never change, so a hard link is as good as a copy, where the file system has hard links.
    try:
        path.hardlink_to(content)
    except OSError:
        shutil.copyfile(content, path)


def _why(code: int, folder: Path) -> str:
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    error = last_line(folder / _ERRORS)
    return f"The training process {how}: {error}" if error else f"The training process {how} and wrote no error."
