#include "instance.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "os/directory.hpp"
#include "os/lock_file.hpp"
#include "os/socket.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

constexpr std::size_t parts = 3;

std::string lock_of(const std::string& socket) { return socket + ".lock"; }

std::vector<os::Fd> parts_of(KeptPacket kept) {
  if (kept.descriptors.size() != parts) {
    throw Error(Code::corrupt, "the keeper did not keep the listening socket");
  }
  return std::move(kept.descriptors);
}

}  // namespace

Instance::Instance(const std::string& socket, unsigned mode)
    : lock_(os::lock_file(lock_of(socket))),
      listener_(os::listen_at(socket, mode)),
      notes_("spillring:notes", sizeof(layout::Notes)) {
  notes().magic = layout::notes_magic;
}

Instance::Instance(KeptPacket kept) : Instance(parts_of(std::move(kept))) {}

Instance::Instance(std::vector<os::Fd> kept)
    : lock_(std::move(kept[0])),
      listener_(std::move(kept[1])),
      notes_(std::move(kept[2]), sizeof(layout::Notes)) {
  if (notes().magic != layout::notes_magic) {
    throw Error(Code::corrupt, "the keeper kept the notes of another version");
  }
}

void Instance::deposit(KeeperLine& keeper) const noexcept {
  keeper.keep(keeping_record(layout::Keeping::keep, layout::Kept::instance),
              {lock_.get(), listener_.get(), notes_.writable.get()});
}

bool Instance::present(const std::string& socket) const noexcept {
  return os::is_socket(socket) && os::is_at(lock_, lock_of(socket));
}

void Instance::renew(const std::string& socket, unsigned mode) {
  if (!os::is_at(lock_, lock_of(socket))) {
    os::Fd lock = os::lock_file(lock_of(socket));
    lock_not_inherited_.reset();
    lock_ = std::move(lock);
    lock_not_inherited_.emplace(lock_);
  }
  if (os::is_socket(socket)) return;
  os::Fd listener = os::listen_at(socket, mode);
  listener_not_inherited_.reset();
  listener_ = std::move(listener);
  listener_not_inherited_.emplace(listener_);
}

void Instance::write_processes(pid_t supervisor, pid_t keeper) const noexcept try {
  os::write_note(lock_, fmt::format("supervisor {}\nkeeper {}\n", supervisor, keeper));
} catch (const std::exception&) {  // no memory for a line of text
}

void Instance::remove(const std::string& socket) noexcept {
  ::unlink(socket.c_str());
  ::unlink(lock_of(socket).c_str());
}

}  // namespace spillring::daemon
