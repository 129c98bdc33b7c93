# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Every network of PAFs becomes a static file, a dynamic one, and one of float16.

TensorRT for RTX reads and builds them all, where it is installed; those of int8 and those of crops
and boxes are in test_export_tensorrt.py.
"""
import shutil

import numpy as np
import onnx
import pytest
import torch
from exportable import (final_maps, operators, run, SIZE, tiny_student,
                        with_statistics)
from real_network import build, check_network, real_library

from pose_ros.core.card_files import load_card
from pose_ros.core.paf_layouts import map_layout
from pose_training.errors import ExportError
from pose_training.exporters.export import export, ExportOptions
from pose_training.models import create_model, get_spec, networks

# What inference needs; batch norms only of the densenets, where nothing can take them up.
KINDS = {'Conv', 'ConvTranspose', 'Relu', 'PRelu', 'Elu', 'Clip', 'Sigmoid', 'Tanh', 'Add', 'Mul',
         'Concat', 'MaxPool', 'AveragePool', 'Resize'}
# Without weights that were trained, these amplify the rounding of float16 where norms have
# seen images.
FRESH_NORMS = ('lightweight_openpose', 'lightweight_openpose_3', 'lite_bottom_up')
# Networks of a size that takes its time, cut to the fewest stages that show all kinds of them.
HEAVY = {'cmu': 2, 'mpi': 2, 'mpi_faster': 2, 'body_25': 5, 'hand': 2, 'face': 2}


@pytest.fixture(scope='module', autouse=True)
def one_thread():
    """Use one thread, which is faster for small images."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='module', params=sorted(name for name, spec in networks().items()
                              if spec.family == 'paf'))
def network(request, one_thread):
    """Build a network with calibrated batch norms, like a trained one."""
    torch.manual_seed(0)
    options = {'stages': HEAVY[request.param]} if request.param in HEAVY else {}
    built = create_model(request.param, **options).eval()
    return built if request.param in FRESH_NORMS else with_statistics(built, input_size(built))


def input_size(network):
    """Return a small input size (width, height) that the network can take."""
    smallest = 32 if network.recipe.name in HEAVY else 64
    return 2 * smallest, smallest


def shape(path):
    """Return the input's shape: numbers, or names where it is open."""
    size = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
    return [side.dim_param or side.dim_value for side in size]


@pytest.fixture(scope='module')
def files(network, tmp_path_factory):
    """Export a network; return paths and cards by kind."""
    folder, size = tmp_path_factory.mktemp('exported'), input_size(network)
    options = {'static': ExportOptions(size), 'dynamic': ExportOptions(size, dynamic=True),
               'half': ExportOptions(size, precision='fp16')}
    paths = {kind: str(folder / kind) + '.onnx' for kind in options}
    # The export compares each with the network, and checks it for TensorRT, before it is written.
    cards = {kind: export(network, paths[kind], options[kind]) for kind in options}
    yield paths, cards
    shutil.rmtree(str(folder))


def test_it_exports(network, files):
    size, name = input_size(network), network.recipe.name
    layout = map_layout(get_spec(name).topology)
    channels = layout.heatmaps + layout.pafs
    paths, cards = files
    static, dynamic, half = cards['static'], cards['dynamic'], cards['half']
    assert (static.input.width, static.input.height) == size
    assert shape(paths['static']) == [1, 3, size[1], size[0]]
    assert load_card(paths['dynamic']) == dynamic and dynamic.name == name
    assert 1e-5 < half.provenance['parity']['difference'] < .1
    assert operators(paths['half'])[0] == operators(paths['half'])[-1] == 'Cast'
    assert shape(paths['dynamic']) == ['n', 3, 'h', 'w']
    found = set(operators(paths['dynamic'])) - KINDS
    assert found == ({'BatchNormalization'} if 'densenet' in name else set())
    image = torch.randn(2, 3, network.size_multiple, 2 * network.size_multiple).numpy()
    maps, expected = run(paths['dynamic'], image), final_maps(network, image)
    cells = network.size_multiple // network.stride
    assert maps.shape == (2, channels, cells, 2 * cells)
    np.testing.assert_allclose(maps, expected, atol=5e-3 * np.ptp(expected))


def test_tensorrt_for_rtx_builds_it(network, files):
    """The real parser reads each file, and the real builder builds it: no GPU is needed."""
    library, (width, height) = real_library(), input_size(network)
    paths, _ = files
    for kind, precision, count in (('static', 'fp32', 1), ('dynamic', 'fp32', 2),
                                   ('half', 'fp16', 1)):
        assert check_network(library, paths[kind]) > 40
        plan = build(library, paths[kind], (count, 3, height, width))
        assert plan.precision == precision
        weights = sum(onnx.numpy_helper.to_array(item).nbytes
                      for item in onnx.load(paths[kind]).graph.initializer)
        assert weights < len(plan.data) < weights + 12e6


@pytest.mark.parametrize('options, text', [
    ({'precision': 'fp16', 'half_weights': True}, 'only fp32 has half weights'),
    ({'tensorrt': True}, 'the form of TensorRT is one of int8')])
def test_options_that_contradict_the_precision(tmp_path, options, text):
    with pytest.raises(ExportError, match=text):
        export(tiny_student(), str(tmp_path / 'a.onnx'), ExportOptions(size=SIZE, **options))
