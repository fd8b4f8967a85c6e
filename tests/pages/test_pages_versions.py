"""Versions on the page of a transcript."""

from paging import checked, fill_speakers, open_page, press, texts
from streamlit.testing.v1 import AppTest

from transcrevai_core.library import edits
from transcrevai_core.library.store import Store


def test_a_version_is_kept_checked_and_brought_back(app: AppTest, store: Store) -> None:
    job = fill_speakers(store)
    first = store.segments(job.id)[0]
    open_page(app, "transcript.py", job=job.id)
    assert "Checked by" not in texts(app)
    next(c for c in app.checkbox if "against the sound" in c.label).check()
    press(app, "Keep this version")
    assert "your name would be right" in app.error[0].value
    next(t for t in app.text_input if t.label == "Your name").set_value("Ana *Lima*")
    next(c for c in app.checkbox if "against the sound" in c.label).check()
    press(app, "Keep this version")
    assert "Checked by Ana *Lima* on " in texts(app).replace("\\", "")
    assert "changed since" not in texts(app)
    edits.edit_text(store, first.id or 0, "Outra coisa.")
    checked(app.run())
    assert "changed since" in texts(app)
    press(app, "Bring back")
    assert store.segments(job.id)[0].final_text == first.final_text
    press(app, "Delete this version")
    assert "Checked by" in texts(app)  # it is asked for first
    press(app, "Delete for good?")
    assert "Checked by" not in texts(app)
