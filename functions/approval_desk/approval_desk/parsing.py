"""What a person wants, clicked or typed. Pure; what is not understood becomes a hint, never an error."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from governor.keys.bulk_order import Scope
from governor.slack.requests import SlackRequest

Verb = Literal[
    "approve", "reject", "disable", "restore", "rotate", "expected", "promote", "override", "rollback", "adopt",
    "revert", "drill", "rollback-key", "review", "status", "keys", "help", "hint", "rotate-bulk", "preview", "pause",
    "resume", "stop", "rotate-departed",
]  # fmt: skip
USAGE: Mapping[str, str] = {
    "status": "",
    "keys": "",
    "rotate": "<workload>",
    "disable": "<workload>",
    "restore": "<workload> [<cause>]",
    "expected": "<workload>",
    "rollback-key": "<workload>",
    "promote": "<preset>",
    "rollback": "<preset>",
    "drill": "<workspace> <provider>",
    "review": "",
    "preview": "<scope>",
    "pause": "<order>",
    "resume": "<order>",
    "stop": "<order>",
    "help": "",
}
"""The words of `/governor`, and what follows each."""
MEANING: Mapping[str, str] = {
    "status": "what is disabled, in rotation, or waiting for a decision",
    "keys": "every workload's keys, with their age",
    "rotate": "replace its key now; both work in the overlap. In bulk, which two approvers must approve: "
    "`rotate <scope> because <reason>`, the scope being `workspace <workspace>`, `owner <Slack user id>` or `all`",
    "disable": "disable its keys now; whoever may not asks those who may",
    "restore": "give its keys back; an approver may at once, anybody else asks",
    "expected": "its spend is meant: the detector leaves it alone for four hours; its owner or an approver",
    "rollback-key": "give it its former key back; its owner or an approver may at once, anybody else asks",
    "promote": "ask for the staging preset to be checked and promoted",
    "rollback": "serve the former production preset again",
    "drill": "ask for a failover drill",
    "review": "hold the account against the rules, and say what the money did; changes nothing",
    "preview": "what a rotation in bulk would replace, how long it takes and what may break; changes nothing",
    "pause": "begin no further rotation of a bulk order; what has begun finishes",
    "resume": "go on with a bulk order that is paused or halted; an approver",
    "stop": "begin nothing more of a bulk order, for good; what has begun finishes",
    "help": "this",
}
_SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "approve": ("approval",),
    "reject": ("approval",),
    "disable": ("subject",),
    "restore": ("subject", "cause"),
    "rotate": ("subject",),
    "expected": ("subject",),
    "rollback-key": ("subject", "back"),
    "override": ("preset", "promotion"),
    "rollback": ("preset", "promotion"),
    "adopt": ("preset", "version"),
    "revert": ("preset", "version"),
    "pause": ("order",),
    "resume": ("order",),
    "stop": ("order",),
    "rotate-departed": ("member", "departure"),
}
"""What each button's value must hold; the first is what it is about."""


SCOPES: tuple[Scope, ...] = ("workspace", "owner", "all")
"""Those that can be typed. `member` comes with the button under the message about who left."""
LEFT = "their creator left the organization"
"""The reason of a bulk order by which the keys of a member who left are replaced."""
_SCOPED = {"rotate": "<scope> because <reason>", "preview": "<scope>"}
_SCOPE = "A scope is `workspace <workspace>`, `owner <Slack user id>` or `all`."


@dataclass(frozen=True)
class Command:
    """`subject`: what it is about, as it was typed or as the button has it. `detail`: the rest, by name.

    `hint`: what to tell instead, of a `hint`.
    """

    verb: Verb
    subject: str = ""
    detail: Mapping[str, str] = field(default_factory=dict, hash=False)
    hint: str = ""


def command_of(request: SlackRequest) -> Command:
    """What the request wants."""
    if request.kind == "command":
        return typed(request.text)
    names = _SUBJECTS.get(request.action)
    if names is None or any(not request.value.get(name) for name in names):
        return Command("hint", hint="This button is from another version of Governor; use `/governor help`.")
    rest = {name: value for name, value in request.value.items() if name != names[0]}
    if request.action == "rotate-departed":
        return Command("rotate-departed", request.value["member"], rest | {"scope": "member", "because": LEFT})
    return Command(_verb(request.action), request.value[names[0]], rest)


def typed(text: str) -> Command:
    """What was typed after `/governor`."""
    words = text.split()
    if not words:
        return Command("help")
    word, rest = words[0].lower(), words[1:]
    if word not in USAGE:
        near = difflib.get_close_matches(word, USAGE, n=1)
        meant = f"Did you mean `/governor {near[0]}`? " if near else ""
        return Command("hint", hint=f"`{_plain(word)}` is not a command. {meant}`/governor help` lists them.")
    if word == "preview" or (word == "rotate" and in_bulk(rest)):
        return _scoped(word, rest)
    places = USAGE[word].split()
    least = sum(not place.startswith("[") for place in places)
    if not least <= len(rest) <= len(places):
        return Command("hint", hint=f"Write `/governor {word} {USAGE[word]}`".rstrip("` ") + "`.")
    verb = _verb(word)
    if word == "drill":
        return Command(verb, "/".join(rest), {"workspace": rest[0], "provider": rest[1]})
    if word == "restore" and len(rest) == 2:
        return Command(verb, rest[0], {"cause": rest[1].lower()})
    return Command(verb, rest[0] if rest else "")


def in_bulk(words: Sequence[str]) -> bool:
    """Whether what follows `rotate` is a scope, and not a workload."""
    return bool(words) and (words[0].lower() == "all" or (len(words) > 1 and words[0].lower() in SCOPES))


def _scoped(word: str, words: Sequence[str]) -> Command:
    """`rotate <scope> because <reason>`, or `preview <scope>`."""
    lower = [one.lower() for one in words]
    at = lower.index("because") if "because" in lower else len(words)
    scope, of, because = "".join(lower[:1]), " ".join(words[1:at]), " ".join(words[at + 1 :])
    if scope not in SCOPES or bool(of) != (scope != "all"):
        return Command("hint", hint=f"Write `/governor {word} {_SCOPED[word]}`. {_SCOPE}")
    if word == "rotate" and not because:
        return Command("hint", hint=f"Say why, for those who approve it: `/governor rotate {_SCOPED['rotate']}`.")
    if scope == "owner":
        of = _user(of)
    return Command("preview" if word == "preview" else "rotate-bulk", of, {"scope": scope, "because": because[:300]})


def _user(text: str) -> str:
    """A Slack user's id, typed as such or as Slack writes a mention."""
    return text.removeprefix("<@").removesuffix(">").partition("|")[0]


def nearest(name: str, names: Sequence[str]) -> str:
    """` Did you mean x?`, or nothing."""
    near = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean `{near[0]}`?" if near else ""


def is_hash(subject: str) -> bool:
    """Whether it is a key's hash: 64 hexadecimal digits."""
    return len(subject) == 64 and not set(subject) - set("0123456789abcdef")


def help_text() -> str:
    """What `/governor help` says."""
    lines = [f"• `/governor {word}{' ' if places else ''}{places}`: {MEANING[word]}" for word, places in USAGE.items()]
    return "\n".join(["*Governor* watches and acts on this organization's OpenRouter account.", *lines])


def _verb(name: str) -> Verb:
    verbs: tuple[Verb, ...] = get_args(Verb)
    return next(verb for verb in verbs if verb == name)


def _plain(word: str) -> str:
    """A word from a person as code, which it cannot end."""
    return word.replace("`", "'")[:60]
