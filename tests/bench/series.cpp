#include "series.hpp"

#include <fmt/format.h>

#include "measure.hpp"

namespace spillring::bench {
namespace {

std::string rate_text(double messages, std::size_t size) {
  const double bytes = messages * static_cast<double>(size);
  const std::string rate = messages >= 1e6   ? fmt::format("{:.2f} M/s", messages / 1e6)
                           : messages >= 1e3 ? fmt::format("{:.1f} k/s", messages / 1e3)
                                             : fmt::format("{:.0f} /s", messages);
  return fmt::format("{:>12} {:7.2f} GB/s", rate, bytes / 1e9);
}

std::string time_text(double ns) {
  return ns >= 1e6   ? fmt::format("{:.2f} ms", ns / 1e6)
         : ns >= 1e4 ? fmt::format("{:.1f} us", ns / 1e3)
                     : fmt::format("{:.0f} ns", ns);
}

}  // namespace

void Series::add(const Cast::Outcome& outcome, bool near) {
  if (!near) ++unsure_;
  shared_.push_back(static_cast<double>(outcome.shared));
  private_.push_back(static_cast<double>(outcome.private_));
  switch (work_.kind) {
    case Kind::stream:
      values_.push_back(static_cast<double>(outcome.messages) / outcome.seconds);
      break;
    case Kind::attach:
      values_.push_back(outcome.seconds * 1e9);
      break;
    case Kind::round_trip:
      values_.push_back(outcome.round_trips->quantile(0.5));
      p99s_.push_back(outcome.round_trips->quantile(0.99));
      round_trips_.add(*outcome.round_trips);
      break;
  }
}

double Series::of_values(double q) const { return quantile(values_, q); }

std::string Series::text() const {
  if (values_.empty()) return "- " + missing_;
  const bool rate = work_.kind == Kind::stream;
  const auto short_text = [&](double v) {
    return rate ? fmt::format("{:.3g}", v / 1e6) : time_text(v);
  };
  std::string text = rate ? rate_text(median(), work_.touched_bytes())
                          : fmt::format("{:>12}", "p50 " + time_text(median()));
  if (work_.kind == Kind::round_trip) {
    text += fmt::format("  p99 {:>8}", time_text(bench::median(p99s_)));
  }
  if (work_.kind == Kind::attach) {
    text += fmt::format("  {:.2f} MiB shared, {:.2f} MiB private", bench::median(shared_) / 1048576,
                        bench::median(private_) / 1048576);
  }
  text += fmt::format("  [{} .. {}] n={}", short_text(of_values(0.25)), short_text(of_values(0.75)),
                      values_.size());
  if (unsure_ + discarded_ > 0) {
    text += fmt::format(", {} discarded, {} of them kept all the same", discarded_, unsure_);
  }
  return text;
}

nlohmann::json Series::json() const {
  if (values_.empty()) return {{"missing", missing_}};
  nlohmann::json json{{"median", median()},
                      {"lower", of_values(0.25)},
                      {"upper", of_values(0.75)},
                      {"windows", values_},
                      {"discarded", discarded_},
                      {"unsure", unsure_},
                      {"shared_bytes", bench::median(shared_)},
                      {"private_bytes", bench::median(private_)}};
  if (work_.kind == Kind::round_trip) {
    json["p99"] = bench::median(p99s_);
    for (const double q : {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999}) {
      json["quantiles"][fmt::format("{}", q)] = round_trips_.quantile(q);
    }
  }
  return json;
}

}  // namespace spillring::bench
