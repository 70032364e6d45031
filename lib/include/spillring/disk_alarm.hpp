// Why a queue's journal takes nothing at present.
#pragma once

#include <cstdint>
#include <string_view>

namespace spillring {

/// While there is one, producers wait as if the queue could not spill. It is tried again every
/// second.
enum class DiskAlarm : std::uint8_t {
  none = 0,
  full = 1,     ///< the file system of the state directory is full
  reserve = 2,  ///< what is left there is the disk reserve
  quota = 3,    ///< the queue, or the queues of its owner, may not have more of the disk
  error = 4,    ///< writing fails
};

/// One word, for example "reserve".
[[nodiscard]] std::string_view name(DiskAlarm alarm) noexcept;
/// Half a sentence: why; empty for `none`.
[[nodiscard]] std::string_view reason(DiskAlarm alarm) noexcept;
/// What to do about it; empty for `none`.
[[nodiscard]] std::string_view remedy(DiskAlarm alarm) noexcept;

}  // namespace spillring
