// Spillring's failures as Python's exceptions.
#pragma once

#include <pybind11/pybind11.h>

#include <string_view>

#include "spillring/error.hpp"

namespace spillring::python {

/// Sets Python's error to the class of `spillring._errors` that `error.code()` stands for.
/// REQUIRES: the GIL.
void set_python_error(const Error& error);

/// Throws the `Error` of a call on `queue` that ended with `code`.
[[noreturn]] void fail(Code code, std::string_view queue);

/// Lets every function of the module turn `Error` into a Python exception.
void translate_errors();

}  // namespace spillring::python
