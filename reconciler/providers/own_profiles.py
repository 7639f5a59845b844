"""Profiles that the operator of a machine describes: another profile, with what is different there. Pure."""

from collections.abc import Mapping

from msgspec.structs import asdict, replace

from reconciler.domain.errors import UsageError
from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import ProfileSpec
from reconciler.providers.profile import Profile, with_bounds

_SAME = ("lists_all_bases", "methods", "hyperparameters", "missing_fields", "suffix_length")
_ALSO = ("max_file_bytes", "keeps_notes", "closes_on", "neutral_methods")


def make_profile(spec: ProfileSpec, base: Profile) -> Profile:
    """Return the profile that an operator's document describes, from the one that it is like.

    A key belongs to an address: where the document names an address, no variable of the other profile holds.
    Raises: UsageError for a service inside this program, and for bounds that cannot be set
    """
    if base.in_process:
        raise UsageError(
            f"the profile {spec.name} cannot be like {base.name}, which runs inside this program; write `like:"
            " compatible` for a server of the built-in service"
        )
    capabilities = _replace_capabilities(spec, base.capabilities)
    found = replace(base, name=spec.name, label="", capabilities=capabilities)
    if spec.url is not None:
        prefix = spec.name.upper().replace("-", "_")
        found = replace(
            found,
            base_url=spec.url,
            has_home=True,
            url_variable=f"{prefix}_BASE_URL",
            other_url_variable="",
            key_variable=f"{prefix}_API_KEY",
            organization_variable="",
            other_organization_variable="",
            project_variable="",
            has_identities=False,
        )
    if spec.key_variable is not None:
        found = replace(found, key_variable=spec.key_variable)
    if spec.key_header is not None:
        found = replace(found, key_header=spec.key_header)
    if spec.query is not None:
        found = replace(found, query=tuple(sorted(spec.query.items())))
    return with_bounds(found, spec.bounds or {})


def _replace_capabilities(spec: ProfileSpec, base: Capabilities) -> Capabilities:
    stated: Mapping[str, object] = {
        name: value for name, value in asdict(spec).items() if name in (*_SAME, *_ALSO) and value is not None
    }
    found = replace(base, **stated)
    if spec.formats is not None:
        found = replace(found, formats=frozenset(spec.formats))
    if spec.bases is not None:
        # What another service says of its bases says nothing of these.
        found = replace(found, bases=frozenset(spec.bases), base_rules=(), answer_sets=(), retiring=())
    if spec.url is not None and spec.closes_on is None:
        found = replace(found, closes_on="", retiring=())
    if spec.retiring is not None:
        found = replace(found, retiring=tuple(sorted(spec.retiring.items())))
    return found
