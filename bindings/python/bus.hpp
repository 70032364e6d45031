// Python's Bus, and the two functions that make one.
#pragma once

#include <pybind11/pybind11.h>

namespace spillring::python {

void define_bus(pybind11::module_& module);

}  // namespace spillring::python
