// Methods that are called for every message, called as the interpreter calls its own.
//
// For each call pybind11 makes a list, a tuple and a dictionary and looks for the overload that
// fits: a thousand instructions, more than sending takes. These take their arguments from where the
// interpreter left them (METH_FASTCALL).
#pragma once

#include <cxxabi.h>
#include <pybind11/pybind11.h>

#include <array>
#include <cstddef>
#include <exception>
#include <span>

#include "gil.hpp"
#include "instance.hpp"

namespace spillring::python {

/// What a method was called with, in the order of its parameters; null where it was left out.
using Given = std::span<PyObject* const>;

/// How a method is called. The first `positional` parameters may stand without their names, the
/// first `required` must be there, and the others are known by name only.
struct Signature {
  const char* method;
  std::span<const char* const> parameters;
  std::size_t positional = 0;
  std::size_t required = 0;

  /// Puts a call's arguments into the places of their parameters. Throws TypeError where they do
  /// not fit. `interned`: the parameters as Python has them in its code. REQUIRES: `places` are as
  /// many as parameters, and null.
  void match(std::span<PyObject* const> values, PyObject* names,
             std::span<PyObject* const> interned, std::span<PyObject*> places) const;

 private:
  [[nodiscard]] std::size_t place_of(PyObject* name, std::span<PyObject* const> interned) const;
};

/// Tells Python of the exception that is being handled, as pybind11 does for its functions.
void tell_python();

/// A method of `Object`. `Method` has
///   static constexpr Signature signature
///   static constexpr const char* doc
///   static pybind11::object call(Object&, Given)
template <typename Object, typename Method>
class FastMethod {
 public:
  static void define(pybind11::class_<Object>& type) {
    for (std::size_t i = 0; i < parameters; ++i) {
      interned[i] = PyUnicode_InternFromString(Method::signature.parameters[i]);
      if (interned[i] == nullptr) throw pybind11::error_already_set();
    }
    static PyMethodDef definition{Method::signature.method,
                                  reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call)),
                                  METH_FASTCALL | METH_KEYWORDS, Method::doc};
    PyObject* const made =
        PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &definition);
    if (made == nullptr) throw pybind11::error_already_set();
    type.attr(Method::signature.method) = pybind11::reinterpret_steal<pybind11::object>(made);
  }

 private:
  static constexpr std::size_t parameters = Method::signature.parameters.size();

  static PyObject* call(PyObject* self, PyObject* const* values, Py_ssize_t positional,
                        PyObject* names) {
    try {
      std::array<PyObject*, parameters + 1> places{};
      const auto given = std::span(places).first(parameters);
      Method::signature.match({values, static_cast<std::size_t>(positional)}, names, interned,
                              given);
      return Method::call(object_in<Object>(self), given).release().ptr();
    } catch (abi::__forced_unwind&) {
      stop_at_interpreters_end();
    } catch (...) {
      tell_python();
      return nullptr;
    }
  }

  static inline std::array<PyObject*, parameters + 1> interned{};
};

}  // namespace spillring::python
