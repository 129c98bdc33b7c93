# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Links between the documents lead to files, and to headings, that exist."""
import os
import re

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'docker/README.md', 'training/README.md'] + [
    'docs/' + name for name in sorted(os.listdir(os.path.join(ROOT, 'docs')))
    if name.endswith('.md')]


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        return file.read()


def anchors(path):
    """Headings as GitHub names them: lower case, punctuation dropped, spaces to hyphens."""
    text = re.sub(r'^```.*?^```', '', read(path), flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
            for heading in re.findall(r'^#+ +(.+)$', text, re.MULTILINE)}


@pytest.mark.parametrize('document', DOCUMENTS)
def test_links_lead_somewhere(document):
    for link in re.findall(r'\]\(([^)\s]+)\)', read(document)):
        if re.match(r'\w+:', link):
            continue
        path, _, anchor = link.partition('#')
        target = os.path.normpath(os.path.join(os.path.dirname(document), path)) if path \
            else document
        assert os.path.exists(os.path.join(ROOT, target)), link
        assert not anchor or anchor in anchors(target), link
