#include "app/gui/workbench/rerun.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "app/gui/workbench/places.hpp"
#include "app/view/run_curves.hpp"

namespace app::gui {

namespace fs = std::filesystem;

namespace {

// A prompt that went through a template is not the text of its tokens.
bool was_raw(const view::SequenceView& sequence, const std::string& prompt) {
  std::string text;
  const std::int32_t count = view::prompt_positions(sequence);
  for (std::int32_t i = 0; i < count && text.size() <= prompt.size(); ++i) text += sequence.token(i).text;
  return text == prompt;
}

bool measured_prompt(const view::RunSnapshot& run, std::int32_t prompt) {
  for (std::int32_t i = 0; i < std::min(run.quality_count(), 64); ++i) {
    if (run.quality(i).position + 1 < prompt) return true;
  }
  return false;
}

}  // namespace

RunOptions rerun_options(const Workbench& bench) {
  if (bench.source() == RunSource::live) return bench.options();
  const view::RunSnapshot& snapshot = bench.run();
  const engine::RunStarted& run = snapshot.run();
  RunOptions options;
  options.prompt.text = run.prompt;
  options.policy.name = run.policy;
  options.policy.options.window = run.window;
  options.policy.options.threshold = run.threshold;
  options.sampling.temperature = run.temperature;
  options.sampling.top_p = run.top_p;
  options.sampling.top_k = run.top_k;
  options.sampling.seed = run.seed;
  options.chains = std::max(1, run.chains);
  apply(bench.preferences(), options);
  if (run.sinks > 0) options.policy.options.sinks = run.sinks;
  if (!bench.has_run()) return options;
  const std::int32_t prompt = view::prompt_positions(bench.sequence());
  options.prompt.raw = was_raw(bench.sequence(), run.prompt);
  options.tokens = std::max(1, bench.sequence().tokens() - prompt);
  options.quality = snapshot.quality_count() > 0;
  options.quality_prompt = measured_prompt(snapshot, prompt);
  return options;
}

fs::path rerun_traces(const Workbench& bench) {
  if (bench.source() != RunSource::live) return traces_folder();
  return bench.trace_path().parent_path();
}

RerunModel rerun_model(const Workbench& bench) {
  const live::LiveStatus& live = bench.live();
  const std::string& name = bench.run().run().model_name;
  const bool loading = live.state == live::LiveState::loading;
  if ((live.model || loading) && (bench.source() == RunSource::live || live.folder.filename() == name))
    return {true, live.folder, {}};
  if (name.empty()) return {false, {}, "The trace does not say which model it is of."};
  const fs::path standard = default_model_folder();
  std::error_code error;
  if (!standard.empty()) {
    const fs::path folder = standard.parent_path() / fs::path(name).filename();
    if (fs::exists(folder / "config.json", error)) return {false, folder, {}};
  }
  return {false, {}, fmt::format("Verifying needs the model {}: load its folder with Run a model.", name)};
}

}  // namespace app::gui
