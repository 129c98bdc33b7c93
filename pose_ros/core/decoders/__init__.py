# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Decoders: the outputs of a network to what is in a region; one file per type."""
from pose_ros.core.decoders.decoder import (Decoder, DECODERS, Found, create_decoder,  # noqa: F401
                                            decoder_class, decoder_parameters, make_found,
                                            require_output)
