// A limit: two words in shared memory, and the kernel to sleep on them. Always sleeps.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "peer.hpp"
#include "segment.hpp"

namespace spillring::bench {
namespace {

struct Word {
  alignas(64) std::atomic<std::uint32_t> number{0};  // of the newest message, from 1 on

  void wake() { ::syscall(SYS_futex, &number, FUTEX_WAKE, 1, nullptr, nullptr, 0); }
  void sleep_while(std::uint32_t value) {
    const timespec most{0, 20'000'000};
    ::syscall(SYS_futex, &number, FUTEX_WAIT, value, &most, nullptr, 0);
  }
};

class Futex {
 public:
  static constexpr const char* name = "futex";
  static constexpr const char* settings = "two words, a number in each, no payload; always sleeps";
  static constexpr bool rival = false;
  static std::string cannot(const Work& work) {
    if (work.kind != Kind::round_trip || work.wait == Wait::busy)
      return "it is a ping-pong that sleeps";
    return {};
  }

  Futex(const Work&, const std::filesystem::path&) : segment_(2 * sizeof(Word)) {
    new (segment_.data()) std::array<Word, 2>;
  }

  class Out {
   public:
    Out(const Futex& futex, const Role&, unsigned lane) : word_(futex.word(lane)) {}
    template <typename Write>
    bool send(std::size_t, const Write&) {
      word_.number.fetch_add(1);
      word_.wake();
      return true;
    }
    void flush() {}

   private:
    Word& word_;
  };

  class In {
   public:
    In(const Futex& futex, const Role&, unsigned lane) : word_(futex.word(lane)) {}
    template <typename Read>
    unsigned receive(const Read&) {
      if (word_.number == received_) word_.sleep_while(received_);
      if (word_.number == received_) return 0;
      ++received_;
      return 1;
    }

   private:
    Word& word_;
    std::uint32_t received_ = 0;
  };

 private:
  [[nodiscard]] Word& word(unsigned lane) const {
    return *reinterpret_cast<Word*>(segment_.data() + lane * sizeof(Word));
  }
  Segment segment_;
};

const Registered<Futex> registered;

}  // namespace
}  // namespace spillring::bench
