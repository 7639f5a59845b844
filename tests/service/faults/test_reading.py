"""Texts become faults, and malformed texts are refused with their place."""

import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.cli.app import run
from reconciler.domain.errors import UnusablePlaceError, UsageError
from reconciler.service import Fault, read_faults
from reconciler.service.faults.fault import (
    TOO_MANY,
    CutFault,
    ErrorFault,
    FaultKind,
    GatewayFault,
    JobFailureFault,
    LatencyFault,
    ListLagFault,
    LostFault,
    RepeatedPageFault,
    SlowFilesFault,
    TooManyFault,
    TruncatedFault,
)

KINDS = {
    "latency=0.5": LatencyFault(0.5),
    "lost=before": LostFault(after=False),
    "lost=after": LostFault(after=True),
    "cut=100": CutFault(100),
    "too-many=slow_down": TooManyFault("slow_down"),
    "too-many=rate_limit_exceeded,retry-after=2": TooManyFault("rate_limit_exceeded", retry_after=2),
    "error=500": ErrorFault(500),
    "error=403,code=training_not_available": ErrorFault(403, code="training_not_available"),
    "error=502,when=after,retry-after=1": ErrorFault(502, after=True, retry_after=1),
    "gateway=504,when=before": GatewayFault(504),
    "gateway=502,when=after": GatewayFault(502, after=True),
    "list-lag=3": ListLagFault(3),
    "truncated=0": TruncatedFault(0),
    "repeated-page": RepeatedPageFault(),
    "slow-files=10": SlowFilesFault(10),
    "job-failure=invalid_training_file": JobFailureFault("invalid_training_file"),
    "job-failure": JobFailureFault("server_error"),
}


@pytest.mark.parametrize(("text", "kind"), KINDS.items(), ids=list(KINDS))
def test_each_kind_is_read(text: str, kind: FaultKind) -> None:
    assert read_faults([text]) == (Fault(kind=kind, text=text),)


def test_selectors_stand_before_or_after() -> None:
    text = "method=POST, path=/files ,lost=after,nth=2,count=3,chance=0.5,seed=9"
    assert read_faults([text]) == (
        Fault(
            kind=LostFault(after=True), text=text, method="POST", path="/files", first=2, count=3, chance=0.5, seed=9
        ),
    )


def test_nth_selects_one_request() -> None:
    assert read_faults(["lost=after,nth=3"])[0].count == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "exactly one of latency"),
        ("slow=3", "exactly one of latency"),
        ("lost=after,error=500", "exactly one of latency"),
        ("lost=perhaps", "lost must be one of before, after, not 'perhaps'"),
        ("latency=soon", "latency must be a number from 0 to 3600, not 'soon'"),
        ("latency=nan", "latency must be a number"),
        ("latency=-1", "latency must be a number"),
        ("cut=1.5", "cut must be a whole number"),
        ("error=200", "error must be a whole number from 400 to 599"),
        ("error=500,when=never", "when must be one of before, after"),
        ("error=500,code=a b", "code must be a word"),
        ("gateway=404", "gateway must be a whole number from 500 to 599"),
        ("too-many=sometimes", "too-many must be one of rate_limit_exceeded, slow_down"),
        ("too-many=slow_down,when=after", "no field is called when; the fields are"),
        ("repeated-page=2", "repeated-page takes no value"),
        ("lost=after,method=FETCH", "method must be one of GET, POST, DELETE"),
        ("lost=after,path=files", "path must begin with / or *"),
        ("lost=after,nth=0", "nth must be a whole number from 1"),
        ("lost=after,count=0", "count must be a whole number from 1"),
        ("lost=after,chance=2", "chance must be a number from 0 to 1"),
        ("lost=after,seed=x", "seed must be a whole number"),
        ("lost=after,lost=before", "it says lost twice"),
        ("lost=after,colour=red", "no field is called colour; the fields are"),
    ],
)
def test_a_malformed_fault_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_faults([text])
    assert message in str(refused.value)
    assert "docs/faults.md" in str(refused.value)


def test_a_file_holds_one_object_in_each_line(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    path.write_text('# a bad day\n\n{"lost": "after", "nth": 1}\n{"repeated-page": true}\n')
    assert [(fault.kind, fault.first, fault.text) for fault in read_faults(["latency=1"], path)] == [
        (LatencyFault(1), 1, "latency=1"),
        (LostFault(after=True), 1, "lost=after,nth=1"),
        (RepeatedPageFault(), 1, "repeated-page"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lost=after", ":2: not a JSON object"),
        ("[1]", ":2: not a JSON object"),
        ('{"lost": {}}', ":2: lost must be a word or a number"),
        ('{"lost": "never"}', ":2: fault lost=never: lost must be one of before, after"),
    ],
)
def test_a_mistake_in_a_file_has_its_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "faults.jsonl"
    path.write_text(f'{{"latency": 1}}\n{line}\n')
    with pytest.raises(UsageError) as refused:
        read_faults([], path)
    assert f"{path}{message}" in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusablePlaceError, match="cannot be read"):
        read_faults([], tmp_path / "none")


def test_the_command_refuses_a_bad_fault_before_it_serves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--store", str(tmp_path / "store"), "--fault", "lost=perhaps"]) == 64
    assert "lost must be one of before, after" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


DOCS = (Path(__file__).parents[3] / "docs" / "faults.md").read_text(encoding="utf-8")


def test_every_example_of_the_docs_can_be_read(tmp_path: Path) -> None:
    commands = [shlex.split(line) for line in DOCS.splitlines() if line.startswith("reconciler serve ")]
    texts = [word for command in commands for before, word in pairwise(command) if before == "--fault"]
    assert len(texts) >= 5
    assert len(read_faults(texts)) == len(texts)
    path = tmp_path / "faults.jsonl"
    path.write_text("".join(f"{line}\n" for line in DOCS.splitlines() if line.startswith(("{", "# a bad day"))))
    assert len(read_faults([], path)) == 4


def test_the_docs_name_every_kind_and_every_code() -> None:
    for kind in {text.partition("=")[0] for text in KINDS}:
        assert f"| `{kind}" in DOCS
    for code in TOO_MANY:
        assert f"`{code}`" in DOCS
