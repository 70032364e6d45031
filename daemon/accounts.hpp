// What each user has of this supervisor, and how much that may be.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>

namespace spillring::daemon {

/// The most that one user may have. Root and the user that the supervisor runs as are not limited.
struct Quota {
  std::uint64_t queues = 1024;
  std::uint64_t clients = 1024;
  std::uint64_t memory = std::uint64_t{4} << 30;    // bytes of shared memory
  std::uint64_t journal = std::uint64_t{64} << 30;  // bytes of the disk; 0: no limit
};

class Accounts {
 public:
  enum class Item : std::uint8_t { queue, client, memory, journal };

  /// Part of a user's account; given back at its end. Outlives the accounts without harm.
  class Charge {
   public:
    Charge() = default;
    Charge(Charge&& other) noexcept;
    Charge& operator=(Charge&& other) noexcept;
    Charge(const Charge&) = delete;
    Charge& operator=(const Charge&) = delete;
    ~Charge();

   private:
    friend class Accounts;
    std::shared_ptr<std::uint64_t> used_;
    std::uint64_t amount_ = 0;
  };

  explicit Accounts(const Quota& quota) : quota_(quota) {}

  /// Throws `Error` (busy, no_memory): more than the user may have.
  [[nodiscard]] Charge take(uid_t user, Item item, std::uint64_t amount = 1);
  /// For what there is already: no limit.
  [[nodiscard]] Charge adopt(uid_t user, Item item, std::uint64_t amount = 1);
  [[nodiscard]] std::uint64_t used(uid_t user, Item item) const noexcept;
  /// The most that the user may have of it.
  [[nodiscard]] std::uint64_t most(uid_t user, Item item) const noexcept;

 private:
  [[nodiscard]] std::uint64_t limit(Item item) const noexcept;

  Quota quota_;
  std::map<std::pair<uid_t, Item>, std::shared_ptr<std::uint64_t>> used_;
};

}  // namespace spillring::daemon
