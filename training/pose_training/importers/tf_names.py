# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Convert names and layouts of TensorFlow variables to those of a state dict."""
from typing import Dict, Mapping, Optional

import numpy as np

from pose_training.errors import WeightsError

# The last part of a variable's name, and of its state name.
_PARAMETERS = {'weights': 'weight', 'depthwise_weights': 'weight', 'biases': 'bias',
               'kernel': 'weight', 'bias': 'bias',  # of tf.layers
               'beta': 'bias', 'gamma': 'weight', 'moving_mean': 'running_mean',
               'moving_variance': 'running_var'}
AVERAGE = 'ExponentialMovingAverage'
# Variables of a training run that are not part of the network, by the last part of the name.
_COUNTERS = ('global_step', 'beta1_power', 'beta2_power', 'learning_rate')


def state_name(variable: str) -> Optional[str]:
    """Return the state name: 'A/B/weights:0' -> 'A.B.weight'; None for those of training only.

    Optimizer slots and moving averages are below a variable ('A/B/weights/Momentum'). Unknown
    names are kept, so that the comparison with the network reports them.
    """
    parts = variable.split(':')[0].split('/')
    if parts[-1] in _PARAMETERS:
        return '.'.join(parts[:-1] + [_PARAMETERS[parts[-1]]])
    if parts[-1] in _COUNTERS or any(part in _PARAMETERS for part in parts):
        return None
    return '.'.join(parts)


def kernel_to_torch(kernel: np.ndarray, depthwise: bool) -> np.ndarray:
    """Return (kh, kw, in, out) as (out, in, kh, kw); depthwise (kh, kw, C, M) as (C * M, 1, ...).

    Arrays with other numbers of axes are not changed.
    """
    if kernel.ndim != 4:
        return kernel
    if depthwise:
        height, width, channels, multiple = kernel.shape
        kernel = kernel.reshape(height, width, 1, channels * multiple)
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))


def to_state(variables: Mapping[str, np.ndarray], where: str,
             averages: bool = False) -> Dict[str, np.ndarray]:
    """Return the state of a network, float32, from TensorFlow variables by name.

    `averages`: use the exponential moving average of a variable instead, if there is one.
    WeightsError, which names the file `where`, for weights that are no floats.
    """
    state = {}
    for variable, array in variables.items():
        name = state_name(variable)
        if name is None:
            continue
        if averages:
            array = variables.get('{}/{}'.format(variable.split(':')[0], AVERAGE), array)
        if array.dtype.kind != 'f':
            raise WeightsError('{}: {} holds numbers of type {}; weights are floats'.format(
                where, variable, array.dtype))
        depthwise = variable.split(':')[0].endswith('/depthwise_weights')
        state[name] = kernel_to_torch(np.array(array, np.float32), depthwise)
    return state
