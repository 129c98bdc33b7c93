# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Load the teachers of a configuration."""
from typing import List, Optional, Sequence

import numpy as np
from torch.utils.data import Dataset
from tqdm import tqdm

from pose_ros.core.topology import Topology
from pose_training.data.annotations import Sample
from pose_training.data.dataset import PoseDataset
from pose_training.distillation.hints import HintedCrops, Hints
from pose_training.distillation.on_device import DeviceTeacher, DeviceTeachers, PairedCrops
from pose_training.distillation.layers import module_channels
from pose_training.distillation.teacher_networks import layer_channels
from pose_training.distillation.keypoint_labels import add_keypoints, load_single_person_teacher
from pose_training.distillation.soft_targets import SoftTargets
from pose_training.distillation.teacher import (Ensemble, identity, match_card,
                                                Teacher)
from pose_training.families.family import Family
from pose_training.fitting.settings import RunConfig, TeacherConfig
from pose_training.models.network import PoseNetwork


def soft_targets(config: RunConfig, family: Family, stride: int) -> Optional[SoftTargets]:
    """Return the SoftTargets of the teachers in the loaders, None without any.

    Every teacher's card is read here, so that an invalid one is reported at once; the network is
    loaded in the loader process, because engines do not survive its fork.
    """
    teacher = config.teacher
    if not teacher.models or teacher.on_device:
        return None
    known = np.any([match_card(path, family, _card(teacher, index))[1].known
                    for index, path in enumerate(teacher.models)], axis=0)

    def load():
        return Ensemble([load_teacher(config, index, family, stride)
                         for index in range(len(teacher.models))])
    facts = [identity(path, _card(teacher, index)) for index, path in enumerate(teacher.models)]
    return SoftTargets(load, family, teacher.weight, teacher.cache or None,
                       [facts, list(teacher.size)], known)


def load_teacher(config: RunConfig, index: int, family: Family, stride: int,
                 layers: Sequence[str] = ()) -> Teacher:
    """Load one of the teachers; `layers` names the tensors that it yields besides its maps."""
    teacher = config.teacher
    size = teacher.size if any(teacher.size) else config.data.size
    return Teacher(teacher.models[index], config.data.size, family, stride, _card(teacher, index),
                   teacher.backend, threads=1, layers=layers, input_size=size)


def _card(teacher, index):
    return teacher.cards[index] or None if index < len(teacher.cards) else None


def device_teachers(network: PoseNetwork, config: RunConfig) -> Optional[DeviceTeachers]:
    """Load the teachers that run in the training step, None without any."""
    teacher, family = config.teacher, network.family
    if not (teacher.models and teacher.on_device):
        return None
    return DeviceTeachers([DeviceTeacher(path, config.data.size, family, network.stride)
                           for path in teacher.models], family, teacher.weight)


def training_crops(crops: PoseDataset, config: RunConfig, family: Family,
                   stride: int) -> Dataset:
    """Return the crops with the further tensors that the training step needs.

    With hints these are the outputs of the teachers' layers; with teachers on the device, the
    crops without changes of light.
    """
    hints = config.teacher.hints
    if config.teacher.models and config.teacher.on_device:
        return PairedCrops(crops)
    if not hints:
        return crops
    layers = {index: [hint.teacher for hint in hints if hint.model == index]
              for index in sorted({hint.model for hint in hints})}

    def load():
        return {index: load_teacher(config, index, family, stride, names)
                for index, names in layers.items()}
    return HintedCrops(crops, load, [(hint.model, hint.teacher) for hint in hints])


def make_hints(network: PoseNetwork, config: RunConfig) -> Optional[Hints]:
    """Return the Hints that compare the student's layers with the teachers', None without any."""
    hints = config.teacher.hints
    if not hints:
        return None
    layers = [hint.student for hint in hints]
    own = module_channels(network, layers, 'the student')
    wanted = [layer_channels(config.teacher.models[hint.model], [hint.teacher])[0]
              for hint in hints]
    return Hints(network, layers, list(zip(own, wanted)), [hint.translate for hint in hints],
                 config.teacher.forcing)


def add_points(samples: List[Sample], config: TeacherConfig, topology: Topology,
               max_pixels: int) -> List[Sample]:
    """Add the keypoints that single-person networks find in labelled boxes."""
    teachers = [load_single_person_teacher(path) for path in config.single_person]
    if not teachers:
        return samples
    return add_keypoints(samples, teachers, topology, config.confidence, config.cache or None,
                         lambda items: tqdm(items, 'single-person teachers', leave=False,
                                            disable=None), max_pixels)
