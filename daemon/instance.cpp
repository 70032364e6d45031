#include "instance.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/channel.hpp"
#include "os/directory.hpp"
#include "os/lock_file.hpp"
#include "os/socket.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

constexpr std::size_t parts = 3;

std::string lock_of(const std::string& socket) { return socket + ".lock"; }

/// Somebody answers there. To connect proves nothing: the dead listen until they are buried.
bool is_served(const std::string& socket) {
  constexpr os::Instant patience = 500'000'000;
  try {
    const os::Fd asking = os::connect_to(socket);
    control::send(asking, control::request(layout::Ask::hello), false);
    control::receive_answer(asking, os::now() + patience);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::vector<os::Fd> parts_of(KeptPacket kept) {
  if (kept.descriptors.size() != parts) {
    throw Error(Code::corrupt, "the keeper did not keep the listening socket");
  }
  return std::move(kept.descriptors);
}

}  // namespace

Instance::Instance(const std::string& socket, unsigned mode, os::Fd passed)
    : lock_(
          os::lock_file_of_the_dead(lock_of(socket), [&] { return !passed && is_served(socket); })),
      passed_(static_cast<bool>(passed)),
      listener_(passed_ ? std::move(passed) : os::listen_at(socket, mode)),
      notes_("spillring:notes", sizeof(layout::Notes)) {
  notes().magic = layout::notes_magic;
}

Instance::Instance(KeptPacket kept, bool passed) : Instance(parts_of(std::move(kept)), passed) {}

Instance::Instance(std::vector<os::Fd> kept, bool passed)
    : lock_(std::move(kept[0])),
      passed_(passed),
      listener_(std::move(kept[1])),
      notes_(std::move(kept[2]), sizeof(layout::Notes)) {
  if (notes().magic != layout::notes_magic) {
    throw Error(Code::corrupt, "the keeper kept the notes of another version");
  }
}

void Instance::deposit(KeeperLine& keeper) const noexcept {
  keeper.keep(keeping_record(layout::Keeping::keep, layout::Kept::instance),
              {lock_.get(), listener_.get(), notes_.writable.get()});
  if (!passed_) return;
  keeper.keep(keeping_record(layout::Keeping::keep, layout::Kept::listener), {listener_.get()});
}

void Instance::set_mode(const std::string& socket, unsigned mode) const noexcept {
  if (!passed_ && os::is_socket(socket)) ::chmod(socket.c_str(), mode);
}

bool Instance::present(const std::string& socket) const noexcept {
  return (passed_ || os::is_socket(socket)) && os::is_at(lock_, lock_of(socket));
}

void Instance::renew(const std::string& socket, unsigned mode) {
  if (!os::is_at(lock_, lock_of(socket))) {
    os::Fd lock = os::lock_file(lock_of(socket));
    lock_not_inherited_.reset();
    lock_ = std::move(lock);
    lock_not_inherited_.emplace(lock_);
  }
  if (passed_ || os::is_socket(socket)) return;
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
  if (!passed_) ::unlink(socket.c_str());
  ::unlink(lock_of(socket).c_str());
}

}  // namespace spillring::daemon
