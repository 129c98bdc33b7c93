# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The network of a configuration, for the keypoints that the configuration chooses."""
import logging
import os

from pose_training.checkpoint import load_checkpoint
from pose_training.data.coco import dataset_topology, load_coco
from pose_training.errors import ConfigError
from pose_training.families.topologies import AnyTopology, as_topology, find_topology
from pose_training.families.heatmap import Heatmap
from pose_training.fitting.settings import RunConfig
from pose_training.fitting.transfer import with_topology
from pose_training.models import create_model, PoseNetwork

_LOG = logging.getLogger('pose_training')
DATASET = 'dataset'  # model.topology: the skeleton of the first dataset with labels


def make_network(config: RunConfig) -> PoseNetwork:
    """Return the initial network of a run, in training mode.

    Raises ConfigError for an invalid topology, DataError for an invalid dataset.
    """
    return build_network(config, chosen_topology(config))


def build_network(config: RunConfig, chosen: AnyTopology) -> PoseNetwork:
    """Return the network for a skeleton; '': that of the checkpoint, or of the network."""
    model = config.model
    if model.checkpoint:
        network = load_checkpoint(model.checkpoint)[0]
        network = with_topology(network, as_topology(chosen)) if chosen else network
    else:
        network = create_model(model.name, chosen, **model.options)
        if model.backbone:
            _begin_with(network, model.backbone)
    count_hardest(network, config)
    return network.train()


def _begin_with(network, path):
    """Take the layers of equal names and shapes; ConfigError if there is none."""
    own, other = network.state_dict(), load_checkpoint(path)[0].state_dict()
    shared = {name: value for name, value in other.items()
              if name in own and own[name].shape == value.shape}
    kernels = [name for name, value in own.items() if value.ndim > 1]
    taken = sum(name in shared for name in kernels)
    if not taken:
        raise ConfigError('model.backbone: {} has no layer of {}'.format(
            path, network.recipe.name))
    network.load_state_dict(shared, strict=False)
    _LOG.info('%d of %d layers begin with the weights of %s', taken, len(kernels), path)


def count_hardest(network: PoseNetwork, config: RunConfig) -> None:
    """Let the loss count the hardest keypoints only, if configured.

    ConfigError for a family without it.
    """
    hardest = config.optimizer.hard_keypoints
    if not hardest:
        return
    if not isinstance(network.family, Heatmap):
        raise ConfigError('optimizer.hard_keypoints: only networks of crops have it, and {} is '
                          'none'.format(network.recipe.name))
    network.family.hardest = hardest


def chosen_topology(config: RunConfig) -> AnyTopology:
    """Return the topology of a configuration; '' for that of the network."""
    text = config.model.topology
    if text == DATASET:
        return _of_dataset(config.data.train)
    return find_topology(text) if text else ''


def _of_dataset(sets):
    labelled = [part for part in sets if part.weight > 0 and not os.path.isdir(part.path)]
    if not labelled:
        raise ConfigError('model.topology: dataset needs a dataset with labels in data.train')
    part = labelled[0]
    return as_topology(dataset_topology(load_coco(part.path, None, part.images, part.names)))
