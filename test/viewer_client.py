# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A small client of the viewer's page: files, states, and the parts of a stream."""
import http.client
import json
import time
import urllib.parse

import cv2
import numpy as np

TIMEOUT = 20.0  # s; generous, because test machines are shared


def get(url, path, method='GET', **headers):
    """Return (status, headers, body) of one request."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=TIMEOUT)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def state(url, camera=0):
    return json.loads(get(url, '/state/{}'.format(camera))[2].decode())


def wait(condition, what):
    """Return the first true value of condition()."""
    end = time.monotonic() + TIMEOUT
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, 'waited without result for ' + what
        time.sleep(0.02)


class Stream:
    """An open stream of images; a context manager."""

    def __init__(self, url, camera=0):
        self._connection = http.client.HTTPConnection(
            urllib.parse.urlsplit(url).netloc, timeout=TIMEOUT)
        self._connection.request('GET', '/stream/{}'.format(camera))
        self.response = self._connection.getresponse()
        self.status = self.response.status

    def next_image(self):
        """Return the next image (H, W, 3) BGR."""
        assert self.response.readline() == b'--frame\r\n'
        assert self.response.readline() == b'Content-Type: image/jpeg\r\n'
        length = int(self.response.readline().split(b':')[1])
        assert self.response.readline() == b'\r\n'
        data = self.response.read(length)
        assert self.response.readline() == b'\r\n'
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.response.close()
        self._connection.close()
