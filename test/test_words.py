# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Documents, messages and code use the terms of the field (docs/glossary.md, CONTRIBUTING.md)."""
import os
import re

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLACES = ('README.md', 'docs', 'docker', 'config', 'launch', 'msg', 'pose_ros', 'benchmark',
          'training')
TEXTS = ('.md', '.py', '.yaml', '.msg')
# A word that is not used, and the one that is.
WORDS = {
    r'heat[ -]maps?': 'heatmap', r'bones?': 'limb', r'photographs?': 'image',
    r'pictures?': 'image', r'licences?': 'license', r'unfit': 'invalid',
    r'who(ever|m)?': 'a sentence without who', r'optimis\w+': 'optimize',
    r'normalis\w+': 'normalize', r'behaviour': 'behavior', r'learnt': 'learned',
    r"joints?(?!')": 'keypoint',  # 'joints' is a field in files of others
    r'(no|some|any|every)body': 'no people, a person',
    r'held against': 'compared with', r'goes on': 'continues',
}


def _texts():
    for place in PLACES:
        path = os.path.join(ROOT, place)
        files = [path] if os.path.isfile(path) else [
            os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
        for name in files:
            if name.endswith(TEXTS):
                with open(name, encoding='utf-8') as file:
                    yield os.path.relpath(name, ROOT), file.read()


@pytest.mark.parametrize('word', sorted(WORDS))
def test_words(word):
    pattern = re.compile(r'(?<![\w/.-])({})(?![\w/-])'.format(word), re.IGNORECASE)
    found = ['{}:{}: {}'.format(name, number, line.strip())
             for name, text in _texts() for number, line in enumerate(text.split('\n'), 1)
             if pattern.search(line)]
    assert not found, 'use {}:\n{}'.format(WORDS[word], '\n'.join(found))
