// A limit: one process that copies from its table to memory that no cache holds, and reads nothing.
#include <vector>

#include "peer.hpp"

namespace spillring::bench {
namespace {

class Memcpy {
 public:
  static constexpr const char* name = "memcpy";
  static constexpr const char* settings = "one process, from its cache to 256 MiB of memory";
  static constexpr bool alone = true;
  static constexpr bool rival = false;
  static std::string cannot(const Work& work) {
    const bool plain = work.kind == Kind::stream && work.producers == 1 && work.consumers == 1 &&
                       !work.shared && work.batch == 1 && work.touched && !work.exclusive;
    if (!work.curve.empty() && work.curve != "sizes") return "nothing of it grows";
    return plain ? "" : "it is a plain copy";
  }

  Memcpy(const Work&, const std::filesystem::path&) {}

  class Out {
   public:
    Out(const Memcpy&, const Role&, unsigned) : memory_(std::size_t{256} << 20) {}
    template <typename Write>
    bool send(std::size_t size, const Write& write) {
      if (at_ + size > memory_.size()) at_ = 0;
      write(memory_.data() + at_);
      at_ += size;
      return true;
    }
    void flush() {}

   private:
    std::vector<std::byte> memory_;
    std::size_t at_ = 0;
  };

  class In {
   public:
    In(const Memcpy&, const Role&, unsigned) {}
    template <typename Read>
    unsigned receive(const Read&) {
      return 0;
    }
  };
};

const Registered<Memcpy> registered;

}  // namespace
}  // namespace spillring::bench
