# The Debian packages: which components of install.cmake make up each, and what it needs. `./dev package` builds them.
# What dpkg runs and reads beside them (postinst, conffiles) lies in packaging/debian/PACKAGE/.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME spillring)
set(CPACK_PACKAGE_VENDOR "Spillring")
set(CPACK_PACKAGE_CONTACT "Spillring maintainers <maintainers@spillring.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_SET_DESTDIR ON) # so that what has its place outside of the prefix, in /etc, is packaged like all else
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_COMPONENTS_ALL "")

# debian_package(NAME COMPONENTS component... SECTION section SUMMARY text TEXT text [DEPENDS text] [RECOMMENDS text])
function(debian_package name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SECTION;SUMMARY;TEXT;DEPENDS;RECOMMENDS" "COMPONENTS")
  string(TOUPPER "${name}" key)
  file(GLOB scripts CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/packaging/debian/${name}/*")
  install(FILES packaging/debian/copyright DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${name}"
    COMPONENT ${name} EXCLUDE_FROM_ALL)
  list(APPEND arg_COMPONENTS ${name})
  foreach(component IN LISTS arg_COMPONENTS)
    string(TOUPPER "${component}" component_key)
    set(CPACK_COMPONENT_${component_key}_GROUP ${name} PARENT_SCOPE)
  endforeach()
  set(CPACK_COMPONENTS_ALL ${CPACK_COMPONENTS_ALL} ${arg_COMPONENTS} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_SECTION ${arg_SECTION} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_DEPENDS "${arg_DEPENDS}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_RECOMMENDS "${arg_RECOMMENDS}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_CONTROL_EXTRA "${scripts}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_DESCRIPTION "${arg_SUMMARY}\n${arg_TEXT}" PARENT_SCOPE)
endfunction()

set(same_version "(= ${PROJECT_VERSION})")

debian_package(libspillring0
  COMPONENTS runtime
  SECTION libs
  SUMMARY "message queue in shared memory: the library"
  TEXT "Programs in C++ send and receive messages of other processes on the same machine with it, in place and without a copy.")
# No ABI is promised before 1.0: a package of a program that is linked to the library needs this very version.
file(WRITE "${PROJECT_BINARY_DIR}/shlibs" "libspillring 0 libspillring0 ${same_version}\n")
list(APPEND CPACK_DEBIAN_LIBSPILLRING0_PACKAGE_CONTROL_EXTRA "${PROJECT_BINARY_DIR}/shlibs")

debian_package(libspillring-dev
  COMPONENTS dev
  SECTION libdevel
  SUMMARY "message queue in shared memory: to build programs with"
  TEXT "Headers, the archive of the library, and what CMake and pkg-config need to find them."
  DEPENDS "libspillring0 ${same_version}, libfmt-dev, libsqlite3-dev")

# Whatever is installed with COMPONENT daemon comes with it.
debian_package(spillring
  COMPONENTS daemon cli
  SECTION net
  SUMMARY "message queue in shared memory: supervisor and command"
  TEXT "spillringd creates queues and repairs what dying processes leave behind. The command spillring sends, receives, and shows what there is.")

if(SPILLRING_BUILD_PYTHON)
  find_package(Python REQUIRED COMPONENTS Interpreter)
  math(EXPR next_minor "${Python_VERSION_MINOR} + 1")
  debian_package(python3-spillring
    COMPONENTS python
    SECTION python
    SUMMARY "message queue in shared memory: the Python module"
    TEXT "Sends and receives messages of other processes on the same machine; NumPy reads and writes them in place."
    DEPENDS "python3 (>= ${Python_VERSION_MAJOR}.${Python_VERSION_MINOR}~), python3 (<< ${Python_VERSION_MAJOR}.${next_minor})"
    RECOMMENDS "spillring")
endif()

include(CPack)
