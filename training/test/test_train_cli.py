# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The `pose-train` command line, from files to files."""
import json
import re
import sys
from pathlib import Path

import onnx
import pytest
import torch

from pose_ros.core import PoseEstimator
from pose_ros.core.card_files import load_card
from pose_training.checkpoint import save_checkpoint
from pose_training.cli.main import COMMANDS, build_parser, main
from pose_training.importers.formats import FORMATS
from pose_training.models import create_model, networks

ROOT = Path(__file__).resolve().parents[2]
SMALL = {'widths': [4, 8, 8, 8, 8], 'depths': [1, 1, 1, 1, 1], 'neck': 8, 'head': 8}


@pytest.fixture
def checkpoint(tmp_path):
    """Write a small network with a source, as training would leave it."""
    path = str(tmp_path / 'small.pt')
    save_checkpoint(path, create_model('repvgg_fpn', **SMALL).eval(), {'source': 'a test'})
    return path


def run(*arguments):
    """Run the command line as a shell would, and expect success."""
    assert main([str(argument) for argument in arguments]) == 0


def refused(capsys, *arguments, code=1):
    """Run it, expect one line that explains a failure, and return that line."""
    assert main([str(argument) for argument in arguments]) == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith('pose-train') and 'error: ' in lines[-1]
    return lines[-1]


def test_a_checkpoint_becomes_a_model_that_the_robot_runs(checkpoint, tmp_path, capsys):
    run('export', checkpoint, '-o', tmp_path / 'small.onnx', '--size', '96x64')
    card = load_card(str(tmp_path / 'small.onnx'))
    assert (card.input.width, card.input.height, card.name) == (96, 64, 'repvgg_fpn')
    assert card.provenance['source'] == 'a test'
    assert card.provenance['parity']['heatmaps'] > .99999
    estimator = PoseEstimator(str(tmp_path / 'small.onnx'), backend='onnxruntime')
    assert estimator.topology.name == 'coco_18'
    estimator.close()
    assert 'wrote' in capsys.readouterr().out


def test_options_reach_the_file(checkpoint, tmp_path):
    path = tmp_path / 'half.onnx'
    run('export', checkpoint, '-o', path, '--size', '64x64', '--dynamic', '--precision', 'fp16',
        '--stages', 1, '--normalize')
    model, card = onnx.load(str(path)), load_card(str(path))
    assert [d.dim_param for d in model.graph.input[0].type.tensor_type.shape.dim][2:] == ['h', 'w']
    assert any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in model.graph.initializer)
    assert card.provenance['options']['stages'] == 1
    assert (card.input.scale, card.input.mean) == (1., (0., 0., 0.))


def test_the_card_has_the_given_facts(checkpoint, tmp_path, capsys):
    path, facts = tmp_path / 'small.onnx', tmp_path / 'facts.json'
    facts.write_text(json.dumps({'name': 'small', 'measured': {'AP': .25}}))
    command = ('export', checkpoint, '-o', path, '--size', '64x64')
    run(*command, '--set', 'min_score=0.3', '--set', 'min_keypoints=5', '--facts', facts)
    card = load_card(str(path))
    assert card.name == 'small' and card.selection == {'min_score': .3, 'min_keypoints': 5}
    assert card.provenance['measured'] == {'AP': .25}
    assert card.provenance['network'] == 'repvgg_fpn'
    estimator = PoseEstimator(str(path))
    assert estimator.settings['selection.min_score'] == .3
    estimator.close()
    assert "no setting 'min_skore'" in refused(capsys, *command, '--set', 'min_skore=0.3', code=2)
    assert 'must be within' in refused(capsys, *command, '--set', 'min_score=3', code=2)
    facts.write_text('[1]')
    assert 'holds no JSON object' in refused(capsys, *command, '--facts', facts)
    assert 'cannot read the facts' in refused(capsys, *command, '--facts', tmp_path / 'absent')


def test_verify_repeats_the_check_and_finds_a_changed_weight(checkpoint, tmp_path, capsys):
    path = tmp_path / 'small.onnx'
    run('export', checkpoint, '-o', path, '--size', '64x64')
    run('verify', path)
    assert 'opset 13' in capsys.readouterr().out
    run('verify', path, '--weights', checkpoint)
    model = onnx.load(str(path))
    weights = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    changed = onnx.numpy_helper.to_array(weights) + 1
    weights.CopyFrom(onnx.numpy_helper.from_array(changed, weights.name))
    onnx.save(model, str(path))
    assert 'does not agree' in refused(capsys, 'verify', path)


def test_verify_against_another_network_names_it(checkpoint, tmp_path, capsys):
    run('export', checkpoint, '-o', tmp_path / 'small.onnx', '--size', '64x64')
    other = str(tmp_path / 'other.pt')
    save_checkpoint(other, create_model('repvgg_fpn', **dict(SMALL, neck=16)).eval())
    assert 'neck' in refused(capsys, 'verify', tmp_path / 'small.onnx', '--weights', other)


def test_published_weights_become_a_model_and_a_checkpoint(tmp_path, capsys):
    network = create_model('trt_pose_resnet18')
    weights = str(tmp_path / 'weights.pth')
    torch.save(network.state_dict(), weights)
    command = ('import', 'torch', weights, '--model', 'trt_pose_resnet18', '-o')
    run(*command, tmp_path / 'net.onnx', '--size', '64x64')
    card = load_card(str(tmp_path / 'net.onnx'))
    assert card.decoder.outputs['pafs']['axis_order'] == 'yx' and card.license == 'MIT'
    assert card.provenance['weights'] == 'weights.pth'
    run('verify', tmp_path / 'net.onnx', '--weights', weights, '--format', 'torch')
    run(*command, tmp_path / 'net.pt')
    capsys.readouterr()
    run('info', tmp_path / 'net.pt')
    assert 'trt_pose_resnet18 for trt_pose_18' in capsys.readouterr().out
    run('info', weights, '--format', 'torch', '--model', 'trt_pose_resnet18')
    assert re.search(r'1\.cmap_conv\.0\.0\.weight +512 x 256 x 4 x 4', capsys.readouterr().out)


def test_info_of_a_model_shows_its_card_and_operators(checkpoint, tmp_path, capsys):
    run('export', checkpoint, '-o', tmp_path / 'small.onnx', '--size', '64x64')
    capsys.readouterr()
    run('info', tmp_path / 'small.onnx')
    shown = capsys.readouterr().out
    assert 'opset 13' in shown and 'coco_18' in shown and re.search(r'\d+ Conv', shown)
    assert 'fingerprint' not in shown


@pytest.mark.parametrize('arguments, reason', [
    (('import', 'caffe', 'x', '--model', 'bodi_25', '-o', 'x.onnx'), 'did you mean .*body_25'),
    (('import', 'npy', 'x', '--model', 'body_25', '-o', 'x.onnx'), 'not published as npy'),
    (('import', 'caffe', 'x', '--model', 'repvgg_fpn', '-o', 'x.onnx'), 'choose onnx'),
    (('import', 'caffe', 'x', '--model', 'body_25', '-o', 'x.onnx'), "no file 'x'"),
    (('import', 'npy', 'x', '--model', 'cmu', '-o', 'x.onnx', '--averages'), 'npy has no option'),
    (('export', 'nothing.pt', '-o', 'x.onnx'), 'nothing.pt'),
    (('verify', 'nothing.onnx'), 'nothing.onnx'),
    (('info', 'x', '--format', 'caffe'), 'needs both'),
])
def test_what_cannot_be_done_is_explained_in_one_line(arguments, reason, capsys):
    assert re.search(reason, refused(capsys, *arguments))


def test_engine_is_built_of_the_exported_file(checkpoint, tmp_path, capsys, monkeypatch):
    asked = []

    def build(path):
        asked.append((path, load_card(path).name))
        return path[:-5] + '.engine', {
            'precision': 'fp16', 'backend': 'tensorrt', 'tensorrt': '10.3.0', 'gpu': 'a GPU'}
    monkeypatch.setattr('pose_training.cli.options.build_engine_file', build)
    path = tmp_path / 'small.onnx'
    run('export', checkpoint, '-o', path, '--size', '64x64', '--engine')
    assert asked == [(str(path), 'repvgg_fpn')]
    assert capsys.readouterr().out.endswith('small.engine (fp16, TensorRT 10.3.0, a GPU; '
                                           'agrees with ONNX Runtime)\n')


def test_engine_without_tensorrt_leaves_the_onnx_file(checkpoint, tmp_path, capsys, monkeypatch):
    for name in ('tensorrt', 'tensorrt_rtx'):
        monkeypatch.setitem(sys.modules, name, None)
    path = tmp_path / 'small.onnx'
    line = refused(capsys, 'export', checkpoint, '-o', path, '--size', '64x64', '--engine')
    assert 'tensorrt cannot be imported' in line and path.exists()
    line = refused(capsys, 'export', checkpoint, '-o', tmp_path / 'small2.pt', '--engine')
    assert '--engine builds from an ONNX file' in line and not (tmp_path / 'small2.pt').exists()


def test_an_unknown_ending_is_rejected(checkpoint, tmp_path, capsys):
    line = refused(capsys, 'export', checkpoint, '-o', tmp_path / 'small.model')
    assert 'end it in .onnx or .pt' in line and not (tmp_path / 'small.model').exists()


@pytest.mark.parametrize('arguments', [
    ('import', 'tf', 'x', '--model', 'body_25', '-o', 'x.onnx'),
    ('export', 'x.pt', '-o', 'x.onnx', '--size', '12'), ('export', 'x.pt'), ('frobnicate',)])
def test_a_wrong_command_line_has_its_own_exit_code(arguments, capsys):
    assert main(list(arguments)) == 2


def test_models_lists_every_network(capsys):
    run('models')
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert listed == list(networks())
    run('models', 'body_25', '--json')
    facts = json.loads(capsys.readouterr().out)[0]
    assert facts['parameters'] == 26166084 and facts['formats'] == ['caffe']
    run('models', 'body_25')
    assert '26,166,084' in capsys.readouterr().out


def test_the_table_of_the_documentation_is_what_models_prints(capsys):
    run('models', '--markdown')
    assert capsys.readouterr().out.strip() in (ROOT / 'docs' / 'models.md').read_text()


def test_commands_and_formats_of_the_readme_exist():
    readme = (ROOT / 'training' / 'README.md').read_text()
    assert set(re.findall(r'^    pose-train ([\w-]+)', readme, re.MULTILINE)) == set(COMMANDS)
    assert re.findall(r'^\| `([\w-]+)`', readme, re.MULTILINE) == list(FORMATS)
    options = set(re.findall(r'(--[a-z][\w-]+)', readme)) - {'--help', '--index-url', '--model'}
    known = build_parser()._subparsers._group_actions[0].choices
    accepted = {option for name in COMMANDS for action in known[name]._actions
                for option in action.option_strings}
    assert options - {'--output'} <= accepted
