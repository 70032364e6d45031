#include "client/mappings.hpp"

namespace spillring::client {

Mappings::Shared Mappings::map(const os::Fd& memory, std::size_t size, os::Rights rights) {
  return find_or_make(memory, rights, [&] { return os::Mapping(memory, size, rights); });
}

Mappings::Shared Mappings::map(const os::Fd& memory, std::size_t head, std::size_t tail,
                               os::Rights rights) {
  return find_or_make(memory, rights, [&] { return os::Mapping(memory, head, tail, rights); });
}

Mappings::Shared Mappings::find_or_make(const os::Fd& memory, os::Rights rights,
                                        const std::function<os::Mapping()>& make) {
  const std::uint64_t inode = os::inode_of(memory);
  const std::scoped_lock lock(mutex_);
  std::erase_if(known_, [](const Known& known) { return known.mapping.expired(); });
  for (const Known& known : known_) {
    if (known.inode != inode || known.rights != rights) continue;
    if (Shared mapping = known.mapping.lock()) return mapping;  // or it has ended just now
  }
  auto mapping = std::make_shared<const os::Mapping>(make());
  known_.push_back({inode, rights, mapping});
  return mapping;
}

}  // namespace spillring::client
