#include "errors.hpp"

#include <fmt/format.h>

#include <exception>
#include <string>

namespace spillring::python {

namespace py = pybind11;

namespace {

const char* class_of(Code code) {
  switch (code) {
    case Code::full:
      return "Full";
    case Code::empty:
      return "Empty";
    case Code::timeout:
      return "Timeout";
    case Code::stale:
      return "Stale";
    case Code::closed:
      return "Closed";
    case Code::deleted:
      return "Deleted";
    case Code::poisoned:
      return "Poisoned";
    case Code::corrupt:
      return "Corrupt";
    case Code::too_large:
      return "TooLarge";
    case Code::invalid:
      return "Invalid";
    case Code::not_found:
      return "NotFound";
    case Code::exists:
      return "Exists";
    case Code::denied:
      return "Denied";
    case Code::no_memory:
      return "NoMemory";
    case Code::unavailable:
      return "Unavailable";
    case Code::forked:
      return "Forked";
    case Code::in_doubt:
      return "InDoubt";
    case Code::no_space:
    case Code::io:
    case Code::ok:
    case Code::interrupted:
    case Code::busy:
    case Code::version_mismatch:
    case Code::unsupported:
    case Code::internal:
      return "Error";
  }
  return "Error";
}

}  // namespace

void set_python_error(const Error& error) {
  try {
    const std::string_view code = name(error.code());
    // Never destroyed: it may be needed until the interpreter's end.
    static const auto* const classes = new py::module_(py::module_::import("spillring._errors"));
    const py::object type = classes->attr(class_of(error.code()));
    const py::object exception =
        type(error.what(), py::str(code.data(), code.size()), py::str(error.hint()));
    PyErr_SetObject(type.ptr(), exception.ptr());
  } catch (py::error_already_set& failure) {
    failure.restore();
  }
}

void fail(Code code, std::string_view queue) {
  const Error generic(code);
  throw Error(code, fmt::format("queue '{}': {}", queue, generic.summary()), generic.why(),
              generic.hint());
}

void translate_errors() {
  // NOLINTNEXTLINE(performance-unnecessary-value-param): the signature is pybind11's
  py::register_local_exception_translator([](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const Error& error) {
      set_python_error(error);
    }
  });
}

}  // namespace spillring::python
