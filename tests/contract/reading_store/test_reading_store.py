"""One suite over the store in memory and the one in S3: what holds for one holds for the other."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from governor.storage.readings import MemoryReadingStore, ReadingConflict, ReadingStore
from governor.storage.s3_readings import S3ReadingStore


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest) -> Iterator[ReadingStore]:
    if request.param == "memory":
        yield MemoryReadingStore()
        return
    with mock_aws():
        client = boto3.client(
            "s3", region_name="us-east-1", aws_access_key_id="fake", aws_secret_access_key="fake-secret"
        )
        client.create_bucket(Bucket="readings-fake")
        yield S3ReadingStore(client, "readings-fake")


def test_there_is_nothing_before_the_first_write(store: ReadingStore) -> None:
    assert store.get() is None
    assert store.get('"0123"') is None


def test_what_was_written_is_read_back_under_its_tag(store: ReadingStore) -> None:
    etag = store.put(b"\x00\xffone", replaces=None)

    stored = store.get()

    assert stored is not None
    assert stored.content == b"\x00\xffone"
    assert stored.etag == etag


def test_a_reader_who_knows_the_tag_gets_no_content(store: ReadingStore) -> None:
    etag = store.put(b"one", replaces=None)

    known = store.get(etag)

    assert known is not None
    assert known.content is None
    assert known.etag == etag


def test_a_reader_with_an_old_tag_gets_the_new_content(store: ReadingStore) -> None:
    old = store.put(b"one", replaces=None)
    store.put(b"two", replaces=old)

    stored = store.get(old)

    assert stored is not None
    assert stored.content == b"two"


def test_of_two_first_writers_the_second_loses_and_changes_nothing(store: ReadingStore) -> None:
    store.put(b"winner", replaces=None)

    with pytest.raises(ReadingConflict):
        store.put(b"loser", replaces=None)

    assert (stored := store.get()) is not None
    assert stored.content == b"winner"


def test_of_two_writers_over_one_version_the_second_loses_and_changes_nothing(store: ReadingStore) -> None:
    first = store.put(b"first", replaces=None)
    store.put(b"winner", replaces=first)

    with pytest.raises(ReadingConflict):
        store.put(b"loser", replaces=first)

    assert (stored := store.get()) is not None
    assert stored.content == b"winner"


def test_replacing_what_never_was_loses(store: ReadingStore) -> None:
    with pytest.raises(ReadingConflict):
        store.put(b"one", replaces='"0123456789abcdef0123456789abcdef"')

    assert store.get() is None


def test_a_missing_bucket_is_an_error_and_no_conflict() -> None:
    with mock_aws():
        client = boto3.client(
            "s3", region_name="us-east-1", aws_access_key_id="fake", aws_secret_access_key="fake-secret"
        )
        store = S3ReadingStore(client, "no-such-bucket-fake")

        with pytest.raises(ClientError):
            store.get()
        with pytest.raises(ClientError):
            store.put(b"one", replaces=None)


def test_what_is_set_aside_stays_beside_the_reading_and_twice_is_once(store: ReadingStore) -> None:
    etag = store.put(b"broken", replaces=None)

    place = store.set_aside(b"broken", etag)

    assert store.set_aside(b"broken", etag) == place
    assert "unreadable-" in place
    stored = store.get()
    assert stored is not None
    assert (stored.content, stored.etag) == (b"broken", etag)
