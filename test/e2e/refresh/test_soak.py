# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The soak's own arithmetic: what counts as growth, and that a seed replays a run. No server runs here."""

import dataclasses
import itertools
import sys

import pytest

from httpd import REPOSITORY

sys.path.append(str(REPOSITORY / "test" / "soak"))

import plan
import resources

FLAT = resources.Sample(**{name: 100000 if name.endswith("kb") else 20 for name in resources.ALLOWED})


def run(name: str, *values: int) -> list[resources.Sample]:
    return [dataclasses.replace(FLAT, **{name: value}) for value in values]


def test_every_resource_has_a_limit():
    assert set(resources.ALLOWED) == {field.name for field in dataclasses.fields(resources.Sample)} - {"names", "is_reloaded"}


@pytest.mark.parametrize("name", resources.ALLOWED)
def test_growth_is_found_and_a_flat_run_is_not(name):
    flat = getattr(FLAT, name)
    share, amount = resources.ALLOWED[name]
    allowed = int(max(share * flat, amount))
    assert not resources.problems([FLAT] * 60)
    assert not resources.problems(run(name, *[flat] * 20, *[flat + allowed] * 40))
    [found] = resources.problems(run(name, *[flat] * 20, *[flat + allowed + 1] * 40))
    assert found.startswith(f"{name} grows: ")
    assert not resources.problems(run(name, *[flat + allowed + 1] * 40, *[flat] * 20)), "it shrinks"


def test_a_leak_of_each_minute_is_found_from_six_minutes_on():
    """4 descriptors a minute in the parent; a child that has more for one minute is not a leak."""
    for minutes in (6, 7, 60):
        assert resources.problems(run("parent_descriptors", *(20 + 4 * n for n in range(minutes))))
    assert not resources.problems(run("parent_descriptors", *(20 + 4 * n for n in range(5)))), "too few samples"
    assert not resources.problems(run("child_descriptors", *[20] * 59, 90))


def test_a_parent_that_was_started_is_not_compared_with_one_that_was_reloaded():
    """Its first reload adds a descriptor, and no later one does."""
    started = [dataclasses.replace(FLAT, is_reloaded=False, parent_descriptors=10)]
    reloaded, leaky = run("parent_descriptors", 11, 12)
    assert not resources.problems(started * 9 + [reloaded] * 12)
    assert not resources.problems(started * 12 + [reloaded] * 9)
    [found] = resources.problems(started * 9 + [reloaded] * 8 + started * 3 + [leaky] * 8)
    assert found.startswith("parent_descriptors grows: 11 in the first third of the run, 12 ")


def test_growth_is_reported_with_names():
    def sample(*more: str) -> resources.Sample:
        names = ("socket", "socket", "/var/cache/staples", *more)
        return dataclasses.replace(FLAT, parent_descriptors=len(names), names={"parent_descriptors": names})
    [found] = resources.problems([sample()] * 3 + [sample("socket", "/tmp/.apr 1 (deleted)", "socket")] * 3)
    assert found.endswith("the last sample has more of: 1 /tmp/.apr 1 (deleted), 2 socket")


def test_a_seed_replays_a_run_and_a_longer_one_begins_alike():
    for sequence in (plan.environment, plan.processes, lambda seed: plan.moods(seed, 3)):
        long = list(itertools.islice(sequence("4f1c/event"), 200))
        assert list(itertools.islice(sequence("4f1c/event"), 50)) == long[:50]
        assert list(itertools.islice(sequence("4f1d/event"), 50)) != long[:50]
        assert [one.at for one in long] == sorted(one.at for one in long)


def test_a_seed_replays_revocations_one_in_each_storm():
    times = [plan.revoked_at("4f1c/event", client) for client in range(4)]
    assert times == [plan.revoked_at("4f1c/event", client) for client in range(4)]
    assert times[1:] != [plan.revoked_at("4f1d/event", client) for client in range(1, 4)] and times[0] == float("inf")
    assert [at // plan.ROUND for at in times[1:]] == [0, 1, 2] and not any(plan.is_calm(at) for at in times[1:])


def test_no_fault_begins_in_the_calm():
    for sequence in (plan.environment, plan.processes):
        for fault in itertools.islice(sequence("4f1c/worker"), 500):
            assert not plan.is_calm(fault.at), fault
