# What is installed where. Only the headers below lib/include are.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/spillring")

install(TARGETS spillring EXPORT spillring-static ARCHIVE COMPONENT dev)
install(TARGETS spillring_shared EXPORT spillring-shared LIBRARY COMPONENT runtime NAMELINK_COMPONENT dev)
install(TARGETS spillringd COMPONENT daemon)
install(TARGETS spillring_cli COMPONENT cli)
include(packaging/cmake/service.cmake)
install(DIRECTORY lib/include/ TYPE INCLUDE COMPONENT dev FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
if(SPILLRING_BUILD_PYTHON)
  install(TARGETS _spillring LIBRARY COMPONENT python DESTINATION "${SPILLRING_PYTHON_DIR}/spillring")
  install(DIRECTORY bindings/python/spillring COMPONENT python DESTINATION "${SPILLRING_PYTHON_DIR}"
    FILES_MATCHING PATTERN "*.py" PATTERN "*.pyi" PATTERN "py.typed"
    PATTERN "__pycache__" EXCLUDE)
endif()
if(SKBUILD) # a wheel is the module with its programs, which go where the environment has its own
  install(TARGETS spillringd spillring_cli RUNTIME COMPONENT python DESTINATION "${SKBUILD_SCRIPTS_DIR}")
endif()

# find_package(spillring)
foreach(kind IN ITEMS static shared)
  install(EXPORT spillring-${kind} NAMESPACE spillring:: DESTINATION "${package_dir}" COMPONENT dev)
endforeach()
configure_package_config_file(
  packaging/cmake/spillring-config.cmake.in "${PROJECT_BINARY_DIR}/spillring-config.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/spillring-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(
  FILES "${PROJECT_BINARY_DIR}/spillring-config.cmake"
        "${PROJECT_BINARY_DIR}/spillring-config-version.cmake"
  DESTINATION "${package_dir}"
  COMPONENT dev)

# pkg-config; paths are relative to the file, so that the installed tree can be moved.
file(RELATIVE_PATH prefix_from_pc
  "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
foreach(name IN ITEMS spillring spillring-embedded)
  configure_file(packaging/${name}.pc.in "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)
endforeach()
