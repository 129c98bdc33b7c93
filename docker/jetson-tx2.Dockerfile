# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Jetson TX2, TX2 NX, TX1 and Nano with JetPack 4.6.1 to 4.6.6 (L4T r32.7): Ubuntu 18.04, Python 3.6.
# ROS 2 Humble is part of the base image, built from source; rebuilding that image fails today, so
# its published tag is kept: https://hub.docker.com/r/dustynv/ros/tags
#   docker build -f docker/jetson-tx2.Dockerfile -t pose_ros:tx2 .
# Its digest could not be looked up when this was written; a copy of the image in a registry of your own
# cannot change.
FROM dustynv/ros:humble-ros-base-l4t-r32.7.1
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /workspace

# NumPy's wheel takes a newer ARM core for granted and dies of an illegal instruction without this.
ENV OPENBLAS_CORETYPE=ARMV8
# The newest of each that still has wheels for Python 3.6; an OpenCV that is there is kept.
COPY docker/requirements /tmp/requirements
RUN python3 -m pip install --no-cache-dir --index-url https://pypi.org/simple --require-hashes \
      -r /tmp/requirements/jetson-tx2-pip.txt \
 && python3 -m pip install --no-cache-dir --index-url https://pypi.org/simple --require-hashes \
      -r /tmp/requirements/jetson-tx2.txt \
 && if ! python3 -c 'import sys, importlib.util as u; sys.exit(u.find_spec("cv2") is None)'; then \
      python3 -m pip install --no-cache-dir --index-url https://pypi.org/simple --require-hashes \
        -r /tmp/requirements/jetson-tx2-opencv.txt; \
    fi

COPY package.xml CMakeLists.txt src/pose_ros/
COPY cmake src/pose_ros/cmake
COPY config src/pose_ros/config
COPY launch src/pose_ros/launch
COPY msg src/pose_ros/msg
COPY pose_ros src/pose_ros/pose_ros
COPY scripts src/pose_ros/scripts
# The image's ROS was compiled with GCC 8: Ubuntu 18.04's own GCC 7 lacks parts of C++17.
RUN source "/opt/ros/$ROS_DISTRO/install/setup.bash" \
 && if command -v g++-8; then export CC=gcc-8 CXX=g++-8; fi \
 && colcon build --packages-select pose_ros --cmake-args -DBUILD_TESTING=OFF

COPY docker/entrypoint.sh /entrypoint.sh
# Nodes need no rights of root. Cameras belong to the group `video`, GPUs of a Jetson too.
RUN useradd --create-home --uid 10001 --groups video robot
USER robot
ENTRYPOINT ["/entrypoint.sh"]
CMD ["ros2", "launch", "pose_ros", "estimator.launch.py"]
