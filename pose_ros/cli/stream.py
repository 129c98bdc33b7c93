# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Shared by video and camera: process frames until the source ends or the user stops."""
import itertools

from pose_ros.cli.overlay import video_overlay
from pose_ros.cli.run import check_run_outputs, prepared
from pose_ros.core.command import progress_bar
from pose_ros.core.command_options import load_estimator
from pose_ros.core.errors import PoseRosError


def process(args, source):
    """Process a source to its end; return the Run.

    If the source or the network fails, the run ends, and the results so far are kept.
    """
    with source:
        overlay = video_overlay(args.output, source) if args.output else None
        check_run_outputs(args, [args.input])
        estimator = load_estimator(args)
        totals = [count for count in (source.frame_count, args.max_frames) if count]
        bar = progress_bar(min(totals) if totals else None, args.quiet)
        with prepared(args, estimator, overlay, bar) as work:
            try:
                for frame in itertools.islice(source, args.max_frames):
                    work.add(frame)
                    if work.interrupted:
                        break
            except PoseRosError as error:
                work.fail(error)
    return work
