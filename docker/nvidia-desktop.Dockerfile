# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# A desktop or server with an NVIDIA GPU, x86-64: ROS 2 Jazzy, ONNX Runtime with CUDA 12 and cuDNN 9.
# The host needs its driver and the NVIDIA Container Toolkit, no CUDA.
#   docker build -f docker/nvidia-desktop.Dockerfile -t pose_ros:gpu .
# The digest of the tag's index for x86-64 and ARM64 on 2026-09-25, see docker/README.md.
FROM ros:jazzy-ros-base-noble@sha256:c3706ef0a0aa45413c07803cf433602f543b22e45b4855f6fca955c2d8ecc4e8
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /workspace

COPY package.xml src/pose_ros/
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-venv \
 && rosdep update --rosdistro "$ROS_DISTRO" \
 && rosdep install --from-paths src --ignore-src -y \
 && rm -rf /var/lib/apt/lists/*

# Ubuntu keeps pip out of its own Python. NumPy stays below 2: Ubuntu's OpenCV was built with NumPy 1.
# CUDA and cuDNN come as wheels, which the dynamic linker has to be shown.
COPY docker/requirements/nvidia-desktop.txt /tmp/requirements.txt
RUN python3 -m venv --system-site-packages /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.txt \
 && ls -d /opt/venv/lib/python3*/site-packages/nvidia/*/lib > /etc/ld.so.conf.d/nvidia-wheels.conf \
 && ldconfig

COPY CMakeLists.txt src/pose_ros/
COPY cmake src/pose_ros/cmake
COPY config src/pose_ros/config
COPY launch src/pose_ros/launch
COPY msg src/pose_ros/msg
COPY pose_ros src/pose_ros/pose_ros
COPY scripts src/pose_ros/scripts
RUN source "/opt/ros/$ROS_DISTRO/setup.bash" \
 && colcon build --packages-select pose_ros --cmake-args -DBUILD_TESTING=OFF
# After the build: ROS 2's generators belong to Ubuntu's Python, the runtimes of networks to this one.
ENV PATH=/opt/venv/bin:$PATH

COPY docker/entrypoint.sh /entrypoint.sh
# Nodes need no rights of root. Cameras belong to the group `video`, GPUs of a Jetson too.
RUN useradd --create-home --uid 10001 --groups video robot
USER robot
ENTRYPOINT ["/entrypoint.sh"]
CMD ["ros2", "launch", "pose_ros", "estimator.launch.py"]
