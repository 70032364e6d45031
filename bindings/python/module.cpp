// The extension module behind the package `spillring`.
#include <pybind11/pybind11.h>

#include "bus.hpp"
#include "consumer.hpp"
#include "errors.hpp"
#include "fork.hpp"
#include "loan.hpp"
#include "message.hpp"
#include "queue.hpp"
#include "spillring/version.hpp"

PYBIND11_MODULE(_spillring, module) {
  using namespace spillring::python;
  pybind11::options options;
  options.disable_function_signatures();  // the docstrings have them, as Python writes them
  watch_forks();
  translate_errors();
  define_message(module);
  define_loan(module);
  define_consumer(module);
  define_queue(module);
  define_bus(module);
  module.attr("__version__") = spillring::version;
}
