"""Human pose estimation for ROS 2; import from pose_ros.core (no ROS needed) or pose_ros.msg."""
__path__ = __import__('pkgutil').extend_path(__path__, __name__)
