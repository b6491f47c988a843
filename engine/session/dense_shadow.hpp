// The dense model beside a run: a second backend with nothing evicted that is fed the run's own tokens, and
// what its predictions are worth against the run's.
//
// It shares the weights with the run and has caches of its own, so it costs about what a dense run costs, in
// time and in cache memory. Driven by the session's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/backend/backend.hpp"
#include "engine/checkpoint/model.hpp"
#include "engine/events/events.hpp"
#include "engine/events/result.hpp"

namespace engine {

class DenseShadow {
 public:
  // `options.profiler` is told of what it launches: a ShadowProfiler, or null.
  static Result<std::unique_ptr<DenseShadow>> create(std::shared_ptr<const Model> model,
                                                     BackendOptions options);

  // The run's calls, mirrored: sequences get the run's numbers.
  void start_sequence(SequenceId sequence);
  Status fork_sequence(SequenceId from, SequenceId to);
  // Repeats a step of the run and compares the rows of logits that it asked for. A measure's position is that
  // of the token processed: it judges the prediction of the token after it.
  Result<std::vector<QualityMeasured>> step(std::span<const StepInput> inputs, const StepOutput& run);

 private:
  DenseShadow(std::unique_ptr<Backend> backend, std::int32_t vocab);

  std::unique_ptr<Backend> backend_;
  std::size_t vocab_;
};

}  // namespace engine
