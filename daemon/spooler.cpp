#include "spooler.hpp"

#include <boost/asio/post.hpp>

namespace spillring::daemon {

Spooler::~Spooler() { threads_.join(); }

void Spooler::submit(const Lane& lane, Work work, Done done) {
  boost::asio::post(lane, [this, work = std::move(work), done = std::move(done)]() mutable {
    std::exception_ptr failure;
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    work = nullptr;  // what it holds is the loop's to let go of
    boost::asio::post(loop_, [failure, done = std::move(done)] { done(failure); });
  });
}

}  // namespace spillring::daemon
