"""What was said, as a stage of a job: load, detect the language, decode chunk by chunk."""

from collections.abc import Callable
from typing import Any, TypeVar

from transcrevai_core.codes import Note, Stage
from transcrevai_core.errors import WorkerDied, reason
from transcrevai_core.jobs import tasks
from transcrevai_core.jobs.attempt import RETRIES, Attempt
from transcrevai_core.jobs.models import model_spec
from transcrevai_core.library import coverage, precision
from transcrevai_core.memory import plan
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.messages import Message
from transcrevai_core.models.catalogue import AUTO, DEMO
from transcrevai_core.transcript.turns import clock
from transcrevai_core.types import Chunk
from transcrevai_core.workers.worker import Worker

T = TypeVar("T")

_PROMPT_CHARACTERS = 800  # of the text before; Whisper's prompt holds about 220 tokens
_PROMPT_SEGMENTS = 50  # in which that many characters are
_GAPS_NAMED = 10  # in a job's notes; the rest is where they are shown


class Transcription:
    """A model at work on a job's chunks, in the worker that keeps it.

    `shape` is how it works now: as planned, until memory or a dying worker make it lighter.
    """

    def __init__(self, attempt: Attempt, transcriber: Worker) -> None:
        self.attempt = attempt
        self.options = attempt.options
        self.transcriber = transcriber
        self.shape = attempt.plan.shape
        self.made: dict[Shape, None] = {}  # the shapes that chunks were made with
        self.again: set[int] = set()  # chunks that are gaps in what was decoded before
        self.stays_lighter = False  # what memory made lighter stays so for the rest of the job
        self.spec: tasks.ModelSpec  # which model does the work, from `ready` on

    def run(self, chunks: list[Chunk]) -> None:
        """Decode the chunks that are still to be decoded."""
        attempt, begun = self.attempt, self.attempt.clock.mine()
        self.transcriber.reset_peak()
        self.load()
        self.detect(chunks)
        left = attempt.store.chunks(attempt.job.id, unfinished=True)
        self.again = {chunk.index for chunk in coverage.split(chunks)[1]}
        attempt.update(stage=Stage.TRANSCRIBING(), progress=1 - len(left) / len(chunks))
        for chunk in left:
            if attempt.is_emergency:
                self.use_emergency_profile(chunk)
            self.decode(chunk)
        self.name_gaps()
        if len(self.made) == 1 and len(left) == len(chunks):  # else its time says nothing
            seconds = attempt.clock.mine() - begun
            attempt.keep_run("transcription", self.transcriber, seconds, self.need())
        elif self.made:
            attempt.keep_peak("transcription", self.transcriber, self.need())

    def name_gaps(self) -> None:
        """Say where speech was found that no words were found in."""
        self.attempt.forget(Note.GAPS)
        gaps = coverage.of_job(self.attempt.store, self.attempt.job.id).gaps
        if gaps:
            times = [f"{clock(gap.start)}-{clock(gap.end)}" for gap in gaps[:_GAPS_NAMED]]
            more = ["..."] if len(gaps) > _GAPS_NAMED else []
            seconds = sum(gap.seconds for gap in gaps)
            self.attempt.note(Note.GAPS(seconds=seconds, times=", ".join(times + more)))

    def need(self) -> plan.Need:
        """Return what the worker is to need, as it works now."""
        planned = self.attempt.plan
        if self.shape == planned.shape:
            return planned.needs["transcription"]
        return plan.need_of(self.shape, self.attempt.governor.journal.correction)

    def load(self) -> None:
        """Have the model in the worker, and write down what came of it."""
        attempt, name = self.attempt, self.shape.model
        attempt.update(state="transcribing", stage=Stage.LOADING_MODEL(), progress=0.0)
        usual = self.shape
        attempt.retry(self.transcriber, self.ready, self.lighten, self.need)
        self.restore(usual)
        if name == DEMO.name:
            attempt.note(Note.DEMO())
        if self.options.model == AUTO:
            attempt.note(Note.MODEL_CHOSEN(model=name))

    def ready(self, device: str | None = None) -> None:
        """Load the model in the worker and note where and how it runs."""
        options = self.options
        self.describe_model(device or options.device)
        report = self.attempt.call(
            self.transcriber, tasks.load_model, self.spec, options.languages, options.task
        )
        self.attempt.note(*report.notes)
        self.attempt.update(
            model=self.shape.model, device=report.device, compute_type=report.compute_type
        )

    def describe_model(self, device: str) -> None:
        """Say which model does the work from now on, and what is known to be wrong with it."""
        database, least = self.attempt.store.database, self.attempt.settings.agreement_percent
        known = precision.disagreeing(database, self.shape.model, least)
        self.spec = model_spec(self.shape, device, known)

    def detect(self, chunks: list[Chunk]) -> None:
        """Know the recording's language: as asked for, found earlier, or as the model detects."""
        attempt, languages = self.attempt, self.options.languages
        if len(languages) == 1:
            attempt.update(language=languages[0])
        elif attempt.job.language is None:
            language, probability = self.run_with_model(
                lambda: (tasks.detect_language, self.spec, attempt.wav, chunks, languages)
            )
            attempt.update(language=language, language_probability=probability)

    def decode(self, chunk: Chunk) -> None:
        """Decode a chunk and write it."""
        working, store, job_id = self.attempt.clock, self.attempt.store, self.attempt.job.id
        begun = working.mine()
        usual = self.shape

        def task() -> tuple[Any, ...]:
            store.begin_chunk(job_id, chunk.index)
            sound = (self.spec, self.attempt.wav, chunk)
            arguments = self.arguments(chunk)
            return tasks.decode, *sound, arguments, self.shape.chunk_seconds

        try:
            segments, dropped = self.run_with_model(task)
        except WorkerDied as death:
            raise WorkerDied(
                "{reason:part}; the stretch from {start} to {end} was tried {times} times, "
                "and what was done is kept.",
                death.cause,
                reason=death.message,
                start=clock(chunk.start),
                end=clock(chunk.end),
                times=RETRIES + 1,
            ) from None
        seconds = working.mine() - begun
        self.made[self.shape] = None
        store.save_chunk(job_id, chunk.index, segments, dropped=dropped, seconds=seconds)
        self.restore(usual)

    def restore(self, usual: Shape) -> None:
        """Work as before, where it was not memory that called for something lighter."""
        if self.shape != usual and not self.stays_lighter:
            self.shape = usual
            self.describe_model(self.spec.device)

    def lighten(self, death: WorkerDied) -> Message:
        """Go one step lighter, and say how."""
        before = self.shape
        self.shape = plan.lighter(before)
        self.stays_lighter = self.stays_lighter or death.cause == "memory"
        self.describe_model(self.spec.device)
        change = plan.differences(before, self.shape)
        if change and self.stays_lighter:
            self.attempt.note(Note.LIGHTER_IN_PART(change=change))
        return change

    def use_emergency_profile(self, chunk: Chunk) -> None:
        """Take the emergency profile for what remains."""
        before, used = self.shape, self.need()
        self.shape = plan.emergency(before)
        self.stays_lighter = True
        change = plan.differences(before, self.shape)
        if not change:
            return
        note = Note.LIGHTER_FROM(time=clock(chunk.start), change=change)
        self.attempt.note(note)
        self.attempt.governor.event("lighter", note, self.attempt.job.id)
        if self.made:  # a new process will not know it
            self.attempt.keep_peak("transcription", self.transcriber, used)
        self.transcriber.stop()  # only the end of a process gives all of its memory back
        self.attempt.retry(self.transcriber, self.ready, self.lighten, self.need)

    def run_with_model(self, task: Callable[[], tuple[Any, ...]]) -> Any:
        """Run a task, made anew for each try; where a GPU fails at it, go on with the CPU."""
        attempt, worker = self.attempt, self.transcriber

        def once() -> Any:
            try:
                return attempt.call(worker, *task())
            except RuntimeError as error:
                if attempt.job.device == "cpu":
                    raise
                # a GPU that loads a model may still lack the memory, or a library, to run it
                attempt.note(Note.GPU_FAILED(reason=reason(error)))
                self.ready("cpu")
                return attempt.call(worker, *task())

        return attempt.retry(worker, once, self.lighten, self.need)

    def arguments(self, chunk: Chunk) -> dict[str, Any]:
        """Return the options of `tasks.decode` for a chunk."""
        options, again = self.options, chunk.index in self.again
        onwards = options.condition_on_previous_text and not again  # a gap is not at the end
        # the last ones are enough: all of them, for every chunk, would cost more with each
        last = _PROMPT_SEGMENTS if onwards else 1
        done = self.attempt.store.segments(self.attempt.job.id, last=last)
        prompt = options.initial_prompt
        if onwards:
            written = " ".join(segment.text.strip() for segment in done)
            prompt = f"{prompt or ''} {written[-_PROMPT_CHARACTERS:]}".strip() or None
        spoken = [segment.language for segment in done if segment.language]
        return {
            "language": self.attempt.job.language if again or not spoken else spoken[-1],
            "languages": options.languages,
            "task": options.task,
            "beam_size": options.beam_size,
            "initial_prompt": prompt,
            "hotwords": options.hotwords,
            "eager": again,
        }
