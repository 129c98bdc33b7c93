# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Any computer, x86-64 or ARM, on its CPU: ROS 2 Jazzy, Ubuntu 24.04, Python 3.12.
#   docker build -f docker/cpu.Dockerfile -t pose_ros:cpu .
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
RUN python3 -m venv --system-site-packages /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir 'numpy<2' 'onnxruntime==1.31.1' \
      'openvino==2026.4.1; platform_machine == "x86_64"'

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
