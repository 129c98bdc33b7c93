# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which optional outputs there are, and which of them the parameters turn on."""
from typing import Any, Dict, List

from pose_ros.core.errors import PoseRosError
from pose_ros.core.topology import Topology
from pose_ros.nodes.detections import DetectionOutput
from pose_ros.nodes.hri import HriOutput
from pose_ros.nodes.optional_output import OptionalOutput
from pose_ros.nodes.transforms import TransformOutput

_KINDS = (TransformOutput, HriOutput, DetectionOutput)


def optional_outputs(node, camera: str, topology: Topology,
                     values: Dict[str, Any]) -> List[OptionalOutput]:
    """Return those that the parameters turn on for a camera.

    PoseRosError if a package is missing, or a parameter contradicts others.
    """
    outputs: List[OptionalOutput] = []
    try:
        for kind in _KINDS:
            name = kind.PARAMETER
            if values[name] and kind.NEEDS_TRACKING and not values['tracking']:
                raise PoseRosError('the parameter {} needs tracking, which tells people apart: '
                                   'set tracking to true, or {} to false'.format(name, name))
            if values[name]:
                outputs.append(kind(node, camera, topology, values))
    except Exception:
        for output in outputs:
            output.destroy()
        raise
    return outputs
