# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""PoseEstimator: the public Python API, from images to the people in them."""
from typing import Dict, Optional, Tuple, Union

import numpy as np

from pose_ros.core.bundled import find_models
from pose_ros.core.card import ModelCard
from pose_ros.core.errors import CardError, PoseRosError
from pose_ros.core.frame import Frame
from pose_ros.core.network import Network, open_network
from pose_ros.core.parameters import checked_values
from pose_ros.core.people import People
from pose_ros.core.pipeline import Pipeline
from pose_ros.core.stages import (OFF, SMOOTHING_METHODS, BottomUp, Lifting, Parts, Selection,
                                  Smoothing, TopDown, Tracking)


class PoseEstimator(Pipeline):
    """Finds people in images.

    `PoseEstimator('model.onnx')(image)` returns People in source-image pixels; `run(frames)` takes
    several frames at once. Public besides those of Pipeline: `network` and `card` of the network
    that yields keypoints.
    """

    def __init__(self, model: Optional[str] = None, backend: str = 'auto', card=None,
                 input_size: Optional[Tuple[int, int]] = None, batch: int = 1,
                 detector: Optional[str] = None, hands: Optional[str] = None,
                 face: Optional[str] = None, tracking: bool = False, smoothing: str = OFF,
                 **engine_options):
        """Load models, check them against their cards, and run each once.

        model, detector: files or names, see find_models; without a model the bundled pair. hands,
        face: networks of crops with the topologies hand_21 and face_70, for the hands and faces of
        the people. tracking: give people ids, for the images of a video or camera. smoothing: one
        of SMOOTHING_METHODS, for tracked people. Frames with depth and a camera yield positions,
        too (People.positions). The other arguments are those of open_network.
        Raises ModelError, CardError or EngineError, each with a remedy.
        """
        _check_over_time(tracking, smoothing)
        files = find_models(model, detector)
        networks: Dict[str, Network] = {}
        try:
            networks['pose'] = open_network(files.model, 'pose', backend, card, input_size, batch,
                                            **engine_options)
            for name, path in (('detector', files.detector), ('hands', hands), ('face', face)):
                if path:
                    networks[name] = open_network(path, name, backend, batch=batch,
                                                  **engine_options)
            self._take(networks, tracking, smoothing)
        except Exception:
            for network in networks.values():
                network.close()
            raise

    @classmethod
    def of_network(cls, network: Network,
                   detector: Optional[Network] = None) -> 'PoseEstimator':
        """Return the estimator of networks that are already open, and now belong to it."""
        estimator = cls.__new__(cls)
        estimator._take({'pose': network, 'detector': detector})
        return estimator

    def _take(self, networks, tracking=False, smoothing=OFF):
        self.network, hands, face = networks['pose'], networks.get('hands'), networks.get('face')
        stages, topology = _stages(self.network, networks.get('detector')), self.card.topology
        if hands or face:
            stages += (Parts(topology, hands, face),)
        stages += (Tracking(topology),) if tracking else ()
        stages += (Lifting(topology),)
        stages += (Smoothing(smoothing),) if smoothing != OFF else ()
        super(PoseEstimator, self).__init__(stages, topology)

    @property
    def card(self) -> ModelCard:
        """Return the card of the network that yields keypoints."""
        return self.network.card

    def __call__(self, image: Union[np.ndarray, Frame]) -> People:
        """Find people in an (H, W, 3) uint8 BGR image or a Frame; errors as in `run`."""
        frame = image if isinstance(image, Frame) else Frame(image)
        return self.run([frame])[0]


def _stages(network, detector):
    card = network.card
    if card.task != 'pose':
        raise CardError('{} is a model for {}, and yields no keypoints: name a model for '
                        'pose'.format(card.name, card.task))
    if detector is not None and detector.card.task != 'detection':
        raise CardError('{} is a model for {}: the detector must be a model for detection'.format(
            detector.card.name, detector.card.task))
    crops = card.input.fit == 'crop' or detector is not None
    pose = TopDown(network, detector) if crops else BottomUp(network)
    try:
        # Checked first: a key such as 'self' cannot be passed on.
        selection = Selection(card.topology, **checked_values(
            Selection.PARAMETERS, card.selection, 'settings'))
    except PoseRosError as error:
        raise CardError('model card {!r}, selection: {}'.format(card.name, error))
    return pose, selection


def _check_over_time(tracking, smoothing):
    if smoothing not in SMOOTHING_METHODS:
        raise PoseRosError('smoothing must be one of {}, not {!r}'.format(
            ', '.join(SMOOTHING_METHODS), smoothing))
    if smoothing != OFF and not tracking:
        raise PoseRosError('smoothing {} needs tracking, which tells people apart: turn tracking '
                           'on, or smoothing off'.format(smoothing))
