// TraceStats as JSON (keys: docs/trace-format.md) and as lines for people.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "profiling/saturating.hpp"
#include "profiling/stats.hpp"
#include "profiling/trace_tools.hpp"

namespace profiling {
namespace {

// Keeps the order in which keys are written.
using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json run_json(const TraceStats& stats) {
  const engine::RunStarted& run = stats.run;
  return {{"program_version", run.program_version},
          {"start_unix_ns", run.start_unix_ns},
          {"finished", stats.end_ns.has_value()},
          {"end_reason", stats.end_ns ? Json(stats.end_reason) : Json(nullptr)},
          {"duration_ns", stats.end_ns ? Json(*stats.end_ns) : Json(nullptr)},
          {"model", run.model_name},
          {"architecture", run.architecture},
          {"weight_dtype", run.weight_dtype},
          {"layers", run.shape.layers},
          {"query_heads", run.shape.query_heads},
          {"kv_heads", run.shape.kv_heads},
          {"head_dim", run.shape.head_dim},
          {"device", run.device},
          {"backend", run.backend},
          {"policy", run.policy},
          {"closed_form", run.closed_form},
          {"window", run.window},
          {"threshold", run.threshold},
          {"lag", run.lag},
          {"sinks", run.sinks},
          {"target_cr", run.target_cr},
          {"gate_form", run.gate_form},
          {"chains", run.chains},
          {"seed", run.seed},
          {"temperature", run.temperature},
          {"top_p", run.top_p},
          {"top_k", run.top_k},
          {"page_slots", run.page_slots},
          {"slot_bytes", run.slot_bytes}};
}

Json tokens_json(const TraceStats& stats) {
  Json sequences = Json::array();
  for (const SequenceStats& sequence : stats.sequences) {
    sequences.push_back({{"sequence", sequence.sequence},
                         {"parent", sequence.parent},
                         {"fork_position", sequence.fork_position},
                         {"prompt", sequence.prompt},
                         {"generated", sequence.generated},
                         {"processed", sequence.processed}});
  }
  return {
      {"prompt", stats.prompt_tokens()}, {"generated", stats.generated_tokens()}, {"sequences", sequences}};
}

Json phase_json(const PhaseStats& phase) {
  return {{"steps", phase.steps},
          {"tokens", phase.tokens},
          {"seconds", phase.seconds},
          {"tokens_per_s", phase.tokens_per_s()}};
}

Json moment_json(const std::optional<CacheTotals>& totals, std::int64_t slot_bytes) {
  if (!totals) return nullptr;
  return {{"step", totals->step},
          {"live_slots", totals->live_slots},
          {"allocated_slots", totals->allocated_slots},
          {"dense_slots", totals->dense_slots()},
          {"cr", compression_ratio(totals->dense_slots(), totals->live_slots)},
          {"logical_bytes", saturating_multiply(totals->live_slots, slot_bytes)},
          {"allocated_bytes", saturating_multiply(totals->allocated_slots, slot_bytes)},
          {"dense_bytes", saturating_multiply(totals->dense_slots(), slot_bytes)}};
}

// Live slots and ratio of the heads [first, first + count) together.
Json slots_json(const std::optional<CacheTotals>& totals, std::size_t first, std::size_t count) {
  if (!totals) return nullptr;
  std::int64_t live = 0;
  for (std::size_t head = first; head < first + count; ++head) live += totals->live[head];
  const std::int64_t dense = totals->tokens * static_cast<std::int64_t>(count);
  return {{"live_slots", live}, {"dense_slots", dense}, {"cr", compression_ratio(dense, live)}};
}

Json layers_json(const TraceStats& stats) {
  const auto kv_heads = static_cast<std::size_t>(stats.run.shape.kv_heads);
  Json layers = Json::array();
  for (std::size_t first = 0; first < stats.decisions.size(); first += kv_heads) {
    DecisionCounts layer;
    Json heads = Json::array();
    for (std::size_t head = first; head < first + kv_heads; ++head) {
      layer.judged += stats.decisions[head].judged;
      layer.marked += stats.decisions[head].marked;
      heads.push_back({{"kv_head", head - first},
                       {"end", slots_json(stats.end, head, 1)},
                       {"peak", slots_json(stats.peak, head, 1)},
                       {"marked_fraction", stats.decisions[head].fraction()}});
    }
    layers.push_back({{"layer", first / kv_heads},
                      {"end", slots_json(stats.end, first, kv_heads)},
                      {"peak", slots_json(stats.peak, first, kv_heads)},
                      {"marked_fraction", layer.fraction()},
                      {"heads", heads}});
  }
  return layers;
}

Json operations_json(const TraceStats& stats) {
  Json operations = Json::array();
  for (const OperationStats& operation : stats.operations) {
    operations.push_back({{"operation", operation.name},
                          {"calls", operation.calls},
                          {"seconds", operation.seconds},
                          {"share", operation.share}});
  }
  return operations;
}

Json quality_json(const TraceStats& stats) {
  if (stats.quality.empty()) return nullptr;
  Json quality = Json::object();
  for (const QualityStats& measure : stats.quality) {
    quality[measure.measure] = {
        {"positions", measure.positions}, {"mean", measure.mean}, {"max", measure.highest}};
  }
  return quality;
}

Json dropped_json(const TraceStats& stats) {
  Json dropped = {{"spans", 0}, {"span_batches", 0}};
  for (const auto& [what, count] : stats.dropped) dropped[what] = count;
  return dropped;
}

Json profiler_json(const TraceStats& stats) {
  if (stats.profiler.empty()) return nullptr;
  Json profiler = Json::object();
  for (const auto& [key, value] : stats.profiler) profiler[key] = value;
  return profiler;
}

std::string megabytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) * 1e-6);
}

std::string phase_line(const char* name, const PhaseStats& phase) {
  return fmt::format("{:<10} {} tokens in {:.2f} s, {:.1f} tokens/s\n", name, phase.tokens, phase.seconds,
                     phase.tokens_per_s());
}

std::string cache_line(const char* name, const std::optional<CacheTotals>& totals, std::int64_t slot_bytes) {
  if (!totals) return fmt::format("{:<10} not recorded\n", name);
  return fmt::format("{:<10} {} of {} slots live, CR {:.2f}; {} logical, {} allocated, {} dense\n", name,
                     totals->live_slots, totals->dense_slots(),
                     compression_ratio(totals->dense_slots(), totals->live_slots),
                     megabytes(saturating_multiply(totals->live_slots, slot_bytes)),
                     megabytes(saturating_multiply(totals->allocated_slots, slot_bytes)),
                     megabytes(saturating_multiply(totals->dense_slots(), slot_bytes)));
}

// One digit per head: how much of the dense cache it holds at the end, in tenths.
std::string heads_lines(const TraceStats& stats) {
  if (!stats.end || stats.end->tokens == 0) return "";
  std::string text = "layers     live fraction per KV head in tenths (9: nearly dense)\n";
  const auto kv_heads = static_cast<std::size_t>(stats.run.shape.kv_heads);
  for (std::size_t first = 0; first < stats.end->live.size(); first += kv_heads) {
    std::string digits;
    for (std::size_t head = first; head < first + kv_heads; ++head) {
      const std::int64_t tenths = 10 * stats.end->live[head] / stats.end->tokens;
      digits += static_cast<char>('0' + std::clamp<std::int64_t>(tenths, 0, 9));
    }
    text += fmt::format("{:>9}  {}\n", first / kv_heads, digits);
  }
  return text;
}

}  // namespace

engine::Result<std::string> stats_json(const std::filesystem::path& trace) {
  const auto stats = gather_stats(trace);
  if (!stats) return stats.error();
  const std::int64_t slot_bytes = stats->run.slot_bytes;
  const DecisionCounts decisions = stats->all_decisions();
  Json json = {
      {"trace", trace.string()},
      {"file_bytes", stats->file_bytes},
      {"run", run_json(*stats)},
      {"tokens", tokens_json(*stats)},
      {"prefill", phase_json(stats->prefill)},
      {"decode", phase_json(stats->decode)},
      {"kv_reads", stats->kv_reads},
      {"peak_slots", stats->peak ? Json(stats->peak->live_slots) : Json(nullptr)},
      {"marked_fraction", decisions.fraction()},
      {"judged", decisions.judged},
      {"cache",
       {{"end", moment_json(stats->end, slot_bytes)}, {"peak", moment_json(stats->peak, slot_bytes)}}},
      {"layers", layers_json(*stats)},
      {"operations", operations_json(*stats)},
      {"quality", quality_json(*stats)},
      {"dropped", dropped_json(*stats)},
      {"profiler", profiler_json(*stats)}};
  add_gpu_json(stats->gpu, json);
  return dump(json);
}

engine::Result<std::string> stats_text(const std::filesystem::path& trace) {
  const auto gathered = gather_stats(trace);
  if (!gathered) return gathered.error();
  const TraceStats& stats = *gathered;
  const engine::RunStarted& run = stats.run;
  std::string text = fmt::format("run        {} on {}, policy {}, window {}, threshold {}\n", run.model_name,
                                 run.device, run.policy, run.window, run.threshold);
  text +=
      fmt::format("tokens     {} prompt, {} generated, {} sequence{}; {}\n", stats.prompt_tokens(),
                  stats.generated_tokens(), stats.sequences.size(), stats.sequences.size() == 1 ? "" : "s",
                  stats.end_ns ? "ended: " + stats.end_reason : "the recording did not end");
  text += phase_line("prefill", stats.prefill) + phase_line("decode", stats.decode);
  text += cache_line("cache end", stats.end, run.slot_bytes) + cache_line("peak", stats.peak, run.slot_bytes);
  text += fmt::format("marked     {:.1f} % of {} decisions; {} KV reads\n",
                      100 * stats.all_decisions().fraction(), stats.all_decisions().judged, stats.kv_reads);
  for (const QualityStats& measure : stats.quality) {
    text += fmt::format("quality    {} {:.4f} on average, {:.4f} at most, over {} positions\n",
                        measure.measure, measure.mean, measure.highest, measure.positions);
  }
  text += heads_lines(stats);
  constexpr std::size_t kMostOperations = 8;
  for (std::size_t i = 0; i < std::min(stats.operations.size(), kMostOperations); ++i) {
    const OperationStats& operation = stats.operations[i];
    text += fmt::format("{:<10} {:>5.1f} %  {:>9.3f} s  {:>8} calls  {}\n", i == 0 ? "operations" : "",
                        100 * operation.share, operation.seconds, operation.calls, operation.name);
  }
  text += gpu_lines(stats.gpu);
  for (const auto& [what, count] : stats.dropped) text += fmt::format("dropped    {} {}\n", count, what);
  return text;
}

}  // namespace profiling
