"""Text from elsewhere, made fit for Slack's mrkdwn: a name is data, and never a line, a link or a mention of its own.

Sources: https://docs.slack.dev/messaging/formatting-message-text (what Slack formats, and that `&`, `<` and `>` are the
only characters that can be escaped) and https://www.unicode.org/reports/tr39 (characters that look alike).
"""

import re
import unicodedata
from collections.abc import Sequence

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MARKUP = str.maketrans({"*": "∗", "~": "∼", "`": "'"})
"""Slack has no escape for what makes text bold, struck out or code: the signs are shown by others like them."""
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""Slack makes text italic between underscores at the edges of words; inside a word they are only underscores."""
_EMOJI = re.compile(r":(?=[\w+\-]{1,50}:)")
_WORD = re.compile(r"[^\W\d_]+")
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_ALPHABETS = ("CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE", "MATHEMATICAL", "FULLWIDTH", "LISU")
"""Alphabets with letters that look like Latin ones."""
_LIKE_LATIN = frozenset("асеорхуіѕјһԁԛԝѵАВЕКМНОРСТУХІЅЈԌ" + "ονκρτυχαιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


def plain(text: str) -> str:
    """`text` on one line, for Slack's `plain_text`, where nothing is formatted and nothing need be escaped.

    Line breaks become spaces, invisible characters `�`, and letters that only look like Latin ones `[U+0430]`.
    """
    return _WORD.sub(_unmasked, "".join(_visible(character) for character in text))


def escape(text: str) -> str:
    """`text` as `plain` gives it, for mrkdwn: nothing in it is formatted, linked or notifies anybody."""
    line = plain(text)
    line = _EDGE_UNDERSCORE.sub("ˍ", line.translate(_MARKUP))
    return _EMOJI.sub("∶", line).translate(_ENTITIES)


def mention(user: str) -> str:
    """A Slack user by id, who is notified; any other text as `escape` gives it."""
    return f"<@{user}>" if _USER.fullmatch(user) else escape(user)


def link(url: str, text: str) -> str:
    """A link with our own text; the address as plain text where it is none that Slack would follow."""
    fit = re.fullmatch(r"https?://[^\s<>|]+", url)
    return f"<{url.translate(_ENTITIES)}|{escape(text)}>" if fit else f"{escape(text)}: {escape(url)}"


# All texts of a message: 11,341 characters were refused (github.com/slackapi/bolt-js/issues/2867); no page says more.
MAX_TEXTS, MAX_CONTEXT = 11_000, 1_200


def fitted(texts: Sequence[str], most: int, room: int) -> list[str]:
    """The texts in their order, each of at most `most` characters, all of at most `room`. The one that finds too little
    room ends with an ellipsis, and those after it are left out."""
    kept = []
    for text in filter(None, texts):
        if room < 1:
            break
        kept.append(clip(text, min(most, room)))
        room -= len(kept[-1])
    return kept


def clip(text: str, length: int) -> str:
    """The text, cut to `length` characters with an ellipsis where it is longer."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _visible(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    if character.isspace():
        return " "
    return "�" if unicodedata.category(character) in _INVISIBLE else character


def _unmasked(word: re.Match[str]) -> str:
    """The word; where letters of another alphabet pass for Latin ones, those by their numbers."""
    letters = word[0]
    if letters.isascii():
        return letters
    foreign = {one for one in letters if not one.isascii() and unicodedata.name(one, "").startswith(_ALPHABETS)}
    pretends = any(one.isascii() for one in letters) or all(one in _LIKE_LATIN or _is_styled(one) for one in letters)
    if not pretends:
        return letters
    return "".join(f"[U+{ord(one):04X}]" if one in foreign else one for one in letters)


def _is_styled(letter: str) -> bool:
    return unicodedata.normalize("NFKC", letter).isascii()
