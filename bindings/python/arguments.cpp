#include "arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "spillring/client.hpp"
#include "spillring/error.hpp"
#include "text/quantity.hpp"

namespace spillring::python {

namespace py = pybind11;

namespace {

std::string type_name(py::handle value) { return Py_TYPE(value.ptr())->tp_name; }

[[noreturn]] void wrong_type(const char* name, std::string_view wanted, py::handle value) {
  throw py::type_error(fmt::format("{} must be {}, not '{}'", name, wanted, type_name(value)));
}

[[noreturn]] void invalid(std::string what, std::string why, std::string hint = {}) {
  throw Error(Code::invalid, std::move(what), std::move(why), std::move(hint));
}

double seconds_of(py::handle value, const char* name, const char* wanted) {
  if (PyUnicode_Check(value.ptr()) || !PyNumber_Check(value.ptr())) wrong_type(name, wanted, value);
  const double seconds = PyFloat_AsDouble(value.ptr());
  if (seconds == -1.0 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return seconds;
}

Timeout nanoseconds(double seconds) {
  constexpr double most = 9e9;  // 285 years; what is longer is as good as forever
  if (seconds >= most) return forever;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::ceil(seconds * 1e9)));
}

// The index as a Python int, or a TypeError.
py::int_ index_of(py::handle value, const char* name, const char* wanted) {
  if (PyIndex_Check(value.ptr()) == 0) wrong_type(name, wanted, value);
  PyObject* const index = PyNumber_Index(value.ptr());
  if (index == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::int_>(index);
}

std::string digits_of(const py::int_& number) { return py::str(py::object(number)); }

bool is_negative(const py::int_& number) {
  const int order = PyObject_RichCompareBool(number.ptr(), py::int_(0).ptr(), Py_LT);
  if (order < 0) throw py::error_already_set();
  return order == 1;
}

// The number where it fits 64 bits.
std::optional<std::uint64_t> small_enough(const py::int_& number) {
  const std::uint64_t value = PyLong_AsUnsignedLongLong(number.ptr());
  if (value == UINT64_MAX && PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    return std::nullopt;
  }
  return value;
}

struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array units = {
    Unit{"", 1},
    Unit{"b", 1},
    Unit{"k", KiB},
    Unit{"kib", KiB},
    Unit{"m", MiB},
    Unit{"mib", MiB},
    Unit{"g", GiB},
    Unit{"gib", GiB},
    Unit{"t", 1024 * GiB},
    Unit{"tib", 1024 * GiB},
    Unit{"kb", 1000},
    Unit{"mb", 1000'000},
    Unit{"gb", 1000'000'000},
    Unit{"tb", 1000'000'000'000},
};

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// "1.5GiB" as bytes; nullopt where it is not a size, or more than 64 bits.
std::optional<std::uint64_t> parsed_bytes(std::string_view text) {
  text = trimmed(text);
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) == 0) return {};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string suffix(trimmed(text.substr(digits)));
  std::ranges::transform(suffix, suffix.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* const unit = std::ranges::find(units, std::string_view(suffix), &Unit::name);
  if (unit == units.end()) return {};

  const char* const end = text.data() + digits;
  if (text.substr(0, digits).find('.') == std::string_view::npos) {
    std::uint64_t count = 0;
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || stop != end || count > UINT64_MAX / unit->bytes) return {};
    return count * unit->bytes;
  }
  double count = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, count, std::chars_format::fixed);
  const double bytes = count * static_cast<double>(unit->bytes);
  if (error != std::errc() || stop != end || !(bytes < 0x1p63)) return {};
  return static_cast<std::uint64_t>(bytes);
}

// The index of the word among `words`. Those in `unbuilt` are known, and refused as not built yet.
std::size_t choice_of(py::handle value, const char* name,
                      std::initializer_list<std::string_view> words,
                      std::initializer_list<std::string_view> unbuilt) {
  const std::string word = text_of(value, name);
  if (std::ranges::find(unbuilt, word) != unbuilt.end()) {
    refuse_unbuilt(fmt::format("{}='{}'", name, word));
  }
  const auto* const found = std::ranges::find(words, word);
  if (found == words.end()) {
    invalid(fmt::format("{}='{}'", name, word),
            fmt::format("there are '{}'", fmt::join(words, "', '")));
  }
  return static_cast<std::size_t>(found - words.begin());
}

bool is_neutral(py::handle value, Unbuilt::Neutral neutral) {
  switch (neutral) {
    case Unbuilt::Neutral::none:
      return value.is_none();
    case Unbuilt::Neutral::no:
      return value.is_none() || value.is(py::bool_(false));
  }
  return false;
}

}  // namespace

Deadline::Deadline(Timeout timeout) : waits_(timeout > no_wait) {
  if (timeout != forever) at_ = Clock::now() + timeout;
}

Timeout Deadline::remaining() const {
  if (!at_) return forever;
  return std::max<Timeout>(*at_ - Clock::now(), no_wait);
}

Deadline::Clock::time_point Deadline::slice() const {
  const Clock::time_point soon = Clock::now() + std::chrono::seconds(1);
  return at_ && !passed() ? std::min(*at_, soon) : soon;
}

Timeout timeout_of(py::handle value, const char* name) {
  if (value.is_none()) return forever;
  const double seconds = seconds_of(value, name, "a number of seconds or None");
  if (!(seconds >= 0)) {
    invalid(fmt::format("{}={}", name, seconds), "it must not be negative", "None waits forever");
  }
  return nanoseconds(seconds);
}

Timeout delay_of(py::handle value, const char* name) {
  const double seconds = seconds_of(value, name, "a number of seconds");
  const double most = std::chrono::duration<double>(longest_delay).count();
  if (!(seconds >= 0 && seconds <= most)) {
    invalid(fmt::format("{}={}", name, seconds),
            fmt::format("it must be from 0 to {:.0f}, which is three days", most));
  }
  return nanoseconds(seconds);
}

Timeout duration_of(py::handle value, const char* name) {
  const double seconds = seconds_of(value, name, "a number of seconds");
  if (!(seconds > 0)) invalid(fmt::format("{}={}", name, seconds), "it must be greater than zero");
  return nanoseconds(seconds);
}

std::uint64_t integer_of(py::handle value, const char* name, std::uint64_t least,
                         std::uint64_t most) {
  const py::int_ number = index_of(value, name, "a whole number");
  const auto small = is_negative(number) ? std::nullopt : small_enough(number);
  if (!small || *small < least || *small > most) {
    invalid(fmt::format("{}={}", name, digits_of(number)),
            fmt::format("it must be from {} to {}", least, most));
  }
  return *small;
}

std::size_t size_of(py::handle value, const char* name) {
  const py::int_ number = index_of(value, name, "a number of bytes");
  if (is_negative(number)) {
    invalid(fmt::format("{}={}", name, digits_of(number)), "it must not be negative");
  }
  const auto small = small_enough(number);
  if (!small || *small > static_cast<std::uint64_t>(PY_SSIZE_T_MAX)) {
    throw Error(Code::too_large, fmt::format("{}={}", name, digits_of(number)),
                "no queue has room for that");
  }
  return *small;
}

std::uint64_t bytes_of(py::handle value, const char* name) {
  if (!PyUnicode_Check(value.ptr())) {
    if (PyIndex_Check(value.ptr()) == 0) {
      wrong_type(name, "a number of bytes or text such as '64MiB'", value);
    }
    return integer_of(value, name);
  }
  const std::string text = text_of(value, name);
  const auto bytes = parsed_bytes(text);
  if (!bytes) {
    invalid(fmt::format("{}='{}'", name, text), "this is not a size",
            "write a number of bytes, or for example '512KiB', '64MiB', '1.5GiB'");
  }
  return *bytes;
}

bool flag_of(py::handle value, const char* name) {
  if (!PyBool_Check(value.ptr())) wrong_type(name, "True or False", value);
  return value.is(py::bool_(true));
}

std::string text_of(py::handle value, const char* name) {
  if (!PyUnicode_Check(value.ptr())) wrong_type(name, "a str", value);
  Py_ssize_t size = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (text == nullptr) {
    PyErr_Clear();
    invalid(name, "it is not valid Unicode text");
  }
  return {text, static_cast<std::size_t>(size)};
}

std::string name_of(py::handle value, const char* what) {
  std::string text = text_of(value, what);
  if (!valid_name(text)) {
    invalid(fmt::format("{} '{}'", what, text.substr(0, max_name)),
            fmt::format("a name has 1 to {} characters of A-Z a-z 0-9 . _ - and does not begin "
                        "with a dot",
                        max_name));
  }
  return text;
}

namespace {

// A datetime, without a time zone of local time, as nanoseconds since 1970; 0 before that.
std::uint64_t since_epoch(py::handle moment) {
  const py::module_ datetime = py::module_::import("datetime");
  const py::object utc = datetime.attr("timezone").attr("utc");
  const py::object epoch = datetime.attr("datetime")(1970, 1, 1, py::arg("tzinfo") = utc);
  const py::object since = moment.attr("astimezone")(utc) - epoch;
  const py::object microsecond = datetime.attr("timedelta")(0, 0, 1);
  const auto count = since.attr("__floordiv__")(microsecond).cast<std::int64_t>();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count) * 1000;
}

}  // namespace

Start start_of(py::handle value, const char* name) {
  if (PyUnicode_Check(value.ptr())) {
    return choice_of(value, name, {"earliest", "latest"}, {}) == 0 ? Start::earliest()
                                                                   : Start::latest();
  }
  if (PyIndex_Check(value.ptr()) != 0) return Start::at(integer_of(value, name));
  if (py::isinstance(value, py::module_::import("datetime").attr("datetime"))) {
    return Start::at_time(since_epoch(value));
  }
  wrong_type(name, "'earliest', 'latest', a sequence or a datetime", value);
}

Full full_of(py::handle value) {
  constexpr std::array policies{Full::block, Full::reject, Full::spill, Full::drop_oldest};
  return policies[choice_of(value, "full", {"block", "reject", "spill", "drop-oldest"}, {})];
}

Keep keep_of(py::handle value) {
  return choice_of(value, "keep", {"unread", "attached"}, {}) == 0 ? Keep::unread : Keep::attached;
}

std::string_view word_for(Full full) {
  if (full == Full::spill) return "spill";
  if (full == Full::drop_oldest) return "drop-oldest";
  return full == Full::block ? "block" : "reject";
}

std::string_view word_for(Keep keep) { return keep == Keep::unread ? "unread" : "attached"; }

Durability durability_of(py::handle value) {
  return choice_of(value, "durability", {"memory", "disk"}, {}) == 0 ? Durability::memory
                                                                     : Durability::disk;
}

std::string_view word_for(Durability durability) {
  return durability == Durability::memory ? "memory" : "disk";
}

Timeout sync_of(py::handle value) {
  if (!py::isinstance<py::str>(value)) return duration_of(value, "sync");
  const std::string text = text_of(value, "sync");
  const text::Quantity sync = text::sync_of(text);
  if (!sync.problem.empty()) {
    invalid(fmt::format("sync='{}'", text), sync.problem,
            "write \"each\", \"never\" or a duration: \"100ms\", or a number of seconds");
  }
  return Timeout(sync.value);
}

Retention retention_of(py::handle value) {
  if (!py::isinstance<py::str>(value)) return {.bytes = integer_of(value, "retain", 1)};
  const std::string text = text_of(value, "retain");
  const text::Retention retention = text::retention_of(text);
  if (!retention.problem.empty()) {
    invalid(fmt::format("retain='{}'", text), retention.problem,
            "write an age, a size or both: \"24h\", \"10GiB\", \"7d,10GiB\"");
  }
  return {Timeout(retention.nanoseconds), retention.bytes};
}

void refuse_unbuilt(std::string_view option) {
  throw Error(Code::unsupported, fmt::format("option {} is not built yet in this version", option));
}

void refuse(const py::kwargs& keywords, const char* function,
            std::initializer_list<Unbuilt> unbuilt) {
  for (const auto& [key, value] : keywords) {
    const std::string keyword = text_of(key, "keyword");
    const auto* const known =
        std::ranges::find_if(unbuilt, [&](const Unbuilt& u) { return u.name == keyword; });
    if (known == unbuilt.end()) {
      throw py::type_error(
          fmt::format("{}() got an unexpected keyword argument '{}'", function, keyword));
    }
    if (!is_neutral(value, known->neutral)) refuse_unbuilt(fmt::format("'{}'", keyword));
  }
}

}  // namespace spillring::python
