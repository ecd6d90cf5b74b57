"""What a person wants, clicked or typed. Pure; what is not understood becomes a hint, never an error."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from governor.slack_requests import SlackRequest

Verb = Literal[
    "approve", "reject", "disable", "restore", "rotate", "expected", "promote", "override", "rollback", "adopt",
    "revert", "drill", "rollback-key", "review", "status", "keys", "help", "hint",
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
    "help": "",
}
"""The words of `/governor`, and what follows each."""
MEANING: Mapping[str, str] = {
    "status": "what is disabled, in rotation, or waiting for a decision",
    "keys": "every workload's keys, with their age",
    "rotate": "replace its key now; both work in the overlap",
    "disable": "disable its keys now; whoever may not asks those who may",
    "restore": "give its keys back; an approver may at once, anybody else asks",
    "expected": "its spend is meant: the detector leaves it alone for four hours; its owner or an approver",
    "rollback-key": "give it its former key back; its owner or an approver may at once, anybody else asks",
    "promote": "ask for the staging preset to be checked and promoted",
    "rollback": "serve the former production preset again",
    "drill": "ask for a failover drill",
    "review": "hold the account against the rules, and say what the money did; changes nothing",
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
}
"""What each button's value must hold; the first is what it is about."""


@dataclass(frozen=True)
class Wish:
    """`subject`: what it is about, as it was typed or as the button has it. `detail`: the rest, by name.

    `hint`: what to tell instead, of a `hint`.
    """

    verb: Verb
    subject: str = ""
    detail: Mapping[str, str] = field(default_factory=dict, hash=False)
    hint: str = ""


def wish(request: SlackRequest) -> Wish:
    """What the request wants."""
    if request.kind == "command":
        return typed(request.text)
    names = _SUBJECTS.get(request.action)
    if names is None or any(not request.value.get(name) for name in names):
        return Wish("hint", hint="This button is from another version of Governor; use `/governor help`.")
    rest = {name: value for name, value in request.value.items() if name != names[0]}
    return Wish(_verb(request.action), request.value[names[0]], rest)


def typed(text: str) -> Wish:
    """What was typed after `/governor`."""
    words = text.split()
    if not words:
        return Wish("help")
    word, rest = words[0].lower(), words[1:]
    if word not in USAGE:
        near = difflib.get_close_matches(word, USAGE, n=1)
        meant = f"Did you mean `/governor {near[0]}`? " if near else ""
        return Wish("hint", hint=f"`{_plain(word)}` is no command. {meant}`/governor help` lists them.")
    places = USAGE[word].split()
    least = sum(not place.startswith("[") for place in places)
    if not least <= len(rest) <= len(places):
        return Wish("hint", hint=f"It is `/governor {word} {USAGE[word]}`".rstrip("` ") + "`.")
    verb = _verb(word)
    if word == "drill":
        return Wish(verb, "/".join(rest), {"workspace": rest[0], "provider": rest[1]})
    if word == "restore" and len(rest) == 2:
        return Wish(verb, rest[0], {"cause": rest[1].lower()})
    return Wish(verb, rest[0] if rest else "")


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
