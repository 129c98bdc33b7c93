# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read the pickles of convolutional-pose-machines-tensorflow: {layer: kernel, layer_b: bias}."""
from pose_training.importers.array_files import read_arrays
from pose_training.importers.limits import most_elements
from pose_training.importers.matching import Weights
from pose_training.importers.pickled import read_pickle
from pose_training.importers.tf_names import to_state
from pose_training.models.registry import NetworkSpec

_BIAS = '_b'


def read_weights(path: str, spec: NetworkSpec) -> Weights:
    """Return the arrays of a pickle, of Python 2 or 3, under state names.

    Kernels (kh, kw, in, out) become (out, in, kh, kw). The pickle is read as data: nothing in it
    is imported or called. WeightsError for other content.
    """
    arrays = read_arrays(path, 'pickle', lambda data: read_pickle(data, 2 * data.size()),
                         most_elements(spec))
    named = {name[:-len(_BIAS)] + '/biases' if name.endswith(_BIAS) else name + '/weights': array
             for name, array in arrays.items()}
    return Weights(to_state(named, path))
