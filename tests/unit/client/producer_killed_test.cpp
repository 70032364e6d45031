// Producers that are killed at instructions of what they send: stepped there, then SIGKILL.
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>

#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

using Texts = std::vector<std::string>;

std::vector<std::span<const std::byte>> views_of(const Texts& texts) {
  std::vector<std::span<const std::byte>> views;
  for (const std::string& text : texts) views.push_back(bytes(text));
  return views;
}

/// Texts of the messages, parts of batches joined; none is seen by halves.
Texts taken(Consumer& in) {
  Texts texts;
  while (auto message = in.try_receive()) {
    std::string text;
    for (const auto part : message->parts()) {
      text.append(reinterpret_cast<const char*>(part.data()), part.size());
    }
    texts.push_back(text);
    EXPECT_TRUE(message->ack());
  }
  return texts;
}

/// A process that is stepped through `work(producer)`.
class Stepped {
 public:
  Stepped(const std::string& socket, const std::function<void(Producer&)>& work) : pid_(::fork()) {
    if (pid_ == 0) {
      try {
        const Client bus({.socket = socket});
        Producer out = bus.open("q").producer();
        Producer elsewhere = bus.open("warm").producer();
        work(elsewhere);  // so that the steps are the work's, and not the dynamic linker's
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(98);
        ::raise(SIGSTOP);
        work(out);
        ::raise(SIGSTOP);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "stepped: %s\n", error.what());
      }
      ::_exit(99);
    }
    await(SIGSTOP);
  }
  Stepped(const Stepped&) = delete;
  Stepped& operator=(const Stepped&) = delete;
  ~Stepped() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  /// So many instructions. True: the work is done before that.
  bool step(unsigned instructions) {
    for (unsigned i = 0; i < instructions; ++i) {
      if (::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) != 0) return true;
      int status = 0;
      ::waitpid(pid_, &status, 0);
      if (!WIFSTOPPED(status) || WSTOPSIG(status) == SIGSTOP) return true;
    }
    return false;
  }

 private:
  void await(int signal) const {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFSTOPPED(status) && WSTOPSIG(status) == signal) << "not stopped: " << status;
  }
  pid_t pid_;
};

class ProducerKilledTest : public WithSupervisor, public ::testing::WithParamInterface<bool> {
 protected:
  /// Kills a producer at more and more instructions of its work; `judge` looks at what came of it.
  /// The next producer is there at once.
  void kill_at_each(const std::function<void(Producer&)>& work,
                    const std::function<void(const Texts&, bool done)>& judge) {
    // Every point costs all steps before it, and a sanitizer makes many more of them.
    const unsigned stride = std::max(61U, length_of(work) / 60);
    unsigned points = 0;
    for (bool done = false; !done; ++points) {
      {
        Stepped victim(supervisor_.socket(), work);
        done = victim.step(points * stride);
      }
      Producer out = queue_.producer();
      send(out, "next");
      Texts texts = taken(in_);
      ASSERT_FALSE(texts.empty());
      ASSERT_EQ(texts.back(), "next") << "at instruction " << points * stride;
      texts.pop_back();
      judge(texts, done);
      ASSERT_FALSE(HasFailure()) << "at instruction " << points * stride;
    }
    EXPECT_GE(points, 10U);
    RecordProperty("points", static_cast<int>(points));
  }

  /// In instructions. What is sent meanwhile is taken away.
  unsigned length_of(const std::function<void(Producer&)>& work) {
    unsigned length = 0;
    {
      Stepped whole(supervisor_.socket(), work);
      while (!whole.step(1)) ++length;
    }
    (void)taken(in_);
    return length;
  }

  Queue warm_ = bus_.create("warm", {.keep = Keep::attached});
  Queue queue_ = bus_.create("q", {.exclusive_producer = GetParam()});
  Consumer in_ = queue_.consumer();
};

TEST_P(ProducerKilledTest, AnAtomicBatchIsAllOrNothing) {
  const Texts parts{"one ", "two ", std::string(300, '3'), "four"};
  const std::string whole = parts[0] + parts[1] + parts[2] + parts[3];
  unsigned came = 0;
  kill_at_each(
      [&](Producer& out) { out.send_batch(views_of(parts), 1s, {.atomic = true}).value(); },
      [&](const Texts& texts, bool done) {
        EXPECT_LE(texts.size(), 1U);
        EXPECT_TRUE(!done || texts.size() == 1);
        for (const std::string& text : texts) EXPECT_EQ(text, whole);
        came += static_cast<unsigned>(texts.size());
      });
  EXPECT_GE(came, 2U) << "some died behind the publish";
}

TEST_P(ProducerKilledTest, OfABatchTheFirstFewArrive) {
  const Texts messages{"one", std::string(300, '2'), "three", "four"};
  kill_at_each([&](Producer& out) { out.send_batch(views_of(messages), 1s).value(); },
               [&](const Texts& texts, bool done) {
                 ASSERT_LE(texts.size(), messages.size());
                 EXPECT_TRUE(!done || texts.size() == messages.size());
                 for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], messages[i]);
               });
}

TEST_P(ProducerKilledTest, AMessageIsThereOrNot) {
  kill_at_each([&](Producer& out) { out.send(bytes("hello"), 1s).value(); },
               [&](const Texts& texts, bool done) {
                 ASSERT_LE(texts.size(), 1U);
                 EXPECT_TRUE(!done || texts.size() == 1);
                 for (const std::string& text : texts) EXPECT_EQ(text, "hello");
               });
}

INSTANTIATE_TEST_SUITE_P(Queues, ProducerKilledTest, ::testing::Bool(),
                         [](const auto& made) { return made.param ? "Exclusive" : "Any"; });

}  // namespace
}  // namespace spillring
