// Cooperative threads of execution on one thread of the system: what the emulated device's threads are.
//
// A fiber runs until it calls yield(), and goes on where it stopped when it is resumed. An exception that
// leaves its function is handed to the next resume(). Stacks are kept for the next fiber.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

namespace cuda_emulation {

class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Makes the fiber run `function` from its start on the next resume(). What was unfinished is forgotten.
  void reset(const std::function<void()>* function);
  void resume();  // until the fiber yields or ends; rethrows what it threw
  bool done() const { return function_ == nullptr; }

  // From inside the fiber.
  void yield();

 private:
  struct Context;
  static void entry(void* self);
  void run();

  std::unique_ptr<Context> context_;
  const std::function<void()>* function_ = nullptr;
  std::exception_ptr thrown_;
};

}  // namespace cuda_emulation
