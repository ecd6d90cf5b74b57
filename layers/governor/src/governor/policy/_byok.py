"""Decisions to bring our own provider keys."""

from typing import Annotated

from pydantic import Field

from governor.policy._parts import Part, SecretName


class Expect(Part):
    prioritized: Annotated[int, Field(ge=0)] = 1
    fallback: Annotated[int, Field(ge=0)] = 0


class Probe(Part):
    """A small request that proves a credential. `secret`: of the workload whose inference key sends it."""

    model: str
    secret: SecretName | None = None


class Byok(Part):
    """A decision to bring our own provider key: what must stand, why, whose it is and when it may go.

    `credential`: its name or id, where the workspace has several of the provider. `secret`: whose text is its key.
    """

    workspace: str
    provider: str
    credential: str | None = None
    secret: SecretName | None = None
    expect: Expect = Expect()
    probe: Probe | None = None
    reason: str
    owner: str
    exit: str
