// What the supervisor tells about queues and groups, as Python's dataclasses.
#pragma once

#include <pybind11/pybind11.h>

#include "spillring/options.hpp"

namespace spillring::python {

/// A `spillring.QueueInfo`.
pybind11::object to_python(const QueueInfo& info);
/// A `spillring.GroupInfo`.
pybind11::object to_python(const GroupInfo& info);

}  // namespace spillring::python
