#include "os/memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <map>
#include <mutex>

#include "os/available_memory.hpp"
#include "os/failure.hpp"
#include "os/fork.hpp"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U  // Linux 6.3; older kernels answer EINVAL
#endif

namespace spillring::os {

namespace ipc = boost::interprocess;

namespace {

constexpr int wanted_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

int memfd(const std::string& name) {
  const int fd = ::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  if (fd >= 0 || errno != EINVAL) return fd;
  return ::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

// A file size limit answers with SIGXFSZ as well as with EFBIG: asked first, so that the signal
// cannot end a process that only wanted a queue.
bool over_file_size_limit(std::size_t size) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         size > limit.rlim_cur;
}

/// What Boost.Interprocess needs to map a descriptor.
class Mappable {
 public:
  explicit Mappable(const Fd& fd) : fd_(fd.get()) {}
  [[nodiscard]] ipc::mapping_handle_t get_mapping_handle() const {
    return ipc::ipcdetail::mapping_handle_from_file_handle(fd_);
  }

 private:
  int fd_;
};

ipc::mode_t mode_of(Rights rights) {
  return rights == Rights::read ? ipc::read_only : ipc::read_write;
}

ipc::mapped_region mapped(const Fd& memory, std::size_t offset, std::size_t size, Rights rights,
                          void* at) {
  try {
    return {Mappable(memory),
            mode_of(rights),
            static_cast<ipc::offset_t>(offset),
            size,
            at,
            at == nullptr ? ipc::default_map_options : MAP_FIXED};
  } catch (const ipc::interprocess_exception& failure) {
    fail(fmt::format("cannot map {} bytes of shared memory", size), failure.get_native_error(), {});
  }
}

}  // namespace

Fd create_memory(const std::string& name, std::size_t size) {
  const std::string what = fmt::format("cannot allocate {} bytes of shared memory", size);
  if (over_file_size_limit(size)) {
    fail(what, EFBIG, "raise the file size limit (ulimit -f) of the supervisor");
  }
  // Beyond what is there, fallocate does not fail: it takes all memory, and somebody is killed for
  // it.
  if (size > available_memory()) {
    fail(what, ENOMEM, "ask for a smaller capacity, or give the supervisor more memory");
  }
  Fd memory(memfd(name));
  if (!memory) fail(what);
  if (::fchmod(memory.get(), 0600) != 0) fail(what);
  // fallocate, not ftruncate: a hole would be filled at first touch, and end in SIGBUS where
  // memory has run out by then.
  if (const int error = ::posix_fallocate(memory.get(), 0, static_cast<off_t>(size)); error != 0) {
    fail(what, error, "ask for a smaller capacity, or give the supervisor more memory");
  }
  if (::fcntl(memory.get(), F_ADD_SEALS, wanted_seals) != 0) fail(what);
  return memory;
}

Fd create_text(const std::string& name, const std::string& text) {
  Fd memory = create_memory(name, whole_pages(text.size() + 1));
  const ssize_t written = ::pwrite(memory.get(), text.data(), text.size(), 0);
  if (written != static_cast<ssize_t>(text.size())) fail("cannot write to shared memory");
  return memory;
}

std::string read_text(const Fd& memory) {
  struct stat status {};
  if (::fstat(memory.get(), &status) != 0) fail("cannot read a text from shared memory");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t got = ::pread(memory.get(), text.data(), text.size(), 0);
  if (got != status.st_size) fail("cannot read a text from shared memory");
  return text.substr(0, text.find('\0'));
}

Fd reopen_read_only(const Fd& memory) {
  const std::string path = fmt::format("/proc/self/fd/{}", memory.get());
  Fd again(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!again) fail("cannot reopen shared memory for reading");
  return again;
}

void check_memory(const Fd& memory, std::size_t size) {
  struct stat status {};
  if (::fstat(memory.get(), &status) != 0) fail("cannot inspect shared memory");
  const int seals = ::fcntl(memory.get(), F_GET_SEALS);
  if (seals < 0 || (seals & wanted_seals) != wanted_seals ||
      static_cast<std::size_t>(status.st_size) != size) {
    throw Error(Code::corrupt, "a shared memory segment is not what the supervisor announced",
                fmt::format("expected {} bytes, sealed; found {} bytes, seals {:#x}", size,
                            status.st_size, seals));
  }
}

std::uint64_t inode_of(const Fd& memory) {
  struct stat status {};
  if (::fstat(memory.get(), &status) != 0) fail("cannot inspect shared memory");
  return status.st_ino;
}

/// What is mapped of a segment: all of it, and its end perhaps once more.
struct Mapping::Regions {
  Regions(const Fd& memory, std::size_t size, Rights rights)
      : first(mapped(memory, 0, size, rights, nullptr)),
        data(static_cast<std::byte*>(first.get_address())) {
    ::madvise(data, size, MADV_DONTFORK);
  }
  Regions(const Fd& memory, std::size_t head, std::size_t tail, Rights rights) {
    const std::size_t whole = head + 2 * tail;
    void* reserved =
        ::mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) fail(fmt::format("cannot reserve {} bytes of addresses", whole));
    data = static_cast<std::byte*>(reserved);
    try {
      first = mapped(memory, 0, head + tail, rights, data);
      second = mapped(memory, head, tail, rights, data + head + tail);
    } catch (...) {
      ipc::mapped_region().swap(first);  // before the range may be somebody else's
      ::munmap(reserved, whole);
      throw;
    }
    ::madvise(data, whole, MADV_DONTFORK);
  }

  ipc::mapped_region first;
  ipc::mapped_region second;
  std::byte* data = nullptr;
};

/// In a forked child nothing is mapped there any more; by now the range may be somebody else's.
struct Mapping::Unmap {
  std::uint32_t generation = fork_generation();
  void operator()(Regions* regions) const noexcept {
    if (generation == fork_generation()) delete regions;
  }
};

#ifdef __SANITIZE_THREAD__
// The race detector knows by addresses who synchronises with whom. So all of a process, its
// supervisor too, has a segment that it may write to at the same address.
template <typename... Range>
std::shared_ptr<Mapping::Regions> Mapping::map(const Fd& memory, Rights rights, Range... range) {
  using Name = std::pair<std::uint64_t, std::uint32_t>;  // inode, and whose
  static std::mutex mutex;
  static std::map<Name, std::weak_ptr<Regions>> writable;
  const std::scoped_lock lock(mutex);
  std::weak_ptr<Regions>& known = writable[{inode_of(memory), fork_generation()}];
  if (auto regions = known.lock()) return regions;
  std::shared_ptr<Regions> regions(new Regions(memory, range..., rights), Unmap());
  if (rights == Rights::read_write) known = regions;
  return regions;
}
#else
template <typename... Range>
std::shared_ptr<Mapping::Regions> Mapping::map(const Fd& memory, Rights rights, Range... range) {
  return {new Regions(memory, range..., rights), Unmap()};
}
#endif

Mapping::Mapping() noexcept = default;

Mapping::Mapping(const Fd& memory, std::size_t size, Rights rights) {
  check_memory(memory, size);
  regions_ = map(memory, rights, size);
  data_ = regions_->data;
}

Mapping::Mapping(const Fd& memory, std::size_t head, std::size_t tail, Rights rights) {
  check_memory(memory, head + tail);
  regions_ = map(memory, rights, head, tail);
  data_ = regions_->data;
}

Mapping::Mapping(Mapping&&) noexcept = default;

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(regions_, other.regions_);
  std::swap(data_, other.data_);
  return *this;
}

Mapping::~Mapping() = default;

void Mapping::populate() const noexcept {
  const ipc::mapped_region& all = regions_->first;  // its end's second place is seldom used
  const bool is_writable = all.get_mode() == ipc::read_write;
  ::madvise(all.get_address(), all.get_size(),
            is_writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
}

}  // namespace spillring::os
