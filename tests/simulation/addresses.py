"""Histories in which runs reach one service by several addresses: `python -m tests.simulation.addresses --seeds 2000`.

The service states to each run its account, or does not: a header may be missing once. The journal is opened as `apply`
opens it, in a directory that all runs share. Notes of another account of the same project are in it too: they must
neither hold up a run that knows its account, nor be removed by it.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from reconciler.domain.ports import Intent, Journal
from reconciler.journal import DirectoryJournal, JournalAccount, JournalScope, open_directory
from tests.simulation.boundary import Boundary
from tests.simulation.history import History
from tests.simulation.journal import SharedJournal
from tests.simulation.scenarios import A, B
from tests.simulation.seeds import Seeded, history_of
from tests.simulation.services import ServiceVariant

OURS = JournalAccount(organization="org-ours")
THEIRS = JournalAccount(organization="org-theirs")
SILENT = JournalAccount()


@dataclass
class AddressedHistory(History):
    """A history whose journal is a real directory.

    Shape:  with `states_account`, every run knows its account; else about half of them do not
    """

    place: Path = Path()
    states_account: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.shared.notes = self._open_directory(OURS)
        self.theirs = tuple(Intent(stamp=model.stamp, owner="theirs", at=None) for model in (A, B))
        with self._open_directory(THEIRS) as journal:
            for intent in self.theirs:
                journal.put(intent)

    def _open_directory(self, account: JournalAccount) -> DirectoryJournal:
        scope = JournalScope(
            account=account,
            project="acme",
            home=self.place,
            make_home=lambda: None,
            workspace=self.place,
            environ={},
        )
        return open_directory(scope)

    def _open_journal(self, boundary: Boundary, run: str) -> Journal:
        is_silent = not self.states_account and bool(self.decider.pick(f"{run} header", 2))
        notes = self._open_directory(SILENT if is_silent else OURS)
        return SharedJournal(replace(self.shared, notes=notes), boundary)

    def check_theirs(self) -> None:
        """Add a violation when a note of the other account is gone although every run knew its own."""
        with self._open_directory(THEIRS) as journal:
            left = journal.open_intents()
        if self.states_account and set(left) != set(self.theirs):
            self.invariants.violate(f"notes of another account were touched: {left}")


def play(seed: int, variant: ServiceVariant | None = None) -> History:
    """Play one seed, in a directory of its own."""
    place = Path(tempfile.mkdtemp(prefix="addresses-"))
    try:
        history = history_of(Seeded.of(seed, variant), _maker(place, states_account=seed % 2 == 0))
        assert isinstance(history, AddressedHistory)
        history.check_theirs()
        return history
    finally:
        shutil.rmtree(place)


def _maker(place: Path, *, states_account: bool) -> Callable[..., History]:
    return partial(AddressedHistory, place=place, states_account=states_account)


def main(arguments: list[str]) -> int:
    """Play seeds; return 1 when one broke a promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.addresses")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args(arguments)
    calls, broken = 0, 0
    for seed in range(asked.first, asked.first + asked.seeds):
        history = play(seed)
        calls += history.invariants.calls
        if history.invariants.violations:
            broken += 1
            print(f"{Seeded.of(seed)}\n    " + "\n    ".join(history.invariants.violations), flush=True)
    print(f"{asked.seeds} seeds, {calls} calls, {broken} seeds broke a promise")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
