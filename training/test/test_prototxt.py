# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A .prototxt is compared with the network: layers, their numbers and connections."""
import caffe_files
import pytest

from pose_training.errors import WeightsError
from pose_training.importers import caffe
from pose_training.importers.prototxt import check_prototxt
from pose_training.models import get_spec


def edited(text, layer, old, new):
    """Return the text of a .prototxt with one replacement inside of a layer."""
    start = text.index('layer {{\n  name: "{}"'.format(layer))
    end = text.find('\nlayer {', start) if '\nlayer {' in text[start:] else len(text)
    block = text[start:end]
    assert old in block
    return text[:start] + block.replace(old, new, 1) + text[end:]


def check(tmp_path, text, name='cmu'):
    """Compare a text with a network."""
    path = tmp_path / 'net.prototxt'
    path.write_text(text)
    check_prototxt(str(path), get_spec(name))


@pytest.mark.parametrize('name', caffe_files.NETWORKS)
def test_every_published_network_is_recognized_and_no_other(name, tmp_path):
    """Each description matches only its own network."""
    text = caffe_files.prototxt(caffe_files.NETWORKS[name])
    for other in caffe_files.NETWORKS:
        if other == name:
            check(tmp_path, text, other)
        else:
            with pytest.raises(WeightsError, match='does not describe {}: '.format(other)):
                check(tmp_path, text, other)


@pytest.mark.parametrize('layer, old, new, message', [
    ('conv3_2', 'pad: 1', 'pad: 0', r'conv3_2: pad is \(0, 0\), not \(1, 1\)'),
    ('conv3_2', 'pad: 1', 'pad: 1 stride: 2', r'conv3_2: stride is \(2, 2\), not \(1, 1\)'),
    ('conv3_2', 'pad: 1', 'pad: 1 dilation: 2', r'conv3_2: dilation is \(2, 2\)'),
    ('conv3_2', 'pad: 1', 'pad: 1 group: 4', 'conv3_2: group is 4, not 1'),
    ('Mconv1_stage2_L1', 'kernel_size: 7', 'kernel_h: 7 kernel_w: 5', r'kernel is \(7, 5\)'),
    ('Mconv7_stage6_L2', 'num_output: 19', 'num_output: 26', 'num_output is 26, not 19'),
    ('conv4_4_CPM', 'name: "conv4_4_CPM"', 'name: "conv4_4"', 'conv4_4_CPM is missing'),
    ('conv4_4_CPM', 'name: "conv4_4_CPM"', 'name: "x"', 'x is not part of the network'),
    ('concat_stage3', 'bottom: "Mconv7_stage2_L1"\n  bottom: "Mconv7_stage2_L2"',
     'bottom: "Mconv7_stage2_L2"\n  bottom: "Mconv7_stage2_L1"',
     r'Mconv1_stage3_L1: input is \[Mconv7_stage2_L2, Mconv7_stage2_L1, relu\(conv4_4_CPM\)\], '
     r'not \[Mconv7_stage2_L1, Mconv7_stage2_L2, relu\(conv4_4_CPM\)\]'),
    ('concat_stage7', 'bottom: "Mconv7_stage6_L2"\n', 'bottom: "Mconv7_stage5_L2"\n',
     r'the output: made of is \[Mconv7_stage5_L2, Mconv7_stage6_L1\]'),
    ('concat_stage2', 'axis: 1', 'axis: 2', r'input is Concat\('),
    ('pool2_stage1', 'pool: MAX', 'pool: AVE', r'input is AVE pooling \(2, 2\)'),
    ('pool2_stage1', 'stride: 2', 'stride: 1', r'stride \(1, 1\)\(relu\(conv2_2\)\)'),
    ('relu3_1', 'type: "ReLU"', 'type: "TanH"', r'input is TanH\(conv3_1\)'),
    ('relu3_1', 'top', 'relu_param { negative_slope: .1 } top', r'input is ReLU\(conv3_1\)'),
    ('relu3_1', 'top: "conv3_1"', 'top: "aside"', r'input is conv3_1, not relu\(conv3_1\)'),
    ('conv2_1', 'bottom: "pool1_stage1"', 'bottom: "pool9"', 'conv2_1 reads pool9, which no'),
])
def test_every_difference_is_named(layer, old, new, message, tmp_path):
    """One changed fact of one layer."""
    text = caffe_files.prototxt(caffe_files.NETWORKS['cmu'])
    with pytest.raises(WeightsError, match=message):
        check(tmp_path, edited(text, layer, old, new))


def test_a_prelu_belongs_to_its_convolution(tmp_path):
    """The slopes of BODY-25 are weights: they must have the positions of the network."""
    text = caffe_files.prototxt(caffe_files.NETWORKS['body_25'])
    text = edited(text, 'prelu4_2', '"prelu4_2"', '"prelu4_9"')
    with pytest.raises(WeightsError, match=r'input is prelu4_9\(conv4_2\), not prelu4_2'):
        check(tmp_path, text, 'body_25')


@pytest.mark.parametrize('old, new', [
    ('input_dim: 1\ninput_dim: 3\ninput_dim: 16\ninput_dim: 16\n',
     'input_shape { dim: 1 dim: 3 dim: 368 dim: 656 }\n'),
    ('input: "image"  # blue, green, red\ninput_dim: 1\ninput_dim: 3\ninput_dim: 16\n'
     'input_dim: 16\n', 'layer { name: "in" type: "Input" top: "image" '
                        'input_param { shape { dim: 1 dim: 3 dim: 16 dim: 16 } } }\n'),
    ('kernel_size: 3', 'kernel_h: 3 kernel_w: 3'), ('kernel_size: 3', 'kernel_size: [3, 3]'),
    ('"image"', '"data"')])
def test_equivalent_descriptions_are_accepted(old, new, tmp_path):
    """The input, kernels and names of blobs can be written differently."""
    text = caffe_files.prototxt(caffe_files.NETWORKS['hand'])
    assert old in text
    check(tmp_path, text.replace(old, new), 'hand')


@pytest.mark.parametrize('text, message', [
    ('', 'lists no `layer'), ('layers { name: "conv1_1" type: CONVOLUTION }', 'old form'),
    ('<html><body>404</body></html>', 'is no prototxt'), ('layer { name: "a"', 'is no prototxt'),
    ('layer { unknown ' + '{ a ' * 5000, 'is no prototxt'),
    ('input: "image" input_dim: 1 input_dim: 1 layer { }', r'reads image .*\[\[1, 1\]\]'),
    ('input: "a" input: "b" input_shape { dim: [1, 3, 2, 2] } layer { }', 'reads a, b of'),
    ('layer { name: "a" }', 'reads nothing')])
def test_files_that_are_no_description_are_rejected(text, message, tmp_path):
    """Other files, older forms, other inputs."""
    with pytest.raises(WeightsError, match=message):
        check(tmp_path, text)


def test_a_description_that_doubles_in_each_layer_is_rejected_at_once(tmp_path):
    """Sixty layers that each read the one before twice would need 2**60 names."""
    text = 'input: "image" input_shape { dim: [1, 3, 8, 8] }'
    for kind in 'Concat', 'Twice':
        for _ in range(60):
            text += ' layer {{ type: "{}" bottom: "image" bottom: "image" top: "image" }}'.format(
                kind)
    with pytest.raises(WeightsError, match='conv1_1 is missing'):
        check(tmp_path, text)


@pytest.mark.parametrize('old, new, message', [
    ('pool: MAX', 'pool: 7', 'not MAX pooling'), ('pool: MAX', 'pool: -1', 'not MAX pooling'),
    ('"conv2_1"', '"{}"'.format('n' * 1000), 'which is no name'),
    ('"conv2_1"', '"\\033[31m"', 'which is no name')])
def test_impossible_values_are_rejected(old, new, message, tmp_path):
    text = caffe_files.prototxt(caffe_files.NETWORKS['cmu'])
    assert old in text
    with pytest.raises(WeightsError, match=message):
        check(tmp_path, text.replace(old, new))


def test_a_missing_or_binary_file_is_rejected(tmp_path):
    """`pose-train import --prototxt` compares the description before it reads the weights."""
    binary = tmp_path / 'binary.prototxt'
    binary.write_bytes(bytes(range(256)))
    for path, message in ((tmp_path / 'none', 'cannot read'), (tmp_path, 'cannot read'),
                          (binary, 'is no prototxt')):
        with pytest.raises(WeightsError, match=message):
            caffe.read_weights('weights', get_spec('hand'), prototxt=str(path))
