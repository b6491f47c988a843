#include "app/interrupt.hpp"

#include <semaphore.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <thread>

namespace app {

namespace {

constexpr std::array kSignals{SIGINT, SIGTERM};

// What the handler may touch: sem_post is the one way to wake a thread that is async-signal-safe.
sem_t g_wake;
std::atomic<bool> g_watching{false};

extern "C" void on_signal(int) {
  const int saved_errno = errno;
  sem_post(&g_wake);
  errno = saved_errno;
}

}  // namespace

struct InterruptWatch::State {
  std::stop_source stop;
  std::atomic<bool> closing{false};
  std::atomic<bool> interrupted{false};
  std::array<struct sigaction, kSignals.size()> before{};
  std::thread watcher;

  void watch() {
    while (sem_wait(&g_wake) == -1 && errno == EINTR) {
    }
    if (closing) return;
    interrupted = true;
    stop.request_stop();
  }
};

InterruptWatch::InterruptWatch() : state_(std::make_unique<State>()) {
  [[maybe_unused]] const bool another = g_watching.exchange(true);
  assert(!another);
  sem_init(&g_wake, 0, 0);
  state_->watcher = std::thread([state = state_.get()] { state->watch(); });
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    // Reset by the first signal: the second one does what it does by default, it ends the program.
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(kSignals[i], nullptr, &state_->before[i]);
    if (state_->before[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptWatch::~InterruptWatch() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &state_->before[i], nullptr);
  state_->closing = true;
  sem_post(&g_wake);
  state_->watcher.join();
  sem_destroy(&g_wake);
  g_watching = false;
}

std::stop_token InterruptWatch::token() const {
  return state_->stop.get_token();
}
void InterruptWatch::request_stop() {
  state_->stop.request_stop();
}
bool InterruptWatch::interrupted() const {
  return state_->interrupted;
}

}  // namespace app
