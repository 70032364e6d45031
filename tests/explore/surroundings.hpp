// What production code finds around itself: the kernel's futex, clock, eventfd and mappings, and
// the connection to a supervisor, each as far as the protocols need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "client/connection.hpp"
#include "os/fd.hpp"

namespace explore {

/// A descriptor of that memory; or, for null, an eventfd. Good as long as its scenario.
spillring::os::Fd descriptor(std::byte* memory);
/// Forgets all descriptors.
void forget_descriptors() noexcept;

/// How often any eventfd was signalled in this execution: the supervisor is asked to look.
std::uint64_t& asked() noexcept;
/// Where that is counted: by the scenario, in memory that each execution finds as it was.
void count_asked_in(std::uint64_t* count) noexcept;

using Answerer =
    std::function<spillring::client::Answered(const spillring::layout::Request& request)>;
/// What a supervisor answers.
void answer_with(Answerer answerer);

std::shared_ptr<spillring::client::Connection> connection();

}  // namespace explore
