#include "app/view/run_result.hpp"

#include <fmt/format.h>

#include <cmath>

#include "app/view/format.hpp"

namespace app::view {

std::optional<double> mean_measure(const RunSnapshot& run, const std::string& measure) {
  double sum = 0;
  std::int64_t count = 0;
  for (std::int32_t i = 0; i < run.quality_count(); ++i) {
    const QualityPoint& point = run.quality(i);
    if (run.measure(point.measure) != measure || !std::isfinite(point.value)) continue;
    sum += point.value;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

RunResult run_result(const CacheView& view) {
  const RunSnapshot& run = view.run();
  RunResult result;
  result.run_id = run.run_id();
  result.policy = run.run().policy;
  result.threshold = run.run().threshold;
  result.window = run.run().window;
  result.sinks = run.run().sinks;
  result.target_cr = run.run().target_cr;
  result.positions = view.positions();
  if (view.positions() > 0) {
    const CacheSize size = view.size(view.positions() - 1);
    result.ratio = size.logical_ratio();
    result.allocated_ratio = size.allocated_ratio();
  }
  result.kl = mean_measure(run, "kl");
  result.top1 = mean_measure(run, "top1");
  return result;
}

std::string settings_text(const RunResult& result) {
  if (result.policy == "dense") return "dense";
  if (result.policy == "window") return fmt::format("window {}, {} sinks", result.window, result.sinks);
  const std::string settings = fmt::format("θ {}, w {}", format_logit(result.threshold), result.window);
  return result.policy == "dms" ? settings : result.policy + " " + settings;
}

}  // namespace app::view
