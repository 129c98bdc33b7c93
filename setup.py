# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pip install .` of the part that needs no ROS: the engine and the `pose-ros` command.

For the ROS 2 package use colcon (package.xml, CMakeLists.txt), which does not read this file.
"""
import os
import subprocess
import sys

from setuptools import find_packages, setup


def opencv():
    """Require an OpenCV only where this Python has none.

    pip cannot express "any of opencv-python, opencv-contrib-python, apt's or JetPack's", and a
    second copy over one of them breaks both: an installed OpenCV is taken as it is.
    """
    # With these two pip hides the installed packages from the build.
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('PYTHONPATH', 'PYTHONNOUSERSITE')}
    search = 'import sys, importlib.util as util; sys.exit(util.find_spec("cv2") is None)'
    if subprocess.call([sys.executable, '-c', search], env=environment) == 0:
        return []
    # Newer versions reach Python 3.6 as sources only, which take hours to compile.
    return ['opencv-python-headless; python_version >= "3.7"',
            'opencv-python-headless<4.6.0.67; python_version < "3.7"']


setup(
    name='pose_ros',
    version='0.1.0',
    description='Human pose estimation: the part of pose_ros that needs no ROS',
    author='The pose_ros Authors',
    license='Apache-2.0',
    python_requires='>=3.6',
    packages=find_packages(include=[
        'pose_ros', 'pose_ros.core', 'pose_ros.core.*', 'pose_ros.cli', 'pose_ros.cli.*'])
    + ['pose_ros.definitions'],
    # Bags hold the definitions of their messages.
    package_dir={'pose_ros.definitions': 'msg'},
    package_data={'pose_ros': ['models/*', 'core/public/*.json', 'core/viewer/page/*'],
                  'pose_ros.definitions': ['*.msg']},
    zip_safe=False,
    install_requires=['numpy', 'onnxruntime', 'tqdm'] + opencv(),
    extras_require={
        'bags': ['rosbags>=0.11', 'mcap'],  # Python 3.10 or newer
        'openvino': ['openvino>=2024.0'],
        'ray': ['ray'],  # Python 3.9 or newer
        'viewer': ['aiohttp'],
        'test': ['onnx', 'pytest'],
    },
    entry_points={'console_scripts': ['pose-ros = pose_ros.cli.main:main']},
)
