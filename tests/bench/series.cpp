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
  Windows& to = near ? near_ : far_;
  to.shared.push_back(static_cast<double>(outcome.shared));
  to.own.push_back(static_cast<double>(outcome.own));
  to.rates.push_back(outcome.messages == 0 ? 0 : outcome.rate());
  switch (work_.kind) {
    case Kind::stream:
      to.values.push_back(outcome.rate());
      break;
    case Kind::cpu:
      to.values.push_back(outcome.processors[0] + outcome.processors[1] + outcome.processors[2]);
      to.senders.push_back(outcome.processors[0]);
      to.receivers.push_back(outcome.processors[1]);
      to.others.push_back(outcome.processors[2]);
      break;
    case Kind::attach:
      to.values.push_back(outcome.seconds * 1e9);
      break;
    case Kind::load:
    case Kind::round_trip:
      to.values.push_back(outcome.round_trips->quantile(0.5));
      to.p99s.push_back(outcome.round_trips->quantile(0.99));
      to.round_trips.add(*outcome.round_trips);
      break;
  }
}

double Series::of_values(double q) const { return quantile(windows().values, q); }

std::string Series::text() const {
  if (empty()) return "- " + missing_;
  if (work_.kind == Kind::cpu) return processors_text();
  const bool rate = work_.kind == Kind::stream;
  const auto short_text = [&](double v) {
    return rate ? fmt::format("{:.3g}", v / 1e6) : time_text(v);
  };
  std::string text = rate ? rate_text(median(), work_.touched_bytes())
                          : fmt::format("{:>12}", "p50 " + time_text(median()));
  if (is_distribution()) {
    text += fmt::format("  p99 {:>8}", time_text(bench::median(windows().p99s)));
  }
  if (work_.kind == Kind::attach) {
    text += fmt::format("  {:.2f} MiB shared, {:.2f} MiB its own",
                        bench::median(windows().shared) / 1048576,
                        bench::median(windows().own) / 1048576);
  }
  text += fmt::format("  [{} .. {}] n={}", short_text(of_values(0.25)), short_text(of_values(0.75)),
                      windows().values.size());
  if (discarded_ > 0) text += fmt::format(", {} discarded", discarded_);
  if (is_far()) text += ", FAR: no window found the cores near";
  return text;
}

std::string Series::processors_text() const {
  return fmt::format("{:5.3f} processors: {:.3f} senders, {:.3f} receivers, {:.3f} others; {}",
                     median(), bench::median(windows().senders), bench::median(windows().receivers),
                     bench::median(windows().others),
                     rate_text(bench::median(windows().rates), work_.touched_bytes()));
}

nlohmann::json Series::json() const {
  if (empty()) return {{"missing", missing_}};
  nlohmann::json json{{"median", median()},
                      {"lower", of_values(0.25)},
                      {"upper", of_values(0.75)},
                      {"windows", windows().values},
                      {"discarded", discarded_},
                      {"far", is_far()},
                      {"shared_bytes", bench::median(windows().shared)},
                      {"own_bytes", bench::median(windows().own)}};
  if (work_.kind == Kind::cpu) {
    json["senders"] = bench::median(windows().senders);
    json["receivers"] = bench::median(windows().receivers);
    json["others"] = bench::median(windows().others);
  }
  if (work_.kind == Kind::cpu || work_.kind == Kind::load) {
    json["rate"] = bench::median(windows().rates);
  }
  if (work_.kind == Kind::load) json["asked"] = bench::median(asked_);
  if (is_distribution()) {
    json["p99"] = bench::median(windows().p99s);
    for (const double q : {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999}) {
      json["quantiles"][fmt::format("{}", q)] = windows().round_trips.quantile(q);
    }
  }
  return json;
}

}  // namespace spillring::bench
