# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One camera of the estimator: its subscriptions, publishers and statistics."""
from typing import Any, Dict, List

from pose_ros.core.camera import is_rectified
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.panels import has_maps
from pose_ros.core.stages import OFF
from pose_ros.nodes.calibration import Calibration
from pose_ros.nodes.depth_input import DepthInput
from pose_ros.nodes.image_input import ImageInput
from pose_ros.nodes.interface import camera_topics
from pose_ros.nodes.optional_outputs import optional_outputs
from pose_ros.nodes.output import PeopleOutput
from pose_ros.nodes.statistics import Statistics
from pose_ros.nodes.worker import Worker


class Camera:
    """Owns what belongs to one camera. `name` is '' for the only camera of a node."""

    def __init__(self, node, name: str, estimator: PoseEstimator, worker: Worker,
                 values: Dict[str, Any]):
        """Create the publishers; PoseRosError if a parameter or qos_override is invalid."""
        self.name, self._lazy = name, values['lazy']
        topics = camera_topics(name)
        self.statistics = Statistics()
        self.input = ImageInput(node, topics.image, worker.add_mailbox(self), self.statistics,
                                values['image_transport'], values['image_qos'],
                                values['max_pixels'])
        rectified = is_rectified(values['rectified'], node.resolve_topic_name(topics.image))
        self.calibration = Calibration(node, topics.camera_info, rectified)
        self.depth = None if values['depth_transport'] == OFF \
            else DepthInput(node, topics.depth, values)
        self.output = PeopleOutput(
            node, topics, estimator.topology, has_maps(estimator.network),
            optional_outputs(node, name, estimator.topology, values))
        self._running = False

    @property
    def idle(self) -> bool:
        """Whether it waits for a subscriber of its outputs (parameter lazy)."""
        return self._running and not self.input.active

    def start(self) -> None:
        """Subscribe; if lazy, once an output has a subscriber."""
        self._running = True
        self.update()

    def stop(self) -> None:
        """Unsubscribe."""
        self._running = False
        self.update()

    def update(self) -> None:
        """Subscribe or unsubscribe as the parameter lazy and the subscribers of outputs demand."""
        wanted = self._running and (not self._lazy or self.output.has_subscribers)
        for part in filter(None, (self.input, self.calibration, self.depth)):
            (part.start if wanted else part.stop)()

    def check(self, timeout: float) -> List[str]:
        """Describe what keeps images from coming for longer than `timeout` [s]."""
        if self.depth:
            self.depth.check()
        return self.input.check(timeout)
