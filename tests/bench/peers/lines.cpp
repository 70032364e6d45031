// A limit: two cache lines, one for each direction, and nothing in them but the message's number.
#include <atomic>

#include "peer.hpp"
#include "segment.hpp"

namespace spillring::bench {
namespace {

struct Line {
  alignas(64) std::atomic<std::uint64_t> number{0};  // of the newest message, from 1 on
};

class Lines {
 public:
  static constexpr const char* name = "lines";
  static constexpr const char* settings = "two cache lines, a number in each, no payload";
  static constexpr bool rival = false;
  static std::string cannot(const Work& work) {
    if (work.kind != Kind::round_trip || work.wait != Wait::busy) return "it is a busy ping-pong";
    return {};
  }

  Lines(const Work&, const std::filesystem::path&) : segment_(2 * sizeof(Line)) {
    new (segment_.data()) std::array<Line, 2>;
  }

  class Out {
   public:
    Out(const Lines& lines, const Role&, unsigned lane) : line_(lines.line(lane)) {}
    template <typename Write>
    bool send(std::size_t, const Write&) {
      line_.number.store(++sent_, std::memory_order_release);
      return true;
    }
    void flush() {}

   private:
    Line& line_;
    std::uint64_t sent_ = 0;
  };

  class In {
   public:
    In(const Lines& lines, const Role&, unsigned lane) : line_(lines.line(lane)) {}
    template <typename Read>
    unsigned receive(const Read&) {
      if (line_.number.load(std::memory_order_acquire) == received_) return 0;
      ++received_;
      return 1;
    }

   private:
    Line& line_;
    std::uint64_t received_ = 0;
  };

 private:
  [[nodiscard]] Line& line(unsigned lane) const {
    return *reinterpret_cast<Line*>(segment_.data() + lane * sizeof(Line));
  }
  Segment segment_;
};

const Registered<Lines> registered;

}  // namespace
}  // namespace spillring::bench
