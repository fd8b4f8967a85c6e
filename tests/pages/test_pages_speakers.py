"""Speakers on the pages: what is shown of them, and what reaches the store."""

from pathlib import Path
from typing import Any

import pytest
from paging import begin, checked, fill_speakers, open_page, press, read, take_in, texts
from streamlit.testing.v1 import AppTest

from transcrevai_core import export
from transcrevai_core.codes import Stage
from transcrevai_core.components.transcript.speakers import LONGEST_NAME, check_name
from transcrevai_core.errors import InputError
from transcrevai_core.figures import timeline
from transcrevai_core.library import edits
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.types import Turn

A, B, C = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"


def chosen(app: AppTest, label: str) -> Any:
    return next(box for box in app.selectbox if box.label == label)


# -- what is shown -----------------------------------------------------------------------------


def test_speakers_are_named_and_counted(app: AppTest, store: Store) -> None:
    job = fill_speakers(store)
    edits.rename_speaker(store, job.id, A, "Ana *M*")
    open_page(app, "transcript.py", job=job.id)
    assert "**3 speakers**, fairly sure; it could be 2" in texts(app)
    for share in ("0:10 · 25%", "0:20 · 50%"):
        assert share in texts(app)
    look = timeline.colour(A)
    chip = f':color[**Ana \\*M\\***]{{foreground="{look.text}" background="{look.fill}"}}'
    assert any(element.value.startswith(chip) for element in app.markdown)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            {"speakers": 3, "margin": 0.9, "runner_up": 2, "by": "likeness"},
            ", quite sure; 2 would be possible",
        ),
        ({"speakers": 3, "margin": 0.1, "by": "likeness"}, ", a guess"),
        ({"speakers": 3, "margin": 1.0, "by": "given"}, ""),
        ({"speakers": 5, "margin": 0.9, "by": "likeness"}, ""),  # corrected since
        # kept by an older version
        ({"speakers": 3, "confidence": 0.9, "by": "likeness"}, ", quite sure"),
        ({}, ""),
    ],
)
def test_certainty_is_told_in_words(app: AppTest, store: Store, facts: Any, words: str) -> None:
    open_page(app, "transcript.py", job=fill_speakers(store, facts=facts).id)
    assert any(element.value == f"**3 speakers**{words}" for element in app.markdown)


def test_one_speaker_is_nobody_to_merge(app: AppTest, store: Store) -> None:
    open_page(app, "transcript.py", job=fill_speakers(store, "AA").id)
    assert "**1 speaker**" in texts(app)
    assert not [button for button in app.button if str(button.key).startswith("merge_")]


def test_growing_text_shows_who_speaks(app: AppTest, store: Store) -> None:
    job = fill_speakers(store, state="transcribing", stage=Stage.TRANSCRIBING)
    edits.rename_speaker(store, job.id, B, "Bia")
    app.query_params["job"] = job.id
    checked(app.run())
    (written,) = (e.value for e in app.markdown if "frase" in e.value)
    assert [line[:6] for line in written.split("  \n")].count(":color") == 3
    assert "**Bia**" in written


# -- what can be put right ---------------------------------------------------------------------


def test_renaming_is_asked_in_a_dialog_and_shown_everywhere(app: AppTest, store: Store) -> None:
    job = fill_speakers(store)
    open_page(app, "transcript.py", job=job.id)
    checked(app.button(key=f"rename_{B}").click().run())
    assert app.text_input(key=f"name_{job.id}_{B}").value == ""
    edits.rename_speaker(store, job.id, B, "Bia Lima")
    checked(app.run())
    assert "**Bia Lima**" in texts(app)


def test_names_of_other_recordings_are_offered(app: AppTest, store: Store) -> None:
    for names in (("Ana", "Bia"), ("Bia", "Caio")):
        other = fill_speakers(store)
        for label, name in zip((A, B), names, strict=True):
            edits.rename_speaker(store, other.id, label, name)
    job = fill_speakers(store)
    edits.rename_speaker(store, job.id, B, "Bia")
    open_page(app, "transcript.py", job=job.id)
    checked(app.button(key=f"rename_{B}").click().run())
    assert app.text_input(key=f"name_{job.id}_{B}").value == "Bia"
    known = [button.label for button in app.button if str(button.key).startswith("known_")]
    assert known == ["Ana", "Caio"]


@pytest.mark.parametrize("name", [" ana ", "speaker 3"])
def test_no_two_speakers_are_called_the_same(store: Store, name: str) -> None:
    job = fill_speakers(store)
    edits.rename_speaker(store, job.id, A, "Ana")
    transcript = store.transcript(job.id)
    with pytest.raises(InputError, match="merge the two"):
        check_name(transcript, B, name)
    assert check_name(transcript, A, " ana ") == "ana"  # the same speaker may be called so
    assert len(check_name(transcript, B, "x" * 500)) == LONGEST_NAME


def test_merging_is_asked_in_a_dialog_and_shown_everywhere(app: AppTest, store: Store) -> None:
    job = fill_speakers(store)
    open_page(app, "transcript.py", job=job.id)
    checked(app.button(key=f"merge_{C}").click().run())
    assert chosen(app, "Speaker 3 is really").options == ["Speaker 1", "Speaker 2"]
    edits.merge_speakers(store, job.id, C, B)
    checked(app.run())
    assert "**2 speakers**" in texts(app) and "0:30 · 75%" in texts(app)


# -- what lets a job go on ---------------------------------------------------------------------


def test_another_number_lets_the_job_go_on(app: AppTest, store: Store) -> None:
    job = fill_speakers(store)
    open_page(app, "transcript.py", job=job.id)
    chosen(app, "How many speak").set_value(2)
    app.number_input(key=f"find_{job.id}_speaker_threshold").set_value(0.4)
    press(app, "Find again")
    again = store.job(job.id)
    assert again.state == "queued"
    assert (again.options["speakers"], again.options["speaker_threshold"]) == (2, 0.4)
    assert again.options["model"] == "small"
    checked(app.run())
    assert "the text stays" in app.info[0].value and read(app)
    assert "Find again" not in [button.label for button in app.button]
    # it comes back by itself
    store.save_diarization(job.id, [Turn(0, 40, A)], {"speakers": 1, "by": "given"})
    store.update_job(job.id, state="done")
    checked(app.run())
    assert not app.info and "**1 speaker**" in texts(app)


def test_automatic_forgets_a_number(
    app: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCREVAI_SPEAKERS", "4")
    job = fill_speakers(store)
    open_page(app, "transcript.py", job=job.id)
    assert chosen(app, "How many speak").value is None  # of this job, not of new ones
    press(app, "Find again")
    assert store.job(job.id).options["speakers"] is None


def test_a_transcript_without_speakers_offers_to_find_them(app: AppTest, store: Store) -> None:
    job = fill_speakers(store, "---")
    open_page(app, "transcript.py", job=job.id)
    assert read(app) and "speaker" not in texts(app)
    press(app, "Find")
    assert store.job(job.id).state == "queued" and store.job(job.id).options["diarize"]


def test_speakers_without_text_are_shown_played_and_can_be_transcribed(
    app: AppTest, store: Store
) -> None:
    job = fill_speakers(store, text=False, model="", language=None)
    open_page(app, "transcript.py", job=job.id)
    assert "**3 speakers**" in texts(app) and "There is no text yet" in texts(app)
    assert "unknown" not in texts(app) and read(app)
    model = app.selectbox(key=f"text_{job.id}_model")
    assert not [label for label in model.options if "no text" in label]
    model.set_value("base")
    press(app, "Transcribe")
    again = store.job(job.id)
    assert again.state == "queued" and again.options["model"] == "base"
    assert len(store.transcript(job.id).turns) == 4


def test_speakers_are_shown_where_the_model_could_not_be_had(app: AppTest, store: Store) -> None:
    job = fill_speakers(
        store, text=False, state="failed", error=Message("There is no network."), model=""
    )
    app.query_params["job"] = job.id
    checked(app.run())
    press(app, "See what is finished")
    assert app.title[0].value == "Reunião" and "**3 speakers**" in texts(app)
    assert "not complete" in app.info[0].value and "There is no text yet" in texts(app)


def test_a_wrong_voice_model_leaves_the_text_and_the_way_back(app: AppTest, store: Store) -> None:
    job = fill_speakers(store, state="failed", error=Message("embedding is 'x'."))
    open_page(app, "transcript.py", job=job.id)
    assert "The text is whole" in app.info[0].value and "embedding is" in app.info[0].value
    press(app, "Find again")
    assert store.job(job.id).state == "queued"


def test_only_who_speaks_when_is_a_choice(
    app: AppTest, store: Store, short_recording: Path
) -> None:
    checked(app.run())
    model = app.selectbox(key="new_model")
    assert "Only who speaks when (no text)" in model.options
    model.set_value("none")
    app.number_input(key="new_speakers").set_value(3)
    checked(app.run())
    assert app.number_input(key="new_min_speakers").disabled
    assert app.toggle(key="new_diarize").disabled and app.toggle(key="new_diarize").value
    take_in(app, short_recording)
    assert app.button(key="begin").label == "Find who speaks when"
    begin(app)
    (job,) = store.jobs()
    assert (job.options["model"], job.options["speakers"], job.options["diarize"]) == (
        "none", 3, True,
    )  # fmt: skip


def test_a_range_the_wrong_way_round_is_told(
    app: AppTest, store: Store, short_recording: Path
) -> None:
    checked(app.run())
    app.number_input(key="new_min_speakers").set_value(5)
    app.number_input(key="new_max_speakers").set_value(2)
    take_in(app, short_recording)
    assert "max" in app.error[0].value and not store.jobs()
    assert app.button(key="begin").disabled


def test_every_format_is_written_with_speakers(store: Store) -> None:
    job = fill_speakers(store)
    edits.rename_speaker(store, job.id, A, "Ana")
    for name in export.FORMATS:
        assert export.write(store.transcript(job.id), name)
