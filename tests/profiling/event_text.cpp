#include "tests/profiling/event_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "profiling/half_float.hpp"

namespace profiling_test {
namespace {

using profiling::float_from_half;
using profiling::half_from_float;

struct Text {
  std::string operator()(const engine::RunStarted& e) const {
    return fmt::format(
        "run {} {} {} {} {} [{} {} {} {} {} {} {}] {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} "
        "{} {} {} {} {} {}",
        e.start_unix_ns, e.program_version, e.model_name, e.architecture, e.weight_dtype, e.shape.layers,
        e.shape.query_heads, e.shape.kv_heads, e.shape.head_dim, e.shape.hidden, e.shape.vocab,
        e.shape.max_positions, e.device, e.backend, e.policy, e.closed_form, e.window, e.threshold, e.lag,
        e.sinks, e.target_cr, e.gate_form, e.alpha_scale, e.alpha_offset, e.gates_per_layer,
        e.zero_after_rope, e.chains, e.seed, e.temperature, e.top_p, e.top_k, e.prompt, e.page_slots,
        e.slot_bytes, e.operations, e.kernels);
  }
  std::string operator()(const engine::SequenceStarted& e) const {
    return fmt::format("sequence {} {} {}", e.sequence, e.parent, e.fork_position);
  }
  std::string operator()(const engine::TokenAdded& e) const {
    return fmt::format("token {} {} {} '{}' {} {}", e.sequence, e.position, e.id, e.text,
                       static_cast<int>(e.phase), e.step);
  }
  std::string operator()(const engine::GatesDecided& e) const {
    std::vector<float> stored;
    for (const float logit : e.logits) stored.push_back(float_from_half(half_from_float(logit)));
    return fmt::format("gates {} {} {} {} {} {}", e.sequence, e.first_position, e.count, e.step, stored,
                       e.marked);
  }
  std::string operator()(const engine::TokensEvicted& e) const {
    std::string text = fmt::format("evicted {} {}", e.sequence, e.step);
    for (const auto& token : e.tokens)
      text += fmt::format(" ({} {} {})", token.layer, token.kv_head, token.position);
    return text;
  }
  std::string operator()(const engine::OccupancyChanged& e) const {
    return fmt::format("occupancy {} {} {} {}", e.sequence, e.step, e.live, e.allocated);
  }
  std::string operator()(const engine::StepFinished& e) const {
    return fmt::format("step {} {} {} {} {} {}", e.step, static_cast<int>(e.phase), e.start_ns, e.end_ns,
                       e.tokens, e.kv_reads);
  }
  std::string operator()(const engine::SpansRecorded& e) const {
    std::string text = "spans";
    for (const auto& s : e.spans) {
      text += fmt::format(" ({} {} {} {} {} {} {} {})", s.start_ns, s.end_ns, s.step, s.layer, s.operation,
                          s.kernel, s.device, s.stream);
      if (s.graph >= 0 || s.bytes != 0) text += fmt::format("[{} {}]", s.graph, s.bytes);
    }
    return text;
  }
  std::string operator()(const engine::ParameterChanged& e) const {
    return fmt::format("parameter {} '{}' '{}'", e.step, e.name, e.value);
  }
  std::string operator()(const engine::QualityMeasured& e) const {
    return fmt::format("quality {} {} '{}' {}", e.sequence, e.position, e.measure, e.value);
  }
  std::string operator()(const engine::Notice& e) const { return fmt::format("notice '{}'", e.text); }
  std::string operator()(const engine::RunFinished& e) const {
    return fmt::format("finished {} '{}'", e.end_ns, e.reason);
  }
  std::string operator()(const engine::KernelsNamed& e) const { return fmt::format("kernels {}", e.names); }
  std::string operator()(const engine::TrackNamed& e) const {
    return fmt::format("track {} {} '{}'", e.device, e.stream, e.name);
  }
  std::string operator()(const engine::CountersSampled& e) const {
    std::string text = "counters";
    for (const auto& s : e.samples)
      text += fmt::format(" ({} '{}' '{}' {} {})", s.device, s.track, s.unit, s.time_ns, s.value);
    return text;
  }
  std::string operator()(const engine::RecordsLost& e) const {
    return fmt::format("lost '{}' {} '{}'", e.what, e.count, e.meaning);
  }
};

}  // namespace

std::string event_text(const engine::Event& event) {
  return std::visit(Text{}, event);
}

std::vector<std::string> event_texts(const std::vector<engine::Event>& events) {
  std::vector<std::string> texts;
  for (const auto& event : events) texts.push_back(event_text(event));
  return texts;
}

}  // namespace profiling_test
