// A persistent team of threads for work that comes in thousands of microsecond-long pieces per second.
//
// run() calls the function once on every thread of the team, the caller's included, and returns when all are
// done. Between calls the workers spin for a short while, then sleep, so an idle program costs nothing. One
// thread at a time may call run(); calls do not nest.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace kernels {

// Which share of a parallel region this call is.
struct Part {
  int index = 0;
  int count = 1;
  std::atomic<std::int64_t>* next = nullptr;  // shared by the region and 0 at its start; null when count is 1
};

class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // threads >= 1; 1 runs everything on the caller
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  template <typename F>
  void run(F&& function) {
    using Callable = std::remove_reference_t<F>;
    run_raw([](const void* context,
               const Part& part) { (*const_cast<Callable*>(static_cast<const Callable*>(context)))(part); },
            std::addressof(function));
  }

 private:
  using Function = void (*)(const void* context, const Part& part);
  void run_raw(Function function, const void* context);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kernels
