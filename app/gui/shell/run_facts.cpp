#include "app/gui/shell/run_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/shell/run_state.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

std::string shape_text(const std::string& name, std::int32_t layers, std::int32_t query_heads,
                       std::int32_t kv_heads, std::int32_t head_dim) {
  return fmt::format("{}, {} layers \u00d7 {} q / {} kv heads \u00d7 {}", name, layers, query_heads, kv_heads,
                     head_dim);
}

std::string policy_text(const engine::RunStarted& run) {
  if (run.policy == "dense") return "dense";
  std::string text = run.policy == "dms" ? "DMS" : run.policy;
  if (run.policy == "dms" || run.policy == "knorm") {
    text += fmt::format(", lag {}, window {}, \u03b8 {}", run.lag, view::format_count(run.window),
                        view::format_logit(run.threshold));
  } else {
    text += fmt::format(", window {}", view::format_count(run.window));
  }
  if (run.sinks > 0) text += fmt::format(", {} sinks", run.sinks);
  return text;
}

std::string brief_policy(const engine::RunStarted& run) {
  if (run.policy == "dms" || run.policy == "knorm")
    return fmt::format("{}, \u03b8 {}", run.policy == "dms" ? "DMS" : run.policy,
                       view::format_logit(run.threshold));
  return run.policy;
}

std::vector<std::string> policy_words(const engine::RunStarted& run) {
  if (run.policy == "dense") return {"dense"};
  if (run.policy == "dms" || run.policy == "knorm") return {"lag", "window", "threshold \u03b8"};
  return {"window", "sinks"};
}

// "cpu: AMD EPYC 9B14 96-Core Processor, avx512_bf16, 2 threads": the parts that tell machines apart.
std::string device_text(const engine::RunStarted& run) {
  std::string name = run.device;
  if (const auto colon = name.find(": "); colon != std::string::npos && colon < 6) name.erase(0, colon + 2);
  if (const auto comma = name.find(','); run.backend == "cpu" && comma != std::string::npos)
    name.resize(comma);
  return run.backend == "cpu" ? "CPU, " + name : name;
}

}  // namespace

std::vector<Fact> run_facts(const Workbench& bench) {
  if (bench.run().started()) {
    const engine::RunStarted& run = bench.run().run();
    const engine::ModelShape& shape = run.shape;
    return {{shape_text(run.model_name, shape.layers, shape.query_heads, shape.kv_heads, shape.head_dim),
             {},
             run.model_name,
             {"KV head"}},
            {policy_text(run), run.policy == "dense" ? Role::kept : Role::doomed, brief_policy(run),
             policy_words(run)},
            {device_text(run),
             run.backend == "cpu" ? Role::warning : Role::accent,
             run.backend == "cpu" ? "CPU" : "GPU",
             {}}};
  }
  const live::LiveStatus& live = bench.live();
  if (live.model) {
    const engine::ModelShape shape = live.model->shape();
    const bool gates = live.model->dms.form != engine::GateForm::none;
    return {
        {shape_text(live.model->name, shape.layers, shape.query_heads, shape.kv_heads, shape.head_dim), {}},
        {gates ? fmt::format("DMS, lag {}, window {}", live.model->dms.lag, live.model->dms.window)
               : std::string("no gates"),
         gates ? Role::doomed : Role::text3}};
  }
  if (live.state == live::LiveState::loading)
    return {{"loading " + live.folder.filename().string(), Role::accent}};
  return {{"no model loaded", Role::text3}};
}

void RunStatusBar::read_quality(const view::RunSnapshot& run) {
  if (run.run_id() != run_id_) *this = {};
  run_id_ = run.run_id();
  for (; read_ < run.quality_count(); ++read_) {
    const view::QualityPoint& point = run.quality(read_);
    if (run.measure(point.measure) != "kl" || !std::isfinite(point.value)) continue;
    kl_sum_ += point.value;
    ++kl_count_;
  }
}

StatusText RunStatusBar::text(Workbench& bench, double frame_seconds) {
  const double frame_ms = frame_ms_;
  read_quality(bench.run());
  frame_ms_ = frame_ms > 0 ? 0.9 * frame_ms + 0.1 * frame_seconds * 1e3 : frame_seconds * 1e3;
  StatusText status;
  const RunStateText state = run_state(bench);
  status.state = bench.playback().playing() ? "Replaying" : state.text;
  status.busy = state.busy || bench.playback().playing();
  const std::string frame =
      frame_seconds < 0 ? std::string() : fmt::format("UI {:.1f}{}ms", frame_ms_, view::kThinSpace);
  if (!bench.has_run()) {
    status.left = {{"drop a model folder or a trace anywhere"}};
    const live::TraceStatus* trace = bench.trace();
    if (trace != nullptr && trace->state == live::TraceState::failed)
      status.left = {{trace->reason}};
    else if (bench.live().error)
      status.left = {{bench.live().error->message}};
    else if (status.busy)
      status.left = {{bench.live().folder.string()}};
    status.right = {{"DMScope " DMSCOPE_VERSION}};
    if (!frame.empty()) status.right.push_back({frame});
    return status;
  }
  const view::RunSnapshot& run = bench.run();
  // No head's cache ever shrinks: the newest position is the fullest.
  const std::int64_t peak = bench.cache().size(bench.positions() - 1).live_slots;
  const std::string kl =
      kl_count_ > 0 ? view::format_kl(kl_sum_ / static_cast<double>(kl_count_)) : "not measured";
  status.left = {{fmt::format("KV reads {} slots", view::format_count(run.kv_reads())), "KV reads"},
                 {fmt::format("peak {} slots", view::format_count(peak)), "peak"},
                 {"KL to dense " + kl, "KL to dense"}};
  if (bench.source() == RunSource::live && bench.live().error) status.left = {{bench.live().error->message}};
  const std::filesystem::path trace = bench.trace_path();
  if (trace.empty()) {
    status.right.push_back({"not recorded"});
  } else {
    const std::string size =
        bench.trace_bytes() < 0 ? std::string(view::kUnknown) : view::format_bytes(bench.trace_bytes());
    status.right.push_back({fmt::format("{}  {}", trace.filename().string(), size)});
  }
  if (!frame.empty()) status.right.push_back({frame});
  status.right.push_back({fmt::format("dropped {}", view::format_count(dropped_records(bench))), "dropped"});
  status.right.push_back({"recording cost " + recording_cost_text(bench), "recording cost"});
  return status;
}

}  // namespace app::gui
