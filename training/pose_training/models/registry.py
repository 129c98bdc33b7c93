# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks by name: how to build them, their input, and the sources of their weights."""
import difflib
import importlib
from functools import lru_cache
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Tuple

import torch

from pose_ros.core.errors import PoseRosError
from pose_training.errors import NetworkError
from pose_training.families.registry import make_family
from pose_training.families.topologies import AnyTopology
from pose_training.models.network import PoseNetwork, Recipe

# Each of these modules lists its networks in NETWORKS.
_MODULES = ('cmu', 'body_25', 'hand_face', 'dsconv', 'tf_mobilenet', 'tf_mobilenet_v2',
            'lightweight', 'trt_pose', 'repvgg_fpn', 'lite_bottom_up', 'lite_pose_crop',
            'lite_person_detector', 'cpm', 'part_detector', 'lite_part_detector',
            'simple_baseline', 'lite_hr_crop')
_MOST_WEIGHTS = 1 << 27


class NetworkSpec(NamedTuple):
    """The facts of a network.

    `build(**channels, **options)` builds it for the channels of its `family` (heatmaps=, pafs=);
    `options` are the values of this variant, and users may give others. `topology` is '' for a
    family without keypoints. `input` is the `input` of its model card. `formats` are the file
    formats in which its weights were published (`pose-train import`); `ignored` is a regular
    expression of unused state names in those files; `family` is that of its outputs, with
    `family_settings`; `begins_with` is a network from whose exported files it may take the layers
    of equal names. `licenses` are those of the weights in formats whose license is not `license`;
    `names` is a module of importers that renames the layers of published files. `conventions`:
    the values of the option `convention`, each with the facts that it replaces.
    """

    name: str
    build: Callable[..., PoseNetwork]
    topology: str
    options: Dict[str, Any]
    input: Dict[str, Any]
    summary: str
    formats: Tuple[str, ...] = ()
    ignored: str = ''
    source: str = ''
    license: str = 'Apache-2.0'
    accuracy: str = ''
    family: str = 'paf'
    begins_with: str = ''
    names: str = ''
    licenses: Mapping[str, str] = {}
    family_settings: Dict[str, Any] = {}
    conventions: Dict[str, Dict[str, Any]] = {}


def card_input(width: int, height: int, color='bgr', scale=1.0, mean=(0., 0., 0.),
               std=(1., 1., 1.), fit='letterbox', interpolation='linear', pad_value=0,
               align='center', padding=None):
    """Return the `input` of a model card: (value * scale - mean) / std, value in 0..255.

    `padding` is only for crops.
    """
    more = {} if padding is None else {'padding': padding}
    return {'width': width, 'height': height, 'color': color, 'scale': scale, 'mean': tuple(mean),
            'std': tuple(std), 'fit': fit, 'align': align, 'interpolation': interpolation,
            'pad_value': pad_value, **more}


@lru_cache(maxsize=None)
def networks() -> Dict[str, NetworkSpec]:
    """Return every network by its name."""
    modules = [importlib.import_module('pose_training.models.' + name) for name in _MODULES]
    return {spec.name: spec for module in modules for spec in module.NETWORKS}


def get_spec(name: str) -> NetworkSpec:
    """Return the facts of a network; NetworkError suggests names for an unknown one."""
    if name not in networks():
        near = difflib.get_close_matches(name[:80], networks(), 3) or sorted(networks())
        raise NetworkError('unknown network {:.80}; did you mean {}? `pose-train models` lists '
                           'all'.format(repr(name), ' or '.join(near)))
    return networks()[name]


def convention_of(name: str, options: Mapping[str, Any]) -> NetworkSpec:
    """Return the facts of a network with these options; NetworkError as get_spec."""
    spec = get_spec(name)
    chosen = {**spec.options, **options}.get('convention')
    if not spec.conventions or chosen in ('', None):
        return spec
    if not isinstance(chosen, str) or chosen not in spec.conventions:
        raise NetworkError('network {!r}: the option `convention` is one of {}, not {:.40}'.format(
            name, ', '.join(spec.conventions), repr(chosen)))
    return spec._replace(**spec.conventions[chosen])


def create_model(name: str, topology: Optional[AnyTopology] = None, **options) -> PoseNetwork:
    """Build a network with random weights.

    `topology` is the skeleton format to predict, by name or an own one (as_topology; default: the
    published network's);
    `options` are the builder's, such as `stages`. Raises NetworkError for unknown names, invalid
    options, and networks of more than 134 million weights.
    """
    spec = convention_of(name, options)
    chosen = {**spec.options, **options}
    try:
        family = make_family(spec.family, topology or spec.topology, **spec.family_settings)
        if options or topology:
            _check_size(spec, family.channels, chosen)
        network = spec.build(**family.channels, **chosen)
    except NetworkError:
        raise
    except (PoseRosError, TypeError) as error:
        raise NetworkError('network {!r}: {:.300}'.format(name, str(error))) from error
    network.recipe, network.family = Recipe(name, family.topology_data, chosen), family
    return network


def _check_size(spec, channels, options):
    """Count the weights before any memory is used for them."""
    with torch.device('meta'):
        weights = sum(weight.numel() for weight in spec.build(**channels, **options).parameters())
    if weights > _MOST_WEIGHTS:
        raise NetworkError('network {!r}: with these options it has {} weights, and at most {} '
                           'are possible'.format(spec.name, weights, _MOST_WEIGHTS))
