#include "os/random.hpp"

#include <sys/random.h>

#include <cerrno>

#include "os/failure.hpp"

namespace spillring::os {

std::uint64_t random_number() {
  std::uint64_t number = 0;
  // So few bytes come whole, or not at all.
  while (::getrandom(&number, sizeof number, 0) != sizeof number) {
    if (errno != EINTR) fail("the system gives no random numbers");
  }
  return number;
}

}  // namespace spillring::os
