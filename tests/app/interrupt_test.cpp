#include "app/interrupt.hpp"

#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

namespace {

bool wait_for_stop(const std::stop_token& token) {
  for (int i = 0; i < 1000 && !token.stop_requested(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return token.stop_requested();
}

}  // namespace

TEST_CASE("Interrupt watch, a signal requests a stop") {
  const app::InterruptWatch watch;
  CHECK_FALSE(watch.token().stop_requested());
  raise(SIGTERM);
  CHECK(wait_for_stop(watch.token()));
  CHECK(watch.interrupted());
}

TEST_CASE("Interrupt watch, a stop for another reason is no interruption") {
  app::InterruptWatch watch;
  watch.request_stop();
  CHECK(watch.token().stop_requested());
  CHECK_FALSE(watch.interrupted());
}

TEST_CASE("Interrupt watch, signal handlers are restored") {
  struct sigaction before {};
  struct sigaction after {};
  sigaction(SIGINT, nullptr, &before);
  { const app::InterruptWatch watch; }
  sigaction(SIGINT, nullptr, &after);
  CHECK(before.sa_handler == after.sa_handler);
}

TEST_CASE("Interrupt watch, a signal that is ignored stays ignored") {
  signal(SIGINT, SIG_IGN);
  {
    const app::InterruptWatch watch;
    raise(SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK_FALSE(watch.interrupted());
  }
  signal(SIGINT, SIG_DFL);
}
