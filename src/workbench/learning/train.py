"""Training of the shipped policies from nothing but seeds: `python -m workbench.learning.train FOLDER [NAME ...]`.

One seed, one thread and a new process give the same bits on the same machine and versions. Each seed's network is
kept in a file of its own while training runs; the ensemble of all of them is what is shipped, never the best.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import torch

from workbench.backtest import fixed_target
from workbench.errors import ParameterError
from workbench.learning import ship
from workbench.learning.brownian import brownian_scene, random_scene
from workbench.learning.learned_quadratic import Trained, Training, ensemble, train_learned_quadratic
from workbench.learning.pathwise import Scene

#: How many assets the problems have that one policy is trained on, one after the other.
SIZES = (3, 5, 2, 7, 4, 6, 8, 3, 10)
#: The day on the cards of the shipped set.
MADE_ON = date(2026, 11, 21)
MAKER = ship.MAKER
#: Trainings before the last one, by ensemble, and ways of putting the policy to work that were tried on test years.
PILOTS, SETTINGS_TRIED = 6, 9
#: Seeds of an ensemble.
SEEDS = tuple(range(10))


@dataclass(frozen=True)
class Course:
    """What a shipped ensemble is trained on: scenes by seed and step, validation scenes, the rule it starts from.

    `problems` are those its card is measured on; `trials` counts every training
    that was ever run for it, pilots too, and every setting that was tried on test years.
    """

    name: str
    horizon: float
    seeds: tuple[int, ...]
    problems: tuple[str, ...]
    trials: int
    training: Training
    scenes: Callable[[int, int], Scene]
    validation: Callable[[], tuple[Scene, ...]]

    def train(self, seed: int) -> Trained:
        """One member, on one thread."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return train_learned_quadratic(
                partial(self.scenes, seed), self.validation(), self.horizon, seed, self.training
            )
        finally:
            torch.set_num_threads(threads)


def problem_scene(problem: fixed_target.Problem, paths: int, looks: int, seed: Sequence[int]) -> Scene:
    """Antithetic paths of a reference problem; these draws are not those its figures are quoted on."""

    def many(values: Sequence[float]) -> np.ndarray:
        return np.tile(np.asarray(values, float), (paths, 1))

    return brownian_scene(
        many(problem.drift),
        np.tile(problem.covariance, (paths, 1, 1)),
        many(problem.target),
        np.full((paths, problem.assets), problem.cost),
        np.full(paths, problem.risk_aversion),
        looks,
        np.random.default_rng(seed),
    )


def _reference_course(name: str, horizon: float) -> Course:
    problem = fixed_target.PROBLEMS[name]
    return Course(
        f"reference_{name}",
        horizon,
        SEEDS,
        (name,),
        len(SEEDS) + PILOTS,
        Training(steps=100, rate=0.015, burn_in=12, check_every=50),
        lambda seed, step: problem_scene(problem, 160, 72, (1, seed, step)),
        lambda: (problem_scene(problem, 512, 96, (2,)),),
    )


def _any_problem_course() -> Course:
    """Problems drawn at random: any number of assets, covariance, target, cost and client."""
    return Course(
        "learned_quadratic",
        1.0,
        SEEDS,
        tuple(fixed_target.PROBLEMS),
        len(SEEDS) + PILOTS + SETTINGS_TRIED,
        Training(steps=120, rate=0.03, burn_in=36, check_every=60),
        lambda seed, step: random_scene(SIZES[step % len(SIZES)], 72, 132, np.random.default_rng((3, seed, step))),
        lambda: tuple(random_scene(m, 96, 96, np.random.default_rng((4, m))) for m in (3, 5)),
    )


def courses() -> dict[str, Course]:
    """Every shipped ensemble by name: one for any problem, and one for each of two reference problems."""
    made = (_any_problem_course(), _reference_course("n3_20", 0.85), _reference_course("n5_20", 0.9))
    return {course.name: course for course in made}


def train_members(course: Course, folder: Path, seeds: Sequence[int] = SEEDS) -> tuple[Trained, ...]:
    """Train every seed that has no file in `folder` yet, and read the rest, which are taken to be of the same course.

    Raises `ParameterError` for a file that is no member.
    """
    folder.mkdir(parents=True, exist_ok=True)
    members = []
    for seed in seeds:
        file = folder / f"{course.name}-{seed}.json"
        if not file.exists():
            one = course.train(seed)
            aside = file.with_suffix(".new")  # whole or not at all: a training may be stopped at any moment
            aside.write_text(json.dumps(asdict(one)))
            aside.replace(file)
            print(
                f"{course.name} seed {seed}: validation {one.checks[-1]:.4f} of the start, kept step {one.kept}",
                flush=True,
            )
        members.append(_read_member(file))
    return tuple(members)


def _read_member(file: Path) -> Trained:
    try:
        found = json.loads(file.read_text())
        return Trained(found["seed"], tuple(found["member"]), tuple(found["checks"]), found["kept"])
    except (ValueError, KeyError, TypeError) as error:
        raise ParameterError(f"{file}: not a trained member ({error}); remove it and train it again", "folder") from (
            error
        )


def make(course: Course, folder: Path, *, seeds: int | None = None, maker: str = MAKER, made_on: date = MADE_ON) -> str:
    """Train a course, judge its ensemble and write the draft to `folder / course.name`; returns its content hash.

    `seeds` takes that many from 0 on (None: the course's own); members are kept in `folder / "members"`. Raises
    `ParameterError` where the draft is there already, before anything is trained.
    """
    place = folder / course.name
    if place.exists():
        raise ParameterError(f"{place}: there already; a policy is never overwritten, name a new folder", "folder")
    chosen = course.seeds if seeds is None else tuple(range(seeds))
    members = train_members(course, folder / "members", chosen)
    policy = ensemble(members, course.horizon, course.training.hidden, course.name.replace("_", " "))
    return ship.write(policy, place, chosen, course.problems, made_on, course.trials, maker)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what was asked for into a folder."""
    parser = argparse.ArgumentParser(prog="python -m workbench.learning.train", description=__doc__)
    parser.add_argument("folder", type=Path, help="where members and ensembles are written")
    parser.add_argument("names", nargs="*", help=f"which ensembles (default: all of {', '.join(courses())})")
    parser.add_argument("--made-on", type=date.fromisoformat, default=MADE_ON, help="the day on the cards")
    asked = parser.parse_args(arguments)
    known = courses()
    for name in asked.names or known:
        if name not in known:
            parser.error(f"there is no ensemble {name!r}: take of {', '.join(known)}")
        print(f"{name}: content {make(known[name], asked.folder, made_on=asked.made_on)}", flush=True)


if __name__ == "__main__":
    main()
