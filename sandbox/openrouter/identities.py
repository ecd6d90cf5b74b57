"""Ids, hashes and plaintexts, all from one counter under the seed: two runs of a scenario name things alike."""

import hashlib
import uuid


class Identities:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0

    def _next(self, kind: str) -> str:
        self._count += 1
        return hashlib.sha256(f"{self._seed}/{kind}/{self._count}".encode()).hexdigest()

    def uuid(self, kind: str) -> str:
        return str(uuid.UUID(self._next(kind)[:32]))

    def plaintext(self) -> str:
        """An inference key that no scanner takes for a real one."""
        digest = self._next("plaintext")[:24]
        return f"sk-or-v1-fake-{digest[:8]}-{digest[8:16]}-{digest[16:]}"

    def generation(self, now: float) -> str:
        return f"gen-{int(now)}-{self._next('generation')[:20]}"

    def trace(self) -> str:
        return self._next("trace")[:32]

    def span(self) -> str:
        return self._next("span")[:16]

    def fraction(self) -> float:
        """Uniform in [0, 1), for sampling."""
        return int(self._next("fraction")[:13], 16) / 16**13


def hash_of(plaintext: str) -> str:
    """A key's `hash`: SHA-256 of its plaintext (vendor: GET /activity, `api_key_hash`)."""
    return hashlib.sha256(plaintext.encode()).hexdigest()


def label_of(plaintext: str) -> str:
    """The masked form that listings show."""
    return f"{plaintext[:12]}...{plaintext[-3:]}"
