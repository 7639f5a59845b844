"""All mistakes are reported at once, each with its file, line, column and a next step."""

from pathlib import Path

import pytest

from reconciler.domain.errors import InputError, Place, Problem, Severity
from tests.specfile.trees import DATASET, problems_of, specs_of, write

PROJECT = """\
apiVersion: reconciler/v2
kind: Project
name: Acme Support
provider: opnai
api_key: abc
policy:
  max_new_job: 5
  max_change_percent: 130
  prune: yes
defaults:
  retries: 9
"""
DATASETS = r"""kind: Dataset
name: tickets
source: ../../outside.csv
prompt: "{subject"
completion: "{category}"
split: {validation: 1.5}
---
kind: Dataset
name: tickets
source: [data\a.csv, https://data.example/a.csv, data/b.csv, data/b.csv]
format: completion
system: You are kind.
prompt: {text}
completion: category
---
kind: Dataset
name: replies
source: data/replies.jsonl
sheet: One
prompt: "{a}"
messages:
  - role: user
    content: "{question}"
    weight: 1
  - role: assistent
  - role: user
    content: 3
---
kind: Dataset
name: only-prompt
source:
prompt: "{a}"
---
kind: dataset
name: x
---
name: y
source: z
"""
MODELS = """\
kind: Model
name: triage
base: gpt-4.1-mini-2025-04-14
training: ticket
method: sft
epochs: 3
hyperparameters:
  epoch: 3
  batch_size: 0
  n_epochs: "3"
  learning_rate_multiplier: .inf
seed: -1
suffix: My Model
retries: many
on_change: cancel
extra:
  seed: 3
  wandb_api_key: abc
labels: {version: 3.10, live: yes, on: true}
---
kind: Model
name: triage
name: triage2
training: &t tickets
validation: *t
provder: openai
---
kind: Model
name: other
training: other-data
base: [a
---
kind: Model
name: broken
\ttraining: tickets
"""

EXPECTED = """\
specs/datasets.yaml:3:9  source: '../../outside.csv' leads out of the repository
specs/datasets.yaml:4:9  prompt: a brace is opened and not closed
specs/datasets.yaml:6:21  split.validation: must be a number above 0 and below 1, is 1.5
specs/datasets.yaml:9:7  name: there is another Dataset named 'tickets' at specs/datasets.yaml:2:7
specs/datasets.yaml:10:10  source[0]: 'data\\a.csv' has backslashes
specs/datasets.yaml:10:22  source[1]: 'https://data.example/a.csv' is an address and not a file
specs/datasets.yaml:10:62  source[3]: 'data/b.csv' is listed twice, first at 10:50
specs/datasets.yaml:12:1  system: is for chat rows, and 'format' is completion
specs/datasets.yaml:13:9  prompt: must be text, is a mapping
specs/datasets.yaml:14:13  completion: this names no column, so every row would be the same
specs/datasets.yaml:19:1  sheet: no source here has sheets
specs/datasets.yaml:20:1  prompt: cannot be used together with 'messages'
specs/datasets.yaml:24:5  messages[0].weight: only an assistant's turn has a weight
specs/datasets.yaml:25:5  messages[1].content: this is missing
specs/datasets.yaml:25:11  messages[1].role: must be system, developer, user or assistant, is 'assistent', \
did you mean 'assistant'?
specs/datasets.yaml:26:11  messages[2].role: the last turn must be the assistant's
specs/datasets.yaml:31:1  source: must be a file, a list of files, or a mapping with a path, is empty
specs/datasets.yaml:32:1  prompt: needs 'completion' beside it
specs/datasets.yaml:34:7  kind: must be Project, Dataset or Model, is 'dataset', did you mean 'Dataset'?
specs/datasets.yaml:37:1  kind: this is missing
specs/models/all.yml:4:11  training: there is no Dataset named 'ticket', did you mean 'tickets'?
specs/models/all.yml:5:9  method: must be supervised, dpo or reinforcement, is 'sft'
specs/models/all.yml:6:1  epochs: unknown field, did you mean 'hyperparameters.n_epochs'?
specs/models/all.yml:8:3  hyperparameters.epoch: unknown field, did you mean 'n_epochs'?
specs/models/all.yml:9:15  hyperparameters.batch_size: must be a whole number from 1 to 256 or auto, is 0
specs/models/all.yml:10:13  hyperparameters.n_epochs: must be a whole number from 1 to 50 or auto, is '3'
specs/models/all.yml:11:29  .inf is not a number that can be used here
specs/models/all.yml:12:7  seed: must be a whole number from 0 to 2147483647, is -1
specs/models/all.yml:13:9  suffix: must be 1 to 64 lowercase letters, digits and dashes, is 'My Model'
specs/models/all.yml:14:10  retries: must be a whole number from 0 to 5, is 'many'
specs/models/all.yml:15:12  on_change: must be wait, supersede or parallel, is 'cancel'
specs/models/all.yml:17:3  extra.seed: cannot be passed through: the reconciler sends it itself
specs/models/all.yml:18:3  extra.wandb_api_key: a spec must not say where credentials go
specs/models/all.yml:19:40  labels.on: must be text, is true
specs/models/all.yml:21:1  base: this is missing, and no Project has a default for it
specs/models/all.yml:22:7  name: there is another Model named 'triage' at specs/models/all.yml:2:7
specs/models/all.yml:23:1  the field 'name' is here twice, first at 22:1
specs/models/all.yml:24:11  anchors are not used here
specs/models/all.yml:25:13  aliases are not used here
specs/models/all.yml:26:1  provder: unknown field, did you mean 'provider'?
specs/models/all.yml:31:7  the bracket that opens here is not closed
specs/models/all.yml:35:1  a tab where YAML wants spaces
specs/project.yaml:1:13  apiVersion: must be reconciler/v1, is 'reconciler/v2'
specs/project.yaml:3:7  name: must be a name of 1 to 63 lowercase letters, digits and inner dashes, is 'Acme Support'
specs/project.yaml:4:11  provider: must be azure, compatible, local, openai or openai-legacy, is 'opnai', did you mean 'openai'?
specs/project.yaml:5:1  api_key: a spec must not say where credentials go
specs/project.yaml:7:3  policy.max_new_job: unknown field, did you mean 'max_new_jobs'?
specs/project.yaml:8:23  policy.max_change_percent: must be a whole number from 0 to 100, is 130
specs/project.yaml:9:10  policy.prune: must be true or false, is 'yes'
specs/project.yaml:11:12  defaults.retries: must be a whole number from 0 to 5, is 9
"""  # noqa: E501 (a message is one line)


def found_in_one_run(home: Path) -> InputError:
    files: dict[str, str | bytes] = {
        "specs/project.yaml": PROJECT,
        "specs/datasets.yaml": DATASETS,
        "specs/models/all.yml": MODELS,
    }
    from reconciler.providers import PROFILE_NAMES
    from reconciler.specfile import read_specs

    try:
        read_specs(write(home, files) / "specs", home, profiles=PROFILE_NAMES)
    except InputError as error:
        return error
    raise AssertionError("nothing was found")


def test_fifty_mistakes_in_three_files_are_reported_in_one_run(tmp_path: Path) -> None:
    error = found_in_one_run(tmp_path)
    assert [str(problem) for problem in error.problems] == EXPECTED.splitlines()
    assert error.unshown == 0


def test_each_mistake_has_a_hint_a_rule_and_a_column(tmp_path: Path) -> None:
    for problem in found_in_one_run(tmp_path).problems:
        assert problem.hint, problem
        assert problem.rule.startswith(("spec.", "yaml.")), problem
        assert problem.where.line, problem
        assert problem.where.column, problem


def test_a_credential_is_never_repeated(tmp_path: Path) -> None:
    """Neither a forbidden field nor a field that holds a credential by mistake is quoted."""
    key = "sk-" + "x7" * 20
    text = f"{DATASET}api_key: {key}\nformat: {key}\nlabels: [{key}]\nsheet: {{token: {key}}}\n"
    found = problems_of(tmp_path, {"s.yaml": text + f"---\nkind: Model\nname: {key}{key}\nbase: b\ntraining: {key}\n"})
    assert len(found) >= 6
    assert not [problem for problem in found if key[:12] in f"{problem} {problem.hint}"]


def test_the_first_fifty_mistakes_of_a_file_are_listed_and_the_others_counted(tmp_path: Path) -> None:
    crowded = DATASET + "".join(f"field{number:03}: 1\n" for number in range(70))
    error = None
    try:
        specs_of(tmp_path, {"a.yaml": crowded, "b.yaml": "kind: Model\n"})
    except InputError as raised:
        error = raised
    assert error is not None
    lines = [problem.where.line for problem in error.problems if problem.where.file == "a.yaml"]
    assert lines == list(range(6, 56))
    assert error.unshown == 20
    assert any(problem.where.file == "b.yaml" for problem in error.problems)
    assert str(error) == f"{len(error.problems) + 20} problems"


WRONG = Problem(where=Place(file="a.yaml", line=2, column=7), what="is \x1b[2J", path="name")
WARNING = Problem(where=Place(file="a.yaml"), what="is odd", severity=Severity.WARNING)


@pytest.mark.parametrize(
    ("problems", "unshown", "text"),
    [
        ((), 0, "0 problems"),
        ((WRONG,), 0, "1 problem: a.yaml:2:7  name: is \\x1b[2J"),
        ((WARNING, WRONG), 0, "1 problem: a.yaml:2:7  name: is \\x1b[2J"),
        ((WRONG, WRONG), 0, "2 problems, the first: a.yaml:2:7  name: is \\x1b[2J"),
        ((WRONG,), 3, "4 problems"),
    ],
)
def test_an_error_counts_its_problems_and_names_the_first_of_a_few(
    problems: tuple[Problem, ...], unshown: int, text: str
) -> None:
    assert str(InputError(problems, unshown)) == text
