#include "tests/cuda_emulation/fiber.hpp"

#include <sys/mman.h>
#include <ucontext.h>

#include <cstdint>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__)
// Saves what a called function must preserve on the stack of the one and takes it from that of the other: a
// fraction of swapcontext, which asks the system for the signal mask twice.
extern "C" void dmscope_switch_stack(void** save_stack, void* load_stack);
asm(R"(
.text
.type dmscope_switch_stack, @function
dmscope_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size dmscope_switch_stack, .-dmscope_switch_stack
.section .note.GNU-stack,"",@progbits
.text
)");
#endif

namespace cuda_emulation {

namespace {

constexpr std::size_t kStackBytes = 256 * 1024;  // reserved; pages that are never touched cost nothing

}  // namespace

struct Fiber::Context {
  std::byte* stack = nullptr;
#if defined(__x86_64__)
  void* inside = nullptr;  // stack pointers while not running
  void* outside = nullptr;
#else
  ucontext_t inside{};
  ucontext_t outside{};
#endif
  // For the address sanitizer, which must know which stack is in use.
  void* fake_stack = nullptr;
  const void* outside_bottom = nullptr;
  std::size_t outside_bytes = 0;
};

Fiber::Fiber() : context_(std::make_unique<Context>()) {
  void* stack =
      mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) throw std::bad_alloc();
  context_->stack = static_cast<std::byte*>(stack);
}

Fiber::~Fiber() {
  munmap(context_->stack, kStackBytes);
}

namespace {

Fiber* starting = nullptr;  // who enters entry_point()

}  // namespace

void Fiber::entry(void* self) {
  static_cast<Fiber*>(self)->run();
}

void Fiber::reset(const std::function<void()>* function) {
#if defined(__SANITIZE_ADDRESS__)
  // Frames of a run that was given up are still marked.
  if (!done()) __asan_unpoison_memory_region(context_->stack, kStackBytes);
#endif
  function_ = function;
  thrown_ = nullptr;
#if defined(__x86_64__)
  struct Start {
    static void begin() { Fiber::entry(starting); }
  };
  auto* top = reinterpret_cast<std::uintptr_t*>(context_->stack + kStackBytes);
  *--top = 0;  // where begin() would return to, and what aligns its frame
  *--top = reinterpret_cast<std::uintptr_t>(&Start::begin);
  for (int i = 0; i < 6; ++i) *--top = 0;  // the preserved registers
  context_->inside = top;
#else
  struct Start {
    static void begin() { Fiber::entry(starting); }
  };
  getcontext(&context_->inside);
  context_->inside.uc_stack.ss_sp = context_->stack;
  context_->inside.uc_stack.ss_size = kStackBytes;
  context_->inside.uc_link = nullptr;
  makecontext(&context_->inside, &Start::begin, 0);
#endif
}

void Fiber::resume() {
  starting = this;
#if defined(__SANITIZE_ADDRESS__)
  void* own_fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&own_fake_stack, context_->stack, kStackBytes);
#endif
#if defined(__x86_64__)
  dmscope_switch_stack(&context_->outside, context_->inside);
#else
  swapcontext(&context_->outside, &context_->inside);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(own_fake_stack, nullptr, nullptr);
#endif
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void Fiber::yield() {
#if defined(__SANITIZE_ADDRESS__)
  void** keep = done() ? nullptr : &context_->fake_stack;  // a fiber that has ended leaves nothing behind
  __sanitizer_start_switch_fiber(keep, context_->outside_bottom, context_->outside_bytes);
#endif
#if defined(__x86_64__)
  dmscope_switch_stack(&context_->inside, context_->outside);
#else
  swapcontext(&context_->inside, &context_->outside);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(context_->fake_stack, &context_->outside_bottom, &context_->outside_bytes);
#endif
}

void Fiber::run() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &context_->outside_bottom, &context_->outside_bytes);
#endif
  try {
    (*function_)();
  } catch (...) {
    thrown_ = std::current_exception();
  }
  function_ = nullptr;
  yield();
}

}  // namespace cuda_emulation
