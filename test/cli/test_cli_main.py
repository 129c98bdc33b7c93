# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, version, exit codes, and options made from tables."""
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import cv2
from pose_ros.cli import bench
from pose_ros.cli.main import build_parser, COMMANDS, main
from pose_ros.core import command as program
from pose_ros.core.command_options import parse_settings, parse_value
from pose_ros.core.decoders import decoder_parameters
from pose_ros.core.engines import ENGINE_PARAMETERS
from pose_ros.core.errors import PoseRosError
from pose_ros.core.parameters import Parameter
import pytest

ROOT = Path(__file__).resolve().parents[2]
WITH_MODEL = ('image', 'video', 'camera', 'batch', 'view', 'bench', 'info')


def test_version_is_the_package_version(pose_ros):
    """As package.xml has it."""
    version = ElementTree.parse(str(ROOT / 'package.xml')).getroot().findtext('version')
    assert pose_ros('--version') == (0, 'pose-ros {}\n'.format(version), '')


def test_help_names_every_command_and_exit_code(pose_ros):
    """The help without arguments."""
    answer = pose_ros('--help')
    assert answer.code == 0 and 'exit codes: 0 done; 1 ' in answer.out
    text = ' '.join(answer.out.split())
    for command, summary in COMMANDS.items():
        assert ' {} {}'.format(command, summary) in text


@pytest.mark.parametrize('command', sorted(COMMANDS))
def test_help_of_a_command_has_examples(pose_ros, command):
    """The help has a description, and examples that begin with the name of the command."""
    answer = pose_ros(command, '--help')
    assert answer.code == 0 and 'examples:\n  pose-ros {}'.format(command) in answer.out
    assert max(map(len, answer.out.splitlines())) < 160


@pytest.mark.parametrize('command', WITH_MODEL)
def test_engine_options_come_from_the_table(pose_ros, command):
    """Every engine parameter is an option, with its default."""
    text = ' '.join(pose_ros(command, '--help').out.split())
    for parameter in ENGINE_PARAMETERS:
        assert '--' + parameter.name.replace('_', '-') in text
        if type(parameter.default) is not bool:
            assert '(default: {})'.format(parameter.default) in text


@pytest.mark.parametrize('command', ['image', 'video', 'camera'])
def test_settings_are_listed_from_the_table(pose_ros, command):
    """The help lists each setting of the PAF decoder with its default."""
    lines = pose_ros(command, '--help').out.splitlines()
    for parameter in decoder_parameters('paf'):
        start = '  pose.{}={} '.format(parameter.name, parameter.default)
        assert any(line.startswith(start) for line in lines)


@pytest.mark.parametrize('arguments', [
    [], ['paint'], ['image'], ['info'], ['bench', '--repeat', 'many'],
    ['image', 'x', '--backend', 'abacus'], ['image', 'x', '--threads', '1.5'],
    ['image', 'x', '--threads', '-1'], ['image', 'x', '--size', '5'],
    ['image', 'x', '--size', '0x8'], ['image', 'x', '--set', 'peak'],
    ['image', 'x', '--max-frames', '0'], ['image', 'x', '--format', 'coco']])
def test_a_wrong_command_line_is_code_2(pose_ros, arguments):
    """With the usage on stderr, and nothing on stdout."""
    answer = pose_ros(*arguments)
    assert answer.code == 2 and answer.out == '' and 'usage: pose-ros' in answer.err


def test_no_model_is_code_1(pose_ros, images):
    """The message names the path, in one line."""
    answer = pose_ros('image', images, '--model', 'absent.onnx')
    assert answer == (1, '', "pose-ros: error: no model file at 'absent.onnx'; check the path\n")


def test_an_invalid_model_is_code_1(pose_ros, images, tmp_path):
    """Rubbish in a file, or a file that may not be read as a card."""
    (tmp_path / 'rubbish.onnx').write_bytes(b'rubbish')
    for extra in ([], ['--card', str(tmp_path / 'absent.json')]):
        answer = pose_ros('image', images, '--model', tmp_path / 'rubbish.onnx', *extra)
        assert answer.code == 1 and answer.err.count('\n') == 1
        assert answer.err.startswith('pose-ros: error: ') and 'rubbish.onnx' in answer.err


def test_ctrl_c_while_libraries_are_imported_is_code_130(pose_ros, monkeypatch):
    """No trace: the command has not begun."""
    def import_module(name):
        raise KeyboardInterrupt
    monkeypatch.setattr(program.importlib, 'import_module', import_module)
    assert pose_ros('image', 'a.png') == (130, '', 'pose-ros: error: interrupted\n')


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_command_like_ctrl_c(pose_ros, monkeypatch, number):
    """What a block must clean up, it cleans up; afterwards the signal has its earlier effect."""
    cleaned = []

    def load(args):
        try:
            os.kill(os.getpid(), number)
            time.sleep(60)
        finally:
            cleaned.append(True)
    monkeypatch.setattr(bench, 'load_estimator', load)
    assert pose_ros('bench') == (130, '', 'pose-ros: error: interrupted\n')
    assert cleaned and signal.getsignal(number) is signal.SIG_DFL


def test_an_ignored_signal_stays_ignored(pose_ros, monkeypatch, tiny_model):
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        plain = bench.load_estimator

        def load(args):
            os.kill(os.getpid(), signal.SIGHUP)
            return plain(args)
        monkeypatch.setattr(bench, 'load_estimator', load)
        assert pose_ros('bench', '--model', tiny_model, '--repeat', 1, '--quiet').code == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_unwritable_result_is_code_1(pose_ros, tiny_model, images, tmp_path):
    """The error comes before the work, not after it."""
    target = tmp_path / 'absent' / 'r.json'
    answer = pose_ros('image', images, '--model', tiny_model, '--json', target)
    assert answer.code == 1 and answer.out == ''
    assert 'cannot write {}: there is no folder'.format(target) in answer.err


def test_a_setting_reaches_the_decoder(pose_ros, tiny_model, images):
    """One person instead of two; the later of two values is used."""
    command = ('image', images / 'a.png', '--model', tiny_model)
    answer = pose_ros(*command + ('--set', 'max_people=2', '--set', 'max_people=1'))
    assert answer.code == 0 and answer.out.startswith('a.png: 1 person (score')
    answer = pose_ros(*command + ('--set', 'min_score=1'))
    assert answer.out.startswith('a.png: no people')


@pytest.mark.parametrize('setting, reason', [
    ('peek=1', "no setting 'peek'; it has: pose.blur_sigma, pose.peak_threshold"),
    ('peak_threshold=high', "peak_threshold must be a number, not 'high'"),
    ('peak_threshold=nan', 'peak_threshold must be within [0, 1], not nan'),
    ('min_keypoints=2.5', "min_keypoints must be a whole number, not '2.5'")])
def test_an_invalid_setting_is_code_2(pose_ros, tiny_model, images, setting, reason):
    """Judged by the loaded model's own table."""
    answer = pose_ros('image', images, '--model', tiny_model, '--set', setting)
    assert answer.code == 2 and 'argument --set: ' in answer.err and reason in answer.err


def test_values_take_the_type_of_their_parameter():
    """Text from the shell becomes int, float, bool or stays text."""
    table = [Parameter('i', 1, ''), Parameter('f', 1.0, ''), Parameter('b', True, ''),
             Parameter('s', 'x', '', choices=('x', 'y'))]
    values = parse_settings([('i', '7'), ('f', '2'), ('b', 'No'), ('s', 'y')], table)
    assert values == {'i': 7, 'f': 2.0, 'b': False, 's': 'y'}
    assert [type(values[name]) for name in 'ifbs'] == [int, float, bool, str]
    for parameter, text in ((table[2], 'maybe'), (table[3], 'z'), (table[0], '1.0')):
        with pytest.raises(PoseRosError, match=parameter.name + ' must be'):
            parse_value(parameter, text)


def test_size_and_backend_reach_the_network(pose_ros, make_model, images):
    """A model of dynamic shape runs at the size and on the engine of the options."""
    pytest.importorskip('onnxruntime')
    model = make_model(dynamic=True)
    answer = pose_ros('bench', images / 'a.png', '--model', model, '--size', '320x256',
                      '--backend', 'onnxruntime', '--threads', 1, '--repeat', 2)
    assert answer.code == 0
    network = answer.out.splitlines()[1]
    assert network.startswith('pose: tiny at 320x256, onnxruntime')
    assert network.endswith('1 threads')


def test_opencv_leaves_the_cores_to_the_network(pose_ros, tiny_model):
    """Its thread pool is disabled before a model is loaded."""
    cv2.setNumThreads(4)
    pose_ros('info', tiny_model)
    assert cv2.getNumThreads() == 1


def test_only_the_chosen_command_is_loaded():
    """`doctor` must run without NumPy and OpenCV."""
    code = ("import sys; sys.modules['numpy'] = sys.modules['cv2'] = None\n"
            "from pose_ros.cli.main import main\n"
            "print(main(['doctor', '--help']), main(['image', 'x']))")
    done = subprocess.run([sys.executable, '-c', code], env=dict(os.environ, PYTHONPATH=str(ROOT)),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0 and done.stdout.rstrip().endswith('0 1')
    assert '`pose-ros doctor` prints what to install' in done.stderr


def test_a_bug_prints_its_traceback(monkeypatch, tiny_model):
    """Only user errors are shortened to one line."""
    monkeypatch.setattr('pose_ros.cli.info.describe', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(['info', tiny_model])


def test_a_closed_pipe_prints_no_traceback(tiny_model):
    """As in `pose-ros info model.onnx | head -1`."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, '-m', 'pose_ros.cli', 'info', tiny_model], stdout=write,
                          stderr=subprocess.PIPE, universal_newlines=True,
                          env=dict(os.environ, PYTHONPATH=str(ROOT)))
    os.close(write)
    assert done.returncode == 1 and done.stderr == ''


def test_every_command_has_its_parser():
    """The parser that documentation tests look into."""
    parser = build_parser()
    inputs = {'bag': ['x', '-o', 'y'], 'batch': ['0', '-o', '1'], 'bench': [], 'doctor': [],
              'engines': ['list'], 'models': []}
    for command in COMMANDS:
        assert callable(parser.parse_args([command] + inputs.get(command, ['0'])).run)


def documented_commands():
    """Return the argument lists of the commands that docs/cli.md shows."""
    lines = (ROOT / 'docs' / 'cli.md').read_text(encoding='utf-8').splitlines()
    return [line.split()[2:] for line in lines if line.startswith('$ pose-ros ')]


def test_documentation_shows_every_command():
    """By an example."""
    assert {arguments[0] for arguments in documented_commands()} == set(COMMANDS)


@pytest.mark.parametrize('arguments', documented_commands(), ids=' '.join)
def test_documented_commands_are_accepted(arguments):
    """The parser accepts every option in them."""
    assert callable(build_parser().parse_args(arguments).run)
