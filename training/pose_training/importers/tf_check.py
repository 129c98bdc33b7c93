# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compare a TensorFlow graph with the imported network on one image, layer by layer.

This checks strides, padding, activations, resizing and the order of joined maps, which names and
shapes do not show.
"""
from collections import Counter
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np
import torch
from torch import Tensor

from pose_training.importers.tf_graphdef import Graph, Node
from pose_training.importers.tf_layers import Layer
from pose_training.importers.tf_ops import compute, spatial
from pose_training.models.network import PoseNetwork

_HEIGHT, _WIDTH = 48, 64  # of the image, if the graph has a dynamic size
_MOST_PIXELS = 1 << 19
_MOST_LIVE = 1 << 28  # numbers that are kept at a time
# Relative to the largest value of a layer. Another order of maps, padding or sampling changes a
# tenth of it or more. Rounding changes far less, and most if an image has a tiny variance.
_TOLERANCE = 5e-3
_ACTIVATIONS = ('Relu', 'Relu6')
_DEEPEST, _MOST_SHOWN = 5, 4  # operations in a message, and inputs of each


class GraphCheck:
    """Compares a graph, its constants and layers given, with a network that has its weights."""

    def __init__(self, graph: Graph, constants: Dict[str, Tensor], layers: List[Layer]):
        self._graph = graph
        self._constants = constants
        self._layers = layers
        self._ends = {layer.end: _scope(layer) for layer in layers}

    def compare(self, network: PoseNetwork, card_input: Dict[str, Any]) -> None:
        """Raise WeightsError with the first difference unless both compute the same.

        The graph gets an image in 0..255; the network gets it normalized with its card.
        """
        image = self._noise()
        wanted, maps = self._network_outputs(network, image, card_input)
        counterparts = {self._counterpart(layer, wanted[layer.name]): layer
                        for layer in self._layers if layer.name in wanted}
        for node, value in self._run(image):
            layer = counterparts.get(node.name)
            fault = _difference(value, wanted.pop(layer.name)) if layer else ''
            if fault:
                raise self._graph.fail('{} {}'.format(
                    self._describe(layer, network.get_submodule(layer.name)), fault))
        fault = _difference(value, maps)  # the last node is the output
        if fault:
            raise self._graph.fail('the output {}, in the network [heatmaps, PAFs], {}'.format(
                self._formula(self._graph.output), fault))

    def _noise(self):
        images = [node for node in self._graph.nodes.values() if node.op == 'Placeholder']
        if len(images) != 1:
            raise self._graph.fail('it reads {} images, not one: {}'.format(
                len(images), ', '.join(node.name for node in images)))
        shape = images[0].attributes['shape'].shape.dim if 'shape' in images[0].attributes else ()
        sizes = [dimension.size for dimension in shape] or [-1] * 4
        if len(sizes) != 4 or sizes[3] not in (-1, 3):
            raise self._graph.fail('its image is {}, not (images, height, width, 3)'.format(sizes))
        height, width = (size if size > 0 else usual
                         for size, usual in zip(sizes[1:3], (_HEIGHT, _WIDTH)))
        if height * width > _MOST_PIXELS:
            raise self._graph.fail('its image is {} x {} pixels; no network takes that'.format(
                width, height))
        values = np.random.default_rng(0).integers(0, 256, (1, height, width, 3))
        return torch.from_numpy(values).float()

    def _network_outputs(self, network, image, card_input):
        """Return the output of each layer's module, by name, and the maps: (N, h, w, C)."""
        outputs = {}

        def keep(name):
            def hook(module, inputs, output):
                outputs[name] = output.permute(0, 2, 3, 1).clone()  # it may be changed in place
            return hook

        modules = dict(network.eval().named_modules())
        hooks = [modules[layer.name].register_forward_hook(keep(layer.name))
                 for layer in self._layers if layer.name in modules]
        mean, std = (torch.tensor(card_input[key], dtype=image.dtype) for key in ('mean', 'std'))
        normalized = (image * card_input['scale'] - mean) / std
        try:
            with torch.no_grad():
                maps = network(normalized.permute(0, 3, 1, 2))[-1]
        except RuntimeError as error:
            raise self._graph.fail('its image has {} x {} pixels, which does not fit the network'
                                   .format(image.shape[2], image.shape[1])) from error
        for hook in hooks:
            hook.remove()
        return outputs, torch.cat([maps['heatmaps'], maps['pafs']], 1).permute(0, 2, 3, 1)

    def _run(self, image: Tensor) -> Iterator[Tuple[Node, Tensor]]:
        """Compute the nodes in order, and drop outputs that are no longer needed."""
        values = dict(self._constants)
        nodes = self._graph.nodes.values()
        awaited = Counter(name for node in nodes for name in node.inputs)
        live = 0
        for node in nodes:
            if node.name not in self._constants:
                values[node.name] = (image if node.op == 'Placeholder'
                                     else compute(self._graph, node, values))
                live += values[node.name].numel()
                if live > _MOST_LIVE:
                    raise self._graph.fail('its maps need more memory than those of a network')
                yield node, values[node.name]
            for name in node.inputs:
                awaited[name] -= 1
                if not awaited[name]:
                    live -= 0 if name in self._constants else values[name].numel()
                    del values[name]

    def _activation(self, layer) -> Optional[Node]:
        users = self._graph.users(layer.end)
        return users[0] if len(users) == 1 and users[0].op in _ACTIVATIONS else None

    def _counterpart(self, layer, output):
        """Return the node with the output of the module, which may be an activation."""
        activation = self._activation(layer)
        return activation.name if activation and output.min() >= 0 else layer.end

    def _describe(self, layer, module):
        """Return a description of the nodes from earlier layers to this one."""
        node = layer.node
        following = sorted({user.op for user in self._graph.users(layer.end)})
        return ('layer {!r} ({} of {}, strides {}, padding {}, then {}; strides in the network {})'
                .format(_scope(layer), node.op, self._formula(node.inputs[0]),
                        spatial(node, 'strides'), node.attributes['padding'].s.decode('latin1'),
                        ' and '.join(following), list(module.stride)))

    def _formula(self, name, depth=0):
        """Return how a node is computed from layers: 'ConcatV2(A, Relu(B))'."""
        if name in self._ends:
            return self._ends[name]
        node = self._graph.nodes[name]
        inputs = [each for each in node.inputs if each not in self._constants]
        if not inputs:
            return name
        if depth == _DEEPEST:
            return '{}(...)'.format(node.op)
        shown = [self._formula(each, depth + 1) for each in inputs[:_MOST_SHOWN]]
        more = ['...'] if len(inputs) > _MOST_SHOWN else []
        return '{}({})'.format(node.op, ', '.join(shown + more))


def _scope(layer):
    return layer.node.name.rpartition('/')[0]


def _difference(found, wanted):
    """Return the fault of a value; '' if it is valid."""
    if found.shape != wanted.shape:
        return 'gives (h, w, channels) {}, in the network {}; it is the graph of another one' \
            .format(tuple(found.shape[1:]), tuple(wanted.shape[1:]))
    largest = max(float(found.abs().max()), float(wanted.abs().max()))
    difference = float((found - wanted).abs().max())
    if difference <= _TOLERANCE * largest:  # never so for NaN
        return ''
    return ('gives other numbers than in the network, by up to {:.3g} of {:.3g}; it is the graph '
            'of another one'.format(difference, largest))
