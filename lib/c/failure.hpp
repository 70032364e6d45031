// From exceptions and results to the codes of spillring.h, and what a thread's last failure was.
#pragma once

#include <exception>
#include <new>
#include <type_traits>

#include "spillring.h"
#include "spillring/error.hpp"
#include "spillring/result.hpp"

namespace spillring::c {

/// Remembers the failure for this thread; its words are made when somebody asks for them.
spillring_code failed(Code code) noexcept;
spillring_code failed(const Error& error) noexcept;

template <typename T>
spillring_code code_of(const Result<T>& result) noexcept {
  return result ? SPILLRING_OK : failed(result.error());
}

/// Runs `work`, which returns nothing, a `Result`, or a code; nothing is thrown any further.
template <typename Work>
spillring_code guarded(Work work) noexcept try {
  if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
    work();
    return SPILLRING_OK;
  } else if constexpr (std::is_same_v<std::invoke_result_t<Work>, spillring_code>) {
    return work();
  } else {
    return code_of(work());
  }
} catch (const Error& error) {
  return failed(error);
} catch (const std::bad_alloc&) {
  return failed(Code::no_memory);
} catch (const std::exception&) {
  return failed(Code::internal);
}

}  // namespace spillring::c
