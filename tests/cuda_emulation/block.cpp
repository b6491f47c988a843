#include <cuda_runtime.h>

#include <algorithm>
#include <bit>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "tests/cuda_emulation/control.hpp"
#include "tests/cuda_emulation/fiber.hpp"

namespace cuda_emulation {

namespace {

constexpr std::size_t kMostThreads = 1024;

struct Copy {
  void* to;
  const void* from;
  bool valid;
};

enum class Waiting : std::uint8_t { no, warp, block };

struct Thread {
  Fiber fiber;
  uint3 index{};
  Waiting waiting = Waiting::no;
  std::size_t meetings = 0;  // warp-wide operations so far: their parity tells which operands to use
  std::vector<Copy> open_copies;
  std::deque<std::vector<Copy>> groups;
};

struct Warp {
  WarpOperation operation = WarpOperation::none;
  unsigned arrived = 0;
  // A lane can be one operation ahead of the slowest reader of the last one, not two.
  std::array<std::array<Operand, 32>, 2> operands{};
};

class Block {
 public:
  void run(dim3 size, std::size_t shared_bytes, const std::function<void()>& kernel, std::mt19937& random);

  void sync_block() { wait(Waiting::block); }
  const std::array<Operand, 32>& exchange(WarpOperation operation, unsigned mask, const Operand& own);
  std::byte* shared() { return reinterpret_cast<std::byte*>(shared_.data()); }
  Thread& running() { return *threads_[running_]; }

 private:
  struct alignas(128) Line {
    std::byte bytes[128];
  };
  void prepare(dim3 size, std::size_t shared_bytes, const std::function<void()>& kernel,
               std::mt19937& random);
  bool advance();  // whether any thread could
  void open_barrier();
  void wait(Waiting what);
  [[noreturn]] void report_deadlock() const;

  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<std::size_t> order_;
  std::array<Warp, kMostThreads / 32> warps_;
  std::vector<Line> shared_;
  std::size_t count_ = 0;
  std::size_t alive_ = 0;
  std::size_t at_barrier_ = 0;
  std::size_t running_ = 0;
};

void Block::prepare(dim3 size, std::size_t shared_bytes, const std::function<void()>& kernel,
                    std::mt19937& random) {
  count_ = std::size_t{size.x} * size.y * size.z;
  if (count_ == 0 || count_ > kMostThreads || count_ % 32 != 0) {
    throw Fault("a block of " + std::to_string(count_) +
                " threads: kernels here use whole warps, at most 32");
  }
  while (threads_.size() < count_) threads_.push_back(std::make_unique<Thread>());
  order_.resize(count_);
  for (std::size_t i = 0; i < count_; ++i) {
    Thread& thread = *threads_[i];
    thread.fiber.reset(&kernel);
    const auto n = static_cast<unsigned>(i);
    thread.index = {n % size.x, n / size.x % size.y, n / (size.x * size.y)};
    thread.waiting = Waiting::no;
    thread.meetings = 0;
    thread.open_copies.clear();
    thread.groups.clear();
    order_[i] = i;
  }
  std::shuffle(order_.begin(), order_.end(), random);
  for (Warp& warp : warps_) warp.arrived = 0;
  shared_.resize((shared_bytes + sizeof(Line) - 1) / sizeof(Line));
  // Not-a-numbers: what a block before left there must not be of use.
  if (!shared_.empty()) std::memset(shared_.data(), 0xff, shared_.size() * sizeof(Line));
  alive_ = count_;
  at_barrier_ = 0;
}

void Block::run(dim3 size, std::size_t shared_bytes, const std::function<void()>& kernel,
                std::mt19937& random) {
  prepare(size, shared_bytes, kernel, random);
  while (alive_ > 0) {
    if (!advance()) report_deadlock();
  }
}

bool Block::advance() {
  bool any = false;
  for (const std::size_t i : order_) {
    Thread& thread = *threads_[i];
    if (thread.fiber.done() || thread.waiting != Waiting::no) continue;
    any = true;
    running_ = i;
    current.thread = thread.index;
    thread.fiber.resume();
    if (thread.fiber.done()) {
      if (warps_[i / 32].arrived != 0) throw Fault("a thread ended while its warp waits for it");
      --alive_;
      open_barrier();
    }
  }
  return any;
}

void Block::open_barrier() {
  if (at_barrier_ == 0 || at_barrier_ < alive_) return;
  at_barrier_ = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (threads_[i]->waiting == Waiting::block) threads_[i]->waiting = Waiting::no;
  }
}

void Block::wait(Waiting what) {
  Thread& thread = running();
  thread.waiting = what;
  if (what == Waiting::block) {
    ++at_barrier_;
    open_barrier();
  }
  if (thread.waiting != Waiting::no) thread.fiber.yield();
}

const std::array<Operand, 32>& Block::exchange(WarpOperation operation, unsigned mask, const Operand& own) {
  if (mask != 0xffffffffu)
    throw Fault("a warp-wide operation of some lanes only: kernels here use all of them");
  const std::size_t first = running_ / 32 * 32;
  Warp& warp = warps_[running_ / 32];
  if (warp.arrived == 0) warp.operation = operation;
  if (warp.operation != operation) throw Fault("the lanes of a warp have come to different operations");
  auto& operands = warp.operands[running().meetings++ % 2];
  operands[running_ - first] = own;
  if (++warp.arrived < 32) {
    wait(Waiting::warp);
  } else {
    warp.arrived = 0;
    for (std::size_t i = first; i < first + 32; ++i) {
      if (threads_[i]->waiting == Waiting::warp) threads_[i]->waiting = Waiting::no;
    }
  }
  return operands;
}

void Block::report_deadlock() const {
  std::size_t in_warps = 0;
  for (std::size_t i = 0; i < count_; ++i) in_warps += threads_[i]->waiting == Waiting::warp ? 1u : 0u;
  throw Fault("a block hangs: of " + std::to_string(alive_) + " threads " + std::to_string(at_barrier_) +
              " wait at a barrier and " + std::to_string(in_warps) + " for their warp");
}

Block& the_block() {
  static Block block;
  return block;
}

// One grid at a time: built-in variables and __shared__ objects are global here.
std::mutex& grid_mutex() {
  static std::mutex mutex;
  return mutex;
}

void perform(const std::vector<Copy>& copies) {
  for (const Copy& copy : copies) {
    if (copy.valid) {
      std::memcpy(copy.to, copy.from, 16);
    } else {
      std::memset(copy.to, 0, 16);
    }
  }
}

}  // namespace

void sync_block() {
  the_block().sync_block();
}

void sync_warp(unsigned mask) {
  the_block().exchange(WarpOperation::sync, mask, {});
}

const std::array<Operand, 32>& exchange(WarpOperation operation, unsigned mask, const Operand& own) {
  return the_block().exchange(operation, mask, own);
}

std::byte* dynamic_shared_memory() {
  return the_block().shared();
}

void copy_16_async(void* shared, const void* from, bool valid) {
  if (reinterpret_cast<std::uintptr_t>(shared) % 16 != 0 ||
      (valid && reinterpret_cast<std::uintptr_t>(from) % 16 != 0)) {
    throw Fault("an asynchronous copy of 16 bytes at a misaligned address");
  }
  the_block().running().open_copies.push_back({shared, from, valid});
}

void commit_copies() {
  Thread& thread = the_block().running();
  thread.groups.push_back(std::move(thread.open_copies));
  thread.open_copies.clear();
}

void wait_for_copies(int pending) {
  Thread& thread = the_block().running();
  while (thread.groups.size() > static_cast<std::size_t>(pending)) {
    perform(thread.groups.front());
    thread.groups.pop_front();
  }
}

std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const float magnitude = std::abs(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00u);
  if (magnitude < 0x1p-14f) {  // subnormal: units of 2^-24, rounded by the addition
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(magnitude + 0.5f) - 0x3f000000u));
  }
  const std::uint32_t rounded = (bits & 0x7fffffffu) + 0xfffu + ((bits >> 13) & 1u);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

void run_grid(dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& kernel) {
  const std::lock_guard lock(grid_mutex());
  static std::mt19937 random(control().seed);
  std::vector<unsigned> order(std::size_t{grid.x} * grid.y * grid.z);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<unsigned>(i);
  std::shuffle(order.begin(), order.end(), random);
  current.block_size = block;
  current.grid_size = grid;
  for (const unsigned i : order) {
    current.block = {i % grid.x, i / grid.x % grid.y, i / (grid.x * grid.y)};
    the_block().run(block, shared_bytes, kernel, random);
  }
}

}  // namespace cuda_emulation
