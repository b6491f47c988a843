// A snapshot with given spans and steps.
#pragma once

#include <memory>
#include <vector>

#include "app/view/run_model.hpp"

namespace view_test {

inline engine::RunStarted span_facts() {
  engine::RunStarted run;
  run.shape.layers = 4;
  run.shape.kv_heads = 2;
  run.operations = {"qkv", "attention", "mlp"};
  run.kernels = {"gemv_bf16", "attn_decode"};
  return run;
}

inline std::shared_ptr<const app::view::RunSnapshot> span_run(
    std::vector<engine::Span> spans, const std::vector<engine::StepFinished>& steps = {}) {
  app::view::RunModel model;
  model.on_event(span_facts());
  model.on_event(engine::SpansRecorded{std::move(spans)});
  for (const engine::StepFinished& step : steps) model.on_event(step);
  return model.snapshot();
}

}  // namespace view_test
