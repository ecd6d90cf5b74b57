"""Rules about guardrails and budgets: what binds, what does not, and what contradicts.

Fields: `Guardrail`, `WorkspaceBudget` and the assignment lists of the vendor's OpenAPI document; the built-in filters'
slugs are its `ContentFilterBuiltinSlug`. That a guardrail enforces nothing until it is assigned, and that a workspace's
traffic is governed by its default guardrail, is the vendor's guide on guardrails.
"""

from collections.abc import Iterator, Mapping

from account_review.facts import Facts, Place, owner_of, subject_of
from account_review.finding import Found, Rulebook
from governor.policy import Policy
from management_api import Guardrail

INJECTION = "regex-prompt-injection"
SENSITIVE = frozenset({"email", "phone", "ssn", "credit-card", "ip-address", "person-name", "address"})
GUARDRAILS = Rulebook()


def _builtins(guardrail: Guardrail) -> set[str]:
    return {str(one.get("slug")) for one in guardrail.content_filter_builtins or ()}


def _defaults(facts: Facts) -> Iterator[tuple[Place, Guardrail]]:
    for place in facts.places:
        if place.default_guardrail:
            yield place, place.default_guardrail


@GUARDRAILS.rule(
    "low", "A guardrail is assigned to nothing", fix="Assign it, or delete it: it enforces nothing.",
    needs=("guardrails", "assignments"),
)  # fmt: skip
def guardrail_unassigned(facts: Facts, policy: Policy) -> Iterator[Found]:
    held = {*facts.assigned.values(), *facts.members_assigned.values()}
    for place in facts.places:
        for one in place.guardrails:
            if one.id not in held and one.id != place.workspace.default_guardrail_id:
                yield Found(f"{place.slug}/{one.name}", place.slug, "no key and no member has it")


@GUARDRAILS.rule(
    "high", "A workspace's default guardrail is unset",
    fix="Write its rules (Settings, Guardrails, workspace default).",
    needs=("guardrails",),
)  # fmt: skip
def workspace_without_guardrail(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place in facts.places:
        if place.default_guardrail is None:
            yield Found(place.slug, place.slug, "its default guardrail was never written, so it enforces nothing")


@GUARDRAILS.rule(
    "medium", "Prompt injection is not looked for",
    fix="Add the filter `regex-prompt-injection` to the default guardrail.",
    needs=("guardrails",),
)  # fmt: skip
def injection_detection_off(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, guardrail in _defaults(facts):
        if INJECTION not in _builtins(guardrail):
            yield Found(place.slug, place.slug, f"its default guardrail lacks the filter {INJECTION}")


@GUARDRAILS.rule(
    "medium", "Personal data is not looked for", fix="Add filters such as `email` to the default guardrail.",
    needs=("guardrails",),
)  # fmt: skip
def sensitive_data_detection_off(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, guardrail in _defaults(facts):
        if not SENSITIVE & _builtins(guardrail) and not guardrail.content_filters:
            yield Found(place.slug, place.slug, "its default guardrail has no filter for personal data")


@GUARDRAILS.rule(
    "high", "Zero data retention is not enforced", fix="Set `enforce_zdr_<group>` on the default guardrail.",
    needs=("guardrails",),
)  # fmt: skip
def zero_retention_missing(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place in facts.places:
        wanted = policy.review.zdr.get(place.slug, ())
        guardrail = place.default_guardrail
        missing = [group for group in wanted if guardrail is None or not _zdr(guardrail, group)]
        if missing:
            yield Found(place.slug, place.slug, f"the policy wants it for {', '.join(missing)} models")


def _zdr(guardrail: Guardrail, group: str) -> bool:
    own = getattr(guardrail, f"enforce_zdr_{group}")
    return bool(guardrail.enforce_zdr if own is None else own)


@GUARDRAILS.rule(
    "medium", "More models are allowed than are certified", fix="Narrow `allowed_models` to the policy's tiers.",
    needs=("guardrails",),
)  # fmt: skip
def models_too_wide(facts: Facts, policy: Policy) -> Iterator[Found]:
    tiers = policy.review.tiers
    wanted = {*tiers.certified, *tiers.fallback}
    for place, guardrail in _defaults(facts) if wanted else ():
        if guardrail.allowed_models is None:
            yield Found(place.slug, place.slug, "every model is allowed")
            continue
        wide = sorted(one for one in guardrail.allowed_models if not _names(one, facts) & wanted)
        if wide:
            yield Found(place.slug, place.slug, f"neither certified nor fallback: {', '.join(wide[:5])}")


def _names(model: str, facts: Facts) -> set[str]:
    """A model under both of its names: guardrails keep canonical slugs, people write ids."""
    found = next((one for one in facts.models.values() if model in (one.id, one.canonical_slug)), None)
    return {model, found.id, found.canonical_slug} if found else {model}


@GUARDRAILS.rule(
    "low", "A provider is allowed that nobody uses", fix="Take it out of `allowed_providers`.",
    needs=("guardrails", "activity", "providers"),
)  # fmt: skip
def provider_unused(facts: Facts, policy: Policy) -> Iterator[Found]:
    slugs = {name: slug for slug, name in facts.providers.items()}
    for place, guardrail in _defaults(facts):
        rows = [row for row in facts.activity if row.workspace_id == place.workspace.id]
        used = {slugs.get(row.provider_name, row.provider_name) for row in rows}
        for provider in sorted(set(guardrail.allowed_providers or ()) - used):
            yield Found(f"{place.slug}/{provider}", place.slug, "no request in the last 30 days")


@GUARDRAILS.rule(
    "high", "Paid endpoints may train on prompts", fix="Set `enable_paid_model_training` to false.",
    needs=("guardrails",),
)  # fmt: skip
def training_allowed(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, guardrail in _defaults(facts):
        if guardrail.enable_paid_model_training:
            yield Found(place.slug, place.slug, "its default guardrail sets enable_paid_model_training")


@GUARDRAILS.rule(
    "medium", "Free endpoints may train on or publish prompts",
    fix="Set `enable_free_model_training` and `enable_free_model_publication` to false.", needs=("guardrails",),
)  # fmt: skip
def free_training_allowed(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place, guardrail in _defaults(facts):
        names = ("enable_free_model_training", "enable_free_model_publication")
        allowed = [name for name in names if getattr(guardrail, name)]
        if allowed:
            yield Found(place.slug, place.slug, f"its default guardrail sets {', '.join(allowed)}")


@GUARDRAILS.rule(
    "medium", "A workspace has no budget", fix="Set a monthly budget on the workspace.", needs=("budgets",)
)
def workspace_without_budget(facts: Facts, policy: Policy) -> Iterator[Found]:
    for place in facts.places:
        if not place.budgets:
            yield Found(place.slug, place.slug, "no budget of any interval")


@GUARDRAILS.rule(
    "medium", "Two budgets contradict", fix="Lower the wider one, or raise the narrower one: only one can ever bind.",
    needs=("keys", "budgets", "guardrails", "assignments"),
)  # fmt: skip
def budgets_contradict(facts: Facts, policy: Policy) -> Iterator[Found]:
    guardrails = {one.id: one for place in facts.places for one in place.guardrails}
    for place, key in facts.live_keys():
        if key.limit is None:
            continue
        caps = _caps(place, guardrails.get(facts.assigned.get(key.hash, "")), key.limit_reset)
        lower = {name: limit for name, limit in caps.items() if limit < key.limit}
        for name, limit in sorted(lower.items(), key=lambda one: one[1])[:1]:
            evidence = f"the key's ${key.limit:,.2f} is above {name} of ${limit:,.2f} ({key.limit_reset or 'lifetime'})"
            yield Found(subject_of(place, key), place.slug, evidence, owner_of(policy, key))


def _caps(place: Place, guardrail: Guardrail | None, interval: str | None) -> Mapping[str, float]:
    """The other limits of one interval on a key's spend, USD."""
    budget = next((one for one in place.budgets if one.reset_interval == interval), None)
    caps = {"its workspace's budget": budget.limit_usd} if budget else {}
    if guardrail and guardrail.limit_usd is not None and guardrail.reset_interval == interval:
        caps[f"its guardrail {guardrail.name}"] = guardrail.limit_usd
    return caps
