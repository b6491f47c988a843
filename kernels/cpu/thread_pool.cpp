#include "kernels/cpu/thread_pool.hpp"

#include <chrono>
#include <thread>
#include <vector>

namespace kernels {
namespace {

// How long a thread spins before it sleeps. Waking a sleeper costs some 10-50 us, and the gaps between the
// regions of a decode step are shorter than that; a longer spin would take the core from whoever else wants
// it.
constexpr std::chrono::microseconds kSpin{100};
constexpr int kPausesPerClockRead = 64;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `value` differs from `old` and returns the new value: spins for `spin`, then sleeps in the
// kernel.
template <typename T>
T wait_for_change(const std::atomic<T>& value, T old, std::chrono::microseconds spin) {
  T now = value.load(std::memory_order_acquire);
  if (now != old) return now;
  const auto deadline = std::chrono::steady_clock::now() + spin;
  do {
    for (int i = 0; i < kPausesPerClockRead; ++i) {
      now = value.load(std::memory_order_acquire);
      if (now != old) return now;
      pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  while ((now = value.load(std::memory_order_acquire)) == old) value.wait(old, std::memory_order_acquire);
  return now;
}

}  // namespace

// Counters that different threads write at the same time lie in cache lines of their own.
struct ThreadPool::State {
  alignas(64) std::atomic<std::uint32_t> region{
      0};  // bumped to start a region, and to make the workers look at `stop`
  alignas(64) std::atomic<int> running{0};  // workers that have not finished the region
  alignas(64) std::atomic<std::int64_t> next{0};
  alignas(64) Function function = nullptr;  // written before `region` is bumped, read after: no race
  const void* context = nullptr;
  bool stop = false;
  int threads = 1;
  std::chrono::microseconds spin{0};
  std::vector<std::thread> workers;

  void start_region() {
    region.fetch_add(1, std::memory_order_release);
    region.notify_all();
  }

  void work(int index) {
    for (std::uint32_t seen = 0;;) {
      seen = wait_for_change(region, seen, spin);
      if (stop) return;
      function(context, Part{index, threads, &next});
      if (running.fetch_sub(1, std::memory_order_acq_rel) == 1) running.notify_all();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.threads = threads < 1 ? 1 : threads;
  // With more threads than cores a spinning thread keeps the one that it waits for from running.
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  state.spin = state.threads <= cores ? kSpin : std::chrono::microseconds{0};
  state.workers.reserve(static_cast<std::size_t>(state.threads - 1));
  for (int i = 1; i < state.threads; ++i) state.workers.emplace_back([&state, i] { state.work(i); });
}

ThreadPool::~ThreadPool() {
  state_->stop = true;
  state_->start_region();
  for (std::thread& worker : state_->workers) worker.join();
}

int ThreadPool::size() const {
  return state_->threads;
}

void ThreadPool::run_raw(Function function, const void* context) {
  State& state = *state_;
  if (state.threads == 1) return function(context, Part{});
  state.function = function;
  state.context = context;
  state.next.store(0, std::memory_order_relaxed);
  state.running.store(state.threads - 1, std::memory_order_relaxed);
  state.start_region();
  function(context, Part{0, state.threads, &state.next});
  for (int left = state.running.load(std::memory_order_acquire); left != 0;) {
    left = wait_for_change(state.running, left, state.spin);
  }
}

}  // namespace kernels
