#include "os/process.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

#include "os/failure.hpp"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // Linux 6.5
#endif

namespace spillring::os {

Peer peer_of(const Fd& socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    fail("cannot learn who connected");
  }
  Peer peer{credentials.pid, credentials.uid, credentials.gid, {}};
  int pidfd = -1;
  length = sizeof pidfd;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0) {
    peer.pidfd = Fd(pidfd);
  } else if (peer.pid > 0) {
    // Before Linux 6.5. The number may have been given to another process since the connect only if
    // the peer is dead by now, and then the socket's end of file says so.
    peer.pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
  }
  return peer;
}

bool is_dead(const Fd& pidfd) {
  pollfd entry{pidfd.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

Maps maps_any(pid_t pid, const std::set<std::uint64_t>& inodes) {
  std::ifstream file(fmt::format("/proc/{}/maps", pid));
  if (!file) return Maps::unknown;
  std::string line;
  bool read_any = false;
  while (std::getline(file, line)) {
    read_any = true;
    std::istringstream fields(line);
    std::string range;
    std::string rights;
    std::string offset;
    std::string device;
    std::uint64_t inode = 0;
    fields >> range >> rights >> offset >> device >> inode;
    if (line.find("/memfd:spillring") != std::string::npos && inodes.contains(inode)) {
      return Maps::some;
    }
  }
  return read_any ? Maps::none : Maps::unknown;
}

}  // namespace spillring::os
