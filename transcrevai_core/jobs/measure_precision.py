"""INT8 held against float32: the same clips by both, each in a worker of its own."""

import dataclasses
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transcrevai_core.codes import Stage
from transcrevai_core.errors import Cancelled, InputError, ModelError, StorageError, reason, refusal
from transcrevai_core.evaluation import scoring
from transcrevai_core.evaluation.normalisation import normalise
from transcrevai_core.jobs import tasks
from transcrevai_core.jobs.governor import RUNNING, Governor
from transcrevai_core.jobs.models import model_spec
from transcrevai_core.library import precision
from transcrevai_core.library.precision import EXACT, Check, Measure, Recording
from transcrevai_core.library.store import Store
from transcrevai_core.memory import readings
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.memory.plan import HEADROOM, Plan, need_of, plan_job
from transcrevai_core.memory.readings import MB
from transcrevai_core.messages import Message
from transcrevai_core.models.catalogue import locate
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import Settings
from transcrevai_core.types import Chunk
from transcrevai_core.workers.worker import Worker

TYPES = ("int8", EXACT)
LEAST_WORDS = 50  # in all clips: of fewer, a single word would turn a type off
CLIP_SECONDS = 15.0  # the longest clip; short ones begin anew more often, so that more can differ

OnProgress = Callable[[Message, float], None]


@dataclass(frozen=True, slots=True)
class _Clips:
    """What was cut from a recording: its 16 kHz sound, and where its speech is."""

    recording: Recording
    wav: Path
    chunks: list[Chunk]


@dataclass(frozen=True, slots=True)
class _Decoded:
    """What a compute type made of the clips: a text for each recording, and what it took."""

    runs_as: str
    texts: list[str]
    peak_bytes: int
    rtf: float


@contextmanager
def running_governor(store: Store, settings: Settings) -> Iterator[Governor]:
    """Give this process's governor over a library, else one for the time being."""
    for governor in list(RUNNING):
        if governor.store.home == store.home and not governor.ending:
            yield governor
            return
    with Governor(store, settings) as governor:
        yield governor


def check_model(
    governor: Governor,
    name: str,
    recordings: Sequence[Recording],
    *,
    on_progress: OnProgress = lambda stage, done: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Check:
    """Decode the same clips in INT8 and in float32, keep what came of it, and return it.

    `on_progress` receives the stage and the share done (0 to 1). Raises InputError for a model
    that is not here, or whose float32 can never fit the budget, and for clips with too little
    speech; Cancelled where `should_stop` turns true.
    """
    folder = locate(name)
    if folder is None:
        raise InputError(
            "The model {name} is not on this computer; one that transcrevai models list names "
            "would be right, once transcrevai models pull has fetched it.",
            name=name,
        )
    options = governor.settings.job_options(
        {"model": name, "compute_type": EXACT, "diarize": False, "task": "transcribe"}
    )
    plan = _plan(governor, options)
    key = uuid.uuid4().hex
    try:
        while stage := governor.admit(key, plan):
            on_progress(stage, 0.0)
            if should_stop():
                raise Cancelled("The check was cancelled.")
            time.sleep(0.5)
        with tempfile.TemporaryDirectory(
            prefix="transcrevai-", ignore_cleanup_errors=True
        ) as scratch:
            clips = _cut_clips(governor, key, recordings, Path(scratch), on_progress, should_stop)
            measures = _decode_both(governor, key, plan, options, clips, on_progress, should_stop)
    except OSError as error:
        raise StorageError("The disk refused ({reason}).", reason=refusal(error)) from error
    except RuntimeError as error:  # of CTranslate2: a GPU that has too little memory, say
        raise ModelError(
            "{name} failed at its work ({reason:part}).", name=name, reason=reason(error)
        ) from error
    finally:
        governor.release(key)
    counts: dict[str, int] = {}
    for part in clips:
        title = part.recording.title or part.recording.path.name
        counts[title] = counts.get(title, 0) + len(part.chunks)
    check = precision.new_check(options.model, counts, folder, measures)
    precision.save(governor.store.database, check, folder)
    return check


def _plan(governor: Governor, options: JobOptions) -> Plan:
    """Plan the heavier of the two; raises InputError where it can never fit."""
    limits, cores = governor.limits, readings.work_cores(governor.settings.work_cores)
    plan = plan_job(options, None, limits, cores, governor.journal.correction)
    if plan.total_bytes > limits.plan_bytes:
        least = plan.total_bytes * limits.budget_bytes / limits.plan_bytes
        raise InputError(
            "{model} in float32 needs about {needed:.0f} MB with the rest of the program, and "
            "{planned:.0f} MB of the memory budget can be planned, so INT8 cannot be held "
            "against it; a budget of {least:.0f} MB or a smaller model would be right.",
            model=options.model,
            needed=plan.total_bytes / MB,
            planned=limits.plan_bytes / MB,
            least=-(-least // (10 * MB)) * 10,
        )
    return plan


def _cut_clips(
    governor: Governor,
    key: str,
    recordings: Sequence[Recording],
    scratch: Path,
    on_progress: OnProgress,
    should_stop: Callable[[], bool],
) -> list[_Clips]:
    """Decode the recordings, and cut them where there is silence."""
    settings, found = governor.settings, []
    worker = governor.worker("prepare", "", settings.prepare_limit_mb * MB, room=key)
    try:
        for number, recording in enumerate(recordings):
            on_progress(Stage.CUTTING_CLIPS(), 0.0)
            if not recording.path.is_file():
                raise InputError(
                    "There is no file {path}; a recording would be right.", path=recording.path
                )
            folder = scratch / str(number)
            folder.mkdir()
            _, chunks = worker.call(
                tasks.prepare, recording.path, folder / "audio.wav", settings.vad_threshold,
                CLIP_SECONDS, should_stop=should_stop,
            )  # fmt: skip
            found.append(_Clips(recording, folder / "audio.wav", chunks))
    finally:
        worker.stop()
    found = [part for part in found if part.chunks]
    if not found:
        raise InputError("No speech was found in the clips; recordings with speech would be right.")
    return found


def _decode_both(
    governor: Governor,
    key: str,
    plan: Plan,
    options: JobOptions,
    clips: list[_Clips],
    on_progress: OnProgress,
    should_stop: Callable[[], bool],
) -> list[Measure]:
    """Decode the clips by each type, one after the other, and hold the texts side by side."""
    decoded: list[_Decoded] = []
    languages: dict[Path, str | None] = {part.wav: part.recording.language for part in clips}
    for number, kind in enumerate(TYPES):
        shape = dataclasses.replace(plan.shape, compute_type=kind)
        limit = round(need_of(shape, governor.journal.correction).bytes / HEADROOM)
        worker = governor.worker("check", "", limit, room=key)

        def report(done: float, number: int = number, kind: str = kind) -> None:
            stage = Stage.DECODING_CLIPS(model=options.model, kind=kind)
            on_progress(stage, (number + done) / len(TYPES))

        try:
            decoded.append(
                _decode_clips(worker, shape, options, clips, languages, report, should_stop)
            )
            if kind == EXACT:
                exact = decoded[-1].texts
                if (said := sum(len(normalise(text).split()) for text in exact)) < LEAST_WORDS:
                    raise InputError(
                        "Too little is said in the clips ({number} words) to tell how far "
                        "INT8 agrees; clips with {least} words or more would be right.",
                        number=said,
                        least=LEAST_WORDS,
                    )
                agreements = [
                    worker.call(scoring.error_rate, list(zip(exact, one.texts, strict=True)))
                    for one in decoded
                ]
                wers = [_wer(worker, clips, one.texts) for one in decoded]
        finally:
            worker.stop()
    return [
        Measure(kind, one.runs_as, max(0.0, 1 - difference), wer, one.peak_bytes, one.rtf)
        for kind, one, difference, wer in zip(TYPES, decoded, agreements, wers, strict=True)
    ]


def _decode_clips(
    worker: Worker,
    shape: Shape,
    options: JobOptions,
    clips: list[_Clips],
    languages: dict[Path, str | None],
    on_share: Callable[[float], None],
    should_stop: Callable[[], bool],
) -> _Decoded:
    """Decode the clips by one type; languages that are not known yet are detected, for both."""
    on_share(0.0)
    spec = model_spec(shape, options.device)
    report = worker.call(tasks.load_model, spec, (), "transcribe", should_stop=should_stop)
    if not report.compute_type.startswith(shape.compute_type):
        raise ModelError(
            "{model} cannot work in {kind} here, it runs in {other}; there is nothing to hold "
            "against each other.",
            model=shape.model,
            kind=shape.compute_type,
            other=report.compute_type,
        )
    spoken: list[str] = []
    done, seconds, sound, number = 0, 0.0, 0.0, sum(len(part.chunks) for part in clips)
    for part in clips:
        if languages[part.wav] is None:
            languages[part.wav], _ = worker.call(
                tasks.detect_language, spec, part.wav, part.chunks, should_stop=should_stop
            )
        worker.call(tasks.load_model, spec, [languages[part.wav]], "transcribe")  # can it?
        said = []
        for chunk in part.chunks:
            begun = time.monotonic()
            segments, _ = worker.call(
                tasks.decode, spec, part.wav, chunk,
                _decoding(options, languages[part.wav]), CLIP_SECONDS, should_stop=should_stop,
            )  # fmt: skip
            seconds += time.monotonic() - begun
            sound += chunk.end - chunk.start
            said += [segment.text for segment in segments]
            done += 1
            on_share(done / number)
        spoken.append("\n".join(said))
    return _Decoded(report.compute_type, spoken, worker.read_peak(), seconds / sound)


def _decoding(options: JobOptions, language: str | None) -> dict[str, Any]:
    """Return options of `tasks.decode` that differ by nothing but the language."""
    return {
        "language": language,
        "languages": (language,),
        "task": "transcribe",
        "beam_size": options.beam_size,
    }


def _wer(worker: Worker, clips: list[_Clips], texts: list[str]) -> float | None:
    known = [
        (part.recording.reference, text)
        for part, text in zip(clips, texts, strict=True)
        if part.recording.reference is not None
    ]
    return worker.call(scoring.error_rate, known) if known else None
