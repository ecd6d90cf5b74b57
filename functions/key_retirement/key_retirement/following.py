"""Finds each key of a lineage by its hash. A list that leaves a key out proves nothing: only a 404 says it is gone.

People move keys to other workspaces, and a list may be answered in part. The key goes on in its state all the same.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from governor.keys.attachments import NOTHING
from governor.keys.attachments import read as read_attachments
from governor.keys.lineage import Lineage
from key_retirement.ports import LineageRun
from management_api import NotFound

if TYPE_CHECKING:
    from management_api import ApiKey


def find(run: LineageRun, hash: str) -> "ApiKey | None":
    """The key wherever it is; None only when OpenRouter answers 404. One GET where the workspace's list leaves it out.

    Raises from `management_api.errors`: a key that could not be read is not gone.
    """
    listed = run.place.keys.get(hash)
    if listed:
        return listed
    try:
        return run.account.keys.get(hash)
    except NotFound:
        return None


def read_again(run: LineageRun, lineage: Lineage) -> LineageRun:
    """With the lineage's keys as they are now, where its row has changed since the workspace was read: whoever changed
    it may have set limits, and none may be set by what was read before. One GET a key, or nothing.
    """
    if lineage.version == run.before:
        return run
    keys = dict(run.place.keys)
    for key in lineage.keys:
        if key.hash in keys and key.state != "deleted":
            try:
                keys[key.hash] = run.account.keys.get(key.hash)
            except NotFound:
                del keys[key.hash]
    return replace(run, place=replace(run.place, keys=keys), before=lineage.version)


def follow(run: LineageRun, lineage: Lineage) -> LineageRun:
    """With every key of the lineage that OpenRouter has. One GET for each that the workspace's list leaves out, and
    two lists of another workspace where a key was moved there.

    Raises from `management_api.errors`: the lineage stays as it is until its keys can be read.
    """
    place = run.place
    absent = [key.hash for key in lineage.keys if key.state != "deleted" and key.hash not in place.keys]
    found = {hash: key for hash in absent if (key := find(run, hash))}
    if not found:
        return run
    elsewhere = sorted({key.workspace_id for key in found.values()} - {place.id})
    attachments = dict(place.attachments) if elsewhere else place.attachments
    for workspace_id in elsewhere:
        for hash, there in read_attachments(run.account, workspace_id, {}).items():
            if hash in found:
                here = attachments.get(hash, NOTHING)
                both = replace(here, byok=here.byok | there.byok, destinations=here.destinations | there.destinations)
                attachments = {**attachments, hash: both}
    place = replace(place, keys={**place.keys, **found}, attachments=attachments, unlisted=frozenset(found))
    return replace(run, place=place)
