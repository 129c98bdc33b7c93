# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# A desktop or server with an NVIDIA GPU, x86-64: ROS 2 Jazzy, ONNX Runtime with CUDA 12 and cuDNN 9.
# The host needs its driver and the NVIDIA Container Toolkit, no CUDA.
#   docker build -f docker/nvidia-desktop.Dockerfile -t pose_ros:gpu .
FROM ros:jazzy-ros-base-noble
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
RUN python3 -m venv --system-site-packages /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir 'numpy<2' 'onnxruntime-gpu[cuda,cudnn]==1.23.2' \
 && ls -d /opt/venv/lib/python3*/site-packages/nvidia/*/lib > /etc/ld.so.conf.d/nvidia-wheels.conf \
 && ldconfig

COPY CMakeLists.txt src/pose_ros/
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
ENTRYPOINT ["/entrypoint.sh"]
CMD ["ros2", "launch", "pose_ros", "estimator.launch.py"]
