#include "method.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace spillring::python {

namespace py = pybind11;

std::size_t Signature::place_of(PyObject* name, std::span<PyObject* const> interned) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (interned[i] == name) return i;
  }
  const auto known = std::ranges::find_if(parameters, [name](const char* parameter) {
    return PyUnicode_CompareWithASCIIString(name, parameter) == 0;
  });
  return static_cast<std::size_t>(known - parameters.begin());
}

void Signature::match(std::span<PyObject* const> values, PyObject* names,
                      std::span<PyObject* const> interned, std::span<PyObject*> places) const {
  if (values.size() > positional) {
    throw py::type_error(fmt::format("{}() takes {} positional argument{} but {} {} given", method,
                                     positional, positional == 1 ? "" : "s", values.size(),
                                     values.size() == 1 ? "was" : "were"));
  }
  std::ranges::copy(values, places.begin());
  const Py_ssize_t named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* const name = PyTuple_GET_ITEM(names, i);
    const std::size_t place = place_of(name, interned);
    if (place == parameters.size()) {
      PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", method, name);
      throw py::error_already_set();
    }
    if (places[place] != nullptr) {
      throw py::type_error(
          fmt::format("{}() got multiple values for argument '{}'", method, parameters[place]));
    }
    places[place] = values.data()[values.size() + static_cast<std::size_t>(i)];
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (places[i] == nullptr) {
      throw py::type_error(fmt::format("{}() is missing its argument '{}'", method, parameters[i]));
    }
  }
}

void tell_python() {
  try {
    throw;
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (...) {
    auto& own = py::detail::get_local_internals().registered_exception_translators;
    if (py::detail::apply_exception_translators(own)) return;
    auto& all = py::detail::get_internals().registered_exception_translators;
    if (py::detail::apply_exception_translators(all)) return;
    PyErr_SetString(PyExc_SystemError, "an exception that nobody knows");
  }
}

}  // namespace spillring::python
