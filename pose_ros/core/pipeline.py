# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pipeline: stages in a fixed order, from frames to people."""
import threading
import time
from typing import Any, Dict, List, Optional, Sequence, Tuple

from pose_ros.core.errors import PoseRosError
from pose_ros.core.frame import Frame, check_image
from pose_ros.core.network import Network
from pose_ros.core.parameters import Configurable, Parameter, checked_values
from pose_ros.core.people import People, no_people, people_in_boxes
from pose_ros.core.stages import Stage
from pose_ros.core.topology import Topology


class Pipeline:
    """Runs stages on frames. Callers in several threads wait for each other.

    `timings`: seconds of the last run, by 'NETWORK.STEP' for what networks do and by the name of
    the stage for the rest; their sum is the whole run.
    """

    def __init__(self, stages: Sequence[Stage], topology: Topology):
        """Take the stages in their order, and the skeleton format of the people they find."""
        self.stages, self.topology = tuple(stages), topology
        self.timings: Dict[str, float] = {}
        self._lock = threading.RLock()

    @property
    def networks(self) -> Tuple[Network, ...]:
        """Return the networks of all stages."""
        return tuple(network for stage in self.stages for network in stage.networks)

    @property
    def parameters(self) -> Tuple[Parameter, ...]:
        """Return all settings as 'OWNER.NAME', with their present values as defaults."""
        return tuple(
            parameter._replace(name=prefix + '.' + parameter.name,
                               default=owner.settings[parameter.name])
            for prefix, owner in self._owners() for parameter in owner.PARAMETERS)

    @property
    def settings(self) -> Dict[str, Any]:
        """Return the value of each setting by 'OWNER.NAME'."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def run(self, frames: Sequence[Frame], people: Optional[Sequence[People]] = None
            ) -> List[People]:
        """Find the people of each frame, in source-image pixels; best scores first.

        people: what is already there, such as boxes (people_in_boxes). Raises ImageError for an
        invalid image, EngineError if a network fails or yields NaN.
        """
        with self._lock:
            return self.follow(frames, self.find(frames, people))

    def find(self, frames: Sequence[Frame], people: Optional[Sequence[People]] = None
             ) -> List[People]:
        """Run the stages before those over time, which look at the images; see `run`."""
        for frame in frames:
            check_image(frame.image)
        with self._lock:
            found = self._initial(frames) if people is None else list(people)
            self.timings = {}
            return self._through(self.stages[:self._first_over_time()], frames, found)

    def follow(self, frames: Sequence[Frame], people: Sequence[People]) -> List[People]:
        """Run the stages over time on what `find` returned, now or in an earlier process.

        Their state is the same again after the same frames and people; images are not looked at.
        """
        with self._lock:
            return self._through(self.stages[self._first_over_time():], frames, list(people))

    def configure(self, **settings: Any) -> None:
        """Change settings between runs: all, or none and PoseRosError if one is invalid.

        Names are 'OWNER.NAME' (pass them with **{}), or a bare NAME that one owner alone has.
        """
        changes: List[Tuple[Configurable, Dict[str, Any]]] = []
        for name, value in settings.items():
            owner, bare = self._find_owner(name)
            changes.append((owner, {bare: value}))
        for owner, change in changes:
            checked_values(owner.PARAMETERS, dict(owner.settings, **change), 'settings')
        with self._lock:
            for owner, change in changes:
                owner.configure(**change)

    def forget(self, source: str) -> None:
        """Drop the state that is kept of a source (Frame.source), whose frames have ended."""
        with self._lock:
            for stage in self.stages:
                stage.forget(source)

    def close(self) -> None:
        """Free all networks."""
        for network in self.networks:
            network.close()

    def _through(self, stages, frames, people):
        for stage in stages:
            if stage.applies(frames):
                people = self._timed(stage, frames, people)
        return people

    def _first_over_time(self):
        return next((number for number, stage in enumerate(self.stages) if stage.over_time),
                    len(self.stages))

    def _initial(self, frames):
        """Without a detector the whole image is the box of one person."""
        networks = self.networks
        if networks and networks[0].card.input.fit == 'crop':
            return [people_in_boxes([(0, 0) + frame.size], self.topology) for frame in frames]
        return [no_people(self.topology)] * len(frames)

    def _timed(self, stage, frames, people):
        for network in stage.networks:
            network.reset_timings()
        start = time.perf_counter()
        people = stage(frames, people)
        rest = time.perf_counter() - start
        for network in stage.networks:
            for step, seconds in network.timings.items():
                self.timings['{}.{}'.format(network.name, step)] = seconds
                rest -= seconds
        self.timings[stage.name] = rest
        return people

    def _owners(self):
        for stage in self.stages:
            for network in stage.networks:
                yield network.name, network.decoder
            yield stage.name, stage

    def _find_owner(self, name):
        prefix, _, bare = name.rpartition('.')
        owners = [(key, owner) for key, owner in self._owners() if prefix in ('', key)
                  and any(parameter.name == bare for parameter in owner.PARAMETERS)]
        if len(owners) > 1:
            raise PoseRosError('the setting {!r} is ambiguous: name {}'.format(name, ' or '.join(
                '{}.{}'.format(key, bare) for key, _ in owners)))
        if not owners:
            raise PoseRosError('there is no setting {!r}; there are: {}'.format(
                name, ', '.join(parameter.name for parameter in self.parameters)))
        return owners[0][1], bare
