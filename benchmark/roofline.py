# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The least time that a network can take on a device: its arithmetic and its memory traffic.

    tools/env.sh python benchmark/roofline.py [MODEL.onnx ...] [--precision fp32] [--size 432x368]
    tools/env.sh python benchmark/roofline.py MODEL.onnx --device orin-nano --measured 4.2

Nothing is run: multiply-adds, weights and maps come from the shapes in the file, the devices'
peaks from their maker (benchmark/devices.py). Only the network is meant, not preprocessing,
copies, decoding or messages. docs/performance.md tells how to read the tables.
"""
import argparse
import os
from typing import NamedTuple

from common import print_table
from devices import Device, DEVICES
from network_cost import count, FUSED, kinds, NetworkCost

from pose_ros.core.command_options import size
from pose_ros.core.errors import ModelError
from pose_ros.core.bundled import BOTTOM_UP, model_file

BYTES = {'fp16': 2, 'fp32': 4}


class Limits(NamedTuple):
    """Least times of one network on one device [ms]."""

    compute: float  # all multiply-adds, one by one, at the peak rate
    memory: float  # each convolution's weights and maps through memory at the peak bandwidth
    cached: float  # the same if every map between input and outputs stays in the cache

    @property
    def least(self) -> float:
        """Least time of a runtime that takes one layer after the other [ms]."""
        return max(self.compute, self.memory)

    @property
    def cached_least(self) -> float:
        """Least time of a runtime that keeps every map in the cache [ms]."""
        return max(self.compute, self.cached)

    @property
    def binds(self) -> str:
        """Which of the two limits `least` is."""
        return 'compute' if self.compute >= self.memory else 'memory'


def limits(cost: NetworkCost, device: Device, precision: str) -> Limits:
    """Return the least times of a network in 'fp16' or 'fp32' on a device.

    The roofline of Williams, Waterman and Patterson (Communications of the ACM 52(4), 2009),
    for a whole network.
    """
    per_ms = 1e-3 * 1e9 * device.bandwidth / BYTES[precision]  # numbers
    return Limits(2e3 * cost.multiply_adds / (1e12 * getattr(device, precision)),
                  cost.streamed / per_ms, cost.compulsory / per_ms)


def verdict(found: Limits, measured: float) -> str:
    """Say which share of its limit a device reaches that takes `measured` ms."""
    if measured < found.cached_least:
        return ('measured {:.3f} ms, but one multiply-add after the other takes {:.3f} ms at '
                'least: is it this device, this precision, this input size? (3x3 convolutions '
                "may be computed with fewer: Winograd's algorithm)".format(
                    measured, found.cached_least))
    if measured < found.least:
        return ('measured {:.3f} ms, faster than maps through memory allow ({:.3f} ms): the cache '
                'holds maps; {:.0f} % of the limit that remains ({:.3f} ms)'.format(
                    measured, found.least, 100 * found.cached_least / measured,
                    found.cached_least))
    return 'measured {:.3f} ms: {:.0f} % of the limit ({:.3f} ms, {})'.format(
        measured, 100 * found.least / measured, found.least, found.binds)


def report(path: str, cost: NetworkCost, devices, precision: str) -> None:
    """Print what a network costs, and its least time per device, as Markdown tables."""
    print('\n{} at {}x{}: {:.3f} GMAC ({:.3f} GFLOP), {:.2f} M weights'.format(
        os.path.basename(path), *cost.size + (
            cost.multiply_adds / 1e9, 2 * cost.multiply_adds / 1e9, cost.weights / 1e6)))
    rows = [_kind_row(kind, layers, cost) for kind, layers in kinds(cost)]
    rows.append(('total without others', str(sum(layer.kind != FUSED for layer in cost.layers)),
                 '{:.3f}'.format(cost.multiply_adds / 1e9), '100',
                 '{:.2f}'.format(cost.weights / 1e6)) + _megabytes(cost.streamed))
    print_table(('layers', 'number', 'GMAC', '% of them', 'weights [M]', 'traffic fp16 [MB]',
                 'traffic fp32 [MB]'), rows)
    print_table(('device, {}'.format(precision), 'compute [ms]', 'memory [ms]', 'least [ms]',
                 'bound by', 'least, maps in cache [ms]'),
                [_device_row(device, limits(cost, device, precision)) for device in devices])


def _kind_row(kind, layers, cost):
    multiply_adds = sum(layer.multiply_adds for layer in layers)
    weights = sum(layer.weights for layer in layers)
    share = 100.0 * multiply_adds / max(cost.multiply_adds, 1)
    return (kind, str(len(layers)), '{:.3f}'.format(multiply_adds / 1e9), '{:.0f}'.format(share),
            '{:.2f}'.format(weights / 1e6)) + _megabytes(
                weights + sum(layer.maps for layer in layers))


def _megabytes(numbers):
    return tuple('{:.1f}'.format(each * numbers / 1e6) for each in BYTES.values())


def _device_row(device, found):
    return (device.title, '{:.3f}'.format(found.compute), '{:.3f}'.format(found.memory),
            '{:.3f}'.format(found.least), found.binds, '{:.3f}'.format(found.cached_least))


def parse(arguments=None):
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('models', nargs='*', metavar='MODEL', default=[model_file(BOTTOM_UP)],
                        help='ONNX models; default: the bundled bottom_up')
    parser.add_argument('--size', type=size, metavar='WxH',
                        help="input size of models with dynamic shapes; default: their card's")
    parser.add_argument('--precision', choices=tuple(BYTES), default='fp16')
    parser.add_argument('--device', choices=tuple(DEVICES), help='this one alone; default: all')
    parser.add_argument('--measured', type=float, metavar='MS',
                        help='time of the network on --device [ms]: print its share of the limit')
    options = parser.parse_args(arguments)
    if options.measured is not None and (not options.device or len(options.models) != 1):
        parser.error('--measured needs --device and one model')
    if options.measured is not None and not options.measured > 0:
        parser.error('--measured is a time in milliseconds, above 0')
    return options


def main(arguments=None):
    """Count and print."""
    options = parse(arguments)
    devices = [DEVICES[options.device]] if options.device else list(DEVICES.values())
    for path in options.models:
        try:
            cost = count(path, options.size)
        except ModelError as error:
            raise SystemExit(str(error))
        report(path, cost, devices, options.precision)
        if options.measured is not None:
            found = limits(cost, devices[0], options.precision)
            print('\n{}: {}'.format(devices[0].title, verdict(found, options.measured)))


if __name__ == '__main__':
    main()
