# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Decoders: a network's output maps to people, one file per family."""
from pose_ros.core.decoders.decoder import (Decoder, create_decoder,  # noqa: F401
                                            decoder_parameters, FAMILIES)
