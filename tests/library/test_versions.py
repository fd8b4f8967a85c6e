"""Versions of a transcript by name, and who has checked one."""

import pytest
from paging import fill_speakers

from transcrevai_core.errors import InputError
from transcrevai_core.library import cuts, edits, history, versions
from transcrevai_core.library.store import Store

A, B = "SPEAKER_00", "SPEAKER_01"


def test_a_version_is_brought_back_whole_and_that_can_be_undone(store: Store) -> None:
    job = fill_speakers(store)
    first = store.segments(job.id)[0]
    edits.edit_text(store, first.id or 0, "Como foi dito.")
    versions.save(store, job.id, " first draft ", "Ana")
    before = store.transcript(job.id)
    cuts.merge_segments(store, first.id or 0)
    edits.rename_speaker(store, job.id, A, "Bia")
    edits.merge_speakers(store, job.id, B, A)
    after = store.transcript(job.id)
    (kept,) = versions.versions(store, job.id)
    assert (kept.name, kept.author) == ("first draft", "Ana")
    assert kept.changed and not kept.checked
    change = versions.bring_back(store, job.id, kept.id)
    assert change.what == "version" and change.speakers
    assert store.transcript(job.id) == before
    history.undo(store, job.id)
    assert store.transcript(job.id) == after
    history.redo(store, job.id)
    assert store.transcript(job.id) == before


def test_a_check_says_who_and_whether_it_still_holds(store: Store) -> None:
    job = fill_speakers(store)
    with pytest.raises(InputError, match="your name"):
        versions.save(store, job.id, "", " ", checked=True)
    with pytest.raises(InputError, match="needs a name"):
        versions.save(store, job.id, "", "Ana")
    versions.save(store, job.id, "", "Ana", checked=True)
    assert not versions.versions(store, job.id)[0].changed
    edits.edit_text(store, store.segments(job.id)[0].id or 0, "Outra coisa.")
    assert versions.versions(store, job.id)[0].changed
    history.undo(store, job.id)
    assert not versions.versions(store, job.id)[0].changed


def test_a_version_that_is_gone_is_told(store: Store) -> None:
    job = fill_speakers(store)
    versions.save(store, job.id, "one", "")
    (kept,) = versions.versions(store, job.id)
    versions.remove(store, job.id, kept.id)
    with pytest.raises(InputError, match="gone"):
        versions.bring_back(store, job.id, kept.id)
    versions.save(store, job.id, "two", "")
    store.delete_job(job.id)
    assert not versions.versions(store, job.id)
