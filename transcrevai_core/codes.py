"""States, notes and causes as codes, with their words: what is kept and compared is the code.

`Stage.WAITING_FOR_MEMORY(cause=...)` makes a message (see `messages`). The first string of a
member is kept in libraries and must not change; its second, the template, may.
"""

from transcrevai_core.i18n import mark
from transcrevai_core.messages import Code, Message


class Stage(Code):
    """What a job, or work in the background, is doing now."""

    READING = "reading", mark("reading the recording")
    DOWNLOADING_MODEL = "downloading_model", mark("downloading the model")
    LOADING_MODEL = "loading_model", mark("loading the model")
    TRANSCRIBING = "transcribing", mark("transcribing")
    DIARIZING = "diarizing", mark("telling the speakers apart")
    WAITING_FOR_MEMORY = "waiting_for_memory", mark("waiting for memory: {cause:part}")
    WAITING_FOR_ROOM = (
        "waiting_for_room",
        mark(
            "waiting for memory: {needed:.0f} MB are needed and {free:.0f} MB are free on this "
            "computer"
        ),
    )
    WAITING_FOR_PROCESSOR = "waiting_for_processor", mark("waiting for a processor")
    WAITING_FOR_JOB = (
        "waiting_for_job",
        mark("waiting for other work to give its memory back"),
    )
    WAITING_FOR_TURN = "waiting_for_turn", mark("waiting for its turn")
    WAITING_FOR_MODEL = (
        "waiting_for_model",
        mark("waiting for the model {model}: {reason:part}"),
    )
    STARTING = "starting", mark("starting")
    DOWNLOADING = "downloading", mark("downloading")
    CUTTING_CLIPS = "cutting_clips", mark("cutting clips")
    DECODING_CLIPS = "decoding_clips", mark("decoding with {model} in {kind}")
    FINDING_VOICES = "finding_voices", mark("finding the voices")
    COMPARING = "comparing", mark("comparing")
    LOADING_LIBROSA = (
        "loading_librosa",
        mark("loading librosa, which takes up to a minute the first time"),
    )
    MEASURING_SOUND = "measuring_sound", mark("measuring the sound")
    WRITING_REPORT = "writing_report", mark("writing the report")


WAITING = frozenset(
    {
        Stage.WAITING_FOR_MEMORY,
        Stage.WAITING_FOR_ROOM,
        Stage.WAITING_FOR_PROCESSOR,
        Stage.WAITING_FOR_JOB,
    }
)


class Note(Code):
    """What a reader of a transcript should know of how it was made."""

    DEMO = "demo", mark("The demo model understands synthesized demo speech only.")
    SOUND_GONE = "sound_gone", mark("The sound was deleted, because its days were over.")
    NO_SPEECH = "no_speech", mark("No speech was found in this recording.")
    DAMAGED = "damaged", mark("The recording is damaged after {seconds:.0f} s; it ends there.")
    CUT = (
        "cut",
        mark(
            "Only {read:,.0f} s of the {stated:,.0f} s that the file states could be read; the "
            "rest is missing."
        ),
    )
    CUT_NEAR = (
        "cut_near",
        mark(
            "Only {read:,.0f} s of the {stated:,.0f} s that the file states could be read; "
            "{missing:,.0f} s are missing near {at:,.0f} s or at the end, so that later times may "
            "be up to {missing:,.0f} s early."
        ),
    )
    BROKEN = (
        "broken",
        mark("The recording is damaged near {at:,.0f} s; times after that may be early."),
    )
    HOLE = (
        "hole",
        mark(
            "No sound could be read from {start:,.0f} s to {end:,.0f} s; silence stands in its "
            "place."
        ),
    )
    HOLES = (
        "holes",
        mark(
            "No sound could be read in {number:,.0f} stretches, {seconds:,.0f} s in all, the first "
            "of them from {start:,.0f} s to {end:,.0f} s; silence stands in their place."
        ),
    )
    TRACK = "track", mark("The file has {all} sound tracks; number {number} was taken.")
    OTHER_TRACKS = (
        "other_tracks",
        mark("Another of its {all} sound tracks may hold speech; the setting track takes it."),
    )
    NO_TRACK = "no_track", mark("None of its {all} sound tracks holds speech.")
    SILENT = "silent", mark("It is wholly silent: every sample is 0.")
    QUIET = (
        "quiet",
        mark(
            "It is almost silent, which may be why: its loudest moment lies at {peak:.0f} dB of "
            "full scale, where speech reaches -30 to 0; a louder copy would be right."
        ),
    )
    LOUD = (
        "loud",
        mark(
            "Its loudest moment lies at {peak:.0f} dB of full scale, so it is not too quiet; where "
            "someone does speak, a lower speech threshold finds more."
        ),
    )
    OPPOSED = (
        "opposed",
        mark(
            "Its channels cancel each other for {share:.0%} of the time; the leading one alone was "
            "heard then, and what is on others may be lost."
        ),
    )
    NO_SPEAKERS = "no_speakers", mark("Who spoke when could not be found: {reason:part}.")
    GAPS = "gaps", mark("In {seconds:.0f} s of speech no words were found: {times}")
    GAPS_LEFT = "gaps_left", mark("The gaps were not transcribed again: {reason}")
    DROPPED = (
        "dropped",
        mark("Segments dropped because they held no speech: {number:,.0f}."),
    )
    MODEL_CHOSEN = (
        "model_chosen",
        mark("The model {model} was chosen: the largest that fits the memory budget."),
    )
    LIGHTER_IN_PART = (
        "lighter_in_part",
        mark("Memory was short: part of the text was made with {change}."),
    )
    LIGHTER_FROM = (
        "lighter_from",
        mark("Memory was short: from {time} on, the text is made with {change}."),
    )
    NO_GPU = (
        "no_gpu",
        mark("No GPU that CUDA can use was found; the CPU is used instead."),
    )
    GPU_UNFIT = (
        "gpu_unfit",
        mark("The GPU cannot serve this model; the CPU is used instead."),
    )
    GPU_FAILED = (
        "gpu_failed",
        mark("The GPU gave up ({reason:part}); the CPU is used instead."),
    )
    TYPE_REFUSED = "type_refused", mark("{type} on {device} was refused: {reason:part}.")
    TYPE_PASSED_OVER = (
        "type_passed_over",
        mark(
            "{type} was passed over for {model}: a check found that only {share:.1%} of its words "
            "agree with float32's."
        ),
    )
    TYPE_USED_AS_ASKED = (
        "type_used_as_asked",
        mark(
            "{type} was used as asked for, although a check found that only {share:.1%} of its "
            "words agree with float32's."
        ),
    )


class Cause(Code):
    """Why memory is at its level, and what happened because of it."""

    MACHINE = "machine", mark("{share:.0%} of this computer's memory is in use")
    BUDGET = (
        "budget",
        mark("the program takes {taken:.0f} MB of its budget of {budget:.0f} MB"),
    )
    WORKER_ENDED = "worker_ended", mark("The {worker} worker was ended: {cause:part}")
    IDLE_WORKER_ENDED = "idle_worker_ended", mark("1 idle worker ended: {cause:part}")
    IDLE_WORKERS_ENDED = (
        "idle_workers_ended",
        mark("{number} idle workers ended: {cause:part}"),
    )
    CACHE_ENTRY_LEFT = "cache_entry_left", mark("1 entry left the cache: {cause:part}")
    CACHE_ENTRIES_LEFT = (
        "cache_entries_left",
        mark("{number} entries left the cache: {cause:part}"),
    )
    RESTART = "restart", mark("The {worker} worker starts again after {seconds:g} s")
    RESTART_LIGHTER = (
        "restart_lighter",
        mark("The {worker} worker starts again after {seconds:g} s, with {change}"),
    )
    LIMIT_RAISED = (
        "limit_raised",
        mark(
            "The {worker} worker needed more than its limit of {before:.0f} MB; there was room in "
            "the budget, and it may take {limit:.0f} MB"
        ),
    )
    JOB_RECOVERED = "job_recovered", mark("Recovered 1 job")
    JOBS_RECOVERED = "jobs_recovered", mark("Recovered {number} jobs")
    FREED = "freed", mark("{size:.0f} MB given back on request")
    SOUND_DELETED = (
        "sound_deleted",
        mark("Sound older than {days} days deleted: {number}"),
    )
    JOBS_DELETED = (
        "jobs_deleted",
        mark("Recordings older than {days} days deleted: {number}"),
    )


class WorkerName(Code):
    """What a worker is for; `Worker.name` is the code."""

    PREPARE = "prepare", mark("prepare")
    TRANSCRIPTION = "transcription", mark("transcription")
    DIARIZATION = "diarization", mark("diarization")
    DOWNLOAD = "download", mark("download")
    CHECK = "check", mark("check")
    SCORING = "scoring", mark("scoring")
    REPORT = "report", mark("report")
    LOOK = "look", mark("looking")
    LABORATORY = "laboratory", mark("laboratory")
    SWEEP = "sweep", mark("sweep")
    SOUND = "sound", mark("sound")
    ENVIRONMENT = "environment", mark("environment")


def worker_name(name: str) -> Message:
    """Return what a worker is called, for a sentence about it.

    >>> str(worker_name("transcription")), str(worker_name("speech"))
    ('transcription', 'speech')
    """
    known = next((member for member in WorkerName if member.value == name), None)
    return known() if known else Message(name)
