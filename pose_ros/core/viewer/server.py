# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The server of the page: aiohttp in a thread of its own."""
import asyncio
import threading
from typing import Any, Dict, Sequence

from pose_ros.core.errors import PoseRosError
from pose_ros.core.viewer.view import View

_PATIENCE = 10.0  # s to start or to stop


class ViewerServer:
    """Serves the page of some views until it is closed; a context manager.

    url: the address of the page.
    """

    def __init__(self, title: str, views: Sequence[View], values: Dict[str, Any]):
        """Listen; PoseRosError without aiohttp, or if the address is not to be had.

        values: those of VIEWER_PARAMETERS.
        """
        try:
            from pose_ros.core.viewer.site import Site
            from aiohttp import web
        except ImportError as error:
            raise PoseRosError("the viewer needs aiohttp ({}): pip install aiohttp (or pip "
                               "install 'pose_ros[viewer]')".format(error))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name='viewer', daemon=True)
        self._thread.start()
        self._site = Site(title, views, values['address'], values['max_viewers'], self._loop)
        self._runner = web.AppRunner(self._site.application, access_log=None,
                                     handle_signals=False)
        try:
            port = self._call(self._listen(web, values['address'], values['port']))
        except OSError as error:
            self.close()
            raise PoseRosError('the viewer cannot listen on {} port {}: {}; another port may be '
                               'free (0 takes any)'.format(values['address'], values['port'],
                                                           error.strerror or error))
        host = values['address']
        self.url = 'http://{}:{}/'.format('[{}]'.format(host) if ':' in host else host, port)

    def close(self) -> None:
        """End all streams, and stop listening; a second call does nothing."""
        if not self._thread.is_alive():
            return
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        if not self._thread.is_alive():
            self._loop.close()

    def __enter__(self):
        """Return the server itself."""
        return self

    def __exit__(self, *_):
        """Close it."""
        self.close()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_PATIENCE)

    async def _listen(self, web, address, port):
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()
        return self._runner.addresses[0][1]

    async def _stop(self):
        self._site.close()
        await self._runner.cleanup()
