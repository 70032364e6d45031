#include "pour.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "envelope.hpp"
#include "failure.hpp"
#include "output.hpp"
#include "patience.hpp"

namespace spillring::tools {

void Sink::acknowledge(Message& message) {
  const Result<void> done = message.ack();
  if (done) return;
  if (done.error() != Code::stale) {
    throw data_failure(done.error(), "cannot acknowledge a message");
  }
  ++stale_;
}

Outlet::Outlet(int fd, std::string target, std::string queue, Rendering rendering,
               Acknowledge acknowledge)
    : fd_(fd),
      target_(std::move(target)),
      queue_(std::move(queue)),
      rendering_(std::move(rendering)),
      acknowledge_(acknowledge) {}

void Outlet::take(Message message) {
  rendering_.append(envelope_of(message, queue_), out_);
  held_.push_back({std::move(message), out_.size()});
}

void Outlet::flush() {
  const Written written = out_.write_to(fd_);
  const std::size_t whole = finish(written.bytes);
  if (written.error == 0) return;
  cut_off(written.bytes - whole);
  write_failed(written.error, target_);
}

/// Acknowledges what lies within the first `written` bytes; returns the bytes of these messages.
std::size_t Outlet::finish(std::size_t written) {
  std::size_t whole = 0;
  std::vector<Held> held = std::move(held_);
  held_.clear();
  for (Held& each : held) {
    if (each.end > written) break;
    whole = each.end;
    count(each.message.bytes().size());
    if (acknowledge_ == Acknowledge::written) {
      acknowledge(each.message);
    } else {
      kept_.push_back(std::move(each.message));
    }
  }
  return whole;
}

void Outlet::cut_off(std::size_t partial) const {
  struct stat status {};
  if (partial == 0 || fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) return;
  // A failure here is not worth hiding the first one for; the message comes again in any case.
  const off_t end = status.st_size - static_cast<off_t>(partial);
  [[maybe_unused]] const int ignored = ftruncate(fd_, end);
}

unsigned prefetch_for(const Pace& pace, std::uint64_t most) noexcept {
  if (pace.keeps_time()) return 1;
  return static_cast<unsigned>(std::min<std::uint64_t>(most, batch_size));
}

void pour(Consumer& source, Sink& sink, std::uint64_t most, Timeout wait, Pace& pace,
          const std::function<void()>& moved) {
  while (most > 0) {
    const std::size_t step = prefetch_for(pace, most);
    auto batch =
        wait_patiently(wait, [&](Timeout left) { return source.receive_batch(step, left); });
    if (batch.error() == Code::empty || batch.error() == Code::timeout) return;
    if (!batch) {
      throw data_failure(batch.error(), fmt::format("cannot receive from '{}'", source.queue()));
    }
    for (Message& message : *batch) {
      pace.wait_for(timestamp_of(message));
      sink.count_missed(message);
      sink.take(std::move(message));
    }
    most -= batch->size();
    sink.flush();
    moved();
    leave_if_interrupted();
  }
}

void warn_about(const Sink& sink, const Settings& settings) {
  if (sink.missed() != 0) {
    say(settings, fmt::format("warning: {} missed: dropped, or lost, before they were read",
                              plural(sink.missed(), "message")));
  }
  if (sink.stale() == 0) return;
  say(settings, fmt::format("warning: {} took longer than the lease and will be delivered again",
                            plural(sink.stale(), "message")));
}

}  // namespace spillring::tools
