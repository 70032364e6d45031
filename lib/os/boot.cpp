#include "os/boot.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

#include "os/random.hpp"

namespace spillring::os {

std::uint64_t boot_number() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;  // 8-4-4-4-12 hexadecimal digits
  std::erase(id, '-');
  constexpr std::size_t digits = 16;
  const std::uint64_t number = std::strtoull(id.substr(0, digits).c_str(), nullptr, 16);
  return number != 0 ? number : random_number();
}

}  // namespace spillring::os
