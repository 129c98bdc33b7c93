# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of parameters on a node: described, typed, ranged, and tolerant of invalid values."""
import pytest
import rclpy
from rclpy.context import Context
from rclpy.parameter import Parameter as RosParameter

from pose_ros.core.errors import PoseRosError
from pose_ros.core.parameters import Parameter
from pose_ros.nodes.interface import ESTIMATOR_PARAMETERS, camera_names, camera_topics
from pose_ros.nodes.parameters import declare, unknown_overrides, validate

TABLE = (Parameter('gain', 0.5, 'How much', 0.0, 2.0, unit='V', dynamic=True),
         Parameter('count', 3, 'How many', 1, 9),
         Parameter('kind', 'a', 'Which', choices=('a', 'b'), dynamic=True),
         Parameter('on', True, 'Whether'), Parameter('names', [], 'Which ones'))


@pytest.fixture
def make_node():
    """Make nodes that were given parameters, as from a YAML file."""
    context, nodes = Context(), []
    rclpy.init(context=context)

    def make(**overrides):
        nodes.append(rclpy.create_node('tested', context=context, parameter_overrides=[
            RosParameter(name, value=value) for name, value in overrides.items()]))
        return nodes[-1]
    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.try_shutdown(context=context)


def test_defaults_and_given_values(make_node):
    node = make_node(gain=1, kind='b')  # YAML's 1 is an integer
    assert declare(node, TABLE) == {'gain': 1.0, 'count': 3, 'kind': 'b', 'on': True, 'names': []}
    assert node.get_parameter('gain').type_ == RosParameter.Type.DOUBLE
    assert declare(node, TABLE) == {'gain': 1.0, 'count': 3, 'kind': 'b', 'on': True, 'names': []}


def test_descriptions(make_node):
    node = make_node()
    declare(node, TABLE, prefix='amplifier.')
    gain, count, kind = (node.describe_parameter('amplifier.' + name)
                         for name in ('gain', 'count', 'kind'))
    assert gain.description == 'How much [V]' and not gain.read_only
    bounds = gain.floating_point_range[0]
    assert (bounds.from_value, bounds.to_value) == (0.0, 2.0)
    assert count.read_only and count.integer_range[0].to_value == 9
    assert kind.additional_constraints == "one of: 'a', 'b'"


def test_changes_while_running(make_node):
    node = make_node()
    declare(node, TABLE)
    node.add_on_set_parameters_callback(lambda changes: validate(TABLE, changes))

    def change(name, value):
        return node.set_parameters([RosParameter(name, value=value)])[0]
    assert change('gain', 1.5).successful and change('kind', 'b').successful
    for name, value in (('gain', 2.5), ('gain', 'much'), ('count', 4), ('kind', 'c')):
        assert not change(name, value).successful
    assert node.get_parameter('kind').value == 'b' and node.get_parameter('count').value == 3


def test_invalid_values_are_all_named_and_leave_defaults(make_node):
    node = make_node(gain=7.5, count='many', kind='z', on=False, names=[1, 2])
    with pytest.raises(PoseRosError) as caught:
        declare(node, TABLE)
    for text in ('gain must be within [0, 2] V, not 7.5',
                 "count must be a whole number, not 'many'",
                 "kind must be one of 'a', 'b', not 'z'", 'names must be a list of text, not'):
        assert text in str(caught.value)
    assert declare(node, TABLE) == {
        'gain': 0.5, 'count': 3, 'kind': 'a', 'on': False, 'names': []}


def test_lists_of_text(make_node):
    for given, expected in ((None, []), ([], []), (['a', 'b'], ['a', 'b'])):
        node = make_node(**({} if given is None else {'names': given}))
        assert declare(node, TABLE)['names'] == expected
        parameter = node.get_parameter('names')
        assert parameter.type_ == RosParameter.Type.STRING_ARRAY
        assert list(parameter.value) == expected


def test_overrides_without_a_parameter_are_reported_with_the_nearest_name(make_node):
    node = make_node(**{'gian': 1.0, 'kind': 'b', 'zzzz': 1, 'amplifier.cuont': 2,
                        'qos_overrides./clock.subscription.depth': 1})
    declare(node, TABLE)
    declare(node, TABLE, prefix='amplifier.')
    assert unknown_overrides(node) == [
        "there is no parameter 'amplifier.cuont'; did you mean 'amplifier.count'?",
        "there is no parameter 'gian'; did you mean 'gain'?",
        "there is no parameter 'zzzz'"]


def test_camera_names_become_topic_names():
    assert camera_names([]) == ['']
    assert camera_topics('').image == 'image' and camera_topics('').overlay == 'overlay'
    assert camera_names(['front', 'stereo/left_2']) == ['front', 'stereo/left_2']
    assert camera_topics('stereo/left_2') == (
        'stereo/left_2/image', 'stereo/left_2/camera_info', 'stereo/left_2/depth',
        'stereo/left_2/skeletons', 'stereo/left_2/markers', 'stereo/left_2/overlay',
        '~/stereo/left_2/panels')


@pytest.mark.parametrize('name', ['', '2nd', 'a-b', 'a b', '/front', 'front/', 'a//b', 'a__b', '~',
                                  'fr\u00f6nt', 'front\n'])
def test_invalid_camera_names(name):
    with pytest.raises(PoseRosError, match='is not a valid name'):
        camera_names(['front', name])


def test_repeated_camera_names():
    with pytest.raises(PoseRosError, match="'rear' appears twice"):
        camera_names(['front', 'rear', 'rear'])


def test_the_estimators_table_is_described():
    for parameter in ESTIMATOR_PARAMETERS:
        assert parameter.description[0].isupper() and not parameter.description.endswith('.')
        assert parameter.checked(parameter.default) == parameter.default
        numeric = type(parameter.default) in (int, float)
        assert not numeric or None not in (parameter.minimum, parameter.maximum), parameter.name
