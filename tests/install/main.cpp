#include <iostream>
#include <spillring/embedded.hpp>
#include <spillring/spillring.hpp>
#include <string_view>

int main() {
  const spillring::Embedded bus;
  const auto queue = bus.connect().create("greetings");
  auto out = queue.producer();
  auto in = queue.consumer();
  constexpr std::string_view text = "hello";
  out.send(std::as_bytes(std::span(text))).value();
  auto message = in.receive(std::chrono::seconds(5)).value();
  std::cout << spillring::version << ' ' << message.text() << '\n';
  message.ack().value();
}
