// Runs ids through a backend and collects what came out, whatever the chunking.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "engine/backend/backend.hpp"

namespace test {

struct Outputs {
  std::vector<float> logits;         // [T, vocab]
  std::vector<float> gates;          // [L, H_kv, T], NaN where undecided
  std::vector<std::uint8_t> marked;  // [L, H_kv, T]
  std::vector<std::int32_t> live;    // [L, H_kv, T]
  std::int64_t kv_reads = 0;
};

struct RunOptions {
  engine::PolicyOptions policy;
  bool reference = true;
  int threads = 2;
  std::int32_t chunk = 1;
  engine::Device device = engine::Device::cpu;
  bool graph = true;
  std::int64_t cache_bytes = 0;
  bool spans = true;
};

inline std::unique_ptr<engine::Backend> start_backend(const std::shared_ptr<const engine::Model>& model,
                                                      const RunOptions& options) {
  auto facts = engine::resolve_policy(options.policy, *model);
  if (!facts) throw std::runtime_error(facts.error().message);
  engine::BackendOptions backend_options;
  backend_options.device = options.device;
  backend_options.graph = options.graph;
  backend_options.cache_bytes = options.cache_bytes;
  backend_options.spans = options.spans;
  backend_options.reference = options.reference;
  backend_options.threads = options.threads;
  backend_options.live_at = true;
  auto backend = engine::make_backend(model, engine::make_policy(*facts, *model), backend_options);
  if (!backend) throw std::runtime_error(backend.error().message);
  return std::move(*backend);
}

inline Outputs run_model(const std::shared_ptr<const engine::Model>& model,
                         std::span<const engine::TokenId> ids, const RunOptions& options) {
  const auto backend = start_backend(model, options);
  const engine::SequenceId sequence = backend->start_sequence();
  const std::int64_t heads = std::int64_t{model->config.layers} * model->config.kv_heads;
  const auto tokens = static_cast<std::int64_t>(ids.size());
  Outputs out;
  const auto cells = static_cast<std::size_t>(heads * tokens);
  out.gates.assign(cells, std::numeric_limits<float>::quiet_NaN());
  out.marked.assign(cells, 0);
  out.live.assign(cells, 0);
  for (std::int64_t first = 0; first < tokens; first += options.chunk) {
    const std::int64_t count = std::min<std::int64_t>(options.chunk, tokens - first);
    const engine::StepInput input{
        sequence, ids.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
        engine::LogitRows::all};
    auto step = backend->step(std::span(&input, 1));
    if (!step) throw std::runtime_error(step.error().message);
    out.logits.insert(out.logits.end(), step->logits.begin(), step->logits.end());
    out.kv_reads += step->kv_reads;
    const engine::SequenceOutput& part = step->sequences.front();
    for (std::int64_t head = 0; head < heads; ++head) {
      std::copy_n(part.logits.begin() + head * part.judged, part.judged,
                  out.gates.begin() + head * tokens + part.first_judged);
      std::copy_n(part.marked.begin() + head * part.judged, part.judged,
                  out.marked.begin() + head * tokens + part.first_judged);
      std::copy_n(part.live_at.begin() + head * count, count, out.live.begin() + head * tokens + first);
    }
  }
  return out;
}

}  // namespace test
