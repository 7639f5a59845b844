"""The mutants: a rule, the function that holds it, what stands there without it, and the tests that must fail then.

A mutant names `file::function` and a pattern within it. A renamed function or a moved file is one line here, and most
other changes of a function are none.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Mutant:
    """One rule taken out.

    Shape:  `place` is `file::function`, `file::Class.method` or `file::CONSTANT`; `pattern` is a regular expression
            that matches once in that source, and `replacement` may refer to its groups; the tests in `watchers` must
            notice
    """

    name: str
    place: str
    pattern: str
    replacement: str
    watchers: tuple[str, ...]

    def mutate(self, root: Path = ROOT) -> tuple[Path, str]:
        """Return the file, and its text without the rule.

        Raises: LookupError when there is no such place, or its source does not match the pattern exactly once
        """
        path = root / self.place.partition("::")[0]
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        first, last = _span(ast.parse(text), self.place)
        source = "".join(lines[first - 1 : last])
        mutated, count = re.subn(self.pattern, self.replacement, source, flags=re.MULTILINE)
        if count != 1:
            raise LookupError(f"{self.name}: {self.pattern!r} matches {count} times in {self.place}:\n{source}")
        return path, "".join(lines[: first - 1]) + mutated + "".join(lines[last:])


def _span(tree: ast.Module, place: str) -> tuple[int, int]:
    """Return the first and last line of a function, method or constant."""
    nodes: list[ast.stmt] = tree.body
    name = place.partition("::")[2]
    *classes, last = name.split(".")
    for each in classes:
        nodes = next((node.body for node in nodes if isinstance(node, ast.ClassDef) and node.name == each), [])
    for node in nodes:
        if last in _names_of(node):
            assert node.end_lineno
            return node.lineno, node.end_lineno
    raise LookupError(f"there is no {place}")


def _names_of(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [ast.unparse(target) for target in targets]
        case ast.AnnAssign(target=target):
            return [ast.unparse(target)]
        case _:
            return []


CREATE = "reconciler/executor/create.py::"
CANCEL = "reconciler/executor/cancel.py::"
UPLOAD = "reconciler/executor/upload.py::"
INTENTS = "reconciler/executor/intents.py::"
LOOKING = "reconciler/executor/looking.py::"
WRITE_RESULT = "reconciler/providers/http/errors.py::"
UNMARKED = "reconciler/planner/unmarked.py::"
ECHO = "reconciler/domain/desired.py::"
CLIENT = "reconciler/providers/http/client.py::Client."
RATE_LIMIT = "reconciler/providers/rate_limit.py::"
TRANSPORT = "reconciler/providers/http/transport.py::"
FACTORY = "reconciler/providers/factory.py::"
METADATA = "reconciler/providers/http/metadata_jobs.py::MetadataJobs."
LEGACY = "reconciler/providers/openai_legacy/dialect.py::LabelledJobs."
STAMPS = "reconciler/providers/http/marks.py::"
PAGING = "reconciler/providers/http/paging.py::"
DECIDE = "reconciler/planner/decide.py::"
POLICY = "reconciler/planner/policy.py::"
OBSERVED = "reconciler/domain/observed.py::"
REFERENCES = "reconciler/planner/references.py::"
ORDER = "reconciler/planner/order.py::"
RENAMES = "reconciler/domain/renames.py::"

EXECUTOR = ("tests/executor",)
PROVIDER = ("tests/providers", "tests/executor")
PROVIDERS_ALONE = ("tests/providers",)
JOURNAL = ("tests/journal/test_accounts.py",)
LOCKS = ("tests/specfile/test_lockfile.py", "tests/workflow/test_lock_merge.py")
STORE = ("tests/service/test_store_from_elsewhere.py",)
PLANNER = ("tests/planner",)
HISTORIES = ("tests/simulation/test_histories.py",)

MUTANTS = (
    Mutant(
        "a job that an error carries", CLIENT + "create", r"carried\[0\] if carried else written", "written", EXECUTOR
    ),
    Mutant("a job within an answer", CLIENT + "create", r"jobs = list\(.*\)", "jobs = []", EXECUTOR),
    Mutant(
        "notes under an old name",
        INTENTS + "_older_intent",
        r"context\.names\.all_stamps_of\((.*)\) -",
        r"set(\1) -",
        EXECUTOR,
    ),
    # The create, from the intent to the job.
    Mutant(
        "the wait after an unknown outcome",
        CREATE + "resolve_unknown",
        r"(deadline = .*clock\(\)) \+ .*settle_seconds",
        r"\1",
        EXECUTOR,
    ),
    Mutant(
        "the quiet period before an intent is taken over",
        INTENTS + "quiet_period_seconds",
        r"return \S+ if .*",
        "return 0.0",
        EXECUTOR,
    ),
    Mutant(
        "the age of an intent whose writer may live",
        INTENTS + "quiet_period_seconds",
        r"return (\S+settle_seconds) if .*",
        r"return \1",
        EXECUTOR,
    ),
    Mutant(
        "the quiet period begins again when the intent changes its state",
        INTENTS + "acquire_intent",
        r"if \((\w+), \w+\) != \((\w+), \w+\):",
        r"if \1 != \2:",
        EXECUTOR,
    ),
    Mutant("yielding to another run", INTENTS + "acquire_intent", r"if \w+ == \w+\.intent:", "if True:", EXECUTOR),
    Mutant("the stop while yielding", INTENTS + "acquire_intent", r"if \w+\.stopping\(\):", "if False:", EXECUTOR),
    Mutant(
        "the look before the create",
        CREATE + "check_then_create",
        r"(\w+) = find_job\(train, \w+\)$",
        r"\1 = None",
        EXECUTOR,
    ),
    Mutant("the freshness of the look", INTENTS + "is_fresh", r"return span .*", "return True", EXECUTOR),
    Mutant(
        "a wrong date hides no suspension",
        "reconciler/domain/observed.py::measure_span",
        r" if by_service >= .*",
        "",
        EXECUTOR,
    ),
    Mutant(
        "the sockets are given what the call has left",
        TRANSPORT + "Deadline.handle_request",
        r", ends_at=ends_at",
        "",
        ("tests/providers/test_slow_answers.py",),
    ),
    Mutant(
        "the job that an intent names",
        INTENTS + "find_job_of_intent",
        r"= _read_job\(.*",
        "= None",
        EXECUTOR,
    ),
    Mutant(
        "a job that is not of the stamp stops the create",
        INTENTS + "find_job_of_intent",
        r"if found is None and .*:",
        "if False:",
        EXECUTOR,
    ),
    Mutant(
        "the journal is read once more before the create",
        CREATE + "check_then_create",
        r"(is_ours = ).*",
        r"\1True",
        EXECUTOR,
    ),
    Mutant(
        "jobs without marks are looked for at a takeover",
        CREATE + "check_then_create",
        r"unmarked = .*",
        "unmarked = None",
        EXECUTOR,
    ),
    Mutant(
        "jobs without marks are looked for after an unknown outcome",
        CREATE + "resolve_unknown",
        r"unmarked = .*",
        "unmarked = None",
        EXECUTOR,
    ),
    Mutant(
        "jobs without marks that may be ours refuse a plan",
        UNMARKED + "find_unmarked",
        r"for job in observed\.unmarked:",
        "for job in ():",
        ("tests/planner", "tests/executor"),
    ),
    Mutant(
        "jobs that a create was answered with refuse a plan",
        UNMARKED + "find_unmarked",
        r"named = .*",
        "named: dict[JobId, str] = {}",
        ("tests/planner", "tests/executor"),
    ),
    Mutant(
        "a create that was answered with a doubtful job stays in the journal",
        CREATE + "resolve_doubtful",
        r"(\n\s+)raise doubtful_error\(",
        r"\1release_intent(intent, context)\1raise doubtful_error(",
        EXECUTOR,
    ),
    Mutant(
        "a job that no list shows is read for its marks",
        CREATE + "check_marks_kept",
        r"if not train\.model\.bears\(.*\):",
        "if False:",
        EXECUTOR,
    ),
    Mutant(
        "settings that came back otherwise are reported",
        ECHO + "find_differences",
        r"elif not _is_same_number\(.*\):",
        "elif False:",
        PROVIDER,
    ),
    Mutant(
        "the stamp of the job that an intent names",
        INTENTS + "find_job_of_intent",
        r"if (\w+) and train\.model\.bears\(\1\.stamp\):",
        r"if \1:",
        EXECUTOR,
    ),
    Mutant(
        "jobs that the plan excludes",
        LOOKING + "list_new_jobs",
        r" if \w+\.id not in train\.\w+",
        "",
        EXECUTOR,
    ),
    Mutant("the order of twins", LOOKING + "keep_order", r"\*job\.age_key\)", "-job.age_key[0], job.id)", EXECUTOR),
    Mutant("a spent twin goes last", LOOKING + "keep_order", r"return \(\w+,", "return (False,", EXECUTOR),
    Mutant(
        "unknown is not refused",
        CREATE + "send_create",
        r"(case Unknown\((\w+)\):\n(?:.*\n)*?\s*)return .*",
        r"\1raise ProviderError(\2)",
        EXECUTOR,
    ),
    Mutant("the echo check", CREATE + "confirm_created", r"is_ours = .*", "is_ours = True", EXECUTOR),
    Mutant(
        "the answer is added to the intent",
        INTENTS + "record_job",
        r"(\w+) = .*\.put\(.*\)$",
        r"\1 = intent",
        EXECUTOR,
    ),
    Mutant(
        "the intent is held until a list shows the job",
        CREATE + "confirm_created",
        r"if listed:\n\s+\w+\((\w+), \w+, (\w+)\)",
        r"\2.journal.clear(\1)",
        EXECUTOR,
    ),
    Mutant(
        "a list that showed a job may leave it out again",
        LOOKING + "is_in_every_list",
        r"return lag == 0 .*",
        "return True",
        (*EXECUTOR, "tests/simulation"),
    ),
    Mutant(
        "an intent taken over is not taken back",
        INTENTS + "record_job",
        r"return (\w+) if \w+\.owner == .*",
        r"return \1",
        EXECUTOR,
    ),
    Mutant(
        "the look for the job after it was created",
        CREATE + "wait_until_listed",
        r"if .*clock\(\) >= deadline or .*:(\n\s+return \(\))",
        r"if True:\1",
        EXECUTOR,
    ),
    Mutant(
        "the intent stays after an unknown outcome",
        CREATE + "resolve_unknown",
        r"(\n\s+)raise OutcomeUnknownError\(",
        r"\1bench.journal.clear(intent)\1raise OutcomeUnknownError(",
        EXECUTOR,
    ),
    Mutant("way for an older twin", CREATE + "confirm_created", r"\w+\.provider\.cancel\(job\.id\)", "pass", EXECUTOR),
    Mutant(
        "only our own job makes way",
        CREATE + "confirm_created",
        r"(\.provider\.cancel)\(job\.id\)",
        r"\1(kept.id)",
        EXECUTOR,
    ),
    Mutant(
        "a refusal takes the intent back",
        CREATE + "send_create",
        r"\n\s+release_intent\(\w+, \w+\)(\n\s+raise)",
        r"\1",
        EXECUTOR,
    ),
    Mutant(
        "what a token says of excluded jobs",
        CREATE + "token_of",
        r'" "\.join\(\((str\(.*?\)), \*.*?\)\)',
        r"\1",
        EXECUTOR,
    ),
    # What is cleared, cancelled, deleted and uploaded.
    Mutant(
        "a living run's intent is not cleared",
        INTENTS + "_has_ended",
        r" and context\.journal\.is_abandoned\(.*\)",
        "",
        EXECUTOR,
    ),
    Mutant(
        "an intent stays until its job shows in every list",
        INTENTS + "_has_ended",
        r"return any\(.*",
        "return True",
        EXECUTOR,
    ),
    Mutant(
        "the fresh read before a cancel",
        CANCEL + "cancel",
        r"= own_job\(\w+\.provider, action\.job\.id\)",
        "= action.job",
        EXECUTOR,
    ),
    Mutant(
        "the ownership check before a cancel",
        CANCEL + "cancel",
        r"if not \w+\.is_of\(.*\):",
        "if False:",
        EXECUTOR,
    ),
    Mutant("a cancel sees the job end", CANCEL + "cancel", r"if \w+\.status\.is_active:", "if False:", EXECUTOR),
    Mutant(
        "a duplicate is only cancelled while the kept one lives",
        CANCEL + "cancel",
        r"if kept and not .*:",
        "if False:",
        EXECUTOR,
    ),
    Mutant(
        "a job is only superseded while its successor lives",
        CANCEL + "_find_successor",
        r"return .*",
        "return None",
        EXECUTOR,
    ),
    Mutant(
        "what names more since the plan is not removed",
        CANCEL + "_check_still_unnamed",
        r"if change := .*:",
        "if False:",
        EXECUTOR,
    ),
    Mutant(
        "nothing is deleted when what the plan keeps is gone",
        CANCEL + "_check_still_ours",
        r"if models\.isdisjoint.*:",
        "if False:",
        EXECUTOR,
    ),
    Mutant(
        "the ownership check before a delete",
        CANCEL + "_check_still_ours",
        r"if .*\.model != .*:",
        "if False:",
        EXECUTOR,
    ),
    Mutant(
        "files in use are not deleted",
        CANCEL + "is_in_use",
        r"else observed\.files_in_use\)",
        "else ())",
        EXECUTOR,
    ),
    Mutant(
        "a model that a job is built on since the plan is not deleted",
        CANCEL + "is_in_use",
        r"bases if action\.is_model",
        "() if action.is_model",
        EXECUTOR,
    ),
    Mutant(
        "a spelling of a file's id does not free it for a deletion",
        CANCEL + "_is_among",
        r"plain_id\(other\)",
        "other",
        EXECUTOR,
    ),
    Mutant("files are found before they are sent", UPLOAD + "send_file", r"if found:$", "if False:", EXECUTOR),
    Mutant(
        "the digest of what is sent",
        UPLOAD + "verify_blocks",
        r"if \w+\.hexdigest\(\) != .*:$",
        "if False:",
        EXECUTOR,
    ),
    Mutant(
        "a broken file is not trained on",
        UPLOAD + "wait_until_usable",
        r"if \w+\.is_broken:",
        "if False:",
        EXECUTOR,
    ),
    # How requests are sent, and what their answers say.
    Mutant(
        "a create does not wait for the rate limit",
        RATE_LIMIT + "RateLimitTransport.handle_request",
        r"if not (self\.\w+\.\w+)\(.*\):",
        r"if \1(None) is False:",
        PROVIDER,
    ),
    Mutant(
        "a create does not wait for its label",
        LEGACY + "create",
        r"if \w+\(\) > .*:",
        "if False:",
        ("tests/providers/openai_legacy", "tests/simulation/test_seeds.py"),
    ),
    Mutant(
        "a create is not repeated by the transport",
        TRANSPORT + "_REPEATED_METHODS",
        '"DELETE"',
        '"DELETE", "POST"',
        PROVIDER,
    ),
    Mutant(
        "a create has a connection of its own",
        FACTORY + "_stack_transports",
        r"(bound_time\()\w+\(make\)",
        r"\1Shared(kept)",
        PROVIDER,
    ),
    Mutant(
        "only the service's own words prove a refusal",
        WRITE_RESULT + "classify_write",
        r"if proves_refusal\(.*\):",
        "if response.status_code < 500:",
        PROVIDER,
    ),
    Mutant(
        "a redirect proves nothing about a create",
        WRITE_RESULT + "classify_write",
        r"\(proofs is None and (_is_plain_redirect\(error\))\)",
        r"\1",
        PROVIDER,
    ),
    Mutant(
        "the type of an error counts",
        WRITE_RESULT + "_is_in_words_of",
        r" and error\.type in proof\.types",
        "",
        PROVIDER,
    ),
    Mutant(
        "the code of an error counts",
        WRITE_RESULT + "_is_in_words_of",
        r" and error\.code in proof\.codes",
        "",
        PROVIDER,
    ),
    Mutant(
        "unclear statuses are unknown",
        WRITE_RESULT + "_UNCLEAR_STATUSES",
        r"= frozenset\(.*\)",
        "= frozenset[int]()",
        PROVIDER,
    ),
    Mutant(
        "errors of the service are unknown",
        WRITE_RESULT + "_is_plain_refusal",
        r"400 <= (\w+) < 500",
        r"400 <= \1",
        PROVIDER,
    ),
    Mutant(
        "an answer that cannot be read is unknown",
        WRITE_RESULT + "_done",
        r"return Unknown\(.*\)",
        "return Refused(error)",
        PROVIDER,
    ),
    Mutant(
        "a list that may be cut decides nothing",
        METADATA + "_require_whole",
        r"if (\w+) := \(.*\):",
        r"if \1 := ():",
        PROVIDER,
    ),
    Mutant(
        "a job that does not train on the file that it names is not ours",
        METADATA + "jobs_of",
        r" and not self\._is_forged\(\w+\)",
        "",
        PROVIDERS_ALONE,
    ),
    Mutant("the seal of our marks", STAMPS + "read_marks", r"if SEAL in metadata and", "if False and", PROVIDERS_ALONE),
    Mutant("a walk that goes back is doubted", PAGING + "walk", r"if goes_back:$", "if False:", PROVIDERS_ALONE),
    # What a plan decides and refuses.
    Mutant("the service that is expected", POLICY + "POLICIES", r"\n    no_other_service,", "", PLANNER),
    Mutant("another account of a profile", POLICY + "POLICIES", r"\n    no_other_account,", "", PLANNER),
    # What is kept on this machine.
    Mutant(
        "a note of another account does not count",
        "reconciler/journal/note.py::JournalAccount.is_foreign",
        r"return any\(.*\)",
        "return False",
        JOURNAL,
    ),
    Mutant(
        "a note of an account that is not known counts",
        "reconciler/journal/note.py::JournalAccount.is_foreign",
        r"mine and theirs and mine != theirs",
        "mine != theirs",
        JOURNAL,
    ),
    Mutant(
        "notes of earlier versions count",
        "reconciler/journal/directory.py::DirectoryJournal._make",
        r"self\._take_over\(each\)",
        "pass",
        JOURNAL,
    ),
    Mutant(
        "a lock is merged with what the file holds",
        "reconciler/domain/lock.py::merge_locks",
        r"_by_key\(before\), _by_key\(mine\), _by_key\(now\)",
        "_by_key(before), _by_key(mine), _by_key(mine)",
        LOCKS,
    ),
    Mutant(
        "a lock that was cut is damaged",
        "reconciler/specfile/lockfile.py::_is_cut",
        r"return .*",
        "return False",
        LOCKS,
    ),
    Mutant(
        "what is written later is proved writable first",
        "reconciler/workflow/apply.py::open_run_context",
        r"prove_writable\(prepared, provider\)",
        "pass",
        ("tests/acceptance/test_unusable_places.py",),
    ),
    Mutant(
        "an id that is a path names no file",
        "reconciler/foundation/private.py::is_plain_name",
        r"return .*",
        "return True",
        STORE,
    ),
    Mutant(
        "a link in a store is not followed",
        "reconciler/foundation/private.py::check_private",
        r"if stat\.S_ISLNK\(.*\) or .*:",
        "if False:",
        STORE,
    ),
    Mutant(
        "a clean-up removes only what bears a name of ours",
        "reconciler/service/store/files.py::remove_unlisted_files",
        r" and _OWN_NAME\.fullmatch\(path\.name\)",
        "",
        STORE,
    ),
    Mutant(
        "state in a checkout is not believed",
        "reconciler/workflow/home.py::check_home",
        r"_check_old\(.*\)",
        "pass",
        ("tests/security/test_committed_state.py",),
    ),
    Mutant("what was paid for and is gone", POLICY + "POLICIES", r"\n    no_amnesia,", "", PLANNER),
    Mutant(
        "other words are alive",
        OBSERVED + "JobStatus.is_terminal",
        r"return self\.word in \w+",
        "return self.word not in _WAITING",
        PLANNER,
    ),
    Mutant(
        "of several live jobs the first stays",
        DECIDE + "_duplicates",
        r"(if \w+ is not .*)\[0\]:",
        r"\1[-1]:",
        PLANNER,
    ),
    # What pruning and superseding leave alone.
    Mutant(
        "the model of another environment's lock entry stays, under any version",
        REFERENCES + "References.gather",
        r"addresses=addresses,",
        "addresses={},",
        (*PLANNER, *HISTORIES),
    ),
    Mutant(
        "what a lock entry names by its id stays",
        REFERENCES + "References.gather",
        r"jobs \|= \{entry\.job.*",
        "jobs |= {keep.job: why for keep, why in kept if keep.job}",
        PLANNER,
    ),
    Mutant(
        "what another environment made stays",
        REFERENCES + "References.gather",
        r"\*\*elsewhere, ",
        "",
        (*PLANNER, *HISTORIES),
    ),
    Mutant(
        "what another environment made is not superseded",
        DECIDE + "_supersede",
        r" and job\.id not in elsewhere",
        "",
        (*PLANNER, *HISTORIES),
    ),
    Mutant(
        "what another file names stays",
        REFERENCES + "References.gather",
        r", \*\*dict\(_list_mentioned_jobs\(.*\)\)",
        "",
        PLANNER,
    ),
    Mutant(
        "a running job that may have a new name stays",
        DECIDE + "Pruning.why_job_stays",
        r" or _wait_for\(self\.heirs\)",
        "",
        (*PLANNER, *HISTORIES),
    ),
    Mutant(
        "a checkpoint holds the model of its job",
        REFERENCES + "References._is_built_on",
        r"return (.*) or .* in self\.checkpoints",
        r"return \1",
        (*PLANNER, *HISTORIES),
    ),
    Mutant(
        "the base of a job of others stays",
        REFERENCES + "References.gather",
        r" \| observed\.bases_in_use$",
        "",
        (*PLANNER, *HISTORIES),
    ),
    Mutant(
        "a model stays while a new name has none",
        DECIDE + "Pruning.why_model_stays",
        r" or _wait_for\(.*\)",
        "",
        (*PLANNER, *HISTORIES),
    ),
    Mutant(
        "a running job stays while a new name has none",
        DECIDE + "Pruning.why_job_stays",
        r" or _wait_for\(.*\)",
        "",
        (*PLANNER, *HISTORIES),
    ),
    Mutant(
        "an older version stays where the wanted one is held",
        DECIDE + "_supersede",
        r"if rest is None or .*:",
        "if True:",
        PLANNER,
    ),
    Mutant(
        "a superseded job is cancelled after its successor was created",
        ORDER + "_needs",
        r"return \(created\[action\.address\],\) if .*",
        "return ()",
        (*EXECUTOR, *HISTORIES),
    ),
    Mutant(
        "a lock file remembers a rename",
        RENAMES + "NameMap.rename_job",
        r"if remembered and",
        "if False and",
        ("tests/specfile/test_renames.py", *HISTORIES),
    ),
    Mutant("a project name before anything is removed", POLICY + "POLICIES", r"\n    no_unnamed_project,", "", PLANNER),
    Mutant(
        "what only its name shows to be ours is not deleted",
        CANCEL + "_check_still_ours",
        r" or job\.is_known_by_name",
        "",
        EXECUTOR,
    ),
)
"""Every rule that never two jobs rests on, and a few that keep what belongs to others."""
