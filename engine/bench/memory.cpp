#include "engine/bench/memory.hpp"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "engine/bench/speed.hpp"
#include "engine/bench/synthetic_policy.hpp"

namespace engine {

namespace {

constexpr std::int32_t kChunk = 512;
constexpr std::int32_t kDecodeSteps = 16;

std::int64_t allocated_slots(const StepOutput& output) {
  const auto& allocated = output.sequences.front().allocated;
  return std::accumulate(allocated.begin(), allocated.end(), std::int64_t{0});
}

// Feeds `ids`, the last kDecodeSteps one by one; returns the slots allocated at the end.
Result<std::int64_t> run_through(Backend& backend, std::span<const TokenId> ids,
                                 const std::stop_token& stop) {
  const SequenceId sequence = backend.start_sequence();
  const std::size_t prefilled = ids.size() - kDecodeSteps;
  std::int64_t slots = 0;
  for (std::size_t first = 0; first < ids.size();) {
    if (stop.stop_requested()) return Error{ErrorCode::interrupted, "interrupted"};
    const std::size_t count = first < prefilled ? std::min<std::size_t>(kChunk, prefilled - first) : 1;
    const StepInput input{sequence, ids.subspan(first, count), LogitRows::last};
    const auto output = backend.step({&input, 1});
    if (!output) return output.error();
    slots = allocated_slots(*output);
    first += count;
  }
  return slots;
}

}  // namespace

Result<ResidentMemory> resident_memory() {
  std::ifstream status("/proc/self/status");
  ResidentMemory memory;
  std::string key;
  while (status >> key) {
    std::int64_t kibibytes = 0;
    if (key == "VmRSS:" && status >> kibibytes) memory.resident_bytes = kibibytes * 1024;
    if (key == "VmHWM:" && status >> kibibytes) memory.peak_bytes = kibibytes * 1024;
    std::string rest;
    std::getline(status, rest);
  }
  if (memory.resident_bytes == 0) return failed("/proc/self/status: expected VmRSS");
  return memory;
}

Result<MemorySample> measure_memory(std::shared_ptr<const Model> model, const BackendOptions& options,
                                    std::int32_t tokens, const std::stop_token& stop) {
  auto policy = make_dense_policy(*model);
  if (!policy) return policy.error();
  auto backend = make_backend(model, std::move(*policy), options);
  if (!backend) return backend.error();
  const auto ids = synthetic_tokens(std::max(tokens, kDecodeSteps + 1), model->config.vocab);
  const auto slots = run_through(**backend, ids, stop);
  if (!slots) return slots.error();
  const auto resident = resident_memory();
  if (!resident) return resident.error();
  MemorySample sample;
  sample.tokens = static_cast<std::int32_t>(ids.size());
  sample.weight_bytes = weight_bytes_per_step(*model);
  sample.cache_bytes = *slots * (*backend)->info().slot_bytes;
  sample.resident = *resident;
  sample.overhead_bytes = resident->peak_bytes - sample.weight_bytes - sample.cache_bytes;
  return sample;
}

}  // namespace engine
