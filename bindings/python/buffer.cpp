#include "buffer.hpp"

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <string_view>

#include "arguments.hpp"
#include "gil.hpp"

namespace spillring::python {

namespace py = pybind11;

namespace {

constexpr std::size_t most_metadata = std::size_t{64} * 1024;

// True where the memory holds references to Python objects: their addresses mean nothing elsewhere.
bool holds_objects(const Py_buffer& view) {
  if (view.format == nullptr) return false;
  bool in_name = false;  // a structure's field names stand between colons
  for (const char c : std::string_view(view.format)) {
    if (c == ':') in_name = !in_name;
    if (c == 'O' && !in_name) return true;
  }
  return false;
}

// Why an object with the buffer protocol gave no contiguous bytes; Python's error is set.
[[noreturn]] void refuse_buffer(py::handle object, const char* what) {
  py::error_already_set failure;
  Py_buffer view{};
  if (PyObject_GetBuffer(object.ptr(), &view, PyBUF_FULL_RO) != 0) {
    PyErr_Clear();
    throw failure;
  }
  PyBuffer_Release(&view);
  throw py::type_error(fmt::format(
      "{} must be contiguous in memory; pass a copy that is: np.ascontiguousarray(x), or bytes(x)",
      what));
}

}  // namespace

Bytes::Bytes(py::handle object, const char* what) {
  PyObject* const source = object.ptr();
  if (PyUnicode_Check(source)) {
    throw py::type_error(fmt::format("{} must be bytes, not 'str'; pass text.encode()", what));
  }
  if (PyObject_CheckBuffer(source) == 0) {
    throw py::type_error(
        fmt::format("{} must be bytes or another object with the buffer protocol (bytearray, "
                    "memoryview, array, "
                    "numpy, mmap), not '{}'",
                    what, Py_TYPE(source)->tp_name));
  }
  if (PyObject_GetBuffer(source, &view_, PyBUF_CONTIG_RO | PyBUF_FORMAT) != 0) {
    refuse_buffer(object, what);
  }
  if (holds_objects(view_)) {
    PyBuffer_Release(&view_);
    throw py::type_error(fmt::format(
        "{} holds references to Python objects, which mean nothing to another process", what));
  }
}

MetadataArgument::MetadataArgument(py::handle key, py::handle headers, py::handle ttl) {
  if (!key.is_none()) {
    bytes_.emplace_back(key, "key");
    has_key_ = true;
  }
  if (!headers.is_none()) add_headers(headers);
  if (!ttl.is_none()) ttl_ = duration_of(ttl, "ttl");
  if (const std::size_t bytes = size(); bytes > most_metadata) {
    throw Error(Code::too_large, fmt::format("key and headers of {} bytes", bytes),
                fmt::format("they may take {} in all", most_metadata), "put them into the message");
  }
}

void MetadataArgument::add_headers(py::handle headers) {
  if (PyMapping_Check(headers.ptr()) == 0 || !py::hasattr(headers, "items")) {
    throw py::type_error(fmt::format("headers must be a mapping of str to bytes, not '{}'",
                                     Py_TYPE(headers.ptr())->tp_name));
  }
  const py::list items(headers.attr("items")());
  for (const py::handle item : items) {
    const py::tuple pair(py::reinterpret_borrow<py::object>(item));
    if (pair.size() != 2) throw py::type_error("headers.items() must give pairs");
    const py::object name = pair[0];
    if (!PyUnicode_Check(name.ptr())) {
      throw py::type_error(
          fmt::format("a header's name must be a str, not '{}'", Py_TYPE(name.ptr())->tp_name));
    }
    // Names that another program sent and that are not UTF-8 come back as they were.
    const auto text = py::reinterpret_steal<py::bytes>(
        PyUnicode_AsEncodedString(name.ptr(), "utf-8", "surrogateescape"));
    if (!text) throw py::error_already_set();
    const std::string what = fmt::format("header {}", std::string(py::repr(name)));
    const Bytes& value = bytes_.emplace_back(pair[1], what.c_str());
    headers_.push_back({std::string_view(PyBytes_AS_STRING(text.ptr()),
                                         static_cast<std::size_t>(PyBytes_GET_SIZE(text.ptr()))),
                        value.span()});
    names_.push_back(text);
  }
}

Metadata MetadataArgument::view() const noexcept {
  Metadata metadata;
  if (has_key_) metadata.key = bytes_.front().span();
  metadata.headers = headers_;
  metadata.ttl = ttl_;
  return metadata;
}

std::size_t MetadataArgument::size() const noexcept {
  std::size_t size = 0;
  for (const Bytes& bytes : bytes_) size += bytes.span().size();
  for (const Header& header : headers_) size += header.name.size();
  return size;
}

std::size_t MetadataArgument::room() const noexcept {
  constexpr std::size_t around = 128;  // what aligning the metadata and the payload may take
  constexpr std::size_t lengths = 16;  // of a name and its value
  return bytes_.empty() && ttl_ == no_wait ? 0 : around + lengths * bytes_.size() + size();
}

py::bytes copied(std::span<const std::byte> bytes) {
  auto copy = py::reinterpret_steal<py::bytes>(
      PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(bytes.size())));
  if (!copy) throw py::error_already_set();
  char* const to = PyBytes_AS_STRING(copy.ptr());
  if (bytes.size() >= copy_without_gil) {
    without_gil([&] { std::memcpy(to, bytes.data(), bytes.size()); });
  } else if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  return copy;
}

void Views::require_none(const char* what, const char* cure) const {
  if (count_ == 0) return;
  throw py::buffer_error(
      count_ == 1 ? fmt::format("1 view of this {} still exists; {}", what, cure)
                  : fmt::format("{} views of this {} still exist; {}", count_, what, cure));
}

}  // namespace spillring::python
