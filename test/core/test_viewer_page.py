# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The page of the viewer in a real Chromium, with people that a thread makes up."""
import threading
import time

import numpy as np
import pytest

pytest.importorskip('aiohttp')

from browser import open_browser
from viewer_client import Stream, state, wait

from pose_ros.core.viewer import Person, Sample, VIEWER_PARAMETERS, View, ViewerServer
from pose_ros.core.viewer.view import WARNING

VALUES = dict({parameter.name: parameter.default for parameter in VIEWER_PARAMETERS}, port=0)
SIZES = ((1280, 800), (390, 844))
# The mean color of the image on the page, which the page may read: it is of its own origin.
MEAN_COLOR = '''() => {
  const canvas = document.createElement('canvas');
  const image = document.getElementById('image');
  if (!image.naturalWidth) return null;
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
  return [data[0], data[1], data[2]];
}'''
OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'


class Robot:
    """Fills a view at 20 Hz while it is watched, until `lost` is set."""

    def __init__(self, view):
        self.view, self.lost, self.gray = view, False, 0
        self.people = [Person(1, 0.9, 17, 17), Person(2, 0.5, 9, 17)]
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._ended = True
        self._thread.join()

    def _run(self):
        while not self._ended:
            if self.view.watched and not self.lost:
                self.gray = (self.gray + 10) % 250
                self.view.show(np.full((240, 320, 3), self.gray, np.uint8))
                self.view.list_people(self.people)
                self.view.add_sample(Sample(20.0, 0.05, 1.0, len(self.people)))
            time.sleep(0.05)


@pytest.fixture(scope='module')
def browser():
    with open_browser() as found:
        yield found


@pytest.fixture
def robots():
    """Two cameras with a server: (url, [Robot, Robot])."""
    values = dict(VALUES, max_viewers=2, rate=30.0)
    views = [View(name, values) for name in ('front', 'rear')]
    for view in views:
        view.report('net by engine')
    found = [Robot(view) for view in views]
    with ViewerServer('/pose', views, values) as server:
        yield server.url, found
    for robot in found:
        robot.close()


@pytest.fixture
def open_page(browser, robots):
    """Open the page: open_page(width, height); errors of its script fail the test."""
    pages, errors = [], []

    def start(width=1280, height=800):
        page = browser.new_page(viewport={'width': width, 'height': height})
        page.set_default_timeout(20000)
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.on('console', lambda message: errors.append(message.text)
                if 'Content Security Policy' in message.text else None)
        page.goto(robots[0])
        pages.append(page)
        return page
    yield start
    for page in pages:
        page.close()
    assert errors == []


def has_text(page, selector, text):
    page.wait_for_function('([selector, text]) => document.querySelector(selector)'
                           '.textContent.includes(text)', arg=[selector, text])


@pytest.mark.parametrize('width, height', SIZES)
def test_the_page_is_alive(robots, open_page, width, height):
    page = open_page(width, height)
    has_text(page, '#status', 'live')
    colors = [wait(lambda: page.evaluate(MEAN_COLOR), 'an image')]
    wait(lambda: colors.append(page.evaluate(MEAN_COLOR)) or len(
        {tuple(color) for color in colors}) >= 4, 'an image that moves')
    assert all(color[0] == color[1] == color[2] for color in colors)
    has_text(page, '#people', '#2')
    rows = page.locator('#people tr').all_inner_texts()
    assert [row.split() for row in rows] == [['#1', '0.90', '17', 'of', '17'],
                                             ['#2', '0.50', '9', 'of', '17']]
    assert page.inner_text('#count') == '2' and page.inner_text('#rate') == '20'
    assert page.inner_text('#latency') == '50' and page.inner_text('#dropped') == '1.0'
    has_text(page, '#source', 'net by engine')
    wait(lambda: page.locator('#rate-chart path').count() == 2, 'a chart')
    assert page.evaluate(OVERFLOW) == 0  # nothing is cut off at the side
    image, people = page.locator('#image').bounding_box(), page.locator('table').bounding_box()
    assert image['width'] > 0.6 * width
    if width > 900:  # beside the image, else below it
        assert people['x'] >= image['x'] + image['width']
    else:
        assert people['y'] >= image['y'] + image['height']


def test_the_table_follows_the_people(robots, open_page):
    _, (front, _) = robots
    page = open_page()
    has_text(page, '#people', '#2')
    front.people = [Person(3, 0.25, 4, 17), Person(-1, 0.1, 3, 17)]
    has_text(page, '#people', '#3')
    assert [row.split()[:2] for row in page.locator('#people tr').all_inner_texts()] == [
        ['#3', '0.25'], ['–', '0.10']]
    front.people = []
    has_text(page, '#people', 'no people')
    assert page.inner_text('#count') == '0'


def test_a_lost_camera_is_named(robots, open_page):
    _, (front, _) = robots
    page = open_page()
    has_text(page, '#status', 'live')
    front.lost = True
    front.view.report('net by engine', WARNING, ['no image on /pose/image for 6 s: <b>start</b>'])
    has_text(page, '#notice', 'camera lost: no image for 3 s')
    assert page.inner_text('#status') == 'camera lost'
    assert page.inner_text('#problems') == 'no image on /pose/image for 6 s: <b>start</b>'
    assert page.locator('#people tr').all_inner_texts() == ['–']
    front.lost = False
    front.view.report('net by engine')
    has_text(page, '#status', 'live')
    assert page.inner_text('#notice') == '' and page.inner_text('#problems') == ''


def test_one_camera_is_watched_at_a_time_and_none_in_a_hidden_page(robots, open_page):
    _, (front, rear) = robots
    page = open_page()
    has_text(page, '#cameras', 'rear')
    wait(lambda: front.view.watched, 'a viewer of front')
    page.click('text=rear')
    wait(lambda: rear.view.watched and not front.view.watched, 'a viewer of rear alone')
    page.evaluate('Object.defineProperty(document, "hidden", {value: true, configurable: true});'
                  'document.dispatchEvent(new Event("visibilitychange"))')
    wait(lambda: not rear.view.watched, 'no viewer')
    page.evaluate('Object.defineProperty(document, "hidden", {value: false});'
                  'document.dispatchEvent(new Event("visibilitychange"))')
    wait(lambda: rear.view.watched, 'the viewer again')


def test_too_many_viewers(robots, open_page):
    url, _ = robots
    with Stream(url), Stream(url):
        wait(lambda: state(url)['viewers'] == 2, 'viewers')
        page = open_page()
        has_text(page, '#notice', '2 of 2 viewers look already')
    has_text(page, '#status', 'live')
    assert page.inner_text('#notice') == ''
