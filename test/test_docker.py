# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Recipes in docker/, as far as they can be checked without building them."""
import json
import os
import re
import shlex
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, 'docker')
RECIPES = sorted(name for name in os.listdir(FOLDER) if name.endswith('.Dockerfile'))
# hub.docker.com/_/ros, and the images in jetson-containers' packages/physicalAI/ros/README.md.
PUBLISHED = {'ros:jazzy-ros-base-noble'} | {
    'dustynv/ros:humble-' + name for name in (
        'ros-base-l4t-r32.7.1', 'ros-base-l4t-r35.4.1', 'ros-base-l4t-r36.3.0',
        'desktop-l4t-r36.4.0')}
INSTRUCTIONS = {'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'FROM', 'RUN', 'SHELL', 'WORKDIR'}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding='utf-8') as file:
        return file.read()


def instructions(recipe):
    """Pairs of keyword and text, comments left out and continued lines joined."""
    lines = [line for line in read('docker', recipe).splitlines()
             if line.strip() and not line.lstrip().startswith('#')]
    text = '\n'.join(lines).replace('\\\n', ' ')
    return [tuple(line.split(None, 1)) for line in text.splitlines()]


def texts(recipe, keyword):
    return [text for found, text in instructions(recipe) if found == keyword]


def arguments(recipe):
    return dict(text.split('=', 1) for text in texts(recipe, 'ARG'))


def copied(recipe):
    return [name for text in texts(recipe, 'COPY') for name in text.split()[:-1]]


def documented(option):
    """Values of an option in the commands of docker/README.md, with the file that each is for."""
    for line in read('docker', 'README.md').splitlines():
        if line.startswith('    docker build '):
            words = shlex.split(line)
            file = words[words.index('-f') + 1]
            for position, word in enumerate(words):
                if word == option:
                    yield os.path.basename(file), words[position + 1]


@pytest.mark.parametrize('recipe', RECIPES)
def test_only_known_instructions(recipe):
    assert {keyword for keyword, _ in instructions(recipe)} <= INSTRUCTIONS


@pytest.mark.parametrize('recipe', RECIPES)
def test_base_image_is_pinned_and_published(recipe):
    values = arguments(recipe)
    images = [re.sub(r'\$\{?(\w+)\}?', lambda match: values[match.group(1)], text)
              for text in texts(recipe, 'FROM')]
    assert len(images) == 1 and set(images) <= PUBLISHED
    assert '`{}`'.format(images[0]) in read('docker', 'README.md')


@pytest.mark.parametrize('recipe', RECIPES)
def test_copied_files_exist_and_are_in_the_context(recipe):
    admitted = {line[1:] for line in read('.dockerignore').splitlines() if line.startswith('!')}
    assert '*' in read('.dockerignore').splitlines()
    for name in copied(recipe):
        assert os.path.exists(os.path.join(ROOT, name)), name
        assert name in admitted, '.dockerignore keeps {} out'.format(name)


@pytest.mark.parametrize('recipe', RECIPES)
def test_everything_that_cmake_needs_is_copied(recipe):
    cmake = read('CMakeLists.txt')
    needed = {name.rstrip('/') for names in re.findall(r'install\(DIRECTORY (.*)', cmake)
              for name in names.split()} | set(re.findall(r'\b(msg|scripts)/', cmake))
    assert needed == {'config', 'launch', 'msg', 'pose_ros', 'scripts'}
    needed |= {'CMakeLists.txt', 'package.xml', 'docker/entrypoint.sh'}
    assert set(copied(recipe)) == needed
    for text in texts(recipe, 'COPY'):
        source, target = text.split()[0], text.split()[-1]
        assert target == '/entrypoint.sh' or target.startswith('src/pose_ros/')
        # COPY puts a folder's content, not the folder, into its target.
        assert not os.path.isdir(os.path.join(ROOT, source)) or (
            target == 'src/pose_ros/' + source)


@pytest.mark.parametrize('recipe', RECIPES)
def test_pip_packages_are_bounded(recipe):
    packages = []
    for text in texts(recipe, 'RUN'):
        for command in re.findall(r'\bpip install (.*?)(?=&&|;\s+fi|$)', text):
            words = shlex.split(command)
            skip = [position + 1 for position, word in enumerate(words) if word == '--index-url']
            packages += [word for position, word in enumerate(words)
                         if not word.startswith('--') and position not in skip]
    assert any(package.startswith('onnxruntime') for package in packages)
    for package in packages:
        assert re.match(r'[\w-]+(\[[\w,]+\])?(==[\w.$]+|[<>=\d.,]*<\d+)(;.*)?$', package), package


@pytest.mark.parametrize('recipe', RECIPES)
def test_shell_syntax(recipe):
    assert texts(recipe, 'SHELL') == ['["/bin/bash", "-o", "pipefail", "-c"]']
    for text in texts(recipe, 'RUN'):
        subprocess.run(['bash', '-n', '-c', text], check=True)
    for keyword in ('CMD', 'ENTRYPOINT'):
        (text,) = texts(recipe, keyword)
        assert all(isinstance(word, str) for word in json.loads(text))


def test_entrypoint():
    path = os.path.join(FOLDER, 'entrypoint.sh')
    assert os.access(path, os.X_OK)
    subprocess.run(['bash', '-n', path], check=True)


def test_the_guide_names_the_same_images_and_packages():
    """docs/jetson.md gives by hand what the recipes do."""
    guide = read('docs', 'jetson.md')
    images = set(re.findall(r'`(dustynv/ros:[^`]+)`', guide))
    assert images and images <= PUBLISHED
    recipes = '\n'.join(read('docker', recipe) for recipe in RECIPES)
    pins = set(re.findall(r'\b(?:numpy|onnxruntime(?:-gpu\[cuda,cudnn\])?|opencv-python-headless)'
                          r'==[\d.]+\b', guide))
    assert len(pins) == 6
    for pin in pins - {'onnxruntime==' + arguments('jetson-orin.Dockerfile')['ONNXRUNTIME']}:
        assert pin in recipes
    for command in re.findall(r'docker build -f (\S+)', guide):
        assert os.path.exists(os.path.join(ROOT, command))


def test_readme_commands_fit_the_recipes():
    assert {name for name, _ in documented('-f')} == set(RECIPES)
    for recipe, value in documented('--build-arg'):
        name, value = value.split('=', 1)
        assert name in arguments(recipe)
        assert name != 'BASE' or value in PUBLISHED
    assert len(list(documented('--build-arg'))) == 3
    built = {tag for _, tag in documented('-t')}
    run = set(re.findall(r'^    docker run .*?(pose_ros:\w+)', read('docker', 'README.md'), re.M))
    assert run and run <= built
