"""Settings that some recordings chose, judged on another one, from sweeps that are done.

The best of a sweep is measured on the reference that chose it, which flatters it. What the same
choice comes to on a recording that had no say in it tells more of a new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transcrevai_core.errors import InputError
from transcrevai_core.library.store import Store
from transcrevai_core.tuning.sweeps import Sweep, latest

_SHARED = ("grid", "points", "collar", "base")  # parts of a plan that have to be the same


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A recording (`job`) that was left out: the point of the plan that was best on the others.

    `der` is what that point comes to on it, `best` the least DER that any point has there.
    """

    job: str
    place: int
    der: float
    best: float


def leave_one_out(sweeps: Sequence[Sweep]) -> list[LeftOut]:
    """Return for each sweep, of as many recordings, what the choice of the others comes to on it.

    The least mean of the DERs chooses, and the first point of equal ones. Points that failed in any
    sweep are left out. Raises InputError where the sweeps cannot be put together.
    """
    if len(sweeps) < 2:
        raise InputError("To leave one out takes sweeps of two recordings or more.")
    for name in _SHARED:
        if any(sweep.plan[name] != sweeps[0].plan[name] for sweep in sweeps):
            raise InputError(
                "These sweeps differ in their {name}; the same sweep of each recording would be "
                "right.",
                name=name,
            )
    places = sorted(set.intersection(*(set(sweep.ranked()) for sweep in sweeps)))
    if not places:
        raise InputError("No setting was scored on each of these recordings.")
    found = []
    for sweep in sweeps:
        others = [other for other in sweeps if other is not sweep]
        place = min(places, key=lambda n: round(sum(o.results[n]["der"] for o in others), 9))
        rates = {n: sweep.results[n]["der"] for n in places}
        found.append(LeftOut(sweep.job, place, rates[place], min(rates.values())))
    return found


def of_jobs(store: Store, job_ids: Sequence[str]) -> list[Sweep]:
    """Return the last sweep of each job, done; raises InputError where one has none.

    It raises too where two of the jobs have the same sound: one would not be left out.
    """
    found, digests = [], dict[str, str]()
    for job_id in job_ids:
        job, sweep = store.job(job_id), latest(store, job_id)
        if sweep is None or sweep.state != "done":
            raise InputError("{title} has no sweep that is done.", title=job.title)
        if same := digests.get(job.digest):
            raise InputError("{title} and {other} are one recording.", title=job.title, other=same)
        digests[job.digest] = job.title
        found.append(sweep)
    return found


def comparable(store: Store, sweep: Sweep) -> list[Sweep]:
    """Return a sweep, and those of other recordings that tried the same, the oldest first."""
    query = (
        "SELECT sweeps.job, jobs.digest FROM sweeps JOIN jobs ON jobs.id = sweeps.job "
        "WHERE sweeps.state = 'done' AND json_extract(plan, '$.collar') = ? "
        "AND json_extract(plan, '$.grid') = (SELECT json_extract(plan, '$.grid') FROM sweeps "
        "WHERE id = ?) ORDER BY sweeps.created"
    )
    with store.database.read() as db:
        rows = db.execute(query, (sweep.plan["collar"], sweep.id)).fetchall()
    found, heard = [sweep], {store.job(sweep.job).digest}
    for row in rows:
        other = latest(store, row["job"]) if row["digest"] not in heard else None
        if other and all(other.plan[name] == sweep.plan[name] for name in _SHARED):
            heard.add(row["digest"])
            found.append(other)
    return found


def as_dict(store: Store, sweeps: Sequence[Sweep]) -> dict[str, Any]:
    """Return what leaving each recording out comes to, as the command line prints it."""
    found = leave_one_out(sweeps)
    return {
        "grid": sweeps[0].plan["grid"],
        "collar": sweeps[0].plan["collar"],
        "mean_der": mean(found),
        "recordings": [
            {
                "title": store.job(one.job).title,
                "digest": store.job(one.job).digest,
                "reference": sweep.reference_digest,
                "settings": sweep.plan["points"][one.place],
                "der": one.der,
                "best_der": one.best,
            }
            for one, sweep in zip(found, sweeps, strict=True)
        ],
    }


def mean(found: Sequence[LeftOut]) -> float:
    """Return the mean DER of the recordings that were left out, each of which counts once."""
    return sum(one.der for one in found) / len(found)
