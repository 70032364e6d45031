// C++ objects in Python's instances, for classes of which there is one object for each message.
//
// pybind11 looks up the class for each cast, and keeps a table of all objects in which it finds the
// instance of a pointer. Nobody asks for that of an object that Python alone owns.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <typeinfo>
#include <utility>

namespace spillring::python {

namespace detail {

/// The place of the object in an instance of a class that has no subclasses.
inline pybind11::detail::value_and_holder place_in(PyObject* self) {
  return reinterpret_cast<pybind11::detail::instance*>(self)->get_value_and_holder();
}

}  // namespace detail

/// The C++ object in an instance of a class that has no subclasses; faster than a cast. Throws
/// TypeError where it was never made: Python's __new__ makes such instances.
template <typename Object>
Object& object_in(PyObject* self) {
  auto* const object = detail::place_in(self).template value_ptr<Object>();
  if (object == nullptr) throw pybind11::type_error("this object was not made by spillring");
  return *object;
}

/// A new instance that owns the object; faster than a cast. Of a class that has no subclasses.
template <typename Object>
pybind11::object instance_of(std::unique_ptr<Object> object) {
  static const auto* const type = pybind11::detail::get_type_info(typeid(Object), true);
  auto made = pybind11::reinterpret_steal<pybind11::object>(
      pybind11::detail::make_new_instance(type->type));
  auto place = detail::place_in(made.ptr());
  place.value_ptr() = object.get();
  std::construct_at(&place.template holder<std::unique_ptr<Object>>(), std::move(object));
  place.set_holder_constructed();
  return made;
}

}  // namespace spillring::python
