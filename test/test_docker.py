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
INSTRUCTIONS = {'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'FROM', 'RUN', 'SHELL', 'USER',
                'WORKDIR'}
DIGEST = r'@sha256:[0-9a-f]{64}$'
LOCKED = sorted(os.listdir(os.path.join(FOLDER, 'requirements')))


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
    (image,) = images
    name = re.sub(DIGEST, '', image)
    assert name in PUBLISHED and '`{}`'.format(name) in read('docker', 'README.md')
    # Of the images for Jetson no digest is known; the recipes say so.
    unknown = 'digest could not be looked up' in read('docker', recipe)
    assert bool(re.search(DIGEST, image)) != unknown
    assert unknown == name.startswith('dustynv/')


@pytest.mark.parametrize('recipe', RECIPES)
def test_copied_files_exist_and_are_in_the_context(recipe):
    admitted = {line[1:] for line in read('.dockerignore').splitlines() if line.startswith('!')}
    assert '*' in read('.dockerignore').splitlines()
    for name in copied(recipe):
        assert os.path.exists(os.path.join(ROOT, name)), name
        assert {name, os.path.dirname(name)} & admitted, '.dockerignore keeps {} out'.format(name)


@pytest.mark.parametrize('recipe', RECIPES)
def test_everything_that_cmake_needs_is_copied(recipe):
    cmake = read('CMakeLists.txt')
    needed = {name.rstrip('/') for names in re.findall(r'install\(DIRECTORY ([^$\n]*)', cmake)
              for name in names.replace('DESTINATION', '').split()}
    needed |= set(re.findall(r'\b(cmake|msg|scripts)/', cmake))
    assert needed == {'cmake', 'config', 'launch', 'msg', 'pose_ros', 'scripts'}
    needed |= {'CMakeLists.txt', 'package.xml', 'docker/entrypoint.sh'}
    assert {name for name in copied(recipe) if 'requirements' not in name} == needed
    for text in texts(recipe, 'COPY'):
        source, target = text.split()[0], text.split()[-1]
        assert target in ('/entrypoint.sh', '/tmp/requirements', '/tmp/requirements.txt') or (
            target.startswith('src/pose_ros/'))
        # COPY puts a folder's content, not the folder, into its target.
        assert not os.path.isdir(os.path.join(ROOT, source)) or target in (
            'src/pose_ros/' + source, '/tmp/requirements')


@pytest.mark.parametrize('recipe', RECIPES)
def test_pip_installs_by_hash_only(recipe):
    commands = [shlex.split(command) for text in texts(recipe, 'RUN')
                for command in re.findall(r'\bpip install (.*?)(?=&&|;\s+fi|$)', text)]
    assert commands
    for words in commands:
        assert words[0] == '--no-cache-dir' and '--require-hashes' in words
        rest = [word for word in words[1:] if word not in (
            '--require-hashes', '--index-url', 'https://pypi.org/simple')]
        assert rest[0] == '-r' and len(rest) == 2
        name = os.path.basename(rest[1]).replace('$', '')
        names = [text.split()[0] for text in texts(recipe, 'COPY') if 'requirements' in text]
        assert arguments(recipe).get(name, name) in LOCKED or os.path.basename(names[0]) in LOCKED


@pytest.mark.parametrize('name', LOCKED)
def test_every_package_has_a_version_and_hashes(name):
    text = read('docker', 'requirements', name).replace('\\\n', ' ')
    packages = [line for line in text.splitlines() if not line.startswith('#')]
    assert packages
    for line in packages:
        assert re.match(r"[a-z0-9-]+==[\w.+]+( ; platform_machine == '(x86_64|aarch64)')?"
                        r'( +--hash=sha256:[0-9a-f]{64})+$', line), line


@pytest.mark.parametrize('recipe', RECIPES)
def test_nothing_runs_as_root(recipe):
    keywords = [keyword for keyword, _ in instructions(recipe)]
    assert texts(recipe, 'USER') == ['robot']
    assert any(re.search(r'\buseradd .*--uid 10001 .*\brobot$', text)
               for text in texts(recipe, 'RUN'))
    assert keywords.index('USER') > max(position for position, keyword in enumerate(keywords)
                                        if keyword in ('RUN', 'COPY'))


def test_the_guide_explains_every_option_that_opens_the_host():
    text = read('docker', 'README.md')
    rows = re.findall(r'^\| (`--.*?) \|', text, re.M)
    explained = {option for row in rows for option in re.findall(r'--[a-z]+', row)}
    for command in re.findall(r'^    docker run (.*?) pose_ros:', text, re.M):
        used = set(re.findall(r'--[a-z]+', command)) - {'--rm'}
        assert used <= explained, used - explained
    assert '--cap-drop ALL' in text and '--network robot' in text


def test_the_workflow_has_few_rights_and_pinned_parts():
    yaml = pytest.importorskip('yaml')
    with open(os.path.join(ROOT, '.github', 'workflows', 'ci.yml'), encoding='utf-8') as file:
        workflow = yaml.safe_load(file)
    assert workflow['permissions'] == {'contents': 'read'}
    steps = [step for job in workflow['jobs'].values() for step in job['steps']]
    actions = [step for step in steps if 'uses' in step]
    assert len(actions) == 4
    for step in actions:
        assert re.match(r'actions/[\w-]+@[0-9a-f]{40}$', step['uses'])
        if step['uses'].startswith('actions/checkout@'):
            assert step['with'] == {'persist-credentials': False}
    for job in workflow['jobs'].values():
        assert 'permissions' not in job
    images = [row['image'] for row in workflow['jobs']['ros']['strategy']['matrix']['include']]
    assert len(images) == 3 and all(re.search(DIGEST, image) for image in images)


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
    locked = '\n'.join(read('docker', 'requirements', name) for name in LOCKED)
    pins = set(re.findall(r'\b(?:numpy|onnxruntime(?:-gpu\[cuda,cudnn\])?|opencv-python-headless)'
                          r'==[\d.]+\b', guide))
    assert len(pins) == 6
    for pin in pins:
        assert re.search(r'^{} '.format(re.escape(pin.replace('[cuda,cudnn]', ''))), locked, re.M)
    for command in re.findall(r'docker build -f (\S+)', guide):
        assert os.path.exists(os.path.join(ROOT, command))


def test_readme_commands_fit_the_recipes():
    assert {name for name, _ in documented('-f')} == set(RECIPES)
    for recipe, value in documented('--build-arg'):
        name, value = value.split('=', 1)
        assert name in arguments(recipe)
        assert value in (PUBLISHED if name == 'BASE' else LOCKED)
    assert len(list(documented('--build-arg'))) == 3
    built = {tag for _, tag in documented('-t')}
    run = set(re.findall(r'^    docker run .*?(pose_ros:\w+)', read('docker', 'README.md'), re.M))
    assert run and run <= built
