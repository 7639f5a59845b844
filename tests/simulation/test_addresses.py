"""One service under several addresses, and another account in one journal: a part of `tests.simulation.addresses`."""

import pytest

from tests.simulation.addresses import play
from tests.simulation.services import ServiceVariant


@pytest.mark.parametrize("variant", [ServiceVariant.PORT, ServiceVariant.OPENAI])
def test_addresses_and_accounts_keep_every_promise(variant: ServiceVariant) -> None:
    for seed in range(12):
        assert play(seed, variant).invariants.violations == [], f"seed {seed}"
