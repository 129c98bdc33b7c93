# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""All settings that a model may have, for help texts and documents."""
from typing import List, NamedTuple, Tuple

from pose_ros.core.decoders import decoder_class, DECODERS
from pose_ros.core.parameters import Parameter
from pose_ros.core.stages.lifting import LIFTING_PARAMETERS
from pose_ros.core.stages.parts import PARTS_PARAMETERS
from pose_ros.core.stages.selection import SELECTION_PARAMETERS
from pose_ros.core.stages.smoothing import SMOOTHING_PARAMETERS
from pose_ros.core.stages.top_down import TOP_DOWN_PARAMETERS
from pose_ros.core.stages.tracking import TRACKING_PARAMETERS

_OWNERS = {'pose': 'pose', 'detection': 'detector'}


class SettingTable(NamedTuple):
    """The settings of one decoder type or stage; `owner` stands before their names."""

    title: str
    owner: str
    parameters: Tuple[Parameter, ...]


def setting_tables() -> List[SettingTable]:
    """Return the settings of every decoder type and stage that has some."""
    tables = []
    for kind in sorted(DECODERS):
        decoder = decoder_class(kind)
        tables.append(SettingTable('decoder ' + kind, _OWNERS[decoder.TASK], decoder.PARAMETERS))
    tables.append(SettingTable('stage top_down', 'top_down', TOP_DOWN_PARAMETERS))
    tables.append(SettingTable('stage selection', 'selection', SELECTION_PARAMETERS))
    tables.append(SettingTable('stage parts', 'parts', PARTS_PARAMETERS))
    tables.append(SettingTable('stage tracking', 'tracking', TRACKING_PARAMETERS))
    tables.append(SettingTable('stage lifting', 'lifting', LIFTING_PARAMETERS))
    for method, parameters in SMOOTHING_PARAMETERS.items():
        tables.append(SettingTable('stage smoothing, ' + method, 'smoothing', parameters))
    return [table for table in tables if table.parameters]
