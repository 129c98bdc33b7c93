# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Jetson Orin with JetPack 6.1 or 6.2 (L4T r36.4 and newer): Ubuntu 22.04, Python 3.10, ROS 2 Humble
# built from source, TensorRT 10.3.
#   docker build -f docker/jetson-orin.Dockerfile -t pose_ros:orin .
# Other JetPacks by arguments: docker/README.md.
# Its digest could not be looked up when this was written: pin it with BASE=NAME@sha256:DIGEST, from
# `docker buildx imagetools inspect NAME`.
ARG BASE=dustynv/ros:humble-desktop-l4t-r36.4.0
FROM $BASE
# What pip installs, in docker/requirements: of each the newest that has wheels for this Python on ARM.
ARG REQUIREMENTS=jetson-orin.txt
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /workspace

# NumPy stays below 2: JetPack's OpenCV was built with NumPy 1. PyPI is named because the image is set
# up with another index, whose server is not always there.
COPY docker/requirements /tmp/requirements
RUN python3 -m pip install --no-cache-dir --index-url https://pypi.org/simple --require-hashes \
      -r "/tmp/requirements/$REQUIREMENTS"

COPY package.xml CMakeLists.txt src/pose_ros/
COPY cmake src/pose_ros/cmake
COPY config src/pose_ros/config
COPY launch src/pose_ros/launch
COPY msg src/pose_ros/msg
COPY pose_ros src/pose_ros/pose_ros
COPY scripts src/pose_ros/scripts
RUN source "/opt/ros/$ROS_DISTRO/install/setup.bash" \
 && colcon build --packages-select pose_ros --cmake-args -DBUILD_TESTING=OFF

COPY docker/entrypoint.sh /entrypoint.sh
# Nodes need no rights of root. Cameras belong to the group `video`, GPUs of a Jetson too.
RUN useradd --create-home --uid 10001 --groups video robot
USER robot
ENTRYPOINT ["/entrypoint.sh"]
CMD ["ros2", "launch", "pose_ros", "estimator.launch.py"]
