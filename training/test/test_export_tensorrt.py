# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The real TensorRT for RTX reads and builds int8 files, and networks of crops and of boxes."""
import cv2
import pytest
import torch
from real_network import build, check_network, real_library

from pose_training.exporters.export import export, ExportOptions
from pose_training.exporters.synthetic_image import draw_image
from pose_training.models import create_model
from pose_training.models.resnet import RESNETS

SIZE = (128, 64)
CROPS = ('lite_pose_crop', 'lite_simple_baseline', 'lite_hr_crop')
OTHERS = CROPS + ('lite_person_detector',)  # all the others are networks of PAFs
# One of each kind of layers: plain, depthwise, dilated, transposed.
INT8 = ('lite_pose_crop', 'lite_hr_crop', 'lite_person_detector', 'repvgg_fpn', 'mobilenet_thin',
        'lightweight_openpose', 'trt_pose_resnet18_att')


@pytest.fixture(scope='module')
def library():
    """TensorRT for RTX."""
    return real_library()


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    """Write two drawn images to calibrate on; return their paths."""
    paths = [str(tmp_path_factory.mktemp('images') / '{}.png'.format(seed)) for seed in range(2)]
    for seed, path in enumerate(paths):
        cv2.imwrite(path, draw_image(120, 90, seed))
    return paths


def network_of(name):
    """Build a network whose maps are too low for people, as those of noise would be."""
    torch.manual_seed(0)
    network = create_model(name).eval()
    if name == 'repvgg_fpn':
        with torch.no_grad():
            for parameter in network.stages[-1][-1].parameters():
                parameter *= .01
    return network


@pytest.mark.parametrize('name', OTHERS)
@pytest.mark.parametrize('kind, options', [
    ('fp32', {}), ('fp32', {'batch': 'dynamic'}), ('fp16', {'precision': 'fp16'})])
def test_crops_and_boxes(library, tmp_path, name, kind, options):
    path = str(tmp_path / 'a.onnx')
    export(network_of(name), path, ExportOptions(SIZE, **options))
    assert check_network(library, path) > 90
    assert build(library, path, (2 if 'batch' in options else 1, 3, 64, 128)).precision == kind


def test_a_simple_baseline_with_the_maps_of_tensorflow(library, monkeypatch, tmp_path):
    monkeypatch.setitem(RESNETS, 'resnet50', (True, (1, 1, 1, 1)))
    network = create_model('simple_baseline_r50', convention='tensorflow',
                           deconvolutions=[16, 16, 8])
    path = str(tmp_path / 'a.onnx')
    card = export(network.eval(), path, ExportOptions(SIZE, batch='dynamic'))
    assert card.decoder.outputs['peak'] == 255.
    assert check_network(library, path) > 30
    assert build(library, path, (2, 3, 64, 128)).precision == 'fp32'


@pytest.mark.parametrize('name', INT8)
def test_int8(library, images, tmp_path, name):
    path = str(tmp_path / 'a.onnx')
    options = ExportOptions(SIZE, precision='int8', calibration=images, tensorrt=True)
    export(network_of(name), path, options)
    check_network(library, path)
    assert build(library, path, (1, 3, 64, 128)).precision == 'int8'
