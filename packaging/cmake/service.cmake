# What makes the daemon a service: its settings, units of systemd, its user and directories. Units name the program by
# its absolute path, so they hold for the prefix that the build was configured for.
set(SPILLRING_CONFIG_DIR "${CMAKE_INSTALL_FULL_SYSCONFDIR}/spillring")
set(config_dir "${CMAKE_INSTALL_SYSCONFDIR}/spillring") # below the prefix, so that --prefix moves it
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(config_dir "${SPILLRING_CONFIG_DIR}") # /etc, not /usr/etc
endif()
set(systemd "${PROJECT_SOURCE_DIR}/packaging/systemd")

foreach(unit IN ITEMS spillringd.service user/spillringd.service)
  configure_file("${systemd}/${unit}.in" "${PROJECT_BINARY_DIR}/systemd/${unit}" @ONLY)
endforeach()
install(FILES packaging/spillringd.toml DESTINATION "${config_dir}" COMPONENT daemon)
install(FILES "${PROJECT_BINARY_DIR}/systemd/spillringd.service" "${systemd}/spillringd.socket"
  DESTINATION lib/systemd/system COMPONENT daemon)
install(FILES "${PROJECT_BINARY_DIR}/systemd/user/spillringd.service"
  DESTINATION lib/systemd/user COMPONENT daemon)
install(FILES "${systemd}/sysusers.conf" DESTINATION lib/sysusers.d RENAME spillring.conf COMPONENT daemon)
install(FILES "${systemd}/tmpfiles.conf" DESTINATION lib/tmpfiles.d RENAME spillring.conf COMPONENT daemon)
