#include "spooler.hpp"

#include <boost/asio/post.hpp>
#include <future>
#include <memory>

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

void Spooler::wait_for(const Lane& lane) {
  // Shared: who says it may still be about to leave set_value() when it was heard.
  const auto reached = std::make_shared<std::promise<void>>();
  boost::asio::post(lane, [reached] { reached->set_value(); });
  reached->get_future().wait();
}

}  // namespace spillring::daemon
