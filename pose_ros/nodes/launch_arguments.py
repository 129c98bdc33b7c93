# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Misspelt arguments of the launch files, which `ros2 launch` takes without a word."""
import difflib
from typing import Iterable, List, Sequence

from pose_ros.core.errors import shown

_SIMILAR = 0.8


def misspelt_arguments(given: Iterable[str], known: Sequence[str]) -> List[str]:
    """Describe each name that is no argument, but nearly one.

    Others are passed over: a launch file that includes this one has arguments of its own.
    """
    texts = []
    for name in sorted(set(given) - set(known)):
        nearest = difflib.get_close_matches(name, known, 1, _SIMILAR)
        if nearest:
            texts.append(shown('there is no launch argument {!r}; did you mean {!r}?'.format(
                name, nearest[0])))
    return texts
