# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A real headless Chromium for tests of pages; without one they skip."""
import contextlib
import os
import shutil

import pytest

_NAMES = ('chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome')


@contextlib.contextmanager
def open_browser():
    """Yield a browser of Playwright; skip, with the reason, where there is none."""
    playwright = pytest.importorskip('playwright.sync_api')
    path = next((shutil.which(name) for name in _NAMES if shutil.which(name)), None)
    if path is None:
        pytest.skip('there is no {}'.format(' or '.join(_NAMES)))
    sandbox = [] if os.geteuid() else ['--no-sandbox']  # Chromium has none for root
    with playwright.sync_playwright() as run:
        browser = run.chromium.launch(executable_path=path, args=sandbox)
        yield browser
        browser.close()
