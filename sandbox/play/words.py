"""What can follow `/governor`, for the page's completion."""

from approval_desk.parsing import MEANING, USAGE
from sandbox.play.organization import CHAINS, DECLARED, PROVIDER
from sandbox.scenario.publishing import SLUG

_PLACES = {
    "<workload>": DECLARED,
    "<preset>": (SLUG,),
    "<workspace>": tuple(f"{place} {PROVIDER}" for place in CHAINS.values()),
    "<scope>": (*(f"workspace {place}" for place in CHAINS.values()), "all"),
    "<order>": (),
}
"""What may stand in each place. An order's id is in its message, whose buttons say these words."""


def completions() -> list[dict[str, str]]:
    """Every command that makes sense in this account, with its meaning."""
    found = []
    for word, places in USAGE.items():
        subjects = _PLACES[places.split()[0]] if places else ("",)
        found += [{"text": f"{word} {subject}".strip(), "meaning": MEANING[word]} for subject in subjects]
    return found
