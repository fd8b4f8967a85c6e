"""Recordings as people keep them: projects and tags."""

from pathlib import Path

import pytest

from transcrevai_core.errors import InputError
from transcrevai_core.library import shelf
from transcrevai_core.library.shelf import Labels
from transcrevai_core.library.store import Store


@pytest.fixture
def jobs(store: Store, tmp_path: Path) -> list[str]:
    found = []
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.wav").write_bytes(b"sound")
        found.append(store.add_job(tmp_path / f"{name}.wav", {}).id)
    return found


def test_recordings_have_tags_and_one_project(store: Store, jobs: list[str]) -> None:
    first, second, third = jobs
    shelf.tag(store, [first, second], " urgent ")
    shelf.tag(store, [first], "urgent")
    shelf.tag(store, [first], "hearing")
    shelf.move(store, [second, third], "Council")
    shelf.move(store, [third], "Court")
    assert shelf.labels(store) == {
        first: Labels("", ("hearing", "urgent")),
        second: Labels("Council", ("urgent",)),
        third: Labels("Court"),
    }
    assert store.job(third).project == "Court"
    shelf.untag(store, jobs, "urgent")
    shelf.move(store, [second, third], " ")
    assert shelf.labels(store) == {first: Labels("", ("hearing",))}


def test_a_recording_that_is_made_anew_is_kept_alike_and_one_deleted_leaves_nothing(
    store: Store, jobs: list[str]
) -> None:
    first, second, _third = jobs
    shelf.tag(store, [first], "urgent")
    shelf.move(store, [first], "Council")
    shelf.keep_alike(store, second, first)
    assert shelf.labels(store)[second] == shelf.labels(store)[first]
    store.cancel(first)
    store.delete_job(first)
    assert list(shelf.labels(store)) == [second]


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_tag_without_a_name_is_refused_in_one_sentence(
    store: Store, jobs: list[str], name: str
) -> None:
    with pytest.raises(InputError, match="1 to 60 characters"):
        shelf.tag(store, jobs, name)
    assert not shelf.labels(store)
