# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Message packages from PyPI wheels export include folders of the machine that built them, and CMake
# refuses a folder that is not there. On a ROS installation this changes nothing.
function(drop_missing_include_directories)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(directories ${target} INTERFACE_INCLUDE_DIRECTORIES)
    set(existing "")
    foreach(directory IN LISTS directories)
      if(directory MATCHES "^\\$<" OR IS_DIRECTORY "${directory}")
        list(APPEND existing "${directory}")
      endif()
    endforeach()
    if(directories AND NOT existing STREQUAL directories)
      set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${existing}")
    endif()
  endforeach()
endfunction()
