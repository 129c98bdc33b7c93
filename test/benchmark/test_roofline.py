# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Least times from counts and peaks, and what is said about a measured one."""
from pathlib import Path

import pytest

pytest.importorskip('onnx')

from devices import Device, DEVICES
from network_cost import count, FUSED, Layer, NetworkCost
import roofline

# 4 GMAC, 1 M weights, maps of 9 M numbers, of which 0.5 M are input and outputs.
COST = NetworkCost((432, 368), (Layer('convolution 3x3', 4 * 10**9, 10**6, 9 * 10**6),
                                Layer(FUSED, 0, 0, 10**7)), 500000)
DEVICE = Device('Board', fp16=2.0, fp32=1.0, bandwidth=5.0)


def test_limits_by_hand():
    half = roofline.limits(COST, DEVICE, 'fp16')
    # 8 GFLOP at 2 TFLOP/s; 10 M and 1.5 M numbers of two bytes at 5 GB/s.
    assert half == pytest.approx((4.0, 4.0, 0.6))
    single = roofline.limits(COST, DEVICE, 'fp32')
    assert single == pytest.approx((8.0, 8.0, 1.2))


def test_the_larger_limit_binds():
    slow_memory = roofline.limits(COST, DEVICE._replace(bandwidth=2.5), 'fp16')
    assert (slow_memory.least, slow_memory.binds) == (pytest.approx(8.0), 'memory')
    assert slow_memory.cached_least == pytest.approx(4.0)
    fast_memory = roofline.limits(COST, DEVICE._replace(bandwidth=50.0), 'fp16')
    assert (fast_memory.least, fast_memory.binds) == (pytest.approx(4.0), 'compute')


@pytest.mark.parametrize('measured, words', [
    (16.0, '50 % of the limit (8.000 ms, memory)'),
    (5.0, '80 % of the limit that remains (4.000 ms)'),
    (3.9, 'takes 4.000 ms at least')])
def test_verdict(measured, words):
    found = roofline.limits(COST, DEVICE._replace(bandwidth=2.5), 'fp16')
    assert words in roofline.verdict(found, measured)


def test_peaks_follow_from_cores_and_clocks():
    """Cores, tensor cores and clocks [GHz] of NVIDIA's data sheets give the stated peaks."""
    for name, cores, clock in (('nano', 128, .9216), ('tx2', 256, 1.3), ('orin-nano', 1024, .625),
                               ('orin-nano-super', 1024, 1.02), ('agx-orin', 2048, 1.3),
                               ('t4', 2560, 1.59), ('rtx-4090', 16384, 2.52)):
        assert DEVICES[name].fp32 == pytest.approx(2e-3 * cores * clock, rel=.01), name
    for name in ('nano', 'tx2'):  # no tensor cores: twice the rate in half precision
        assert DEVICES[name].fp16 == pytest.approx(2 * DEVICES[name].fp32, rel=.01)
    # Multiply-adds per tensor core and cycle: 256 of Orin's, 64 of Turing's, 128 of Ada's.
    for name, tensor_cores, each, clock in (
            ('orin-nano', 32, 256, .625), ('orin-nano-super', 32, 256, 1.02),
            ('agx-orin', 64, 256, 1.3), ('t4', 320, 64, 1.59), ('rtx-4090', 512, 128, 2.52)):
        peak = 2e-3 * tensor_cores * each * clock
        assert DEVICES[name].fp16 == pytest.approx(peak, rel=.03), name


def test_tables(real_model, capsys):
    roofline.main([real_model])
    text = capsys.readouterr().out
    assert 'mobilenet_v2_small.onnx at 432x368: 1.001 GMAC (2.003 GFLOP)' in text
    assert '| total without others | 135 | 1.001 | 100 |' in text
    for device in DEVICES.values():
        assert '| {} | '.format(device.title) in text
    # Published for the unfolded network: 1.5 ms of arithmetic.
    assert '| Jetson TX2 | 1.506 | 1.93' in text


def test_least_times_in_the_document(real_model):
    """The row of docs/performance.md for the network of the tests."""
    path = Path(__file__).resolve().parents[2] / 'docs' / 'performance.md'
    head, _, *rows = path.read_text(encoding='utf-8').split('<!-- least times -->\n')[1].split(
        '\n<!-- end -->')[0].splitlines()
    cells = {row.split('`')[1]: row.strip('| ').split(' | ') for row in rows}['mobilenet_v2_small']
    cost = count(real_model)
    assert float(cells[2]) == round(cost.multiply_adds / 1e9, 2)
    assert float(cells[3]) == pytest.approx(2e-6 * cost.streamed, abs=.6)
    names = ('nano', 'tx2', 'orin-nano', 'orin-nano-super', 'agx-orin', 'rtx-4090')
    assert len(cells) == 4 + len(names) == head.count('|') - 1
    for name, cell in zip(names, cells[4:]):
        found = roofline.limits(cost, DEVICES[name], 'fp16')
        time, letter = cell.split()
        assert (round(found.least, 2), found.binds[0]) == (float(time), letter), name


def test_measured(make_model, capsys):
    path = make_model()
    roofline.main([path, '--device', 'tx2', '--measured', '5', '--precision', 'fp32'])
    text = capsys.readouterr().out
    assert '| device, fp32 |' in text and 'Jetson TX2: measured 5.000 ms' in text
    assert DEVICES['agx-orin'].title not in text


@pytest.mark.parametrize('arguments, words', [
    (['a.onnx', '--measured', '5'], 'needs --device'),
    (['a.onnx', 'b.onnx', '--device', 'tx2', '--measured', '5'], 'one model'),
    (['a.onnx', '--device', 'tx2', '--measured', 'nan'], 'above 0'),
    (['--size', 'big'], 'not WIDTHxHEIGHT')])
def test_wrong_command_lines(arguments, words, capsys):
    with pytest.raises(SystemExit) as stop:
        roofline.main(arguments)
    assert stop.value.code == 2 and words in capsys.readouterr().err


def test_a_missing_model_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match='cannot read .*none.onnx: No such file'):
        roofline.main([str(tmp_path / 'none.onnx')])
