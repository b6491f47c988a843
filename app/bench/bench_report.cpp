#include "app/bench/bench_report.hpp"

#include <nlohmann/json.hpp>

#include "app/run_report.hpp"

namespace app {

namespace {

using Json = nlohmann::ordered_json;

Json decode_json(const DecodePoint& point) {
  return {{"depth_tokens", point.depth},
          {"chains", point.chains},
          {"evicted_fraction", point.evicted},
          {"compression_ratio", point.compression_ratio},
          {"tokens_per_second", to_json(point.tokens_per_second)},
          {"bytes_per_step", point.bytes_per_step},
          {"share_of_ceiling", to_json(point.ceiling_share)}};
}

Json memory_json(const engine::MemorySample& memory) {
  return {{"tokens", memory.tokens},
          {"weight_bytes", memory.weight_bytes},
          {"cache_bytes", memory.cache_bytes},
          {"resident_bytes", memory.resident.resident_bytes},
          {"peak_resident_bytes", memory.resident.peak_bytes},
          {"overhead_bytes", memory.overhead_bytes}};
}

Json trace_json(const TraceSize& trace) {
  return {{"tokens", trace.tokens},
          {"layers", trace.layers},
          {"kv_heads", trace.kv_heads},
          {"bytes", trace.bytes},
          {"write_seconds", trace.write_seconds},
          {"kernel_rows", trace.kernel_rows},
          {"bytes_per_kernel_row", trace.bytes_per_kernel_row},
          {"open_seconds", trace.open_seconds},
          {"replay_seconds", trace.replay_seconds},
          {"state_seconds", trace.state_seconds}};
}

Json attribution_json(const AttributionPoint& point) {
  const profiling::RecordCounts& counts = point.counts;
  return {{"mode", "detailed"},
          {"graph", point.graph},
          {"steps", counts.of_step.size()},
          {"kernels", counts.kernels},
          {"unattributed", counts.unattributed},
          {"untimed", counts.untimed},
          {"missing_nodes", counts.missing_nodes},
          {"dropped", counts.dropped},
          {"attributed_fraction", counts.attributed_fraction()},
          {"least_kernels_per_step", counts.least_per_step()},
          {"most_kernels_per_step", counts.most_per_step()}};
}

Json profiling_json(const BenchResults& results) {
  const profiling::ProfilingCost& cost = *results.profiling;
  return {{"depth_tokens", results.profiling_depth},
          {"off_has_cupti_attached", true},
          {"off_tokens_per_second", cost.off_tokens_per_s},
          {"light_tokens_per_second", cost.light_tokens_per_s},
          {"detailed_tokens_per_second", cost.detailed_tokens_per_s},
          {"light_cost_percent", cost.percent(profiling::ProfileMode::light)},
          {"detailed_cost_percent", cost.percent(profiling::ProfileMode::detailed)}};
}

std::string row(const std::string& name, const std::string& value) {
  return fmt::format("{:<34}{}\n", name, value);
}

std::string decode_name(const DecodePoint& point) {
  std::string name = fmt::format("decode at {}", point.depth);
  if (point.evicted > 0) name += fmt::format(", {:.0f} % evicted", 100 * point.evicted);
  if (point.chains > 1) name += fmt::format(", {} chains", point.chains);
  return name;
}

std::string decode_row(const DecodePoint& point) {
  std::string text = to_text(point.tokens_per_second, 1) + " tokens/s";
  if (!point.ceiling_share.empty())
    text += fmt::format(", {:.0f} % of the ceiling", 100 * point.ceiling_share.median());
  return row(decode_name(point), text);
}

std::string memory_rows(const engine::MemorySample& memory) {
  const auto bytes = [](std::int64_t count) {
    return bytes_text(static_cast<std::uintmax_t>(count < 0 ? 0 : count));
  };
  return row(
      fmt::format("resident memory at {} tokens", memory.tokens),
      fmt::format("{} at the peak = {} weights + {} caches + {}", bytes(memory.resident.peak_bytes),
                  bytes(memory.weight_bytes), bytes(memory.cache_bytes), bytes(memory.overhead_bytes)));
}

std::string trace_rows(const TraceSize& trace) {
  return row(fmt::format("trace of {} tokens, {} x {} heads", trace.tokens, trace.layers, trace.kv_heads),
             fmt::format("{}, {:.1f} bytes per kernel row", bytes_text(trace.bytes),
                         trace.bytes_per_kernel_row)) +
         row("  written, opened, replayed, any state in",
             fmt::format("{:.2f} s, {:.3f} s, {:.3f} s, {:.3f} s", trace.write_seconds, trace.open_seconds,
                         trace.replay_seconds, trace.state_seconds));
}

std::string attribution_row(const AttributionPoint& point) {
  const profiling::RecordCounts& counts = point.counts;
  std::string text =
      fmt::format("{:.2f} % of {} kernels attributed, {} to {} per step", 100 * counts.attributed_fraction(),
                  counts.kernels, counts.least_per_step(), counts.most_per_step());
  const std::pair<const char*, std::int64_t> losses[] = {{"without operation", counts.unattributed},
                                                         {"untimed", counts.untimed},
                                                         {"missing", counts.missing_nodes},
                                                         {"dropped", counts.dropped}};
  for (const auto& [name, count] : losses) {
    if (count > 0) text += fmt::format(", {} {}", count, name);
  }
  return row(point.graph ? "detailed profile, graph" : "detailed profile, no graph", text);
}

Series scaled(const Series& series, double factor) {
  Series result;
  for (const double value : series.values()) result.add(value * factor);
  return result;
}

}  // namespace

std::string bench_json(const BenchResults& results) {
  Json json{{"program_version", DMSCOPE_VERSION},
            {"model", results.model_name},
            {"weight_dtype", results.weight_dtype},
            {"weight_bytes_per_step", results.weight_bytes},
            {"device", results.device},
            {"threads", results.threads},
            {"memory_read_bytes_per_second", to_json(results.ceiling_bytes_per_second)},
            {"memory_read_variant", results.ceiling_variant},
            {"decode", Json::array()},
            {"speed_ups", Json::array()},
            {"prefill", Json::array()},
            {"first_token", nullptr},
            {"recording", nullptr},
            {"memory", nullptr},
            {"trace", nullptr},
            {"attribution", Json::array()},
            {"profiling", nullptr},
            {"interrupted", results.interrupted},
            {"error", results.error.empty() ? Json(nullptr) : Json(results.error)}};
  for (const DecodePoint& point : results.decode) json["decode"].push_back(decode_json(point));
  for (const PrefillPoint& point : results.prefill) {
    json["prefill"].push_back(
        {{"tokens", point.tokens}, {"tokens_per_second", to_json(point.tokens_per_second)}});
  }
  for (const SpeedUp& up : results.speed_ups()) {
    json["speed_ups"].push_back({{"depth_tokens", up.depth},
                                 {"chains", up.chains},
                                 {"measured", up.measured},
                                 {"roofline", up.roofline},
                                 {"share_of_roofline", up.measured / up.roofline}});
  }
  if (!results.first_token_seconds.empty()) {
    json["first_token"] = {{"prompt_tokens", results.first_token_prompt},
                           {"seconds", to_json(results.first_token_seconds)}};
  }
  if (!results.recording_cost.empty()) {
    json["recording"] = {{"plain_tokens_per_second", to_json(results.plain_tokens_per_second)},
                         {"recorded_tokens_per_second", to_json(results.recorded_tokens_per_second)},
                         {"cost_fraction", to_json(results.recording_cost)}};
  }
  if (results.memory) json["memory"] = memory_json(*results.memory);
  if (results.trace) json["trace"] = trace_json(*results.trace);
  for (const AttributionPoint& point : results.attribution) {
    json["attribution"].push_back(attribution_json(point));
  }
  if (results.profiling) json["profiling"] = profiling_json(results);
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string bench_table(const BenchResults& results) {
  std::string text = fmt::format("{} ({}), {}\nmedian (least to greatest)\n\n", results.model_name,
                                 results.weight_dtype, results.device);
  if (!results.ceiling_bytes_per_second.empty()) {
    text += row("memory-read ceiling", to_text(scaled(results.ceiling_bytes_per_second, 1e-9), 1) + " GB/s");
  }
  for (const DecodePoint& point : results.decode) text += decode_row(point);
  for (const SpeedUp& up : results.speed_ups()) {
    text += row(fmt::format("eviction at {}, {} chain{}", up.depth, up.chains, up.chains == 1 ? "" : "s"),
                fmt::format("{:.2f} times as fast, bytes allow {:.2f}", up.measured, up.roofline));
  }
  for (const PrefillPoint& point : results.prefill) {
    text +=
        row(fmt::format("prefill of {}", point.tokens), to_text(point.tokens_per_second, 1) + " tokens/s");
  }
  if (!results.first_token_seconds.empty()) {
    text += row(fmt::format("start to first token, {} in", results.first_token_prompt),
                to_text(results.first_token_seconds, 3) + " s");
  }
  if (!results.recording_cost.empty()) {
    text += row("recording costs", to_text(scaled(results.recording_cost, 100), 1) + " % of tokens/s");
  }
  if (results.memory) text += memory_rows(*results.memory);
  if (results.trace) text += trace_rows(*results.trace);
  for (const AttributionPoint& point : results.attribution) text += attribution_row(point);
  if (results.profiling) {
    text += row(fmt::format("profiling at {} costs", results.profiling_depth),
                fmt::format("light {:.1f} %, detailed {:.1f} % of {:.1f} tokens/s with CUPTI idle",
                            results.profiling->percent(profiling::ProfileMode::light),
                            results.profiling->percent(profiling::ProfileMode::detailed),
                            results.profiling->off_tokens_per_s));
  }
  if (results.interrupted) text += "\ninterrupted: what was measured until then\n";
  if (!results.error.empty()) text += "\nended by an error: what was measured until then\n";
  return text;
}

}  // namespace app
