"""Where a command works, and what the operator chose: the spec root, the repository around it, the profile, bounds."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import InputError, UsageError
from reconciler.domain.plan import DIRECTORY_VARIABLE, ENVIRONMENT_VARIABLE, CommandScope
from reconciler.domain.spec import Format, Specs
from reconciler.journal import JournalKind
from reconciler.providers import PROFILE_NAMES, Profile, ProfileCatalog
from reconciler.specfile import find_roots, find_workspace, lock_name, read_specs
from reconciler.workflow.home import Home, find_home
from reconciler.workflow.profiles import open_catalog

DEFAULT_PROVIDER = "local"
BOUNDS_VARIABLE = "RECONCILER_BOUNDS"
_JOURNAL_VARIABLE = "RECONCILER_JOURNAL"

_TIME = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smh]?)")
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command works: the spec root, the repository around it, our own directories, the operator's choices.

    Shape:  `home` is kept for this checkout, `shared` for all checkouts, None where both are one;
            `environment` is one of the Project's environments; `bounds` replace those of the profile, in seconds;
            `profiles` are those that can be named here, the operator's own among them
    """

    root: Path
    workspace: Path
    home: Path
    environ: Mapping[str, str]
    profiles: ProfileCatalog = PROFILE_NAMES
    provider: str | None = None
    use_cache: bool = True
    deep: bool = False
    max_errors: int | None = None
    environment: str | None = None
    prices: Path | None = None
    shared: Path | None = None
    journal: JournalKind = JournalKind.DIRECTORY
    bounds: Mapping[str, float] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        # The environment holds keys, and must not be in a traceback or a notebook.
        return f"Setting(root={str(self.root)!r}, provider={self.provider!r}, environment={self.environment!r})"

    @property
    def lock_path(self) -> Path:
        return self.root / lock_name(self.environment)

    @property
    def own_home(self) -> Home:
        """Our own directories, and whether the operator chose them."""
        shared = self.home if self.shared is None else self.shared
        return Home(directory=self.home, shared=shared, is_chosen=shared == self.home)

    @property
    def store(self) -> Path:
        """Where the built-in service keeps its files."""
        return self.home / "local"

    @property
    def measures(self) -> Path:
        """Where measures of datasets are cached."""
        return self.home / "cache" / "measures"

    @property
    def root_name(self) -> str:
        """The spec root within the repository, with forward slashes."""
        root, workspace = self.root.resolve(), self.workspace.resolve()
        return root.relative_to(workspace).as_posix() if root.is_relative_to(workspace) else str(self.root)

    @property
    def scope(self) -> CommandScope:
        """What the commands that messages print need, so that they work in this setting too."""
        environment = self.environment
        if environment is None and self.environ.get(ENVIRONMENT_VARIABLE):
            environment = ""
        return CommandScope(
            directory=self.environ.get(DIRECTORY_VARIABLE, ""),
            root=str(self.root),
            environment=environment,
            provider=self.provider,
            prices=None if self.prices is None else str(self.prices),
            journal=str(self.journal) if self.journal != self._journal_without_flag else None,
            apply_flags=tuple(self._bound_flags()),
        )

    @property
    def _journal_without_flag(self) -> str:
        return self.environ.get(_JOURNAL_VARIABLE) or JournalKind.DIRECTORY

    def _bound_flags(self) -> Iterator[str]:
        """Yield the flags of apply for bounds that differ from what the environment variable says."""
        stated = read_bounds((), self.environ)
        for name, seconds in sorted(self.bounds.items()):
            if stated.get(name) != seconds:
                yield from ("--bound", f"{name}={seconds:f}".rstrip("0").rstrip("."))


def locate_setting(
    root: Path,
    environ: Mapping[str, str],
    *,
    provider: str | None = None,
    prices: Path | None = None,
    environment: str | None = None,
    use_cache: bool = True,
) -> Setting:
    """Return the setting of one spec root, with the repository around it and our own directory."""
    workspace = find_workspace(root)
    home = find_home(workspace, environ)
    return Setting(
        root=root,
        workspace=workspace,
        home=home.directory,
        shared=home.shared,
        environ=environ,
        profiles=open_catalog(workspace, environ),
        provider=provider,
        environment=_check_environment(environment, environ),
        prices=prices,
        use_cache=use_cache,
        journal=_read_journal_kind(environ),
    )


def _read_journal_kind(environ: Mapping[str, str]) -> JournalKind:
    """Return which journal the environment variable names, so that a plan reads the one that an apply writes.

    Raises: UsageError
    """
    named = environ.get(_JOURNAL_VARIABLE) or JournalKind.DIRECTORY
    try:
        return JournalKind(named.lower())
    except ValueError:
        raise UsageError(f"{_JOURNAL_VARIABLE} is {named!r}, and there are {', '.join(JournalKind)}") from None


def _check_environment(environment: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the environment, if one is named.

    Raises: UsageError for an empty name: without an environment its limits do not count, so none is never taken for one
    """
    if environment == "":
        raise UsageError("--env is empty, and an environment has a name; leave --env out for the Project's own fields")
    if environment is None and environ.get(ENVIRONMENT_VARIABLE) == "":
        raise UsageError(
            f"{ENVIRONMENT_VARIABLE} is set and empty, and an environment has a name; unset it for the Project's own"
            f" fields: unset {ENVIRONMENT_VARIABLE}"
        )
    return environment


def resolve_setting(
    root: Path,
    environ: Mapping[str, str],
    *,
    model: str | None = None,
    is_root: bool = False,
    provider: str | None = None,
    prices: Path | None = None,
    environment: str | None = None,
    use_cache: bool = True,
) -> Setting:
    """Return the setting that a command works in, with the bounds of the environment variable.

    Shape:  of several roots in the directory, the one whose specs name the `model`; with `is_root`, the directory is
            one root
    Raises: UsageError when the directory holds several roots, and none or several of them name the model
    """
    roots = (root,) if is_root else find_roots(root)
    settings = [
        locate_setting(each, environ, provider=provider, prices=prices, environment=environment, use_cache=use_cache)
        for each in roots
    ]
    if len(settings) > 1 and model is None:
        listed = ", ".join(str(each) for each in roots)
        raise UsageError(f"{root} holds several projects; name one of them: {listed}")
    if len(settings) > 1:
        settings = _select_naming(settings, root, model or "")
    return replace(settings[0], bounds=read_bounds((), environ))


def _select_naming(settings: list[Setting], root: Path, name: str) -> list[Setting]:
    naming = [setting for setting in settings if any(model.name == name for model in read_setting(setting).models)]
    if len(naming) != 1:
        found = " and ".join(str(setting.root) for setting in naming) or "none"
        raise UsageError(f"of the projects under {root}, {found} name {name}; choose one with --specs DIR")
    return naming


def read_setting(setting: Setting) -> Specs:
    """Read the specs of a setting, as its environment has them.

    Raises: InputError with every problem of every file, UsageError where there is no such environment
    """
    return read_specs(setting.root, setting.workspace, setting.environment, setting.profiles)


def find_use(setting: Setting, file: Path) -> Format | None:
    """Return the only format that the models of a file's datasets learn from; None where specs say nothing."""
    try:
        datasets = read_setting(setting).datasets
        name = PurePosixPath(file.resolve().relative_to(setting.workspace.resolve()).as_posix())
    except (InputError, UsageError, ValueError, OSError):
        return None
    uses = {each.used_as for each in datasets if any(name.match(source) for source in each.sources)}
    return uses.pop() if len(uses) == 1 else None


def find_service(setting: Setting, specs: Specs) -> Profile:
    """Return the profile to use, with what it says of its service.

    Raises: UsageError for one that nothing describes
    """
    return setting.profiles.find(select_provider(setting, specs))


def select_provider(setting: Setting, specs: Specs) -> str:
    """Return the profile to use: the operator's choice, else the specs', else the built-in service."""
    by_models = next((model.provider for model in specs.models if model.provider), None)
    return setting.provider or by_models or specs.project.provider or DEFAULT_PROVIDER


def read_bounds(flags: Iterable[str], environ: Mapping[str, str]) -> Mapping[str, float]:
    """Return the bounds that replace the profile's, in seconds by name; a flag replaces the variable.

    Raises: UsageError for text that is not a bound, with the flag or variable that holds it
    """
    stated = [(BOUNDS_VARIABLE, text) for text in environ.get(BOUNDS_VARIABLE, "").split(",") if text.strip()]
    return dict(_read_bound(where, text) for where, text in (*stated, *(("--bound", text) for text in flags)))


def _read_bound(where: str, text: str) -> tuple[str, float]:
    name, sign, time = (part.strip() for part in text.partition("="))
    if not (name and sign):
        raise UsageError(f"{where} {text}: write NAME=TIME, as in list_lag=1m")
    return name.replace("-", "_"), read_duration(time, f"{where} {name}=")


def read_duration(text: str, where: str) -> float:
    """Read a length of time, in seconds; `where` is the text before it.

    Raises: UsageError when it is not one
    """
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise UsageError(f"{where}{text}: not a length of time; write 90, 90s, 30m or 2h")
    return float(found[1]) * _SECONDS[found[2]]
