# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The stage interface: frames and people in, people out."""
import abc
from typing import Dict, List, Sequence, Tuple

from pose_ros.core.frame import Frame
from pose_ros.core.network import Network
from pose_ros.core.parameters import Configurable
from pose_ros.core.people import People


class Stage(Configurable):
    """One step of the pipeline. `name` is the prefix of its settings and its row of timings.

    `networks` are those that it runs. State is kept per `Frame.source`. `over_time`: whether it
    works with that state alone, and needs no image. `counters` counts events since the start by
    name, for diagnostics.
    """

    name = ''
    over_time = False
    networks: Tuple[Network, ...] = ()

    def __init__(self, **settings):
        """Take settings that differ from the defaults; PoseRosError names an invalid one."""
        self.counters: Dict[str, int] = {}
        super(Stage, self).__init__(**settings)

    def applies(self, frames: Sequence[Frame]) -> bool:
        """Return whether there is anything to do for these frames."""
        return True

    @abc.abstractmethod
    def __call__(self, frames: Sequence[Frame], people: Sequence[People]) -> List[People]:
        """Return the people of each frame, given those of the stage before."""

    def forget(self, source: str) -> None:
        """Drop the state that is kept of a source, whose frames have ended."""
