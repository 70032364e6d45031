#include "client/mappings.hpp"

namespace spillring::client {

Mappings::Shared Mappings::map(const os::Fd& memory, std::size_t size, os::Rights rights) {
  return find_or_make({os::inode_of(memory), size, 0, rights},
                      [&] { return os::Mapping(memory, size, rights); });
}

Mappings::Shared Mappings::map(const os::Fd& memory, std::size_t head, std::size_t tail,
                               os::Rights rights) {
  return find_or_make({os::inode_of(memory), head, tail, rights},
                      [&] { return os::Mapping(memory, head, tail, rights); });
}

Mappings::Shared Mappings::find_or_make(const Memory& memory,
                                        const std::function<os::Mapping()>& make) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(known_, [](const Known& known) { return known.mapping.expired(); });
  for (const Known& known : known_) {
    if (known.memory != memory) continue;
    if (Shared mapping = known.mapping.lock()) return mapping;  // or it has ended just now
  }
  auto mapping = std::make_shared<const os::Mapping>(make());
  known_.push_back({memory, mapping});
  return mapping;
}

}  // namespace spillring::client
