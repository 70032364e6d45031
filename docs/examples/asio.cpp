// A consumer in an event loop of Boost.Asio, beside whatever else runs there.
//
//   spillring create orders;  asio orders 3 &  spillring send orders a b c
//
//   g++ -std=c++20 asio.cpp $(pkg-config --cflags --libs spillring) -o asio
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <iostream>
#include <spillring/spillring.hpp>
#include <string>

namespace asio = boost::asio;

namespace {

/// Calls `handle(message)` for each message, in the loop.
template <typename Handle>
class Reader {
 public:
  // Asio closes what it polls; the consumer's descriptor is the consumer's.
  Reader(asio::io_context& loop, spillring::Consumer consumer, Handle handle)
      : consumer_(std::move(consumer)),
        handle_(std::move(handle)),
        readable_(loop, ::dup(consumer_.fd())) {
    wait();
  }

 private:
  void wait() {
    readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (!error) read();
                         });
  }

  void read() {
    while (auto message = consumer_.try_receive()) {
      if (!handle_(*std::move(message))) return;
    }
    wait();
  }

  spillring::Consumer consumer_;
  Handle handle_;
  asio::posix::stream_descriptor readable_;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: asio QUEUE MESSAGES\n";
    return 64;
  }
  asio::io_context loop;
  unsigned long left = std::stoul(argv[2]);
  Reader reader(loop, spillring::connect().open(argv[1]).consumer("asio"),
                [&](spillring::Message message) {
                  std::cout << message.text() << '\n';
                  message.ack().value();
                  return --left != 0;  // goes on
                });
  loop.run();
} catch (const spillring::Error& error) {
  std::cerr << error.summary() << ": " << error.why() << '\n';
  return 1;
}
