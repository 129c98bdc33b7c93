# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read an ImageNet classifier ResNet-50, -101 or -152 as a backbone for training.

A state dict with the names of torchvision, such as its file resnet50-0676ba61.pth.
"""
from pose_training.errors import WeightsError
from pose_training.importers.beginning import begun
from pose_training.importers.matching import Weights
from pose_training.importers.torch_state import float_arrays
from pose_training.models.registry import create_model, NetworkSpec
from pose_training.torch_file import load_torch_file

import torch

_TRUNK = 'trunk.'


def read_weights(path: str, spec: NetworkSpec) -> Weights:
    """Read the classifier; other layers of the network get random weights of a fixed seed.

    Raises WeightsError for a file of another depth.
    """
    published = load_torch_file(path)
    with torch.device('meta'):
        wanted = {name[len(_TRUNK):]: value.shape
                  for name, value in create_model(spec.name).state_dict().items()
                  if name.startswith(_TRUNK) and not name.endswith('num_batches_tracked')}
    depth = spec.options['backbone'].replace('resnet', 'ResNet-')
    for name, shape in wanted.items():
        tensor = published.get(name) if isinstance(published, dict) else None
        if not torch.is_tensor(tensor) or tensor.shape != shape:
            raise WeightsError('{} has no tensor {!r} of {}: it is not the classifier {} of '
                               'torchvision'.format(path, name, tuple(shape), depth))
    deeper = [name for name in published if name.startswith('layer') and name not in wanted
              and not name.endswith('num_batches_tracked')]
    if deeper:
        raise WeightsError('{} has a tensor {:.80}, and {} has none: it is a deeper one'.format(
            path, deeper[0], depth))
    arrays = float_arrays({name: published[name] for name in wanted}, path, spec)
    return Weights(begun(spec, {_TRUNK + name: array for name, array in arrays.items()}),
                   provenance={'backbone': {'network': depth, 'trained_on': 'ImageNet',
                                            'license': 'that of the file'}})
