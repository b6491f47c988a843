// A snapshot of one sequence with given token texts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/view/run_model.hpp"

namespace view_test {

inline void add_tokens(app::view::RunModel& model, const std::vector<std::string>& texts) {
  const auto& sequences = model.snapshot()->sequences();
  std::int32_t position = sequences.empty() ? 0 : sequences[0].tokens();
  for (const std::string& text : texts) {
    model.on_event(engine::TokenAdded{0, position++, 1, text, engine::Phase::prefill, 0});
  }
}

inline void start_text(app::view::RunModel& model) {
  engine::RunStarted run;
  run.shape.layers = run.shape.kv_heads = 1;
  model.on_event(run);
  model.on_event(engine::SequenceStarted{});
}

inline std::shared_ptr<const app::view::RunSnapshot> text_run(const std::vector<std::string>& texts) {
  app::view::RunModel model;
  start_text(model);
  add_tokens(model, texts);
  return model.snapshot();
}

}  // namespace view_test
