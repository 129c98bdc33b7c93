# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node's parameters to a loaded PoseEstimator."""
from typing import Any, Dict

from pose_ros.core.engines import ENGINE_PARAMETERS, prefers_gpu
from pose_ros.core.errors import PoseRosError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.nodes.live_parameters import LiveParameters


def most_frames_per_run(values: Dict[str, Any], cameras: int) -> int:
    """Resolve the parameter `batch`.

    On a CPU a batch takes as long as its frames one by one, so that each is only older when it is
    published (benchmark/cameras.py).
    """
    return values['batch'] or (
        cameras if prefers_gpu(values['model'], **_engine_options(values)) else 1)


def load_estimator(parameters: LiveParameters, batch: int) -> PoseEstimator:
    """Load the model for up to `batch` frames per run, and declare its settings.

    PoseRosError says what is wrong with the model, the engine or a setting.
    """
    values = parameters.values
    size = (values['input_width'], values['input_height'])
    if bool(size[0]) != bool(size[1]):
        raise PoseRosError(
            'input_width and input_height go together: set both, or leave both 0')
    estimator = PoseEstimator(values['model'] or None, card=values['card'] or None,
                              input_size=size if all(size) else None, batch=batch,
                              detector=values['detector'] or None,
                              hands=values['hands'] or None, face=values['face'] or None,
                              **_engine_options(values))
    try:
        # The defaults of the declared parameters are this model's own values.
        estimator.configure(**parameters.declare_settings(estimator.parameters))
    except Exception:
        estimator.close()
        raise
    return estimator


def _engine_options(values):
    return {parameter.name: values[parameter.name] for parameter in ENGINE_PARAMETERS}
