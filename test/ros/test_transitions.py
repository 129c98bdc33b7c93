# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Transitions that fail: logged, an error in diagnostics, and nothing is left behind."""
import json

from graph import blue, image_message, RELIABLE
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from models import card_data, make_model
import pytest
import rclpy
from rclpy.context import Context
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool

from pose_ros.core.errors import CardError
from pose_ros.core.topology import get_topology
from pose_ros.msg import SkeletonArray
from pose_ros.nodes import estimator as estimator_module
from pose_ros.nodes.diagnostics import DiagnosticStatus
from pose_ros.nodes.estimator import EstimatorNode

COCO = get_topology('coco_18')
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
ERRORS = (RecursionError('maximum recursion depth exceeded'), MemoryError(),
          UnicodeDecodeError('utf-8', b'\xff', 0, 1, 'invalid start byte'),
          OverflowError('cannot convert float infinity to integer'), CardError('no such decoder'))


class Log:
    """Keeps what a node logs as errors; a lone surrogate fails, as in rclpy."""

    def __init__(self):
        self.errors = []

    def error(self, text, **_):
        text.encode('utf-8')
        self.errors.append(text)

    def info(self, text, **_):
        text.encode('utf-8')
    warning = info


@pytest.fixture
def make_node(monkeypatch):
    """Make estimators in this process, with a log that is kept and diagnostics that are kept."""
    context, nodes, log = Context(), [], Log()
    rclpy.init(context=context)
    monkeypatch.setattr(EstimatorNode, 'get_logger', lambda self: log)

    def make(**parameters):
        nodes.append(EstimatorNode(context=context, namespace='/here', parameter_overrides=[
            Parameter(name, value=value) for name, value in parameters.items()]))
        nodes[-1].arrays = []
        monkeypatch.setattr(nodes[-1]._diagnostics, 'publish', nodes[-1].arrays.append)
        return nodes[-1], log.errors
    yield make
    for node in nodes:
        node.close()
    rclpy.try_shutdown(context=context)


def report(node):
    """Return level and message of what the node now says of its engine."""
    node._on_diagnostics()
    status = node.arrays[-1].status[0]
    return status.level, status.message


def state(node):
    return node._state_machine.current_state[1]


@pytest.mark.parametrize('error', ERRORS, ids=lambda error: type(error).__name__)
def test_any_error_of_configure_is_logged_and_reported(make_node, tiny_model, monkeypatch, error):
    node, errors = make_node(model=tiny_model)

    def fail(*_):
        raise error
    with monkeypatch.context() as broken:
        broken.setattr(estimator_module, 'load_estimator', fail)
        assert node.trigger_configure() == FAILURE
    assert state(node) == 'unconfigured'
    level, message = report(node)
    assert level == DiagnosticStatus.ERROR and str(error) in message
    assert len(errors) == 1 and errors[0].startswith('cannot configure: ')
    expected = isinstance(error, CardError)  # a text of ours needs no trace
    assert ('Traceback' in errors[0]) != expected
    assert (type(error).__name__ in message) != expected
    assert node.trigger_configure() == SUCCESS
    assert report(node) == (DiagnosticStatus.OK, 'not active')


@pytest.mark.parametrize('transition', ['activate', 'deactivate', 'cleanup', 'shutdown'])
def test_errors_of_other_transitions(make_node, tiny_model, monkeypatch, transition):
    node, errors = make_node(model=tiny_model)
    assert node.trigger_configure() == SUCCESS
    camera, closed = node._cameras[0], []
    if transition == 'deactivate':
        assert node.trigger_activate() == SUCCESS
    close = node._estimator.close
    monkeypatch.setattr(node._estimator, 'close', lambda: (close(), closed.append(1)))
    owner, method = {'activate': (camera.input, 'start'), 'deactivate': (camera.output, 'clear')
                     }.get(transition, (camera.output, 'destroy'))

    def fail():
        raise OSError('out of order')
    with monkeypatch.context() as broken:
        broken.setattr(owner, method, fail)
        assert getattr(node, 'trigger_' + transition)() != SUCCESS
    assert 'out of order' in errors[0] and 'Traceback' in errors[0]
    level, message = report(node)
    assert level == DiagnosticStatus.ERROR and 'unexpected OSError: out of order' in message
    if transition == 'activate':
        assert state(node) == 'inactive' and not node._active
        assert node.trigger_activate() == SUCCESS
        assert report(node)[0] == DiagnosticStatus.OK
    else:
        assert closed and node._estimator is None


def test_an_error_of_the_enable_service_is_its_answer(make_node, tiny_model, monkeypatch):
    node, _ = make_node(model=tiny_model)
    node.start()
    with monkeypatch.context() as broken:
        broken.setattr(node._worker, 'stop', lambda stop=node._worker.stop: stop() or 1 / 0)
        response = node._on_enable(SetBool.Request(data=False), SetBool.Response())
    assert not response.success and 'ZeroDivisionError' in response.message


def test_an_error_while_a_setting_changes_is_its_answer(make_node, tiny_model, monkeypatch):
    node, errors = make_node(model=tiny_model)
    node.start()
    monkeypatch.setattr(node._estimator, 'configure', lambda **_: 1 / 0)
    [result] = set_on(node, selection__max_people=5)
    assert not result.successful and 'ZeroDivisionError' in result.reason
    assert 'Traceback' in errors[0] and node.get_parameter('selection.max_people').value == 0


HOSTILE = {
    'brackets': '[' * 100000,
    'infinity': json.dumps(card_data()).replace('"scale": 1.0', '"scale": 1e400'),
    'decoder': json.dumps(dict(card_data(), decoder={'self': 1})),
    'surrogate': json.dumps(card_data(topology={
        'name': 'mine', 'keypoint_names': ['\ud800'] + list(COCO.keypoint_names[1:]),
        'limbs': COCO.limbs})),
    'escape': json.dumps(dict(card_data(), name='\x1b[31m' + 200405 * 'x', license=3)),
}


def _change(graph, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    return graph.call(ChangeState, 'estimator/change_state', request).success


def test_hostile_cards_one_after_the_other_and_then_a_good_model(graph, tmp_path):
    """Wiring may change while the node is unconfigured: no new process is needed."""
    bad = make_model(tmp_path / 'bad.onnx', input_channels=5)
    process = graph.start_estimator(bad, wait_for_image=False)
    graph.wait(lambda: graph.status.level == DiagnosticStatus.ERROR, 'the error', process)
    assert graph.set_parameter('model', make_model(tmp_path / 'good.onnx')).successful
    for name, text in sorted(HOSTILE.items()):
        path = tmp_path / (name + '.json')
        path.write_text(text, encoding='utf-8')
        assert graph.set_parameter('card', str(path)).successful
        logged = process.log().count('[ERROR]')
        done = _change(graph, Transition.TRANSITION_CONFIGURE)
        assert not (done and _change(graph, Transition.TRANSITION_ACTIVATE)), name
        graph.wait(lambda before=logged: process.log().count('[ERROR]') > before,
                   'the log of ' + name, process)
        del graph.statuses[:]
        graph.wait(lambda: graph.statuses, 'diagnostics', process)
        assert graph.status.level == DiagnosticStatus.ERROR, name
        assert len(graph.status.message) <= 2000 and '\x1b' not in graph.status.message
        assert not done or _change(graph, Transition.TRANSITION_CLEANUP)
        current = graph.call(GetState, 'estimator/get_state', GetState.Request()).current_state.id
        assert current == State.PRIMARY_STATE_UNCONFIGURED
    assert '\x1b[31mx' not in process.log()
    assert graph.set_parameter('card', '').successful
    assert _change(graph, Transition.TRANSITION_CONFIGURE)
    result = graph.set_parameter('model', bad)
    assert not result.successful and 'while the node is unconfigured' in result.reason
    assert graph.set_parameter('model', str(tmp_path / 'good.onnx')).successful  # no change
    assert _change(graph, Transition.TRANSITION_ACTIVATE)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    assert len(graph.send_until(publisher, image_message(blue()), arrays,
                                process=process).skeletons) == 2


def set_on(node, **values):
    return node.set_parameters(
        [Parameter(name.replace('__', '.'), value=value) for name, value in values.items()])


def test_another_model_brings_its_own_settings_and_keeps_what_was_changed(make_node, tmp_path):
    models = [make_model(tmp_path / '{}.onnx'.format(number), card=card_data(
        settings={'peak_threshold': threshold})) for number, threshold in enumerate((0.2, 0.3))]
    node, _ = make_node(model=models[0], image_qos='best', image_transport='raw',
                        **{'selection.max_people': 3, 'pose.limb_samples': 1})
    qos = 'qos_overrides./here/image.subscription.reliability'
    for name, text in (('image_qos', "not 'best'"), ('pose.limb_samples', 'limb_samples must')):
        assert node.trigger_configure() == FAILURE and text in report(node)[1]
        assert name == 'pose.limb_samples' or set_on(node, **{name: 'reliable'})[0].successful
    assert node.trigger_configure() == SUCCESS  # the invalid setting was reported once
    assert node.get_parameter('pose.peak_threshold').value == 0.2
    assert node.get_parameter(qos).value == 'reliable'
    assert all(result.successful for result in set_on(node, selection__max_people=5))
    for name, value in (('model', models[1]), ('image_qos', 'auto'), (qos, 'best_effort')):
        [result] = set_on(node, **{name: value})
        assert not result.successful and 'unconfigured' in result.reason, name
    assert node.trigger_cleanup() == SUCCESS
    assert all(result.successful for result in set_on(
        node, model=models[1], image_qos='sensor_data', image_transport='compressed', lazy=True))
    assert not set_on(node, autostart=False)[0].successful
    assert node.trigger_configure() == SUCCESS
    assert node.get_parameter('pose.peak_threshold').value == 0.3
    assert node._estimator.networks[0].decoder.settings['peak_threshold'] == 0.3
    assert node.get_parameter('selection.max_people').value == 5
    topic = '/here/image/compressed'
    assert node._cameras[0].input.topic == topic
    assert node.get_parameter(
        'qos_overrides.{}.subscription.reliability'.format(topic)).value == 'best_effort'
    assert not node.has_parameter(qos)


def test_housekeeping_survives_errors(make_node, tiny_model, monkeypatch):
    """A timer whose callback fails logs that, and the node goes on."""
    node, errors = make_node(model=tiny_model, diagnostics_period=0.1)
    node.start()
    monkeypatch.setattr(node._cameras[0], 'check', lambda timeout: 1 / 0)
    for timer in node._own_timers:
        timer.callback()
    assert len(errors) == 1 and 'ZeroDivisionError' in errors[0]
