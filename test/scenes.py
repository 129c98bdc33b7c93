# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Made-up videos of walking people whose identities are known, and measures of tracking."""
import math
from typing import NamedTuple

import numpy as np

from pose_ros.core.assignment import assign
from pose_ros.core.frame import Frame
from pose_ros.core.people import UNTRACKED, make_people

SIZE = (1280, 720)  # px
IMAGE = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
FALSE = -1  # the truth of a person who is none
# COCO-17 in heights of the person: x from its middle, y from the top of its head.
_BODY = np.array([(0, .08), (-.02, .06), (.02, .06), (-.05, .07), (.05, .07), (-.12, .2),
                  (.12, .2), (-.15, .36), (.15, .36), (-.15, .5), (.15, .5), (-.08, .52),
                  (.08, .52), (-.08, .74), (.08, .74), (-.08, .96), (.08, .96)])
_SWING = np.array([0] * 7 + [.05, -.05, .1, -.1, 0, 0, -.08, .08, -.16, .16])


class Step(NamedTuple):
    """One frame, the people that were found in it, and which they are, (P,)."""

    frame: Frame
    people: object
    truth: np.ndarray
    visible: int  # people of the truth in the frame, found or not


def walk(start, speed, height=300.0, begin=0.0, end=1e9):
    """Return a function of time [s] to the place (x, y, height) [px], None when absent."""
    return lambda t: None if not begin <= t < end else (
        start[0] + speed[0] * (t - begin), start[1] + speed[1] * (t - begin), height)


def scene(paths, seconds, rate, seed=0, noise=0.01, missed=0.0, false=0.0, hidden=None, start=0.0):
    """Return the Steps of people on paths.

    noise: standard deviation of keypoints in heights. missed: share of people that are not found.
    false: mean number of people per frame that are none. hidden(x): nothing is seen at this x.
    """
    random, steps = np.random.RandomState(seed), []
    for index in range(int(seconds * rate)):
        time_s = index / float(rate)
        places = {who: path(time_s) for who, path in enumerate(paths)}
        bodies = {who: _seen(place, time_s, who, random, noise, hidden)
                  for who, place in places.items() if place is not None}
        bodies = _occluded(bodies, places)
        visible = [who for who, body in bodies.items() if (body[:, 2] > 0).sum() >= 4]
        found = [(bodies[who], who) for who in visible if random.rand() >= missed]
        for _ in range(random.poisson(false)):
            place = random.uniform(0, SIZE[0]), random.uniform(0, 400), random.uniform(100, 300)
            body = _seen(place, time_s, 0, random, 0.1, None)
            body[:, 2] *= 0.8
            found.append((body, FALSE))
        found = [found[k] for k in random.permutation(len(found))]
        keypoints = np.array([body for body, _ in found]).reshape(-1, 17, 3)
        shown = (keypoints[..., 2] > 0).mean(1)
        people = make_people(keypoints, keypoints[..., 2].sum(1) / 17 * (2 - shown))
        steps.append(Step(Frame(IMAGE, start + time_s), people,
                          np.array([who for _, who in found], int), len(visible)))
    return steps


def _seen(place, time_s, who, random, noise, hidden):
    x, y, height = place
    swing = math.sin(2 * math.pi * (0.9 * time_s + 0.37 * who))
    body = np.zeros((17, 3))
    body[:, :2] = (_BODY + np.stack([_SWING * swing, np.zeros(17)], 1)) * height + (x, y)
    body[:, :2] += random.normal(0, noise * height, (17, 2))
    body[:, 2] = np.clip(random.normal(0.7, 0.1, 17), 0.05, 1)
    outside = ((body[:, :2] < 0) | (body[:, :2] > (SIZE[0] - 1, SIZE[1] - 1))).any(1)
    if hidden is not None:
        outside |= hidden(body[:, 0])
    body[outside] = 0
    return body


def _occluded(bodies, places):
    """Drop the keypoints behind the trunk of a taller, so a nearer person."""
    result = {}
    for who, body in bodies.items():
        body = body.copy()
        for other in bodies:
            x, y, height = places[other]
            if (height, other) > (places[who][2], who):
                behind = (abs(body[:, 0] - x) < 0.14 * height) & (body[:, 1] > y) \
                    & (body[:, 1] < y + height)
                body[behind] = 0
        result[who] = body
    return result


def track(stage, steps):
    """Return the track ids of each step."""
    return [stage([step.frame], [step.people])[0].track_ids for step in steps]


class Score(NamedTuple):
    """MOTA (Bernardin, Stiefelhagen 2008), IDF1 (Ristani et al. 2016), switches and ids."""

    mota: float
    idf1: float
    switches: int
    ids: int


def score(steps, ids) -> Score:
    """Compare track ids with the truth. Each person who was found is at its place."""
    total = sum(step.visible for step in steps)
    hits = false = switches = 0
    together, last = {}, {}
    for step, numbers in zip(steps, ids):
        for who, number in zip(step.truth.tolist(), numbers.tolist()):
            if number == UNTRACKED:
                continue
            if who == FALSE:
                false += 1
                continue
            hits += 1
            switches += last.get(who, number) != number
            last[who] = number
            together[who, number] = together.get((who, number), 0) + 1
    names = sorted({who for who, _ in together})
    numbers = sorted({number for _, number in together})
    table = np.array([[together.get((who, number), 0) for number in numbers] for who in names],
                     float).reshape(len(names), len(numbers))
    same = table[assign(table)].sum()
    mota = 1 - (total - hits + false + switches) / float(total)
    return Score(mota, 2 * same / float(total + hits + false), switches, len(numbers))


def scenes():
    """Return named scenes: [(name, Steps)]."""
    random = np.random.RandomState(1)
    crowd = [_wander(random, 140.0) for _ in range(100)]
    group = [_wander(random, random.uniform(180, 300)) for _ in range(10)]
    crossing = [walk((100, 150), (250, 0), 320), walk((1150, 180), (-250, 0), 290)]
    return [
        ('crossing', scene(crossing, 4, 30)),
        ('crossing, 5 Hz', scene(crossing, 4, 5)),
        ('crossing, 2 Hz', scene(crossing, 4, 2)),
        ('three in a row, one behind', scene(
            [walk((400, 150), (0, 0), 330), walk((800, 150), (0, 0), 330),
             walk((50, 200), (200, 0), 280)], 6, 15)),
        ('both hidden for 0.9 s', scene(
            [walk((100, 150), (220, 0)), walk((1100, 150), (-220, 0), 290)], 5, 30,
            hidden=lambda x: abs(x - 640) < 130)),
        ('leaving, others enter', scene(
            [walk((200, 150), (-200, 0), end=2), walk((900, 150), (250, 0), end=2.5),
             walk((-50, 150), (250, 0), 290, begin=4), walk((1300, 150), (-250, 0), begin=4.5)],
            7, 15)),
        ('10 wander, 5 % missed, false ones', scene(group, 20, 15, missed=.05, false=.3)),
        ('10 wander, 5 Hz', scene(group, 20, 5, missed=.05, false=.3)),
        ('100 wander, 10 Hz', scene(crowd, 6, 10, missed=.03, false=1.0)),
    ]


def _wander(random, height):
    """Return a path that turns slowly within the image."""
    middle = random.uniform((200, 50), (1080, 720 - height - 20))
    radius = random.uniform(30, 150, 2) * (1, 0.2)
    pace, phase = random.uniform(0.3, 1.2, 2), random.uniform(0, 6.3, 2)
    return lambda t: tuple(middle + radius * np.sin(pace * t + phase)) + (height,)
