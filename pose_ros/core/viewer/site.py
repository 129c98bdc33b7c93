# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The pages of the viewer: one document with its style and script, states, streams. Read-only."""
import asyncio
import contextlib
import ipaddress
import os
from typing import Sequence

from aiohttp import web

from pose_ros.core.viewer.view import View

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'page')
_FILES = {'/': ('index.html', 'text/html'), '/page.css': ('page.css', 'text/css'),
          '/page.js': ('page.js', 'text/javascript'),
          '/icon.svg': ('icon.svg', 'image/svg+xml')}
_HEADERS = {
    'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; "
                               "img-src 'self'; connect-src 'self'; base-uri 'none'; "
                               "form-action 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin', 'Cache-Control': 'no-store'}
_BOUNDARY = b'--frame\r\n'
_POLL = 1.0  # s between two looks whether a viewer is still there, without new images
_STUCK = 10.0  # s that a viewer may take for one image
# A page of another origin that takes over a name (DNS rebinding) still sends that name.
_LOCAL_NAMES = ('localhost', '127.0.0.1', '::1')


class Site:
    """Handlers of the requests, all in the thread of the loop. application: that of aiohttp."""

    def __init__(self, title: str, views: Sequence[View], address: str, limit: int, loop):
        """Take the title, one view per camera, the address, and the most viewers at a time."""
        self._title, self._views, self._limit, self._loop = title, list(views), limit, loop
        self._viewers, self._streams, self._closed = 0, set(), False
        self._signals = {id(view): [] for view in views}  # futures that wait for an image
        for view in views:
            view.on_image = self._on_image
        self.application = web.Application(
            middlewares=[_host_check(_LOCAL_NAMES)] if _is_local(address) else [])
        self.application.on_response_prepare.append(_add_headers)
        for path, (name, kind) in _FILES.items():
            self.application.router.add_get(path, _file(name, kind))
        self.application.router.add_get('/state/{camera:[0-9]+}', self._state)
        # Without HEAD, which would count as a viewer.
        self.application.router.add_get('/stream/{camera:[0-9]+}', self._stream, allow_head=False)

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        for transport in self._streams:
            transport.abort()
        for view in self._views:
            self._wake(view)

    def _view(self, request):
        number = int(request.match_info['camera'][:6])
        if number >= len(self._views):
            raise web.HTTPNotFound(text='There is no camera {}.'.format(number))
        return self._views[number]

    async def _state(self, request):
        state = self._view(request).state()
        state.update(title=self._title, cameras=[view.name for view in self._views],
                     viewers=self._viewers, max_viewers=self._limit)
        return web.json_response(state)

    async def _stream(self, request):
        view = self._view(request)
        if self._viewers >= self._limit:
            raise web.HTTPServiceUnavailable(
                text='{} viewers look already, and no more are allowed.'.format(self._viewers))
        response = web.StreamResponse(headers={
            'Content-Type': 'multipart/x-mixed-replace; boundary=frame'})
        transport = request.transport
        self._viewers += 1
        self._streams.add(transport)
        view.enter()
        try:
            await response.prepare(request)
            await self._send_images(response, view, transport)
        except (ConnectionError, asyncio.TimeoutError):
            transport.abort()
        finally:
            view.leave()
            self._streams.discard(transport)
            self._viewers -= 1
        return response

    async def _send_images(self, response, view, transport):
        """Send every newest image; a slow viewer misses some."""
        last = 0
        await response.write(_BOUNDARY)
        while not (self._closed or transport.is_closing()):
            number, data = view.image()
            if number == last or not data:
                await self._next_image(view)
                continue
            last = number
            head = 'Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n'.format(len(data))
            # The boundary after an image shows it; a browser would wait for it.
            await asyncio.wait_for(
                response.write(head.encode() + data + b'\r\n' + _BOUNDARY), _STUCK)

    async def _next_image(self, view):
        future = self._loop.create_future()
        self._signals[id(view)].append(future)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(future, _POLL)

    def _on_image(self, view):
        """Wake the streams of a view, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop was closed in between
            self._loop.call_soon_threadsafe(self._wake, view)

    def _wake(self, view):
        waiting, self._signals[id(view)] = self._signals[id(view)], []
        for future in waiting:
            if not future.done():
                future.set_result(None)


def _host_check(names):
    @web.middleware
    async def check(request, handler):
        host, _, port = request.host.rpartition(':')
        host = host if port.isdigit() else request.host
        if host.strip('[]').lower() not in names:
            raise web.HTTPForbidden(text='This viewer serves its own computer alone, as '
                                         'localhost; see its parameter address.')
        return await handler(request)
    return check


def _file(name, kind):
    with open(os.path.join(_FOLDER, name), 'rb') as stream:
        content = stream.read()

    async def serve(_request):
        return web.Response(body=content, content_type=kind, charset='utf-8')
    return serve


async def _add_headers(_request, response):
    response.headers.update(_HEADERS)


def _is_local(address):
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == 'localhost'
