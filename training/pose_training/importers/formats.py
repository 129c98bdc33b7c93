# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The file formats of published weights, and the import of a file into a network."""
import importlib
import os
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from pose_ros.core.files import sha256
from pose_training.errors import WeightsError
from pose_training.importers.matching import Weights, load_weights
from pose_training.models import NetworkSpec, PoseNetwork, create_model, get_spec


class Format(NamedTuple):
    """A file format; `module` has `read_weights(path, spec, **options) -> Weights`."""

    module: str
    summary: str
    options: Tuple[str, ...] = ()


FORMATS: Dict[str, Format] = {
    'tf-graph': Format('tf_graph', 'TensorFlow frozen graph, graph_opt.pb (tf-pose-estimation)'),
    'tf-checkpoint': Format('tf_checkpoint', 'TensorFlow checkpoint, model-449003.index',
                            ('averages', 'stored_statistics')),
    'npy': Format('npy', 'tf-pose-estimation, openpose_coco.npy'),
    'pickle': Format('pickle_file', 'convolutional pose machines, cpm_body.pkl'),
    'caffe': Format('caffe', 'OpenPose, pose_iter_584000.caffemodel', ('prototxt',)),
    'torch': Format('torch_state', 'PyTorch state dict, .pth (trt_pose, Lightweight OpenPose, '
                                   'conversions of OpenPose, Simple Baselines, mmpose)'),
    'resnet': Format('resnet', 'ImageNet classifier ResNet, .pth of torchvision, to train on'),
    'efficientnet-lite': Format('efficientnet_lite', 'ImageNet classifier EfficientNet-Lite0, '
                                'PyTorch .pth, to train on'),
    'deepercut': Format('deepercut', 'DeeperCut, ArtTrack and DeepLabCut 2, '
                        'snapshot-1030000.index (TensorFlow)', ('pose_cfg', 'pairwise')),
    'deeplabcut': Format('deeplabcut', 'DeepLabCut project, or a snapshot in it, '
                         'snapshot-best-200.pt', ('pose_cfg',)),
    'onnx': Format('exported', 'ONNX files that pose-train exported, to train on'),
    'openvino': Format('openvino_ir', 'OpenVINO IR, .xml with its .bin (Open Model Zoo)'),
}


_BY_PREFIX = ('tf-checkpoint', 'deepercut', 'deeplabcut')  # a path may be that of no file


def read_weights(format_name: str, path: str, spec: NetworkSpec, **options) -> Weights:
    """Read a weight file; WeightsError for an invalid file or a format of other networks."""
    if format_name not in FORMATS:
        raise WeightsError('unknown format {!r}; choose {}'.format(
            format_name, ', '.join(FORMATS)))
    if format_name not in spec.formats:
        raise WeightsError('the weights of {} are not published as {}; choose {}'.format(
            spec.name, format_name, ', '.join(spec.formats)))
    unknown = sorted(set(options) - set(FORMATS[format_name].options))
    if unknown:
        raise WeightsError('the format {} has no option {}; it has {}'.format(
            format_name, ', '.join(unknown), ', '.join(FORMATS[format_name].options) or 'none'))
    if not os.path.exists(path) and format_name not in _BY_PREFIX:
        raise WeightsError('there is no file {!r}; check the path'.format(path))
    module = importlib.import_module('pose_training.importers.' + FORMATS[format_name].module)
    weights = module.read_weights(path, spec, **options)
    if not spec.names:
        return weights
    return importlib.import_module('pose_training.importers.' + spec.names).named(weights, path)


def import_network(format_name: str, path: str, model: str,
                   network_options: Optional[Mapping[str, Any]] = None,
                   **options) -> Tuple[PoseNetwork, Dict[str, Any]]:
    """Build the network `model` with the weights of a published file.

    `network_options` are arguments of create_model, such as {'topology': 'mpii_16'}, that the
    file does not tell; `options` are those of the format.
    Returns the network, in evaluation mode, and its provenance (source, SHA-256, license).
    Raises NetworkError for an unknown network, WeightsError for a file of another network.
    """
    spec = get_spec(model)
    weights = read_weights(format_name, path, spec, **options)
    network = create_model(model, **{**weights.options, **(network_options or {})})
    load_weights(network, weights, path, spec.ignored)
    provenance = {'source': spec.source, 'weights': os.path.basename(path), 'format': format_name}
    if os.path.isfile(path):
        provenance['weights_sha256'] = sha256(path)
    if format_name in spec.licenses:
        provenance['license'] = spec.licenses[format_name]
    if spec.accuracy:
        provenance['published_accuracy'] = spec.accuracy
    provenance.update(weights.provenance)
    return network.eval(), provenance
