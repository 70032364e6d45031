// The buffer protocol, both ways: what Python hands to us, and what we hand to Python.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <exception>
#include <list>
#include <span>
#include <type_traits>
#include <vector>

#include "errors.hpp"
#include "instance.hpp"
#include "spillring/options.hpp"

namespace spillring::python {

/// The bytes of a Python object with the buffer protocol; they stay where they are while this
/// lives. Made and destroyed with the GIL, read with or without.
class Bytes {
 public:
  /// Throws a TypeError that names `what` and the way out: text, objects without buffer, memory
  /// that is not contiguous.
  Bytes(pybind11::handle object, const char* what);
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { PyBuffer_Release(&view_); }

  [[nodiscard]] std::span<const std::byte> span() const noexcept {
    return {static_cast<const std::byte*>(view_.buf), static_cast<std::size_t>(view_.len)};
  }

 private:
  Py_buffer view_{};
};

/// Key, headers and ttl of a call, kept while this lives.
class MetadataArgument {
 public:
  /// `key`: bytes or None; `headers`: a mapping of str to bytes, or None; `ttl`: seconds or None.
  MetadataArgument(pybind11::handle key, pybind11::handle headers, pybind11::handle ttl);
  MetadataArgument(const MetadataArgument&) = delete;
  MetadataArgument& operator=(const MetadataArgument&) = delete;

  [[nodiscard]] Metadata view() const noexcept;
  /// More bytes than it takes in the queue's memory; 0 where there is none.
  [[nodiscard]] std::size_t room() const noexcept;

 private:
  void add_headers(pybind11::handle headers);
  [[nodiscard]] std::size_t size() const noexcept;

  std::list<Bytes> bytes_;               // of the key, if there is one, then of each header
  std::vector<pybind11::object> names_;  // keep what `headers_` refers to
  std::vector<Header> headers_;
  bool has_key_ = false;
  Timeout ttl_ = no_wait;
};

/// A copy as Python bytes; without the GIL where it is large. `bytes` must stay meanwhile.
pybind11::bytes copied(std::span<const std::byte> bytes);

/// How many buffers of an object Python holds. Guarded by the GIL.
class Views {
 public:
  /// Throws BufferError if there are any. `what`: "message" or "loan".
  void require_none(const char* what, const char* cure) const;
  [[nodiscard]] bool any() const noexcept { return count_ != 0; }
  void add() noexcept { ++count_; }
  void remove() noexcept { --count_; }

 private:
  std::size_t count_ = 0;
};

/// Gives a Python type the buffer protocol: one dimension of bytes, writable where `memory()` is.
/// `Object` has
///   std::span<const std::byte> or std::span<std::byte> memory(): what to show; throws where it
///   ended Views& views() void view_released() noexcept: called after each view that went away
template <typename Object>
struct Exporter {
  static void install(PyHeapTypeObject* type) {
    only_made_here(type);
    type->as_buffer.bf_getbuffer = get;
    type->as_buffer.bf_releasebuffer = release;
    type->ht_type.tp_as_buffer = &type->as_buffer;
  }

 private:
  static int get(PyObject* exporter, Py_buffer* view, int flags) {
    static std::byte nothing{};
    try {
      Object& object = object_in<Object>(exporter);
      const auto memory = object.memory();
      constexpr bool readonly = std::is_const_v<typename decltype(memory)::element_type>;
      const void* const start = memory.empty() ? &nothing : memory.data();
      if (PyBuffer_FillInfo(view, exporter, const_cast<void*>(start),
                            static_cast<Py_ssize_t>(memory.size()), readonly ? 1 : 0, flags) == 0) {
        object.views().add();
        return 0;
      }
    } catch (const Error& error) {
      set_python_error(error);
    } catch (pybind11::error_already_set& error) {
      error.restore();
    } catch (const std::exception& error) {
      PyErr_SetString(PyExc_BufferError, error.what());
    }
    view->obj = nullptr;
    return -1;
  }

  static void release(PyObject* exporter, Py_buffer* /*view*/) {
    Object& object = object_in<Object>(exporter);
    object.views().remove();
    object.view_released();
  }
};

}  // namespace spillring::python
