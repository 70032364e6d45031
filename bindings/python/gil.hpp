// Running without the interpreter's lock.
#pragma once

#include <Python.h>
#include <unistd.h>

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace spillring::python {

/// Copies from this size on are made without the GIL; below it, giving it up costs more.
inline constexpr std::size_t copy_without_gil = std::size_t{64} * 1024;

/// At the interpreter's end a daemon thread is not given the GIL any more but unwound, through
/// frames that would drop references without it: such a thread stops here.
[[noreturn]] inline void stop_at_interpreters_end() {
  for (;;) pause();
}

/// Takes the GIL back.
inline void take_gil(PyThreadState* state) {
  try {
    PyEval_RestoreThread(state);
  } catch (...) {  // abi::__forced_unwind, and nothing else
    stop_at_interpreters_end();
  }
}

/// Runs `work` without the GIL and returns what it returns. REQUIRES: the GIL is held, and no lock
/// that a thread waits for while it holds the GIL. `work` must not touch Python.
template <typename Work>
std::invoke_result_t<Work> without_gil(Work&& work) {
  using Value = std::invoke_result_t<Work>;
  std::exception_ptr failure;
  PyThreadState* const state = PyEval_SaveThread();
  if constexpr (std::is_void_v<Value>) {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    take_gil(state);
    if (failure) std::rethrow_exception(failure);
  } else {
    std::optional<Value> value;
    try {
      value.emplace(work());
    } catch (...) {
      failure = std::current_exception();
    }
    take_gil(state);
    if (failure) std::rethrow_exception(failure);
    return *std::move(value);
  }
}

}  // namespace spillring::python
