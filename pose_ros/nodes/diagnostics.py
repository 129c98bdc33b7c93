# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the estimator reports on /diagnostics: one status of the engine, one of each camera."""
from typing import Any, Dict, List, NamedTuple, Tuple

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from pose_ros.core.errors import shown
from pose_ros.nodes.camera import Camera
from pose_ros.nodes.frame_processor import FrameProcessor

_ERROR_SHOWN_FOR = 5.0  # s


class NodeState(NamedTuple):
    """What applies to the whole node."""

    name: str
    active: bool
    enabled: bool
    start_error: str


def overall_status(state: NodeState, warnings: List[str], healthy: str) -> Tuple[bytes, str]:
    """Return the level and one line that sum up the state of one component."""
    if state.start_error:
        return DiagnosticStatus.ERROR, state.start_error
    if not state.active:
        return DiagnosticStatus.OK, 'not active'
    if not state.enabled:
        return DiagnosticStatus.OK, 'disabled by ~/enable'
    if warnings:
        return DiagnosticStatus.WARN, '; '.join(warnings)
    return DiagnosticStatus.OK, healthy


def engine_status(state: NodeState, estimator, processor: FrameProcessor,
                  unknown_parameters: List[str], warnings: List[str]) -> DiagnosticStatus:
    """Report the network, its engine and what concerns the whole node (`warnings`).

    estimator None: nothing is loaded.
    """
    values: Dict[str, Any] = {}
    hardware, faults = 'none', list(warnings)
    if estimator is not None:
        hardware = estimator.network.engine.describe().device
        for network in estimator.networks:
            values.update(_network_values(network))
            faults += [network.engine.degraded_reason] if network.engine.degraded_reason else []
        values.update({'{}.{}'.format(stage.name, key): count
                       for stage in estimator.stages for key, count in stage.counters.items()})
        values['runs'] = processor.runs
        values['frames per run'] = '{:.2f}'.format(
            float(processor.frames) / max(1, processor.runs))
        values.update(_timing_values(processor.timings))
    if unknown_parameters:
        values['unknown parameters'] = '; '.join(unknown_parameters)
    level, message = overall_status(state, faults, 'estimating')
    return _status('{}: engine'.format(state.name), hardware, level, message, values)


def _network_values(network) -> Dict[str, Any]:
    """Name a network, its file and its engine; a detector's keys start with `detector`."""
    engine, info = network.engine, network.engine.describe()
    prefix = '' if network.name == 'pose' else network.name + ' '
    values = {prefix + 'model': network.card.name, prefix + 'model file': info.model,
              prefix + 'engine': str(info)}
    if engine.status or engine.degraded_reason:
        values[prefix + 'engine status'] = engine.status or engine.degraded_reason
    return values


def camera_status(state: NodeState, camera: Camera, warnings: List[str]) -> DiagnosticStatus:
    """Report one camera, with what keeps its images from coming."""
    statistics, calibration = camera.statistics, camera.calibration
    error = statistics.recent_error(_ERROR_SHOWN_FOR)
    warnings = warnings + (['frames fail: ' + error] if error else [])
    depth_problem = camera.depth.recent_problem() if camera.depth else ''
    level, message = overall_status(
        state, warnings + ([depth_problem] if depth_problem else []),
        'idle: no subscriber' if camera.idle else 'estimating')
    values = {'image topic': camera.input.topic, 'skeletons topic': camera.output.topic,
              'frames received': statistics.received, 'frames processed': statistics.processed,
              'frames dropped': statistics.dropped, 'frames failed': statistics.failed,
              'frames lost': statistics.lost,
              'people in last frame': statistics.people, 'time jumps': statistics.time_jumps,
              'last error': statistics.last_error or 'none',
              'camera_info received': calibration.received,
              'camera_info invalid': calibration.invalid,
              'frames with camera_info': calibration.matched}
    if calibration.problem:
        values['camera_info problem'] = calibration.problem
    if camera.depth and camera.depth.received + camera.depth.missing:
        values.update(_depth_values(camera.depth))
    for name, rate in statistics.rates().items():
        values['{} rate [Hz]'.format(name)] = '{:.1f}'.format(rate)
    values.update(_timing_values(statistics))
    return _status('{}: camera {}'.format(state.name, camera.name).strip(), camera.input.topic,
                   level, message, values)


def _depth_values(depth) -> Dict[str, Any]:
    values = {'depth topic': depth.topic, 'depth received': depth.received,
              'frames with depth': depth.matched, 'frames without depth': depth.missing,
              'depth refused': depth.refused}
    if depth.problem:
        values['depth problem'] = depth.problem
    return values


def _timing_values(timings):
    return {'{} [ms]'.format(name): text for name, text in timings.timings().items()}


def _status(name, hardware, level, message, values):
    status = DiagnosticStatus(level=level, name=name, message=shown(message),
                              hardware_id=shown(hardware))
    status.values = [KeyValue(key=shown(key), value=shown(value))
                     for key, value in values.items()]
    return status
