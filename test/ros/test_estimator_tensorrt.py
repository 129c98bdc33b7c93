# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node with backend tensorrt: without a GPU, and on a simulated one."""
import importlib.util
import os
from pathlib import Path
import signal

from graph import blue, image_message, RELIABLE
import pytest
from sensor_msgs.msg import Image

from pose_ros.core.engines.cuda_driver import compute_capability
from pose_ros.msg import SkeletonArray

SCRIPT = Path(__file__).resolve().parent / 'simulated_estimator.py'
VERSIONS = ('8.2.1', '8.5.3', '8.6.1', '10.3.0', '10.16.1.11', '11.4.0.106', 'rtx-1.7.1.116')


def test_without_a_gpu_it_logs_one_line_and_publishes(graph, tiny_model):
    if importlib.util.find_spec('tensorrt') is not None:
        pytest.skip('this machine has TensorRT')
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    process = graph.start_estimator(tiny_model, backend='tensorrt')
    arrays = graph.collect(SkeletonArray, 'skeletons')
    answer = graph.send_until(publisher, image_message(blue()), arrays, process=process)
    assert len(answer.skeletons) == 2
    lines = [line for line in process.log().splitlines() if 'runs instead of tensorrt' in line]
    assert len(lines) == 1 and 'tensorrt cannot be imported' in lines[0] and 'WARN' in lines[0]
    graph.wait(lambda: 'runs instead of tensorrt' in graph.status.message, 'the diagnostic',
               process)
    assert graph.status.level == b'\x01'
    assert 'cannot be imported' in graph.values()['engine status']
    assert graph.values()['engine'].split()[0] in ('openvino', 'onnxruntime')


def test_tensorrt_for_rtx_without_a_gpu(graph, tiny_model):
    """Also where it is installed, as on a machine that builds engines for others."""
    if compute_capability():
        pytest.skip('this machine has a GPU')
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    process = graph.start_estimator(tiny_model, backend='tensorrt_rtx')
    arrays = graph.collect(SkeletonArray, 'skeletons')
    answer = graph.send_until(publisher, image_message(blue()), arrays, process=process)
    assert len(answer.skeletons) == 2
    lines = [line for line in process.log().splitlines() if 'instead of tensorrt_rtx' in line]
    reason = ('tensorrt_rtx cannot be imported' if importlib.util.find_spec('tensorrt_rtx') is None
              else 'no NVIDIA GPU can be used')
    assert len(lines) == 1 and 'WARN' in lines[0] and reason in lines[0]
    assert 'python3 -m pip install' in lines[0]
    graph.wait(lambda: reason in graph.values().get('engine status', ''), 'the diagnostic',
               process)
    assert graph.status.level == b'\x01'
    assert graph.values()['engine'].split()[0] in ('openvino', 'onnxruntime')


def test_strict_stays_unconfigured(graph, tiny_model):
    if importlib.util.find_spec('tensorrt') is not None:
        pytest.skip('this machine has TensorRT')
    process = graph.start('estimator', model=tiny_model, backend='tensorrt', require_tensorrt=True,
                          diagnostics_period=0.2)
    graph.wait(lambda: graph.status.level == b'\x02', 'an error', process)
    assert 'tensorrt cannot be imported' in graph.status.message and process.alive


def backend_of(version):
    return 'tensorrt_rtx' if version.startswith('rtx') else 'tensorrt'


def start_simulated(graph, surfaces, model, folder, monkeypatch, version, seconds):
    monkeypatch.setenv('XDG_CACHE_HOME', str(folder))
    return graph.start('estimator', script=SCRIPT, model=model, backend=backend_of(version),
                       diagnostics_period=0.2, arguments=[str(surfaces), version, seconds])


def numbered(arrays):
    """Return the answers to the images of `publish_and_wait`."""
    return [array for array in arrays if array.header.stamp.sec == 100]


def publish_and_wait(graph, publisher, arrays, number, process):
    """Publish one image whose stamp holds its number, and wait for its answer."""
    publisher.publish(image_message(blue(), (100, number)))
    graph.wait(lambda: len(numbered(arrays)) == number, 'answer {}'.format(number), process)


@pytest.mark.parametrize('version', VERSIONS)
def test_no_image_is_lost_during_a_build_and_the_switch(
        graph, tensorrt_api, tiny_model, tmp_path, monkeypatch, version):
    process = start_simulated(
        graph, tensorrt_api, tiny_model, tmp_path, monkeypatch, version, '300')
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    graph.send_until(publisher, image_message(blue()), arrays, process=process)
    graph.wait(lambda: 'being built' in graph.values().get('engine status', ''), 'the status',
               process)
    sent, seen = 0, set()
    while backend_of(version) not in seen or sent < 10:
        assert sent < 200, process.log()
        sent += 1
        if sent == 10:
            os.kill(process.pid, signal.SIGUSR2)  # the build ends
        publish_and_wait(graph, publisher, arrays, sent, process)
        graph.spin(0.1)
        seen.add(graph.values()['engine'].split()[0])
    assert seen == {'onnxruntime', backend_of(version)}
    answers = numbered(arrays)
    assert [array.header.stamp.nanosec for array in answers] == list(range(1, sent + 1))
    assert all(len(array.skeletons) == 2 for array in arrays)
    assert 'from this image on' in process.log() and graph.failed() == 0
    graph.wait(lambda: 'engine status' not in graph.values() and graph.status.level == b'\x00',
               'a clean status', process)
    assert graph.values()['engine'].startswith('{} {} on Simulated '.format(
        backend_of(version), version.split('-')[-1]))
    assert process.stop() == 0
    assert 'left on the GPU: []' in process.log()


def test_no_image_is_lost_when_a_gpu_fails(
        graph, tensorrt_api, tiny_model, tmp_path, monkeypatch):
    process = start_simulated(
        graph, tensorrt_api, tiny_model, tmp_path, monkeypatch, '10.3.0', '0')
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    graph.send_while(publisher, image_message(blue()), lambda: graph.values().get(
        'engine', '').startswith('tensorrt'), 'the switch', process)
    os.kill(process.pid, signal.SIGUSR1)  # its handler runs a little later
    sent = 0
    while sent < 3 or 'unspecified launch failure' not in graph.status.message:
        assert sent < 200, process.log()
        sent += 1
        publish_and_wait(graph, publisher, arrays, sent, process)
        graph.spin(0.1)
    assert all(len(array.skeletons) == 2 for array in arrays) and graph.failed() == 0
    assert graph.status.level == b'\x01'
    assert graph.values()['engine'].split()[0] in ('openvino', 'onnxruntime')
    assert process.stop() == 0
    assert 'left on the GPU: []' in process.log()
