# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The whole path on every simulated version: build, cache, check, run, close."""
import logging
import threading

import models
import numpy as np
import pytest
from surface import RTX, VERSIONS

from networks import retyped
from pose_ros.core.engines import create_engine
from pose_ros.core.engines.cuda_thread import CudaThread
from pose_ros.core.engines.factory import tensorrt_backend
from pose_ros.core.engines.tensorrt import TensorRtEngine
from pose_ros.core.engines.tensorrt_build import build_plan, BuildSettings
from pose_ros.core.engines.tensorrt_library import import_tensorrt
from pose_ros.core.engines.tensorrt_loader import Loader
from pose_ros.core.engine_file import build_engine_file
from pose_ros.core.errors import EngineError, ModelError, PoseRosError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.bundled import model_file

SHAPE = (1, 3, 128, 160)
BLUE = np.zeros(SHAPE, np.float32)
BLUE[:, 0] = 255


def open_engine(path, shape=SHAPE, **options):
    options.setdefault('require_tensorrt', True)
    return create_engine(str(path), shape, tensorrt_backend(), **options)


def expected_maps():
    return models.draw_maps(models.tiny_people())


def messages(caplog):
    return [record.getMessage() for record in caplog.records if record.name.startswith('pose_ros')]


def test_answers_like_onnxruntime(trt, machine, tiny_model):
    engine = open_engine(tiny_model)
    for level in (255, 0, 51):
        batch = np.zeros(SHAPE, np.float32)
        batch[:, 0] = level
        outputs = engine.infer(batch)
        assert list(outputs) == ['output'] == list(engine.output_names)
        assert outputs['output'].dtype == np.float32
        assert np.abs(outputs['output'][0] - expected_maps() * (level / 255.0)).max() < 1e-3
    assert engine.input_shape == SHAPE
    info = engine.describe()
    assert info.backend == trt.__name__ and info.version == trt.__version__
    assert info.device == ('Simulated RTX (compute capability 8.6)' if trt._surface.rtx else
                           'Simulated Orin (compute capability 8.7)')
    assert info.precision == ('fp32' if trt._surface.major >= 11 else 'fp16')
    assert engine.no_graph == '' and machine.launches > 3
    # Thread-local; TensorRT for RTX makes its own graph.
    assert set(machine.capture_modes) == (set() if trt._surface.rtx else {1})
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match='closed'):
        engine.infer(BLUE)


def test_any_thread_may_call(trt, tiny_model):
    engine, found = open_engine(tiny_model), []
    threads = [threading.Thread(target=lambda: found.append(engine.infer(BLUE)['output'].copy()))
               for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    assert len(found) == 3 and all(np.abs(maps[0] - expected_maps()).max() < 1e-3
                                   for maps in found)
    engine.close()


def test_estimator(trt, tiny_model, tiny_people):
    estimator = PoseEstimator(tiny_model, tensorrt_backend(), require_tensorrt=True)
    found = models.matched(estimator(models.image()), tiny_people)
    assert np.abs(found[..., :2] - tiny_people).max() < 1.0
    estimator.close()


def test_the_second_start_takes_the_cache(trt, tiny_model):
    for _ in range(2):
        open_engine(tiny_model).close()
        assert trt._settings.built == 1
    open_engine(tiny_model, workspace=100).close()
    assert trt._settings.built == 2


def test_dynamic_shapes_and_several_outputs(trt, make_model):
    engine = open_engine(make_model(dynamic=True, separate=True), (1, 3, 256, 320))
    outputs = engine.infer(np.full((1, 3, 256, 320), 255, np.float32))
    assert outputs['heat'].shape == (1, 19, 32, 40) and outputs['paf'].shape == (1, 38, 32, 40)
    engine.close()


def test_a_batch_of_another_shape(trt, tiny_model):
    engine = open_engine(tiny_model)
    with pytest.raises(EngineError, match='3x128x160, not 1x3x64x160'):
        engine.infer(np.zeros((1, 3, 64, 160), np.float32))
    assert np.abs(engine.infer(BLUE)['output'][0] - expected_maps()).max() < 1e-3
    engine.close()


def test_contradicting_shapes(trt, tiny_model):
    with pytest.raises(ModelError, match='images of 3x128x160.*model card'):
        open_engine(tiny_model, (1, 3, 8, 8))


@pytest.mark.parametrize('version', [name for name in VERSIONS if name != RTX])
def test_without_graphs(install_tensorrt, machine, tiny_model, caplog, version):
    install_tensorrt(version)._settings.graphs = False
    with caplog.at_level(logging.INFO, 'pose_ros'):
        engine = open_engine(tiny_model)
    assert np.abs(engine.infer(BLUE)['output'][0] - expected_maps()).max() < 1e-3
    assert machine.launches == 0 and engine.no_graph
    assert any('without a CUDA graph' in text for text in messages(caplog))
    engine.close()


@pytest.mark.parametrize('driver', [(10, 2), (11, 2), (12, 6)])
def test_graphs_of_every_driver(install_tensorrt, machine, tiny_model, driver):
    machine.driver = driver
    install_tensorrt('8.2.1')
    engine = open_engine(tiny_model)
    engine.infer(BLUE)
    assert machine.launches == 2  # the check's and ours
    engine.close()


def test_half_that_breaks_is_replaced_by_f32(trt, tiny_model, caplog):
    trt._settings.broken_half = True
    engine = open_engine(tiny_model)
    assert engine.describe().precision == 'fp32'
    assert np.abs(engine.infer(BLUE)['output'][0] - expected_maps()).max() < 1e-5
    engine.close()
    if trt._surface.major < 11:
        assert any('disagrees with ONNX Runtime' in text and 'NaN' in text
                   for text in messages(caplog))


def test_a_refused_half_is_not_tried_again(install_tensorrt, tiny_model, caplog):
    trt = install_tensorrt('10.3.0')
    trt._settings.broken_half = True
    open_engine(tiny_model).close()
    assert trt._settings.built == 2
    caplog.clear()
    engine = open_engine(tiny_model, tensorrt_build='background')  # it need not wait for a build
    assert engine.describe().precision == 'fp32' and trt._settings.built == 2
    assert any('disagrees with ONNX Runtime' in text and 'build-engine --rebuild' in text
               for text in messages(caplog))
    engine.close()
    trt._settings.broken_half = False
    built = Loader(tiny_model, BuildSettings(SHAPE), rebuild=True).load()
    assert built.facts['precision'] == 'fp16'
    built.engine.close()
    engine = open_engine(tiny_model)
    assert engine.describe().precision == 'fp16' and trt._settings.built == 3
    engine.close()


def test_half_that_fails_to_run_is_replaced_by_f32(install_tensorrt, tiny_model, monkeypatch):
    install_tensorrt('10.3.0')
    infer = TensorRtEngine.infer

    def fail(self, batch):
        if self.describe().precision == 'fp16':
            raise EngineError('cuStreamSynchronize failed')
        return infer(self, batch)
    monkeypatch.setattr(TensorRtEngine, 'infer', fail)
    engine = open_engine(tiny_model)
    assert engine.describe().precision == 'fp32'
    engine.close()


def test_wrong_in_every_precision(trt, tiny_model):
    trt._settings.wrong_peaks = True
    with pytest.raises(EngineError, match='disagrees with ONNX Runtime'):
        open_engine(tiny_model)
    engine = create_engine(tiny_model, SHAPE, trt.__name__)
    assert engine.describe().backend in ('openvino', 'onnxruntime')
    assert 'runs instead of {}: the f'.format(trt.__name__) in engine.degraded_reason
    engine.close()


def test_parser_errors_in_full(trt, tiny_model):
    import onnx
    model = onnx.load(tiny_model)
    for number in (1, 2):
        model.graph.node[number].op_type = 'Unknown{}'.format(number)
    thread = CudaThread()
    with pytest.raises(ModelError) as error:
        thread.call(lambda cuda: build_plan(
            import_tensorrt(tensorrt_backend()), cuda, model.SerializeToString(), 'odd.onnx',
            BuildSettings(SHAPE)))
    thread.close()
    assert str(error.value).count('Plugin not found' if trt._surface.major >= 11 else
                                  'No importer registered for op: Unknown') == 2
    assert 'node 1' in str(error.value) and 'node 2' in str(error.value)


@pytest.fixture(params=['bundled', 'published'])
def network(request):
    """A real network and an image: (path, (H, W, 3) uint8 BGR)."""
    if request.param == 'bundled':
        data = pytest.importorskip('skimage.data', reason='shows an image of scikit-image')
        return model_file('bottom_up'), np.ascontiguousarray(data.astronaut()[..., ::-1])
    with np.load(str(request.getfixturevalue('shared') / 'golden' / 'p1.npz')) as data:
        return request.getfixturevalue('real_model'), data['resized_bgr']


@pytest.mark.parametrize('version', ['8.2.1', '11.4.0.106', RTX])
def test_a_real_network(install_tensorrt, network, version):
    """The people of a photo are those of ONNX Runtime, the maps within half precision."""
    install_tensorrt(version)
    model, image = network
    expected, found = [], []
    for backend, answers in (('onnxruntime', expected), (tensorrt_backend(), found)):
        estimator = PoseEstimator(model, backend, require_tensorrt=True)
        assert estimator.network.engine.describe().backend == backend
        answers.append(estimator(image))
        estimator.close()
    assert expected[0].count == found[0].count > 0
    keypoints = models.matched(found[0], expected[0].keypoints[..., :2])
    difference = np.abs(keypoints[..., :2] - expected[0].keypoints[..., :2])
    assert np.nanmax(difference) < 1.0


@pytest.mark.parametrize('types', [
    {'image': 'FLOAT16'}, {'outputs': {'output': 'FLOAT16'}}, {'image': 'INT32'},
    {'image': 'UINT8'}, {'unused': ['INT32']}, {'unused': ['BOOL']}], ids=str)
def test_types_are_converted_as_on_the_other_engines(trt, tiny_model, tmp_path, types):
    if types.get('image') == 'UINT8' and not hasattr(trt.DataType, 'UINT8'):
        pytest.skip('TensorRT {} has no such inputs'.format(trt.__version__))
    estimator = PoseEstimator(retyped(tiny_model, tmp_path / 'typed.onnx', **types),
                              tensorrt_backend(), require_tensorrt=True)
    engine = estimator.network.engine
    assert engine.input_type == np.dtype(types.get('image', 'float32').lower())
    outputs = engine.infer(BLUE)
    assert outputs['output'].dtype == np.float32
    for kind in types.get('unused', ()):
        assert outputs['unused_0'].dtype == {'INT32': np.int32, 'BOOL': np.bool_}[kind]
    people = models.matched(estimator(models.image()), models.tiny_people())
    assert np.abs(people[..., :2] - models.tiny_people()).max() < .5
    estimator.close()


@pytest.mark.parametrize('types, reason', [
    ({'image': 'BOOL'}, 'the input has the type .*bool'),
    ({'outputs': {'output': 'INT32'}}, "output 'output' has the type int32")], ids=str)
def test_types_are_refused_as_on_the_other_engines(trt, tiny_model, tmp_path, types, reason):
    with pytest.raises(PoseRosError, match=reason):
        PoseEstimator(retyped(tiny_model, tmp_path / 'typed.onnx', **types), trt.__name__,
                      require_tensorrt=True)


def test_an_engine_file_may_end_in_capitals(trt, tiny_model, tmp_path):
    path, _ = build_engine_file(tiny_model, str(tmp_path / 'NET.ENGINE'))
    estimator = PoseEstimator(path)
    assert estimator.network.engine.describe().backend == trt.__name__
    estimator.close()
