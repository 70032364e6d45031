// C++ objects in Python's instances, for classes of which there is one object for each message.
//
// pybind11 looks up the class for each cast, and keeps a table of all objects in which it finds the
// instance of a pointer. Nobody asks for that of an object that Python alone owns.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace spillring::python {

namespace detail {

/// The place of the object in an instance of a class that has no subclasses.
inline pybind11::detail::value_and_holder place_in(PyObject* self) {
  return reinterpret_cast<pybind11::detail::instance*>(self)->get_value_and_holder();
}

}  // namespace detail

/// Leaves making instances to us: Python's __new__ makes some that have no object.
inline void only_made_here(PyHeapTypeObject* type) {
  type->ht_type.tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
}

/// The C++ object in an instance of a class that has no subclasses; faster than a cast. REQUIRES:
/// the class is `only_made_here`.
template <typename Object>
Object& object_in(PyObject* self) {
  return *detail::place_in(self).template value_ptr<Object>();
}

/// A new instance that owns the object; faster than a cast. Of a class that has no subclasses.
template <typename Object>
pybind11::object instance_of(std::unique_ptr<Object> object) {
  using Holder = typename pybind11::class_<Object>::holder_type;
  static_assert(std::is_same_v<Holder, std::unique_ptr<Object>>);
  static const auto* const type = pybind11::detail::get_type_info(typeid(Object), true);
  auto made = pybind11::reinterpret_steal<pybind11::object>(
      pybind11::detail::make_new_instance(type->type));
  auto place = detail::place_in(made.ptr());
  place.value_ptr() = object.get();
  std::construct_at(&place.template holder<Holder>(), std::move(object));
  place.set_holder_constructed();
  return made;
}

}  // namespace spillring::python
