// The interface of a device that runs the model: the CPU's implementation is the oracle of every other.
//
// A backend holds the weights on its device, the caches of its sequences and one policy. One thread drives
// it. A step advances any number of sequences, each by one or more tokens: a prefill chunk and a decode batch
// are the same call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/checkpoint/model.hpp"
#include "engine/events/events.hpp"
#include "engine/events/gpu_profiler.hpp"
#include "engine/events/result.hpp"
#include "engine/policy/policy.hpp"

namespace engine {

class GpuProfiler;

enum class LogitRows : std::uint8_t { none, last, all };

// How a token is chosen on the device, as engine/session/sampler.hpp does it.
struct TokenChoice {
  double temperature = 0;  // 0: the likeliest
  double top_p = 1;
  std::int32_t top_k = 0;    // 0: all
  std::uint64_t random = 0;  // state of the generator that one number is drawn from
};

struct StepInput {
  SequenceId sequence = 0;
  std::span<const TokenId> tokens;  // at least one, all inside the vocabulary
  LogitRows logits = LogitRows::last;
  // Wants the next token in StepOutput::picked. Without `logits` none of them leave the device.
  bool pick = false;
  TokenChoice choice{};  // of the pick; one that draws only where BackendInfo::draws
};

// Decisions and cache state of one sequence after a step.
struct SequenceOutput {
  SequenceId sequence = 0;
  std::int32_t first_position = 0;  // of the tokens processed
  std::int32_t count = 0;
  std::int32_t first_judged = 0;  // positions judged: [first_judged, first_judged + judged)
  std::int32_t judged = 0;
  std::vector<float> logits;            // [layers, kv_heads, judged], NaN: no logit
  std::vector<std::uint8_t> marked;     // [layers, kv_heads, judged]
  std::vector<EvictedToken> evicted;    // policies without closed form
  std::vector<std::int32_t> live;       // [layers, kv_heads] after the step
  std::vector<std::int32_t> allocated;  // [layers, kv_heads] slots of the pages held
  std::vector<std::int32_t> live_at;    // [layers, kv_heads, count] what each query saw; only if asked for
};

struct StepOutput {
  // Rows in the order of the inputs; valid until the next step. [rows, vocab]
  std::span<const float> logits;
  std::int64_t rows = 0;
  std::vector<TokenId> picked;  // one per input, -1: not asked. Of equally likely tokens the first
  std::vector<SequenceOutput> sequences;
  std::vector<Span> spans;           // times relative to the clock the backend was given
  std::int64_t kv_reads = 0;         // slots read, summed over queries, layers and KV heads
  std::vector<std::string> notices;  // fall-backs from this step on, with their reason
};

struct BackendInfo {
  std::string backend;  // "cpu", "cuda"
  std::string device;   // for people: processor, instruction set, threads; or the GPU
  int threads = 0;
  std::int32_t page_slots = 0;
  std::int64_t slot_bytes = 0;          // K and V of one slot of one head
  std::int32_t chunk = 512;             // prompt tokens per step that suit it
  bool draws = false;                   // picks may have a temperature
  std::vector<std::string> operations;  // names of Span::operation
  std::vector<std::string> kernels;     // names of Span::kernel
  std::vector<std::string> notices;     // fall-backs, with their reason
};

enum class Device : std::uint8_t { automatic, cpu, cuda };  // automatic: a GPU if one can be used

// Called while weights are copied to a device; false gives up.
using UploadProgress = std::function<bool(std::int64_t done_bytes, std::int64_t total_bytes)>;

struct BackendOptions {
  Device device = Device::cpu;
  int gpu = 0;             // which one, as survey_gpus() numbers them
  int threads = 0;         // CPU; 0: every core this process may use
  bool reference = false;  // CPU only: plain float32 kernels and a float32 cache
  bool spans = true;       // time every operation
  bool live_at = false;    // fill SequenceOutput::live_at
  bool graph = true;       // CUDA: a decode step is one graph launch
  // CUDA: bytes for caches at most; 0: whatever is free when they are needed
  std::int64_t cache_bytes = 0;
  UploadProgress on_upload;  // CUDA
  // Told of every launch on a GPU; not owned, outlives the backend. Null: the backend times operations
  // itself.
  GpuProfiler* profiler = nullptr;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const BackendInfo& info() const = 0;

  virtual SequenceId start_sequence() = 0;
  // A new sequence with a copy of the cache.
  virtual Result<SequenceId> fork_sequence(SequenceId from) = 0;
  virtual void end_sequence(SequenceId sequence) = 0;
  virtual std::int32_t length(SequenceId sequence) const = 0;  // tokens processed

  // Fails, with nothing changed, if a sequence would exceed the model's positions or memory runs out.
  virtual Result<StepOutput> step(std::span<const StepInput> inputs) = 0;

  // Span times are steady-clock nanoseconds since `start`.
  virtual void set_clock_start(std::int64_t steady_ns) = 0;
};

std::int64_t steady_now_ns();

// The backend that `options.device` asks for. `automatic` takes the GPU if it can be used and the checkpoint,
// the policy and the memory allow it, else the CPU, where there is a GPU with the reason among its notices;
// `cuda` fails with it.
Result<std::unique_ptr<Backend>> make_backend(std::shared_ptr<const Model> model,
                                              std::unique_ptr<Policy> policy, const BackendOptions& options);

// `notices` come first among its own: why it is the CPU that was taken.
Result<std::unique_ptr<Backend>> make_cpu_backend(std::shared_ptr<const Model> model,
                                                  std::unique_ptr<Policy> policy,
                                                  const BackendOptions& options,
                                                  std::vector<std::string> notices = {});

// Takes `policy` only if it succeeds.
Result<std::unique_ptr<Backend>> make_cuda_backend(std::shared_ptr<const Model> model,
                                                   std::unique_ptr<Policy>& policy,
                                                   const BackendOptions& options);

}  // namespace engine
