#include "app/run_report.hpp"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

namespace app {

namespace {

std::string policy_text(const engine::RunStarted& run) {
  std::string text = run.policy;
  if (run.policy == "dense") return text;
  text += fmt::format(", window {}", run.window);
  if (run.policy == "window") return text + fmt::format(", sinks {}", run.sinks);
  return text + fmt::format(", threshold {:.4g}", run.threshold);
}

std::vector<std::string> run_lines(const RunReport& report) {
  const engine::RunSummary& summary = report.summary;
  const auto bytes = [](std::int64_t count) { return bytes_text(static_cast<std::uintmax_t>(count)); };
  return {
      fmt::format("model     {} ({}, {}), policy {}", report.run.model_name, report.run.architecture,
                  report.run.weight_dtype, policy_text(report.run)),
      fmt::format("device    {}", report.run.device),
      fmt::format("prefill   {} tokens in {:.2f} s, {:.1f} tokens/s", summary.prompt_tokens,
                  summary.prefill_seconds, per_second(summary.prompt_tokens, summary.prefill_seconds)),
      fmt::format("decode    {} tokens in {:.2f} s, {:.1f} tokens/s, first token after {:.2f} s",
                  summary.decode_tokens, summary.decode_seconds, decode_speed(summary),
                  summary.first_token_seconds),
      fmt::format("cache     CR {:.2f}: {} live in {} allocated, dense would be {}",
                  report.compression_ratio(), bytes(report.live_bytes()), bytes(report.allocated_bytes()),
                  bytes(report.dense_bytes())),
      fmt::format("KV reads  {} slots", summary.kv_reads),
  };
}

nlohmann::ordered_json quality_json(const engine::RunSummary& summary) {
  if (summary.quality_positions == 0) return nullptr;
  return {{"positions", summary.quality_positions},
          {"mean_kl", summary.mean_kl},
          {"top1_agreement", summary.top1_agreement},
          {"seconds", summary.quality_seconds}};
}

nlohmann::ordered_json cost_json(const RunReport& report) {
  if (!report.profile_cost_percent) return nullptr;
  return *report.profile_cost_percent;
}

}  // namespace

double RunReport::compression_ratio() const {
  if (summary.live_slots == 0) return 1;
  return static_cast<double>(summary.dense_slots) / static_cast<double>(summary.live_slots);
}

double decode_speed(const engine::RunSummary& summary) {
  const auto chains = static_cast<std::int64_t>(summary.ids.size());
  return per_second(summary.decode_tokens - chains, summary.decode_seconds);
}

double per_second(std::int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::string bytes_text(std::uintmax_t bytes) {
  constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.3g} {}", value, kUnits[unit]);
}

std::vector<std::string> report_lines(const RunReport& report) {
  std::vector<std::string> lines = run_lines(report);
  const engine::RunSummary& summary = report.summary;
  if (summary.quality_positions > 0) {
    lines.push_back(fmt::format(
        "quality   mean KL to dense {:.4f} nats, same top token at {:.1f} % of {} positions, measured in "
        "{:.2f} s",
        summary.mean_kl, 100 * summary.top1_agreement, summary.quality_positions, summary.quality_seconds));
  }
  if (report.profile_cost_percent) {
    lines.push_back(
        fmt::format("profiling costs {:.1f} % of decoding's speed", *report.profile_cost_percent));
  }
  lines.push_back(fmt::format("trace     {}, {}{}", report.trace.string(), bytes_text(report.trace_bytes),
                              report.trace_complete ? "" : ", incomplete"));
  return lines;
}

std::string report_json(const RunReport& report) {
  const engine::RunSummary& summary = report.summary;
  const nlohmann::ordered_json json{
      {"model", report.run.model_name},
      {"device", report.run.device},
      {"policy", report.run.policy},
      {"window", report.run.window},
      {"threshold", report.run.threshold},
      {"prompt_tokens", summary.prompt_tokens},
      {"decode_tokens", summary.decode_tokens},
      {"texts", summary.texts},
      {"ids", summary.ids},
      {"finish_reasons", summary.finish_reasons},
      {"load_seconds", summary.load_seconds},
      {"calibrate_seconds", summary.calibrate_seconds},
      {"prefill_seconds", summary.prefill_seconds},
      {"decode_seconds", summary.decode_seconds},
      {"first_token_seconds", summary.first_token_seconds},
      {"prefill_tokens_per_second", per_second(summary.prompt_tokens, summary.prefill_seconds)},
      {"decode_tokens_per_second", decode_speed(summary)},
      {"compression_ratio", report.compression_ratio()},
      {"live_bytes", report.live_bytes()},
      {"allocated_bytes", report.allocated_bytes()},
      {"dense_bytes", report.dense_bytes()},
      {"kv_reads_slots", summary.kv_reads},
      {"quality", quality_json(summary)},
      {"profile_cost_percent", cost_json(report)},
      {"trace", report.trace.string()},
      {"trace_bytes", report.trace_bytes},
      {"trace_complete", report.trace_complete},
      {"notices", report.notices},
  };
  // File names need not be UTF-8; JSON must be.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace app
