"""`transcrevai tune`: other settings on a recording's voices, one or many, and what they change."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from transcrevai_core.cli import flags, left_out
from transcrevai_core.cli.screen import draw, err, follow, open_library, print_error
from transcrevai_core.errors import Cancelled, InputError, refusal
from transcrevai_core.jobs import direct, planning
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library.rows import fingerprint
from transcrevai_core.library.store import Store
from transcrevai_core.messages import load
from transcrevai_core.models.catalogue import NONE
from transcrevai_core.settings import Settings
from transcrevai_core.transcript.certainty import certainty
from transcrevai_core.tuning import laboratory, parameters, profiles, sweep_run, sweeps, tasks
from transcrevai_core.tuning.laboratory import Laboratory
from transcrevai_core.tuning.parameters import Values
from transcrevai_core.tuning.sweeps import Reference, Sweep
from transcrevai_core.types import Job
from transcrevai_core.workers.background import Task

_SHOWN = 10  # settings of a sweep
_ERRORS = ("der", "missed", "false_alarm", "confusion", "jer")


def tune(
    recordings: Annotated[
        list[str], typer.Argument(help="id of a job, or a file", metavar="JOB|FILE...")
    ],
    speakers: flags.Speakers = None,
    min_speakers: flags.MinSpeakers = None,
    max_speakers: flags.MaxSpeakers = None,
    embedding: flags.Embedding = None,
    overlap: flags.Overlap = None,
    clustering: flags.Clustering = None,
    counting: flags.Counting = None,
    speaker_threshold: flags.SpeakerThreshold = None,
    min_speaker_share: flags.MinSpeakerShare = None,
    window_seconds: flags.WindowSeconds = None,
    hop_seconds: flags.HopSeconds = None,
    resegment_rounds: flags.ResegmentRounds = None,
    min_turn_seconds: flags.MinTurnSeconds = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option("--sweep", help="NAME=FIRST:LAST:STEP or NAME=VALUE,VALUE; may be repeated"),
    ] = None,
    random: Annotated[
        int | None,
        typer.Option(
            "--random",
            min=1,
            max=parameters.MOST_POINTS,
            help="try so many points of the sweep, or of a usual one",
        ),
    ] = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", "-r", help="RTTM that is right")
    ] = None,
    collar: Annotated[
        float,
        typer.Option("--collar", min=0.0, help="seconds on each side of a boundary, not scored"),
    ] = 0.0,
    leave_one_out: Annotated[
        bool,
        typer.Option(
            "--leave_one_out",
            help="judge on each of several JOBs what the others choose, by the same sweep of each",
        ),
    ] = False,
    source: Annotated[
        Path | None, typer.Option("--from", help="take the settings of an exported result")
    ] = None,
    save_profile: Annotated[
        str | None, typer.Option("--save_profile", help="keep the (best) settings under a name")
    ] = None,
    as_json: flags.AsJson = False,
) -> None:
    """Try settings on the voices of JOB or FILE; nothing in the library changes.

    With --leave_one_out there may be several, each of which has had the same sweep.

    With --json the result is printed as the page Tuning exports it; --from takes it back. A sweep
    that was interrupted goes on with the same command.
    """
    given = dict(locals())
    asked = {n: given[n] for n in parameters.NAMES if given.get(n) is not None}
    more = asked or sweep or random or reference or collar or source or save_profile
    if leave_one_out and more:
        raise InputError("--leave_one_out takes sweeps as they are, and goes with --json alone.")
    if len(recordings) > 1 and not leave_one_out:
        raise InputError("Several recordings are for --leave_one_out; one would be right.")
    settings, store = open_library()
    if save_profile:
        profiles.check_name(store, save_profile)  # before the work, not after it
    job, *others = (_job(store, settings, recording) for recording in recordings)
    if leave_one_out:
        left_out.show(store, [job.id, *(other.id for other in others)], as_json)
        return
    exported = parameters.read_export(source) if source else None
    own = exported["parameters"] if exported else parameters.job_settings(job)
    values = parameters.checked({**own, **asked})
    if exported and exported["recording"]["digest"] != job.digest:
        err.print("The exported result is of another sound; its turns will differ.", style="yellow")
    if exported and exported["model"] != parameters.model_of(values):
        err.print("The exported result is of other voices; its turns may differ.", style="yellow")
    lab, right = laboratory.for_store(store), _reference(store, job, reference)
    if sweep or random:
        if right is None:
            raise InputError("A sweep needs --reference, an RTTM file that says who really speaks.")
        result = _sweep(lab, job, values, _grid(sweep), random, right.text, collar)
    else:
        result = _single(lab, job, values, right, collar)
    if as_json:
        print(json.dumps(result, ensure_ascii=False, indent=2))
    if save_profile:
        score = result["score"] or {}
        told = {"digest": job.digest, "title": job.title,
                **{n: score[n] for n in ("der", "collar") if n in score}}  # fmt: skip
        if "sweep" in result:
            told["reference"] = result["sweep"]["reference"]
        kept = profiles.save(store, save_profile, result["parameters"], told)
        err.print(f"saved the profile {kept.name}", soft_wrap=True)


def _job(store: Store, settings: Settings, recording: str) -> Job:
    """Return the job that is meant, or one for the file, whose speakers are found first."""
    path = Path(recording).expanduser()
    if not path.is_file():
        if path.suffix or path.parent != Path():
            raise InputError(
                "There is no file {path}; a recording, or a job's id, would be right.", path=path
            )
        job = store.find(recording)
        if not store.wav(job.id).is_file():
            raise InputError(
                "The sound of {title} is gone; its file would be right.", title=job.title
            )
        return job
    path = path.absolute()
    for job in store.jobs(["done"]):
        same = (job.source, job.fingerprint) == (path, fingerprint(path))
        if same and store.wav(job.id).is_file():
            return job
    options = settings.job_options({"model": NONE, "diarize": True})
    planning.plan_for(store, settings, options)
    with Governor(store, settings) as governor:
        planning.check_recording(path, settings)
        job = direct.open_job(store, path, options)
        follow(governor, job)
    return store.job(job.id)


def _grid(texts: list[str] | None) -> dict[str, list[Any]]:
    if texts:
        return parameters.parse_grid(texts)
    return {name: list(values) for name, values in parameters.USUAL_GRID.items()}


def _reference(store: Store, job: Job, path: Path | None) -> Reference | None:
    """Return the reference that is given, else the one that is kept with the job, if any."""
    if path is None:
        return sweeps.kept_reference(store, job.id)
    try:
        return sweeps.read_reference(job, str(path), path.read_bytes())
    except OSError as error:
        raise InputError(
            "{path} cannot be read ({reason}).", path=path, reason=refusal(error)
        ) from None


def _single(
    lab: Laboratory, job: Job, values: Values, reference: Reference | None, collar: float
) -> dict[str, Any]:
    """Try one choice of settings, and say what comes of it."""
    for name, reason in parameters.idle(values).items():
        if values[name] != parameters.checked({})[name]:
            err.print(f"{name} has no effect: {reason}.", style="yellow", soft_wrap=True)
    trial = lab.trial(job, values)
    if trial is None:
        task = lab.find_voices(job, values)
        try:
            draw(job.title, task.is_alive, lambda: ("finding the voices", task.share))
        except KeyboardInterrupt:
            task.cancel()
            task.join()
            raise typer.Exit(130) from None
        if task.error:
            raise InputError.of(task.error)
        trial = task.result()
    found = lab.run(job, tasks.diarize, trial)
    score = None
    if reference is not None:
        score = lab.run(job, tasks.score, trial, reference.text, collar)
    lab.stop()
    number = len({turn.speaker for turn in parameters.turns_of(found)})
    said = f"{job.title}: {number} speaker{'s' if number != 1 else ''}"
    if sure := certainty(found["facts"], number):
        said += f" ({sure})"
    why = load(found["facts"]["why"])
    err.print(f"{said}, {why}; {len(found['turns'])} turns", soft_wrap=True)
    if score:
        parts = ", ".join(f"{name} {100 * score[name]:.2f}" for name in _ERRORS)
        against = f", against {reference.name}" if reference and reference.name else ""
        told = f"(percent, collar {collar:g} s on each side{against})"
        err.print(f"{parts} {told}", soft_wrap=True, highlight=False)
    return parameters.export(job, values, found, score)


def _sweep(
    lab: Laboratory,
    job: Job,
    values: Values,
    grid: dict[str, list[Any]],
    number: int | None,
    reference: str,
    collar: float,
) -> dict[str, Any]:
    """Try many settings, show the best, and return all."""
    store, settings = lab.store, lab.settings
    plan = sweeps.plan(values, grid, reference, collar=collar, number=number)
    _say_fixed(values, grid)
    last = sweeps.latest(store, job.id)
    sweep_id = ""
    if last and not last.is_running and dict(last.plan) == plan:
        sweep_id = last.id if len(last.ranked()) < len(plan["points"]) else ""
    sweep_id = sweep_id or sweeps.create(store, job, plan)
    run = Task(lambda task: sweep_run.run(store, settings, sweep_id))
    try:
        draw(job.title, run.is_alive, lambda: _progress(sweeps.find(store, sweep_id, plan)))
        swept: Sweep = run.result()
    except (KeyboardInterrupt, Cancelled):
        sweeps.cancel(store, sweep_id)
        run.join()
        print_error("The sweep was interrupted; the same command again goes on from there.")
        raise typer.Exit(130) from None
    _show(swept)
    return sweeps.as_dict(job, swept)


def _say_fixed(values: Values, grid: dict[str, list[Any]]) -> None:
    """Say what stays as it is while a grid is varied, and what that leaves without effect."""
    if fixed := parameters.fixed(values, grid):
        named = ", ".join(f"{name}={value}" for name, value in fixed.items())
        err.print(f"fixed, and not as by default: {named}", soft_wrap=True, markup=False)
    for name, reason in parameters.without_effect(values, grid).items():
        said = f"{name} has no effect: {reason}"
        if values["speakers"] is not None:
            said += f", {values['speakers']}; with --sweep speakers=auto it would be found"
        err.print(f"{said}.", style="yellow", soft_wrap=True, markup=False)


def _progress(sweep: Sweep) -> tuple[str, float]:
    return "trying settings", sweep.share


def _show(sweep: Sweep) -> None:
    names = list(sweep.plan["grid"])
    table = Table(*names, "DER", "missed", "alarm", "confusion", "JER", "speakers")
    for column in table.columns:
        column.overflow = "fold"  # what is cut off cannot be read
    for lab in sweep.ranked()[:_SHOWN]:
        point, result = sweep.plan["points"][lab], sweep.results[lab]
        own = ["auto" if point[name] is None else str(point[name]) for name in names]
        errors = [f"{100 * result[name]:.2f}" for name in _ERRORS]
        count = f"{result['speakers']} of {result['speakers_reference']}"
        table.add_row(*own, *errors, count)
    err.print(table)
    if sweep.tied > 1:
        all_of = len(sweep.ranked())
        err.print(f"{sweep.tied} of the {all_of} settings come to the same, least DER")
    err.print(f"Beware: {sweeps.NOTE}.", soft_wrap=True)
    failed = [result["error"] for result in sweep.results.values() if "error" in result]
    if failed:
        print_error(f"{len(failed)} settings failed; the first said: {failed[0]}")
