# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""An output that a parameter turns on, and whose messages need not be installed."""
import abc
import importlib
from typing import Any, List

from std_msgs.msg import Header

from pose_ros.core.errors import PoseRosError
from pose_ros.core.people import People


class OptionalOutput(abc.ABC):
    """Publishes people in another form, on topics of its own.

    `PARAMETER` turns it on, which is an error without tracking if it `NEEDS_TRACKING`.
    """

    PARAMETER, NEEDS_TRACKING = '', False

    @property
    @abc.abstractmethod
    def has_subscribers(self) -> bool:
        """Return whether one of the topics has a subscriber."""

    @abc.abstractmethod
    def publish(self, header: Header, people: People, width: int, height: int) -> None:
        """Publish the people of an image of this size [px]; the header is that of the image."""

    def clear(self, header: Header) -> None:
        """Publish that there are no people any more, if the messages can say so."""

    @abc.abstractmethod
    def destroy(self) -> None:
        """Destroy the publishers."""


def message_types(parameter: str, package: str, names: List[str]) -> List[Any]:
    """Import messages of a package; PoseRosError says which parameter needs it."""
    try:
        module = importlib.import_module(package + '.msg')
        return [getattr(module, name) for name in names]
    except (ImportError, AttributeError) as error:
        raise PoseRosError(
            'the parameter {} needs the messages of {}, which cannot be imported ({}): sudo apt '
            'install ros-$ROS_DISTRO-{}, or set {} to false'.format(
                parameter, package, error, package.replace('_', '-'), parameter)) from error
