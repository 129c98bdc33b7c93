# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node `viewer` on a real ROS graph, beside a real estimator."""
import re

import pytest
from sensor_msgs.msg import Image

pytest.importorskip('aiohttp')

from graph import blue, image_message, red
from viewer_client import Stream, state


def start_viewer(graph, **parameters):
    """Return (process, url)."""
    process = graph.start('viewer', port=0, **parameters)
    graph.wait(lambda: 'the page is on' in process.log(), 'the page', process)
    return process, re.search(r'the page is on (\S+)', process.log()).group(1)


def test_people_are_shown_while_a_browser_looks(graph, tiny_model):
    estimator = graph.start_estimator(tiny_model, wait_for_image=False, lazy=True)
    process, url = start_viewer(graph)
    publisher = graph.node.create_publisher(Image, 'image', 1)
    graph.wait(lambda: state(url)['source'].startswith('tiny'), 'diagnostics', estimator)
    graph.spin(0.5)
    # Nobody looks: the viewer asks for nothing, and so the estimator does not work.
    assert graph.node.count_subscribers('overlay') == graph.node.count_subscribers('image') == 0
    with Stream(url) as stream:
        graph.wait(lambda: graph.node.count_subscribers('image') == 1, 'the estimator works',
                   process)
        graph.send_while(publisher, image_message(blue()), lambda: len(state(url)['people']) == 2,
                         'people', process)
        people = state(url)['people']
        assert [person['keypoints'] for person in people] == [18, 18]
        assert all(0 < person['score'] <= 1 and person['found'] > 9 for person in people)
        assert stream.next_image().shape == (480, 640, 3)
        graph.send_while(publisher, image_message(red()), lambda: state(url)['people'] == [],
                         'no people', process)
        graph.wait(lambda: any(sample[1] for sample in state(url)['samples']), 'a rate', process)
    graph.wait(lambda: graph.node.count_subscribers('overlay') == 0, 'the end of the overlay',
               process)
    graph.wait(lambda: graph.node.count_subscribers('image') == 0, 'the end of the work', process)
    assert process.stop() == 0


def test_a_lost_camera_is_a_problem_on_the_page(graph, tiny_model):
    estimator = graph.start_estimator(tiny_model, no_image_timeout=0.5)
    process, url = start_viewer(graph)
    with Stream(url):
        graph.wait(lambda: state(url)['level'] == 'warning', 'a warning', estimator)
        assert state(url)['problems'][0].startswith(
            'no image on {}/image for'.format(graph.namespace))
        graph.wait(lambda: state(url)['silence'] > 1, 'silence', process)


def test_a_failed_estimator_is_a_problem_on_the_page(graph):
    estimator = graph.start_estimator('/no/such.onnx', wait_for_image=False)
    process, url = start_viewer(graph)
    graph.wait(lambda: state(url)['level'] == 'error', 'an error', estimator)
    assert '/no/such.onnx' in state(url)['problems'][0]


def test_without_an_estimator(graph):
    process, url = start_viewer(graph, cameras=['front', 'rear'])
    assert state(url)['cameras'] == ['front', 'rear'] and state(url)['problems'] == []
    graph.wait(lambda: state(url, 1)['problems'], 'a problem', process)
    assert 'no diagnostics of an estimator that publishes {}/rear/skeletons'.format(
        graph.namespace) in state(url, 1)['problems'][0]


@pytest.mark.parametrize('cameras', [['front', 'rear']])
def test_the_cameras_of_one_estimator(graph, tiny_model, cameras):
    graph.start_estimator(tiny_model, cameras=cameras, no_image_timeout=0.5)
    process, url = start_viewer(graph, cameras=cameras)
    front = graph.node.create_publisher(Image, 'front/image', 1)
    with Stream(url, 0):
        graph.send_while(front, image_message(blue()), lambda: len(state(url)['people']) == 2,
                         'people in front', process)
        assert graph.node.count_subscribers('rear/overlay') == 0
        graph.wait(lambda: 'rear/image' in ' '.join(state(url, 1)['problems']), 'a warning',
                   process)
        assert 'rear/image' not in ' '.join(state(url, 0)['problems'])


def test_a_port_in_use(graph):
    _, url = start_viewer(graph)
    port = int(url.rstrip('/').rpartition(':')[2])
    second = graph.start('viewer', port=port)
    assert second.wait() == 1
    assert 'cannot start: the viewer cannot listen on 127.0.0.1 port' in second.log()
