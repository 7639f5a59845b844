"""The serving models of several names are found with one look at the service."""

from pathlib import Path
from typing import cast

from reconciler.domain.observed import Observed
from reconciler.domain.ports import Capabilities, Provider
from reconciler.workflow import locate_setting, read_setting
from reconciler.workflow.lock import find_all_serving

SPECS = "kind: Dataset\nname: d\nsource: d.jsonl\n" + "".join(
    f"---\nkind: Model\nname: m{number}\nbase: tfidf-logreg\ntraining: d\n" for number in range(5)
)


class CountingService:
    """A service that counts how often it is listed."""

    name = "local"
    capabilities = Capabilities()
    looks = 0

    def observe(self) -> Observed:
        """Return an empty service."""
        self.looks += 1
        return Observed(service="http://local", files=(), jobs=(), models=frozenset())


def test_the_service_is_listed_once_for_all_names(tmp_path: Path) -> None:
    (tmp_path / "specs.yaml").write_text(SPECS, encoding="utf-8")
    (tmp_path / "d.jsonl").write_text('{"prompt": "q", "completion": "a"}\n', encoding="utf-8")
    setting = locate_setting(tmp_path, {"RECONCILER_HOME": str(tmp_path / "home")})
    specs, service = read_setting(setting), CountingService()
    names = [model.name for model in specs.models]
    found, missing = find_all_serving(setting, specs, names, cast(Provider, service))
    assert (found, list(missing)) == ({}, names)
    assert service.looks == 1
    find_all_serving(setting, specs, [], cast(Provider, service))
    assert service.looks == 1
