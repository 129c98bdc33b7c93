# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The server of the viewer, over HTTP: pages, states, streams, limits, refusals."""
import contextlib
import http.client
import os
import re
import sys

import numpy as np
import pytest

pytest.importorskip('aiohttp')

from viewer_client import Stream, get, state, wait

from pose_ros.core import viewer
from pose_ros.core.errors import PoseRosError
from pose_ros.core.viewer import Person, Sample, VIEWER_PARAMETERS, View, ViewerServer
from pose_ros.core.viewer.view import WARNING

VALUES = dict({parameter.name: parameter.default for parameter in VIEWER_PARAMETERS},
              port=0, rate=60.0)
PAGE = os.path.join(os.path.dirname(viewer.__file__), 'page')
BLUE, RED = (255, 0, 0), (0, 0, 255)


def plain(color, width=64, height=48):
    return np.full((height, width, 3), color, np.uint8)


def color_of(image):
    """BLUE or RED, whichever is nearer: JPEG changes colors a little."""
    return BLUE if image[..., 0].mean() > image[..., 2].mean() else RED


@pytest.fixture
def site():
    """Start servers: site(views=1, **values) returns (url, views)."""
    servers = []

    def start(views=1, **values):
        made = [View('camera{}'.format(number), dict(VALUES, **values)) for number in range(views)]
        servers.append(ViewerServer('robot', made, dict(VALUES, **values)))
        return servers[-1].url, made
    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize('path, kind, part', [
    ('/', 'text/html; charset=utf-8', b'<!DOCTYPE html>'),
    ('/page.css', 'text/css; charset=utf-8', b'main {'),
    ('/page.js', 'text/javascript; charset=utf-8', b"'use strict'"),
    ('/icon.svg', 'image/svg+xml; charset=utf-8', b'<svg')])
def test_the_files_of_the_page(site, path, kind, part):
    status, headers, body = get(site()[0], path)
    assert (status, headers['Content-Type']) == (200, kind)
    assert part in body
    policy = headers['Content-Security-Policy']
    assert "default-src 'none'" in policy and 'unsafe' not in policy and 'http' not in policy
    assert headers['X-Content-Type-Options'] == 'nosniff'
    assert headers['Cross-Origin-Resource-Policy'] == 'same-origin'


def test_the_page_loads_nothing_from_elsewhere():
    for name in os.listdir(PAGE):
        with open(os.path.join(PAGE, name), encoding='utf-8') as stream:
            urls = re.findall(r'(?:https?:)?//[\w.-]+\.\w+', stream.read())
        assert set(urls) <= {'http://www.w3.org'}, name  # the namespace of SVG


def test_state(site):
    url, (view,) = site()
    view.report('net by engine', WARNING, ['no image on /image', 'bad \x1b[31m'])
    view.list_people([Person(7, 0.87654, 15, 17), Person(-1, 0.5, 3, 17)])
    view.add_sample(Sample(29.97, 0.0432, 0.5, 2))
    view.add_sample(Sample(0.0, float('nan'), 0.0, float('nan')))
    found = state(url)
    assert (found['title'], found['name'], found['cameras']) == ('robot', 'camera0', ['camera0'])
    assert (found['source'], found['level']) == ('net by engine', 'warning')
    assert found['problems'] == ['no image on /image', 'bad \\x1b[31m']
    assert found['people'] == [{'id': 7, 'score': 0.877, 'found': 15, 'keypoints': 17},
                               {'id': -1, 'score': 0.5, 'found': 3, 'keypoints': 17}]
    assert [sample[1:] for sample in found['samples']] == [[30.0, 43.2, 0.5, 2.0],
                                                           [0.0, None, 0.0, None]]
    assert all(0 <= sample[0] < 5 for sample in found['samples'])
    assert (found['silence'], found['image'], found['viewers']) == (None, False, 0)


def test_what_does_not_come_is_an_error(site):
    url, (view,) = site()
    view.check = lambda: 'no diagnostics for 6 s'
    assert state(url)['level'] == 'error'
    assert state(url)['problems'] == ['no diagnostics for 6 s']


def test_each_camera_has_its_stream(site):
    url, views = site(views=2)
    with Stream(url, 0) as first, Stream(url, 1) as second:
        wait(lambda: all(view.watched for view in views), 'viewers')
        views[0].show(plain(BLUE))
        views[1].show(plain(RED))
        assert color_of(first.next_image()) == BLUE
        assert color_of(second.next_image()) == RED
        views[0].show(plain(RED))
        image = first.next_image()
        assert image.shape == (48, 64, 3) and color_of(image) == RED
        assert state(url, 1)['viewers'] == 2


def test_all_viewers_of_a_camera_see_the_same_image(site):
    url, (view,) = site()
    with Stream(url) as first, Stream(url) as second:
        wait(lambda: state(url)['viewers'] == 2, 'viewers')
        view.show(plain(BLUE))
        np.testing.assert_array_equal(first.next_image(), second.next_image())


def test_nothing_is_wanted_while_no_browser_looks(site):
    url, (view,) = site()
    changes = []
    view.on_watched = lambda view: changes.append(view.watched)
    assert not view.wants_image() and not view.wait(0)
    with Stream(url):
        wait(lambda: view.watched, 'the viewer')
        assert view.wants_image() and view.wait(0)
        with Stream(url):
            wait(lambda: state(url)['viewers'] == 2, 'a second viewer')
    wait(lambda: not view.watched, 'the end of the viewers')
    assert changes == [True, False] and not view.wants_image()
    assert state(url)['viewers'] == 0


def test_a_viewer_that_comes_later_sees_no_old_image(site):
    url, (view,) = site()
    with Stream(url) as stream:
        wait(lambda: view.watched, 'the viewer')
        view.show(plain(BLUE))
        stream.next_image()
    wait(lambda: not view.watched, 'its end')
    with Stream(url) as stream:
        wait(lambda: view.watched, 'the second viewer')
        assert not state(url)['image']
        view.show(plain(RED))
        assert color_of(stream.next_image()) == RED


def test_the_number_of_viewers_is_limited(site):
    url, (view,) = site(max_viewers=1)
    with Stream(url) as stream:
        status, _, body = get(url, '/stream/0')
        assert (status, body) == (503, b'1 viewers look already, and no more are allowed.')
        view.show(plain(RED))
        assert color_of(stream.next_image()) == RED
    wait(lambda: not view.watched, 'its end')
    with Stream(url) as stream:
        assert stream.status == 200


def test_a_slow_viewer_misses_images(site):
    url, (view,) = site()
    noise = np.random.RandomState(3).randint(0, 256, (480, 640, 3)).astype(np.uint8)
    with Stream(url) as stream:
        wait(lambda: view.watched, 'the viewer')
        for _ in range(60):  # 60 x 0.4 MB, more than any buffer of a connection
            view.show(noise)
        view.show(plain(RED, 640, 480))
        images = [stream.next_image()]
        while images[-1][..., 1].max() > 9:  # noise
            images.append(stream.next_image())
    assert len(images) < 40


@pytest.mark.parametrize('path, method, status', [
    ('/', 'POST', 405), ('/state/0', 'PUT', 405), ('/stream/0', 'HEAD', 405),
    ('/state/1', 'GET', 404),
    ('/state/99999999999999999999', 'GET', 404), ('/state/-1', 'GET', 404),
    ('/../setup.py', 'GET', 404), ('/page/view.py', 'GET', 404)])
def test_what_is_refused(site, path, method, status):
    assert get(site()[0], path, method)[0] == status


def test_names_of_other_hosts_are_refused(site):
    """A page of another origin may let its name point to this computer."""
    url, _ = site()
    port = url.rstrip('/').rpartition(':')[2]
    for host, status in (('evil.example', 403), ('evil.example:' + port, 403),
                         ('localhost:' + port, 200), ('[::1]:' + port, 200), ('127.0.0.1', 200)):
        assert get(url, '/', Host=host)[0] == status, host
    url, _ = site(address='0.0.0.0')
    assert get(url.replace('0.0.0.0', '127.0.0.1'), '/', Host='robot.local')[0] == 200


def test_a_port_in_use(site):
    port = int(site()[0].rstrip('/').rpartition(':')[2])
    with pytest.raises(PoseRosError, match='cannot listen on 127.0.0.1 port {}: .*in use'.format(
            port)):
        ViewerServer('robot', [View('', VALUES)], dict(VALUES, port=port))


def test_an_address_of_another_computer():
    with pytest.raises(PoseRosError, match='cannot listen on 203.0.113.7'):
        ViewerServer('robot', [View('', VALUES)], dict(VALUES, address='203.0.113.7'))


def test_without_aiohttp(monkeypatch):
    monkeypatch.setitem(sys.modules, 'aiohttp', None)
    monkeypatch.delitem(sys.modules, 'pose_ros.core.viewer.site', raising=False)
    with pytest.raises(PoseRosError, match='pip install aiohttp'):
        ViewerServer('robot', [View('', VALUES)], VALUES)


def test_closing_ends_the_streams():
    view = View('', VALUES)
    with ViewerServer('robot', [view], VALUES) as server:
        stream = Stream(server.url)
        wait(lambda: view.watched, 'the viewer')
    server.close()
    with contextlib.suppress(http.client.HTTPException, ConnectionError):
        assert stream.response.read() == b'--frame\r\n'
    assert not view.watched


def test_the_rate_is_limited(monkeypatch):
    """At most 10 Hz of a camera at 30 Hz; all of one at 10 Hz whose images scatter."""
    clock = [100.0]
    monkeypatch.setattr('time.monotonic', lambda: clock[0])
    view = View('', dict(VALUES, rate=10.0))
    view.enter()

    def shown(times):
        count = 0
        for clock[0] in times:
            if view.wants_image():
                view.show(plain(RED))
                count += 1
        return count
    assert shown(101 + np.arange(90) / 30.0) == 30
    scatter = np.random.RandomState(5).uniform(-0.012, 0.012, 50)
    assert shown(201 + np.arange(50) / 10.0 + scatter) == 50


def test_wide_images_are_sent_smaller(site):
    url, (view,) = site(max_width=32)
    with Stream(url) as stream:
        wait(lambda: view.watched, 'the viewer')
        view.show(plain(RED))
        assert stream.next_image().shape == (24, 32, 3)
        view.show(plain(RED, 20, 10))
        assert stream.next_image().shape == (10, 20, 3)
