// The control protocol over a socket: whole records in, whole records out. Both ends use it.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "layout/control.hpp"
#include "os/fd.hpp"
#include "os/socket.hpp"
#include "spillring/error.hpp"
#include "spillring/options.hpp"

namespace spillring::control {

/// What failed, why, what to do: as one text of three lines, and back.
std::string to_text(const Error& error);
Error from_text(Code code, std::string_view text);

/// A request with all fields zero but the head.
layout::Request request(layout::Ask ask, std::uint64_t queue = 0);

os::Transfer send(const os::Fd& socket, const layout::Request& request, bool wait);

/// Looks at the next request and leaves it there: it is discarded when it has been answered, so
/// that a supervisor that dies in between leaves it to the next one. `broken`: it is no request.
os::Transfer peek(const os::Fd& socket, layout::Request& request);

/// An answer in the making: head, records, descriptors.
class Answer {
 public:
  explicit Answer(const layout::Request& request);
  /// The answer "this failed".
  Answer(const layout::Request& request, const Error& error);

  layout::Reply reply{};

  void attach(int descriptor) { descriptors_.push_back(descriptor); }
  /// One that is closed with the answer.
  void attach(os::Fd descriptor) {
    owned_.push_back(std::move(descriptor));
    attach(owned_.back().get());
  }
  /// False where the packet is full: say so in `reply.number` and let the other side ask on.
  template <typename Record>
  bool add(const Record& record) {
    static_assert(std::is_trivially_copyable_v<Record>);
    if (reply.records == layout::records_in_packet<Record>) return false;
    const auto* bytes = reinterpret_cast<const std::byte*>(&record);
    records_.insert(records_.end(), bytes, bytes + sizeof record);
    ++reply.records;
    return true;
  }
  [[nodiscard]] os::Transfer send(const os::Fd& socket) const;

 private:
  std::vector<std::byte> records_;
  std::vector<int> descriptors_;
  std::vector<os::Fd> owned_;
};

/// An answer as it came.
struct Answered {
  layout::Reply reply{};
  std::vector<std::byte> records;
  std::vector<os::Fd> descriptors;

  /// REQUIRES: the answer carries records of this kind, more than `index` (receive() has checked).
  template <typename Record>
  [[nodiscard]] Record record(std::size_t index) const {
    Record result{};
    std::memcpy(&result, records.data() + index * sizeof result, sizeof result);
    return result;
  }
  template <typename Record>
  [[nodiscard]] bool has_records() const noexcept {
    return records.size() == reply.records * sizeof(Record);
  }
};

/// Receives an answer, waiting until `until`. Throws `Error` (timeout, unavailable, corrupt).
Answered receive_answer(const os::Fd& socket, os::Instant until);

}  // namespace spillring::control
