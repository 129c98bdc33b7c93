# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO IR: small files written here, valid and damaged."""
from xml.etree import ElementTree

import numpy as np
import pytest

from pose_training.errors import WeightsError
from pose_training.importers.openvino_ir import read_convolutions, read_weights
from pose_training.models import get_spec

TYPES = {'f16': np.float16, 'f32': np.float32, 'i8': np.int8, 'u8': np.uint8, 'i64': np.int64}


class Ir:
    """A small IR: layers are added one after another and written as a pair of files."""

    def __init__(self, version='10'):
        self.net = ElementTree.Element('net', name='small', version=version)
        self.layers = ElementTree.SubElement(self.net, 'layers')
        self.edges = ElementTree.SubElement(self.net, 'edges')
        self.content, self.count = b'', 0

    def add(self, kind, *inputs, name=None, **data):
        """Add a layer fed by `inputs`, in file order last port first; return its number."""
        number, self.count = str(self.count), self.count + 1
        layer = ElementTree.SubElement(self.layers, 'layer', id=number, name=name or number,
                                       type=kind, version='opset1')
        if data:
            ElementTree.SubElement(layer, 'data', {key: str(value) for key, value
                                                   in data.items()})
        for port in reversed(range(len(inputs))):
            ElementTree.SubElement(self.edges, 'edge', {
                'from-layer': inputs[port], 'from-port': '9', 'to-layer': number,
                'to-port': str(port)})
        return number

    def const(self, values, kind):
        values = np.asarray(values, TYPES[kind])
        number = self.add('Const', element_type=kind, offset=len(self.content),
                          shape=','.join(map(str, values.shape)), size=values.nbytes)
        self.content += values.tobytes()
        return number

    def image(self):
        return self.add('Parameter', name='data', shape='1,3,8,8', element_type='f32')

    def write(self, folder):
        """Write both files; return the path of the .xml."""
        path = folder / 'small.xml'
        path.write_bytes(ElementTree.tostring(self.net))
        path.with_suffix('.bin').write_bytes(self.content)
        return str(path)


def convolution(ir, weight, name='conv', kind='Convolution'):
    return ir.add(kind, ir.image(), weight, name=name, strides='1,1')


def quantized(value, levels, in_low, in_high, out_low, out_high):
    """FakeQuantize-1 of one number, as its specification has it (round half to even)."""
    if value <= min(in_low, in_high):
        return out_low
    if value > max(in_low, in_high):
        return out_high
    step = round((value - in_low) / (in_high - in_low) * (levels - 1))
    return step / (levels - 1) * (out_high - out_low) + out_low


def test_bytes_become_floats_channel_by_channel(tmp_path):
    stored = np.arange(2 * 3 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 3) * 4
    low, high = np.float16([-.75, -2.]), np.float16([.75, 3.])
    ir = Ir()
    limits = [ir.const([limit], 'f16') for limit in (8, 200)]
    limits += [ir.const(limit.reshape(2, 1, 1, 1), 'f16') for limit in (low, high)]
    weight = ir.add('FakeQuantize', ir.add('Convert', ir.const(stored, 'u8'),
                                           destination_type='f16'), *limits, levels=255)
    convolution(ir, weight)
    found, bias = read_convolutions(ir.write(tmp_path), 1 << 20)['conv']
    wanted = [[quantized(value, 255, 8, 200, float(low[channel]), float(high[channel]))
               for value in stored[channel].ravel().tolist()] for channel in range(2)]
    np.testing.assert_allclose(found.reshape(2, 27), wanted, rtol=0, atol=1e-15)
    assert found[0, 0, 0, 0] == -.75 and found[1, 2, 2, 2] == 3  # beyond the limits
    assert bias.tolist() == [0, 0]


def test_a_zero_point_and_a_scale_are_applied_in_their_order(tmp_path):
    ir, stored = Ir('11'), np.int8([-128, -1, 0, 127]).reshape(2, 2, 1, 1)
    centered = ir.add('Subtract', ir.add('Convert', ir.const(stored, 'i8')),
                      ir.const(np.full((2, 1, 1, 1), -3), 'f32'))
    convolution(ir, ir.add('Multiply', centered, ir.const([[[[.5]]], [[[2.]]]], 'f32')))
    weight, _ = read_convolutions(ir.write(tmp_path), 1 << 20)['conv']
    assert weight.ravel().tolist() == [-62.5, 1, 6, 260]


def test_groups_are_unfolded_and_a_bias_may_be_on_either_side(tmp_path):
    ir, values = Ir(), np.arange(4 * 9).reshape(4, 1, 3, 3)
    shape = ir.const([0, 1, 1, 3, -1], 'i64')
    grouped = convolution(ir, ir.add('Reshape', ir.const(values, 'f32'), shape,
                                     special_zero='True'), 'dw', 'GroupConvolution')
    ir.add('Add', ir.const(np.reshape([1, 2, 3, 4], (1, 4, 1, 1)), 'f16'), grouped)
    plain = convolution(ir, ir.const(np.ones((2, 4, 1, 1)), 'f16'), 'sum/WithoutBiases')
    ir.add('Add', plain, plain)
    found = read_convolutions(ir.write(tmp_path), 1 << 20)
    assert np.array_equal(found['dw'][0], values) and found['dw'][1].tolist() == [1, 2, 3, 4]
    # An addition of features is no bias.
    assert found['sum'][0].shape == (2, 4, 1, 1) and found['sum'][1].tolist() == [0, 0]


def small():
    ir = Ir()
    convolution(ir, ir.const(np.ones((1, 3, 1, 1)), 'f32'))
    return ir


def test_another_network_is_rejected_by_its_layers(tmp_path):
    spec = get_spec('human_pose_estimation_0001')
    with pytest.raises(WeightsError, match="58 of the 58 .* missing, the first is 'conv1'"):
        read_weights(small().write(tmp_path), spec)


def test_half_a_pair_and_half_a_file_are_rejected(tmp_path):
    path = small().write(tmp_path)
    binary = tmp_path / 'small.bin'
    binary.write_bytes(binary.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="constant '0'.*bytes 0 to 12 .* has 11; copy both"):
        read_convolutions(path, 1 << 20)
    binary.unlink()
    with pytest.raises(WeightsError, match=r'small\.bin: No such file.*side by side'):
        read_convolutions(path, 1 << 20)
    with pytest.raises(WeightsError, match=r'a pair of files, \.xml and \.bin'):
        read_convolutions(str(tmp_path / 'small.onnx'), 1 << 20)
    (tmp_path / 'small.xml').write_bytes((tmp_path / 'small.xml').read_bytes()[:200])
    binary.write_bytes(b'')
    with pytest.raises(WeightsError, match=r'small\.xml is not an OpenVINO \.xml'):
        read_convolutions(str(binary), 1 << 20)


@pytest.mark.parametrize('content, reason', [
    (b'', r'is not an OpenVINO \.xml'), (b'\x80\x04binary', r'is not an OpenVINO \.xml'),
    (b'<net version="7"/>', 'IR version 10 or 11, found <net> of version 7'),
    (b'<net/>', 'of version None'), (b'<html version="10"/>', 'found <html>'),
    (b'<!DOCTYPE net [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
     b'<net version="10">&b;</net>', 'declares a document type'),
    ('<!DOCTYPE net [<!ENTITY a "a">]><net version="10">&a;</net>'.encode('utf-16'),
     r'is not an OpenVINO \.xml'),
    (b'<net version="10"><layers><layer id="0" name="a"/></layers></net>', "lacks 'type'"),
    (b'<net version="10"><layers><layer id="0" name="a" type="Add"/></layers><edges>'
     b'<edge from-layer="5" to-layer="0" to-port="0"/></edges></net>', 'lacks .*layer 5')])
def test_files_that_are_no_ir_are_rejected(tmp_path, content, reason):
    (tmp_path / 'small.xml').write_bytes(content)
    (tmp_path / 'small.bin').write_bytes(b'')
    with pytest.raises(WeightsError, match=reason):
        read_convolutions(str(tmp_path / 'small.xml'), 1 << 20)


@pytest.mark.parametrize('attributes, reason', [
    ({'element_type': 'u4'}, "'u4'; supported are numbers of type f16"),
    ({'shape': '1,3,2'}, "constant '0'.*does not fit bytes 0 to 12"),
    ({'shape': '3' + ',1' * 99}, "constant '0'.*does not fit"),
    ({'shape': '1,x'}, "cannot use .*'x'"), ({'offset': '-4'}, 'bytes -4 to 8'),
    ({'shape': '1,3,1,1,1'}, "'conv' should be a 2-D convolution"),
    ({'shape': '1,0,1,1', 'size': '0'}, "'conv' should be a 2-D convolution")])
def test_damaged_constants_are_rejected(tmp_path, attributes, reason):
    ir = small()
    ir.layers.find("layer[@type='Const']/data").attrib.update(attributes)
    with pytest.raises(WeightsError, match=reason):
        read_convolutions(ir.write(tmp_path), 1 << 20)


@pytest.mark.parametrize('kind, data, other', [
    ('Reshape', {'special_zero': 'true'}, np.int64([7, 7])), ('Reshape', {}, np.int64([0, 3])),
    ('Multiply', {}, np.ones((5, 1, 3, 1), np.int64)), ('FakeQuantize', {}, np.int64([1])),
    ('FakeQuantize', {'levels': '1'}, np.int64([1])),
    ('FakeQuantize', {'levels': '9' * 400}, np.int64([1]))])
def test_operations_that_cannot_be_computed_are_rejected(tmp_path, kind, data, other):
    ir = Ir()
    limits = [ir.const(other, 'i64')] * (4 if kind == 'FakeQuantize' else 1)
    convolution(ir, ir.add(kind, ir.const(np.ones((1, 3, 1, 1)), 'f32'), *limits, name='odd',
                           **data))
    with pytest.raises(WeightsError, match="layer 'odd' .* cannot be computed"):
        read_convolutions(ir.write(tmp_path), 1 << 20)


def test_weights_that_depend_on_the_image_or_on_themselves_are_rejected(tmp_path):
    ir = Ir()
    convolution(ir, ir.image())
    with pytest.raises(WeightsError, match="'conv' should be .* with constant weights"):
        read_convolutions(ir.write(tmp_path), 1 << 20)
    ir = Ir()
    convolution(ir, ir.add('Convert', str(ir.count)))
    with pytest.raises(WeightsError, match="'conv' should be .* with constant weights"):
        read_convolutions(ir.write(tmp_path), 1 << 20)
