# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The real TensorRT for RTX reads and builds part detectors."""
import pytest
from real_network import build, check_network, real_library
import torch

from pose_training.exporters.export import export, ExportOptions
from pose_training.models import create_model

SIZE = (128, 64)


@pytest.fixture(scope='module')
def library():
    """TensorRT for RTX."""
    return real_library()


def network_of(name, **options):
    """Return a network whose maps differ from cell to cell, as those of a trained one."""
    torch.manual_seed(0)
    network = create_model(name, **options).eval()
    with torch.no_grad():
        for head in (network.scores, network.offsets, network.pairwise):
            if head is not None:
                head.weight *= 300
    return network


@pytest.mark.parametrize('name, options, precision', [
    ('lite_part_detector', {'width': .5}, 'fp32'), ('lite_part_pairwise', {'width': .5}, 'fp16'),
    ('part_pairwise_r50', {'width': .25}, 'fp32'), ('part_detector_r101', {'width': .25}, 'fp16'),
    ('deeplabcut_r50', {'width': .5}, 'fp32')])
def test_part_detectors(library, tmp_path, name, options, precision):
    path = str(tmp_path / 'a.onnx')
    export(network_of(name, **options), path, ExportOptions(SIZE, precision=precision))
    assert check_network(library, path) > 60
    assert build(library, path, (1, 3, SIZE[1], SIZE[0])).precision == precision


def test_a_batch_that_is_open(library, tmp_path):
    path = str(tmp_path / 'a.onnx')
    export(network_of('lite_part_pairwise', width=.5), path, ExportOptions(SIZE, batch='dynamic'))
    assert build(library, path, (2, 3, SIZE[1], SIZE[0])).precision == 'fp32'
