# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Adoption: networks with the outputs of public ones are recognized, and then run everywhere."""
import numpy as np
import pytest

from networks import make_constant
from pose_ros.core.adoption import adopt
from pose_ros.core.adoption.adopt import is_adopted
from pose_ros.core.card_files import load_card
from pose_ros.core.errors import CardError, ModelError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.frame import Frame
from pose_ros.core.network import open_network
from pose_ros.core.regions import whole

pytest.importorskip('onnx')

CELLS = 64 * 64 // 64 + 16 + 4  # of a 64 x 64 px input
LAST = (1, 64, 64, 3)


def zeros(*shapes):
    """Return outputs named a, b, ... of zeros; each shape without the batch axis."""
    return {name: np.zeros((1,) + shape) for name, shape in zip('abcdef', shapes)}


# Kind: outputs, input shape, and what must stand in the card: type and format of the decoder.
FORMS = {
    'simcc': (zeros((17, 128), (17, 128)), None, 'simcc'),
    'simcc of 133': (zeros((133, 128), (133, 128)), None, 'simcc'),
    'simcc with z': (zeros((133, 128), (133, 128), (133, 128)), None, 'simcc'),
    'rtmo': (zeros((9, 5), (9, 17, 3)), None, 'rtmo'),
    'yolo_pose cells': (zeros((56, CELLS)), None, 'yolo_pose cells'),
    'yolo_pose list': (zeros((300, 57)), None, 'yolo_pose list'),
    'movenet_multipose': (zeros((6, 56)), LAST, 'movenet_multipose'),
    'movenet': (zeros((1, 17, 3)), LAST, 'regression'),
    'blazepose': (zeros((195,), (1,), (117,)), LAST, 'regression'),
    'hand_landmarks': (zeros((63,), (1,), (1,), (63,)), LAST, 'regression'),
    'face_mesh': (zeros((1, 1, 1404), (1, 1, 1)), LAST, 'regression'),
    'palms': (zeros((2016, 18), (2016, 1)), (1, 192, 192, 3), 'boxes anchors'),
    'yolox': (zeros((CELLS, 85)), None, 'boxes yolox'),
    'yolo cells': (zeros((24, CELLS)), None, 'boxes yolo'),
    'yolo list': (zeros((300, 6)), None, 'boxes list'),
    'listed_boxes': (zeros((100, 5), (100,)), None, 'boxes list'),
    'rtmdet': (zeros((1, 8, 8), (1, 4, 4), (4, 8, 8), (4, 4, 4)), None, 'boxes rtmdet'),
    'ssd': (zeros((10, 4), (10,), (10,)), LAST, 'boxes ssd'),
    'paf': (zeros((19, 8, 8), (38, 8, 8), (19, 8, 8), (38, 8, 8)), None, 'paf'),
    'paf in one': (zeros((8, 8, 57)), LAST, 'paf'),
    'paf of trt_pose': (zeros((18, 16, 16), (42, 16, 16)), None, 'paf'),
    'heatmaps': (zeros((17, 16, 16)), None, 'heatmap'),
    'heatmaps, channels last': (zeros((16, 16, 14)), LAST, 'heatmap'),
}


def adopted(tmp_path, form, **options):
    outputs, image, _ = FORMS[form]
    path = make_constant(tmp_path / 'public.onnx', outputs, image or (1, 3, 64, 64))
    return adopt(path, **options)


@pytest.mark.parametrize('form', FORMS)
def test_each_form_of_outputs_is_recognized_and_runs(tmp_path, form):
    result = adopted(tmp_path, form, license='Apache-2.0')
    card = load_card(result.path)
    decoder = card.decoder
    assert FORMS[form][2].split() == [decoder.type] + [
        decoder.outputs[key] for key in ('form', 'format') if key in decoder.outputs]
    assert card.license == 'Apache-2.0' and card.provenance['adopted_from'] == 'public.onnx'
    detector = card.task == 'detection'
    crops = result.path
    if detector:
        crops = adopted(tmp_path, 'heatmaps', output=str(tmp_path / 'crops.onnx')).path
    estimator = PoseEstimator(crops, detector=result.path if detector else None,
                              backend='onnxruntime')
    assert estimator(np.full((48, 80, 3), 99, np.uint8)).count in (0, 1)
    estimator.close()


def test_an_image_of_channels_last_reaches_the_network_unchanged(tmp_path):
    """Maps that are the image itself: the network sees the pixels where they were."""
    from onnx import helper, TensorProto
    graph = helper.make_graph(
        [helper.make_node('Cast', ['image'], ['floats'], to=TensorProto.FLOAT),
         helper.make_node('Concat', ['floats'] * 5, ['maps'], axis=3)], 'pixels',
        [helper.make_tensor_value_info('image', TensorProto.UINT8, (1, 32, 64, 3))],
        [helper.make_tensor_value_info('maps', TensorProto.FLOAT, (1, 32, 64, 15))])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
    model.ir_version = 8
    path = tmp_path / 'pixels.onnx'
    path.write_bytes(model.SerializeToString())
    plain = {'scale': 1.0, 'mean': [0.0] * 3, 'std': [1.0] * 3, 'color': 'bgr'}
    result = adopt(str(path), changes=dict(plain, topology='mpi_15'))
    image = np.random.RandomState(0).randint(0, 255, (32, 64, 3)).astype(np.uint8)
    network = open_network(result.path, backend='onnxruntime')
    outputs, _ = next(network([Frame(image)], [whole(0, 64, 32)]))
    np.testing.assert_array_equal(outputs['maps_channels_first'][:3], image.transpose(2, 0, 1))
    network.close()


@pytest.mark.parametrize('names', ['x y z', 'simcc_z simcc_y simcc_x', '1 2 3'])
def test_simcc_in_three_dimensions_reads_x_and_y(tmp_path, names):
    """RTMW3D: 133 keypoints, x and z with the same number of bins; a keypoint at (10, 30.5) px."""
    rows = {axis: np.zeros((1, 133, size), np.float32)
            for axis, size in zip('xyz', (96, 128, 96))}
    for axis, place in (('x', 20), ('y', 61), ('z', 77)):
        rows[axis][:, :, place] = .8
    axes = names.split() if names == '1 2 3' else sorted(names.split(), key=lambda name: name[-1])
    by_name = dict(zip(axes, (rows[axis] for axis in 'xyz')))
    path = make_constant(tmp_path / 'rtmw3d.onnx', {name: by_name[name] for name in names.split()},
                         (1, 3, 64, 48))
    result = adopt(path, changes={'padding': 1.0})
    assert result.kind == 'SimCC of crops (RTMPose3D, 133 keypoints, z left out)'
    assert [result.card.decoder.outputs[axis] for axis in 'xy'] == axes[:2]
    estimator = PoseEstimator(result.path, backend='onnxruntime')
    assert set(estimator.network.engine.output_names) == set(axes[:2])
    people = estimator(np.zeros((64, 48, 3), np.uint8))
    np.testing.assert_allclose(people.keypoints, np.tile((10, 30.5, .8), (1, 17, 1)), atol=1e-3)
    estimator.close()


def test_options_change_the_card(tmp_path):
    result = adopted(tmp_path, 'heatmaps', output=str(tmp_path / 'mine.onnx'), changes={
        'color': 'bgr', 'mean': [1., 2., 3.], 'padding': 1.5, 'topology': 'coco_17'})
    assert result.path == str(tmp_path / 'mine.onnx')
    assert result.card.input.color == 'bgr' and result.card.input.mean == (1, 2, 3)
    assert result.card.input.padding == 1.5
    with pytest.raises(CardError, match="color must be one of 'bgr'"):
        adopted(tmp_path, 'heatmaps', changes={'color': 'hsv'})
    with pytest.raises(CardError, match='one channel per keypoint'):
        adopted(tmp_path, 'heatmaps', changes={'topology': 'hand_21'})


def test_a_file_of_no_kind_is_an_error_with_what_it_yields(tmp_path):
    path = make_constant(tmp_path / 'odd.onnx', zeros((3, 7), (2,)))
    with pytest.raises(ModelError, match=r'yields a 3x7, b 2 per image. This is none of the '
                                         r'kinds that are known: simcc, rtmo,'):
        adopt(path)
    with pytest.raises(ModelError, match="This is no 'yolox'"):
        adopt(path, kind='yolox')
    with pytest.raises(ModelError, match="there is no kind 'yolo9'; the kinds are simcc"):
        adopt(path, kind='yolo9')


def test_of_two_kinds_that_fit_the_option_chooses(tmp_path):
    path = make_constant(tmp_path / 'square.onnx', zeros((CELLS, CELLS)))
    assert adopt(path).card.decoder.outputs['format'] == 'yolox'
    assert adopt(path, kind='yolo').card.decoder.outputs['format'] == 'yolo'


def test_files_that_take_no_image_are_refused(tmp_path):
    gray = make_constant(tmp_path / 'gray.onnx', zeros((17, 16, 16)), (1, 1, 64, 64))
    with pytest.raises(ModelError, match=r'an image of three colors.* is \(1, 1, 64, 64\)'):
        adopt(gray)
    with pytest.raises(ModelError, match='must end in .onnx'):
        adopted(tmp_path, 'heatmaps', output=str(tmp_path / 'model.xml'))
    (tmp_path / 'text.onnx').write_bytes(b'no network at all')
    with pytest.raises(ModelError, match='text.onnx cannot be run'):
        adopt(str(tmp_path / 'text.onnx'))
    with pytest.raises(ModelError, match='takes images of 64 x 64 px only, not of 96 x 96'):
        adopted(tmp_path, 'heatmaps', size=(96, 96))


def test_a_failed_adoption_leaves_no_file(tmp_path):
    with pytest.raises(CardError):
        adopted(tmp_path, 'heatmaps', changes={'color': 'hsv'})
    assert [path.name for path in tmp_path.iterdir()] == ['public.onnx']


def test_a_file_with_a_card_is_adopted(tmp_path):
    result = adopted(tmp_path, 'movenet')
    assert is_adopted(result.path) and not is_adopted(str(tmp_path / 'public.onnx'))


REAL = {
    'EfficientPoseII.tflite': 'heatmap', 'blazepose_full.onnx': 'regression',
    'face_landmark.onnx': 'regression', 'hand_landmark_full.onnx': 'regression',
    'hand_landmark_lite.tflite': 'regression', 'mobile_cpm.pb': 'heatmap',
    'mobile_cpm_192.onnx': 'heatmap', 'mobilenet_v2_small.onnx': 'paf',
    'movenet_lightning.onnx': 'regression', 'movenet_multipose.onnx': 'movenet_multipose',
    'movenet_singlepose_lightning_int8_4.tflite': 'regression',
    'palm_detection_full.onnx': 'boxes', 'rtmdet_nano_person.onnx': 'boxes',
    'tf_pose_mobilenet_v2_small_graph_opt.pb': 'paf', 'ultralight_nano_simplepose.onnx': 'heatmap',
    'yolox_nano.onnx': 'boxes', 'tinypose_256_192/model.xml': 'heatmap',
    'human_pose_estimation_0001_int8_openvino/human-pose-estimation-0001.xml': 'paf'}


@pytest.mark.parametrize('name', sorted(REAL))
def test_real_public_files_are_adopted(shared, tmp_path, name):
    ending = '.onnx' if name.endswith('.onnx') else '.xml'
    if ending == '.xml':
        pytest.importorskip('openvino')
    result = adopt(str(shared / 'weights' / name), str(tmp_path / ('adopted' + ending)))
    assert load_card(result.path).decoder.type == REAL[name]
